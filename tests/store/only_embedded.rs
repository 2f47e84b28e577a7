//! What only the embedded store has: a directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use image_vault::store::{self, Store, StoreChoice, StoreError};
use tempfile::tempdir;

use crate::blobs::later;
use crate::fresh::blob_file;
use crate::samples::{SignedIn as _, account, blob_id, bytes, get, pieces, put};
use crate::usage::tiny_pictures;

async fn open(dir: &Path) -> store::Result<Store> {
    store::open(&StoreChoice::Embedded {
        dir: dir.to_owned(),
    })
    .await
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_new_directory_is_the_owners_alone() {
    let dir = tempdir().unwrap();
    let nested = dir.path().join("not/there/yet");
    open(&nested).await.unwrap();
    assert_eq!(mode(&nested), 0o700);
}

#[tokio::test]
async fn an_open_directory_is_closed_to_others() {
    let dir = tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    open(dir.path()).await.unwrap();
    assert_eq!(mode(dir.path()), 0o700);
}

/// R0.1
#[tokio::test]
async fn a_newer_schema_is_refused_with_a_sentence() {
    let dir = tempdir().unwrap();
    open(dir.path()).await.unwrap();
    let database = rusqlite::Connection::open(dir.path().join("vault.db")).unwrap();
    database.pragma_update(None, "user_version", 1_000).unwrap();
    let refused = open(dir.path()).await.err().unwrap();
    assert!(matches!(refused, StoreError::Incompatible(_)));
    assert!(
        refused.to_string().contains("newer Image Vault"),
        "{refused}"
    );
}

/// R0.1
#[tokio::test]
async fn somebody_elses_database_is_refused_and_left_alone() {
    let dir = tempdir().unwrap();
    let database = rusqlite::Connection::open(dir.path().join("vault.db")).unwrap();
    database
        .execute_batch("CREATE TABLE images (name); INSERT INTO images VALUES ('cat')")
        .unwrap();
    let refused = open(dir.path()).await.err().unwrap();
    assert!(matches!(refused, StoreError::Incompatible(_)), "{refused}");
    let name: String = database
        .query_row("SELECT name FROM images", (), |row| row.get(0))
        .unwrap();
    assert_eq!(name, "cat");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_with_a_sentence() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("vault.db"), bytes(10_000)).unwrap();
    let refused = open(dir.path()).await.err().unwrap();
    assert!(matches!(refused, StoreError::Incompatible(_)), "{refused}");
}

#[tokio::test]
async fn a_path_that_is_a_file_is_an_error() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    assert!(matches!(
        open(&file).await.err(),
        Some(StoreError::Internal(_))
    ));
}

#[tokio::test]
async fn a_cut_off_write_is_swept_and_a_running_one_is_not() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await.unwrap();
    let left = dir.path().join("staging").join(blob_id().to_string());
    fs::write(&left, b"half").unwrap();
    let an_hour_ago = jiff::Timestamp::now() - jiff::ToSpan::hour(1);
    drop(store.blobs.list_before(an_hour_ago).await.unwrap());
    assert!(left.exists());
    drop(store.blobs.list_before(later()).await.unwrap());
    assert!(!left.exists());
}

#[tokio::test]
async fn a_deleted_blob_is_read_to_its_end() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await.unwrap();
    let id = put(&*store.blobs, &bytes(3_000_000)).await;
    let stream = store.blobs.read(&id, 0, None).await.unwrap();
    store.blobs.delete(&id).await.unwrap();
    let pieces: Vec<bytes::Bytes> = futures_util::TryStreamExt::try_collect(stream)
        .await
        .unwrap();
    assert!(pieces.concat() == bytes(3_000_000));
}

#[tokio::test]
async fn files_that_are_no_blobs_are_left_alone() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await.unwrap();
    let id = put(&*store.blobs, b"ours").await;
    let shelf = blob_file(dir.path(), &id).parent().unwrap().to_owned();
    // A note, and a blob's file in the wrong place.
    fs::write(dir.path().join("blobs/README"), b"").unwrap();
    fs::write(shelf.join("notes.txt"), b"").unwrap();
    fs::write(
        shelf.join(image_vault::ids::BlobId::from_bytes([0xee; 16]).to_string()),
        b"",
    )
    .unwrap();
    let listed = store.blobs.list_before(later()).await.unwrap();
    let listed: Vec<_> = futures_util::TryStreamExt::try_collect(listed)
        .await
        .unwrap();
    assert_eq!(listed, [id]);
}

#[tokio::test]
async fn a_directory_that_takes_no_more_files_is_an_error_and_leaves_nothing() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await.unwrap();
    // A file stands where the blob's directory should be.
    fs::remove_dir(dir.path().join("blobs")).unwrap();
    fs::write(dir.path().join("blobs"), b"").unwrap();
    let id = blob_id();
    assert!(store.blobs.put(&id, pieces(b"bytes", 5)).await.is_err());
    assert_eq!(fs::read_dir(dir.path().join("staging")).unwrap().count(), 0);
    assert!(get(&*store.blobs, &id, 0, None).await.is_err());
}

#[tokio::test]
async fn what_was_deleted_is_not_in_the_file_any_more() {
    let dir = tempdir().unwrap();
    let marker = b"a wrapped key that has to go";
    {
        let store = open(dir.path()).await.unwrap();
        let row = store::ImageRow {
            key_wrap: marker.repeat(20),
            ..crate::samples::image(account("x").id)
        };
        store
            .records
            .insert_image(&row, &store::Quota::NONE)
            .await
            .unwrap();
        let at = jiff::Timestamp::now();
        store
            .records
            .remove_images(&row.account, &[row.id], at)
            .await
            .unwrap();
    }
    // The last connection to close empties the write-ahead log into the file.
    let file = fs::read(dir.path().join("vault.db")).unwrap();
    assert!(!dir.path().join("vault.db-wal").exists());
    assert!(!file.windows(marker.len()).any(|window| window == marker));
}

/// Blocks that the file system has given away for what is below, in bytes.
fn on_disk(path: &Path) -> u64 {
    let own = fs::symlink_metadata(path).unwrap();
    let below = match own.is_dir() {
        true => fs::read_dir(path).unwrap().collect(),
        false => Vec::new(),
    };
    let below = below
        .into_iter()
        .map(|entry| on_disk(&entry.unwrap().path()));
    512 * std::os::unix::fs::MetadataExt::blocks(&own) + below.sum::<u64>()
}

/// A quota of a gigabyte keeps an account from taking ten of the disk, however small its pictures.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_is_told_it_keeps_is_what_the_disk_keeps_for_it() {
    for record_len in [700, 15_000] {
        let dir = tempdir().unwrap();
        let told = {
            let store = open(dir.path()).await.unwrap();
            tiny_pictures(&store, 1_000, record_len).await
        };
        let there = on_disk(dir.path());
        println!("records of {record_len}: told {told}, on disk {there}");
        let quarter = there / 4;
        assert!(
            (there - quarter..there + quarter).contains(&told),
            "{record_len}: told {told}, on disk {there}"
        );
    }
}
