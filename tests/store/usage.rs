//! What an account keeps, counted with each change of it.

use std::sync::Arc;

use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use image_vault::ids::{AccountId, ImageId};
use image_vault::store::{
    BlobRef, Change, Edited, ImageRow, ImageState, Inserted, KeyRow, Quota, Records, Store,
    UsageRow,
};
use rand::RngExt;
use rand::seq::IndexedRandom;

use crate::fresh::Fresh;
use crate::samples::{
    SignedIn as _, account_id, at, blob_id, bytes, done, image, image_id, insert, pieces, renewed,
};

/// What a part of an image takes at least, and in steps of.
pub(crate) const BLOCK: u64 = 4_096;

/// An image that counts so many blocks: a thumbnail takes two of them, a record one, and an original
/// at least two.
pub(crate) fn sized(account: AccountId, blocks: u64) -> ImageRow {
    let blob = |len| BlobRef { id: blob_id(), len };
    ImageRow {
        original: blob((blocks - 4) * BLOCK),
        thumbnail: blob(1),
        metadata: vec![1],
        ..image(account)
    }
}

pub(crate) fn at_most(blocks: Option<u64>, images: Option<u64>) -> Quota {
    Quota {
        bytes: blocks.map(|blocks| blocks * BLOCK),
        images,
    }
}

/// What these rows count, by the rule and not by the program.
fn counted<'a>(rows: impl IntoIterator<Item = &'a ImageRow>) -> (u64, u64) {
    let part = |len: u64| len.div_ceil(BLOCK) * BLOCK;
    let file = |blob: &BlobRef| part(blob.len) + BLOCK;
    rows.into_iter().fold((0, 0), |(images, bytes), row| {
        let blobs = file(&row.original) + file(&row.thumbnail);
        let blobs = blobs + row.preview.as_ref().map_or(0, file);
        (images + 1, bytes + blobs + part(row.metadata.len() as u64))
    })
}

/// What is there, counted row by row.
async fn recounted(records: &dyn Records, account: &AccountId) -> (u64, u64) {
    let changes = records.changes_since(account, 0).await.unwrap();
    let changes: Vec<Change> = changes.try_collect().await.unwrap();
    counted(changes.iter().filter_map(|change| match change {
        Change::Put(row) => Some(&**row),
        Change::Gone { .. } => None,
    }))
}

/// Images and bytes.
pub(crate) async fn kept(records: &dyn Records, account: &AccountId) -> (u64, u64) {
    let usage = records.usage(account).await.unwrap();
    (usage.images, usage.bytes)
}

pub(crate) async fn what_an_account_keeps_is_counted_with_each_change(fresh: &Fresh) {
    let records = &*fresh.store.records;
    let ada = account_id();
    let none = Quota::NONE;
    assert_eq!(records.usage(&ada).await.unwrap(), UsageRow::default());
    let rows = [1_000_000, 9, 5].map(|blocks| sized(ada, blocks));
    for row in &rows {
        assert_eq!(insert(records, row, &none).await.unwrap(), Inserted::New);
    }
    assert_eq!(kept(records, &ada).await, (3, 1_000_014 * BLOCK));

    let twin = ImageRow {
        digest: rows[0].digest,
        ..sized(ada, 99)
    };
    for again in [&twin, &rows[0]] {
        let outcome = insert(records, again, &none).await.unwrap();
        assert_eq!(outcome, Inserted::Duplicate(rows[0].id));
    }
    let ids = [rows[0].id, rows[1].id];
    for state in [ImageState::Trashed, ImageState::Active, ImageState::Trashed] {
        records.set_state(&ada, &ids, state, at(1)).await.unwrap();
    }
    assert_eq!(
        kept(records, &ada).await,
        (3, 1_000_014 * BLOCK),
        "trash included"
    );

    let preview = BlobRef {
        id: blob_id(),
        len: BLOCK + 1,
    };
    for is_new in [true, false] {
        let set = records.set_preview(&ada, &rows[1].id, &preview, &none);
        // Who repeats a commit whose answer was lost is told the same, or that it came too late.
        assert!(set.await.unwrap() || !is_new);
        assert_eq!(kept(records, &ada).await, (3, 1_000_017 * BLOCK));
    }
    let long = vec![7; BLOCK as usize + 1];
    for (revision, record, blocks) in [(0, &long[..], 1_000_018), (1, b"short", 1_000_017)] {
        let change = [renewed(rows[2].id, revision, record)];
        let edited = records.update_metadata(&ada, &change, &none).await;
        assert_eq!(done(edited), [rows[2].id]);
        assert_eq!(kept(records, &ada).await, (3, blocks * BLOCK));
    }

    records
        .remove_trashed(&ada, &ids, at(0), at(2))
        .await
        .unwrap();
    assert_eq!(kept(records, &ada).await.0, 3, "none is as old as that");
    records
        .remove_images(&ada, &[rows[0].id, image_id()], at(2))
        .await
        .unwrap();
    assert_eq!(kept(records, &ada).await, (2, 17 * BLOCK));
    records
        .remove_trashed(&ada, &ids, at(5), at(6))
        .await
        .unwrap();
    assert_eq!(kept(records, &ada).await, (1, 5 * BLOCK));
    assert_eq!(kept(records, &account_id()).await, (0, 0), "a stranger");
}

