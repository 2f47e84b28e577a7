//! Blobs: written once, whole or not at all.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::{StreamExt, TryStreamExt};
use image_vault::ids::BlobId;
use image_vault::store::{BlobRef, ChunkSource, StoreError};
use jiff::{Timestamp, ToSpan};

use crate::fresh::Fresh;
use crate::samples::{blob_id, bytes, get, pieces, put};

const MIB: usize = 1 << 20;

/// A time that everything was written before. (GridFS chunks know theirs to the second.)
pub(crate) fn later() -> Timestamp {
    Timestamp::now() + 1.hour()
}

pub(crate) async fn a_blob_reads_back_whatever_its_size_and_pieces(fresh: &Fresh) {
    let blobs = &fresh.store.blobs;
    for size in [
        0,
        1,
        262_143,
        262_145,
        MIB - 1,
        MIB,
        MIB + 1,
        4 * MIB,
        9 * MIB + 3,
    ] {
        for piece in [4_099, 65_552, 3 * MIB] {
            let (id, bytes) = (blob_id(), bytes(size));
            assert_eq!(
                blobs.put(&id, pieces(&bytes, piece)).await.unwrap(),
                size as u64
            );
            let read = get(&**blobs, &id, 0, None).await.unwrap();
            assert!(read == bytes, "{size} bytes in pieces of {piece}");
            let len = size as u64;
            let whole = blobs.get(&BlobRef { id, len }).await.unwrap();
            assert!(whole == bytes, "{size} bytes at once");
        }
    }
}

pub(crate) async fn any_part_can_be_read(fresh: &Fresh) {
    let blobs = &fresh.store.blobs;
    let whole = bytes(5 * MIB + 17);
    let id = put(&**blobs, &whole).await;
    let borders = [
        0,
        1,
        262_144,
        MIB - 1,
        MIB,
        MIB + 1,
        4 * MIB,
        5 * MIB,
        whole.len() - 1,
    ];
    for from in borders
        .into_iter()
        .chain([whole.len(), whole.len() + 9, usize::MAX])
    {
        for len in [
            None,
            Some(0),
            Some(1),
            Some(MIB),
            Some(4 * MIB + 5),
            Some(usize::MAX),
        ] {
            let read = get(&**blobs, &id, from as u64, len.map(|len| len as u64))
                .await
                .unwrap();
            let start = from.min(whole.len());
            let end = len.map_or(whole.len(), |len| from.saturating_add(len).min(whole.len()));
            assert!(
                read == whole[start..end.max(start)],
                "{len:?} bytes from {from}"
            );
        }
    }
}

pub(crate) async fn a_missing_blob_is_not_found(fresh: &Fresh) {
    let blobs = &fresh.store.blobs;
    let read = blobs.read(&blob_id(), 0, None).await;
    assert!(matches!(read.err(), Some(StoreError::NotFound)));
    let (id, len) = (blob_id(), 96);
    let whole = blobs.get(&BlobRef { id, len }).await;
    assert!(matches!(whole, Err(StoreError::NotFound)));
}

pub(crate) async fn removing_twice_succeeds(fresh: &Fresh) {
    let blobs = &fresh.store.blobs;
    let id = put(&**blobs, &bytes(2 * MIB)).await;
    blobs.delete(&id).await.unwrap();
    blobs.delete(&id).await.unwrap();
    assert!(matches!(
        get(&**blobs, &id, 0, None).await,
        Err(StoreError::NotFound)
    ));
    assert_eq!(fresh.remains().await, 0);
}

pub(crate) async fn an_id_used_twice_leaves_the_older_blob(fresh: &Fresh) {
    let blobs = &fresh.store.blobs;
    for size in [0, 10, 3 * MIB] {
        let older = bytes(size);
        let id = put(&**blobs, &older).await;
        let remains = fresh.remains().await;
        for rival in [0, 1, MIB, 6 * MIB] {
            let refused = blobs.put(&id, pieces(&vec![7; rival], 65_552)).await;
            assert!(
                matches!(refused, Err(StoreError::Internal(_))),
                "{rival} over {size}"
            );
        }
        assert!(get(&**blobs, &id, 0, None).await.unwrap() == older);
        eventually(async || fresh.remains().await == remains).await;
    }
}

pub(crate) async fn of_twenty_writers_of_one_id_one_wins(fresh: &Fresh) {
    let blobs = &fresh.store.blobs;
    let id = blob_id();
    let written = join_all((0..20).map(|i| {
        let content = vec![i as u8; 300_000 + i];
        blobs.put(&id, pieces(&content, 65_552))
    }))
    .await;
    let winners: Vec<u64> = written.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    let read = get(&**blobs, &id, 0, None).await.unwrap();
    assert_eq!(read.len() as u64, winners[0]);
    assert_eq!(read, vec![(winners[0] - 300_000) as u8; read.len()]);
}