pub(crate) async fn records_and_previews_grow_no_further_than_they_may(fresh: &Fresh) {
    let records = &*fresh.store.records;
    let ada = account_id();
    let rows = [sized(ada, 5), sized(ada, 5)];
    for row in &rows {
        insert(records, row, &Quota::NONE).await.unwrap();
    }
    let record = |blocks: u64| vec![1; (blocks * BLOCK) as usize];
    let edit = async |changes: &[(usize, u64, u64)], most: Quota| {
        let changes = changes
            .iter()
            .map(|(row, revision, blocks)| renewed(rows[*row].id, *revision, &record(*blocks)));
        let changes: Vec<_> = changes.collect();
        let edited = records.update_metadata(&ada, &changes, &most);
        edited.await.unwrap()
    };
    let most = at_most(Some(12), Some(1));
    let seq = records.sequence(&ada).await.unwrap();
    assert_eq!(edit(&[(0, 0, 2), (1, 0, 3)], most).await, Edited::NoRoom);
    assert_eq!(kept(records, &ada).await, (2, 10 * BLOCK), "none of them");
    assert_eq!(records.sequence(&ada).await.unwrap(), seq);
    let stored = records.image(&ada, &rows[0].id).await.unwrap().unwrap();
    assert_eq!((stored.revision, stored.metadata.len()), (0, 1));
    // What comes too late needs no room.
    let both = edit(&[(0, 0, 3), (1, 9, 3)], most).await;
    assert_eq!(both, Edited::Done(vec![rows[0].id]));
    assert_eq!(kept(records, &ada).await, (2, 12 * BLOCK), "the last byte");

    // Of the same length, or shorter, at the limit and far beyond it.
    for (most, revision, blocks) in [(most, 1, 3), (at_most(Some(0), Some(0)), 2, 3)] {
        let same = edit(&[(0, revision, blocks)], most).await;
        assert_eq!(same, Edited::Done(vec![rows[0].id]));
    }
    let none = at_most(Some(0), None);
    let exchanged = edit(&[(0, 3, 1), (1, 0, 3)], none).await;
    assert!(matches!(exchanged, Edited::Done(ids) if ids.len() == 2));
    assert_eq!(edit(&[(0, 4, 2)], none).await, Edited::NoRoom);

    let preview = BlobRef {
        id: blob_id(),
        len: BLOCK,
    };
    let set = async |most| {
        let set = records.set_preview(&ada, &rows[0].id, &preview, &most);
        set.await.unwrap()
    };
    assert!(!set(at_most(Some(13), None)).await);
    let stored = records.image(&ada, &rows[0].id).await.unwrap().unwrap();
    assert_eq!(stored.preview, None);
    assert_eq!(kept(records, &ada).await, (2, 12 * BLOCK));
    assert!(set(at_most(Some(14), None)).await);
    assert_eq!(kept(records, &ada).await, (2, 14 * BLOCK));
    assert_eq!(recounted(records, &ada).await, (2, 14 * BLOCK));
}

/// Four at once on each of two servers, who do whatever they like to the same pictures.
pub(crate) async fn after_any_changes_the_count_is_what_is_there(fresh: &Fresh) {
    let ada = account_id();
    let servers = [
        Arc::clone(&fresh.store.records),
        fresh.reopen().await.records,
    ];
    let mut first = Vec::new();
    for _ in 0..12 {
        let row = sized(ada, 5);
        insert(&*servers[0], &row, &Quota::NONE).await.unwrap();
        first.push(row.id);
    }
    let workers = (0..8).map(|worker| {
        let (records, mut known) = (Arc::clone(&servers[worker % 2]), first.clone());
        tokio::spawn(async move {
            for _ in 0..25 {
                change_something(&*records, ada, &mut known).await;
            }
        })
    });
    try_join_all(workers).await.unwrap();
    for records in &servers {
        let there = recounted(&**records, &ada).await;
        assert_eq!(kept(&**records, &ada).await, there);
    }
    // And after the last of them is gone.
    let changes = servers[0].changes_since(&ada, 0).await.unwrap();
    let left = changes.try_filter_map(async |change| match change {
        Change::Put(row) => Ok(Some(row.id)),
        Change::Gone { .. } => Ok(None),
    });
    let left: Vec<ImageId> = left.try_collect().await.unwrap();
    servers[1].remove_images(&ada, &left, at(9)).await.unwrap();
    assert_eq!(kept(&*servers[0], &ada).await, (0, 0));
}

async fn change_something(records: &dyn Records, ada: AccountId, known: &mut Vec<ImageId>) {
    let (what, some, len, second) = {
        let mut random = rand::rng();
        let some: Vec<ImageId> = known.sample(&mut random, 3).copied().collect();
        let len = random.random_range(0..5 * BLOCK);
        (
            random.random_range(0..9),
            some,
            len,
            random.random_range(0..9),
        )
    };
    let used = records.usage(&ada).await.unwrap().bytes;
    let most = [Quota::NONE, at_most(Some(used / BLOCK + 2), Some(40))][second as usize % 2];
    match what {
        0..=2 => {
            let row = ImageRow {
                original: BlobRef { id: blob_id(), len },
                metadata: bytes(len as usize / 2),
                ..sized(ada, 5)
            };
            insert(records, &row, &most).await.unwrap();
            known.push(row.id);
        }
        3 => {
            let rows = records.images(&ada, &some).await.unwrap();
            let changes = rows.iter().map(|row| {
                let stale = u64::from(second == 0);
                renewed(row.id, row.revision + stale, &bytes(len as usize))
            });
            let changes: Vec<_> = changes.collect();
            records
                .update_metadata(&ada, &changes, &most)
                .await
                .unwrap();
        }
        4 | 5 => {
            let preview = BlobRef { id: blob_id(), len };
            records
                .set_preview(&ada, &some[0], &preview, &most)
                .await
                .unwrap();
        }
        6 => {
            let state = [ImageState::Active, ImageState::Trashed][second as usize % 2];
            records
                .set_state(&ada, &some, state, at(second))
                .await
                .unwrap();
        }
        7 => {
            let key = KeyRow {
                id: some[0],
                key_wrap: bytes(len as usize),
            };
            records.replace_keys(&ada, 7, &[key]).await.unwrap();
            records
                .remove_trashed(&ada, &some, at(second), at(9))
                .await
                .unwrap();
        }
        _ => {
            records
                .remove_images(&ada, &some[..1], at(9))
                .await
                .unwrap();
        }
    }
}

/// Stores so many tiny pictures with records of this length; what their account is told it keeps.
pub(crate) async fn tiny_pictures(store: &Store, count: usize, record_len: usize) -> u64 {
    let ada = account_id();
    let rows = (0..count).map(|_| async {
        let blob = async |len: usize| {
            let id = blob_id();
            let stored = store.blobs.put(&id, pieces(&bytes(len), len));
            let len = stored.await.unwrap();
            BlobRef { id, len }
        };
        let row = ImageRow {
            original: blob(800).await,
            thumbnail: blob(700).await,
            metadata: bytes(record_len),
            ..image(ada)
        };
        let inserted = store.records.insert_image(&row, &Quota::NONE).await;
        assert_eq!(inserted.unwrap(), Inserted::New);
    });
    stream::iter(rows)
        .buffer_unordered(16)
        .collect::<Vec<()>>()
        .await;
    kept(&*store.records, &ada).await.1
}