pub(crate) async fn a_reader_never_sees_half_a_blob(fresh: &Fresh) {
    let blobs = &fresh.store.blobs;
    let (id, whole) = (blob_id(), bytes(6 * MIB));
    let slow = pieces(&whole, 65_536).inspect(|_| thread::sleep(Duration::from_millis(1)));
    let write = blobs.put(&id, Box::new(slow));
    let watch = async {
        let mut missed = 0;
        loop {
            match get(&**blobs, &id, 0, None).await {
                Err(StoreError::NotFound) => missed += 1,
                read => break (read.unwrap(), missed),
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let (written, (read, missed)) = tokio::join!(write, watch);
    written.unwrap();
    assert!(read == whole);
    assert!(missed > 0, "the reader came too late to see anything");
}

/// Pieces without an end, slowly, counted.
fn endless(pulled: &Arc<AtomicUsize>) -> ChunkSource {
    let pulled = Arc::clone(pulled);
    Box::new(std::iter::repeat_with(move || {
        pulled.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(1));
        Bytes::from(vec![1; 128 * 1024])
    }))
}

pub(crate) async fn a_dropped_writer_leaves_nothing(fresh: &Fresh) {
    // Before, at, and after the point where the first bytes reach the server.
    for wanted in [1, 8, 33, 70] {
        let pulled = Arc::new(AtomicUsize::new(0));
        let (store, id, source) = (fresh.store.clone(), blob_id(), endless(&pulled));
        let writer = tokio::spawn(async move { store.blobs.put(&id, source).await });
        while pulled.load(Ordering::SeqCst) < wanted {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        writer.abort();
        assert!(writer.await.unwrap_err().is_cancelled());
        let read = get(&*fresh.store.blobs, &id, 0, None).await;
        assert!(matches!(read, Err(StoreError::NotFound)));
    }
    leaves_nothing(fresh).await;
}

pub(crate) async fn a_writer_that_panics_leaves_nothing(fresh: &Fresh) {
    let (store, id) = (fresh.store.clone(), blob_id());
    let mut pieces = pieces(&bytes(6 * MIB), 65_536);
    let broken = std::iter::from_fn(move || Some(pieces.next().expect("no more, on purpose")));
    let outcome = tokio::spawn(async move { store.blobs.put(&id, Box::new(broken)).await }).await;
    assert!(!matches!(outcome, Ok(Ok(_))));
    let read = get(&*fresh.store.blobs, &id, 0, None).await;
    assert!(matches!(read, Err(StoreError::NotFound)));
    leaves_nothing(fresh).await;
}

/// At once, or with the help of the sweep.
async fn leaves_nothing(fresh: &Fresh) {
    eventually(async || {
        let listed = fresh.store.blobs.list_before(later()).await.unwrap();
        assert_eq!(listed.try_collect::<Vec<_>>().await.unwrap(), []);
        fresh.remains().await == 0
    })
    .await;
}

pub(crate) async fn a_blob_deleted_while_it_is_read_is_whole_or_an_error(fresh: &Fresh) {
    let blobs = &fresh.store.blobs;
    let whole = bytes(12 * MIB);
    let id = put(&**blobs, &whole).await;
    let mut stream = blobs.read(&id, 0, None).await.unwrap();
    let mut read = stream.next().await.unwrap().unwrap().to_vec();
    blobs.delete(&id).await.unwrap();
    let rest: Result<Vec<Bytes>, StoreError> = stream.try_collect().await;
    match rest {
        Ok(rest) => {
            read.extend(rest.concat());
            assert!(read == whole);
        }
        Err(error) => assert!(matches!(error, StoreError::Damaged(_)), "{error}"),
    }
}

pub(crate) async fn old_blobs_are_listed_and_young_ones_not(fresh: &Fresh) {
    let blobs = &fresh.store.blobs;
    let contents = bytes(10);
    let stored: HashSet<BlobId> = join_all((0..40).map(|_| put(&**blobs, &contents)))
        .await
        .into_iter()
        .collect();

    let an_hour_ago = Timestamp::now() - 1.hour();
    let young = blobs.list_before(an_hour_ago).await.unwrap();
    assert_eq!(young.try_collect::<Vec<_>>().await.unwrap(), []);
    let old = blobs.list_before(later()).await.unwrap();
    let old: Vec<BlobId> = old.try_collect().await.unwrap();
    assert_eq!(old.len(), 40);
    assert_eq!(old.iter().copied().collect::<HashSet<_>>(), stored);
    // Listing takes nothing away that is whole.
    for id in &stored {
        assert_eq!(get(&**blobs, id, 0, None).await.unwrap(), contents);
    }
}

pub(crate) async fn many_are_written_and_read_at_once(fresh: &Fresh) {
    let blobs = &fresh.store.blobs;
    join_all((0..16).map(async |i: usize| {
        let contents = vec![i as u8; 500_000 + i * 70_000];
        let id = put(&**blobs, &contents).await;
        assert!(get(&**blobs, &id, 0, None).await.unwrap() == contents);
    }))
    .await;
}

/// Waits until it is so, for a minute at most.
pub(crate) async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..1_200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not come true within a minute");
}
