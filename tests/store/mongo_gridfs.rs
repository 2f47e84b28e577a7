//! What only the MongoDB store has: blobs as GridFS keeps them, and what can be wrong with them.

use futures_util::TryStreamExt;
use futures_util::io::AsyncReadExt;
use image_vault::ids::BlobId;
use image_vault::store::{Store, StoreError};
use jiff::{Timestamp, ToSpan};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Binary, Bson, DateTime, Document, doc};
use mongodb::options::GridFsBucketOptions;

use crate::blobs::later;
use crate::fresh::on_database;
use crate::only_mongo::{collection, open};
use crate::samples::{blob_id, bytes, get, put};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn ordinary_gridfs_tools_read_a_blob() {
    on_database(async |uri, database| {
        let store = open(uri).await.unwrap();
        let whole = bytes(2 * MIB + 5);
        let id = put(&*store.blobs, &whole).await;

        let options = GridFsBucketOptions::builder()
            .bucket_name("blobs".to_owned())
            .build();
        let bucket = database.gridfs_bucket(options);
        let mut read = Vec::new();
        let mut stream = bucket
            .open_download_stream_by_name(id.to_string())
            .await
            .unwrap();
        stream.read_to_end(&mut read).await.unwrap();
        assert!(read == whole);
        let file = bucket
            .find_one(doc! { "_id": id.to_string() })
            .await
            .unwrap()
            .unwrap();
        assert_eq!(file.length, whole.len() as u64);
        assert_eq!(file.chunk_size_bytes, MIB as u32);
        assert_eq!(file.metadata, None);
    })
    .await;
}

#[tokio::test]
async fn a_second_chunk_of_one_number_is_refused_by_the_server() {
    on_database(async |uri, database| {
        let store = open(uri).await.unwrap();
        let id = put(&*store.blobs, &bytes(10)).await;
        let twin = chunk(&id, 0, ObjectId::new(), 10);
        collection(database, "blobs.chunks")
            .insert_one(twin)
            .await
            .unwrap_err();
    })
    .await;
}

fn chunk(id: &BlobId, n: i32, chunk_id: ObjectId, len: usize) -> Document {
    let data = Binary {
        subtype: 0.into(),
        bytes: bytes(len),
    };
    doc! { "_id": chunk_id, "files_id": id.to_string(), "n": n, "data": data }
}

/// R1.29
#[tokio::test]
async fn chunks_that_are_missing_or_too_many_or_moved_are_damage() {
    on_database(async |uri, database| {
        let store = open(uri).await.unwrap();
        let chunks = collection(database, "blobs.chunks");
        let set_n = |n: i32| doc! { "$set": { "n": n } };
        let numbered = |id: &BlobId, n: i32| doc! { "files_id": id.to_string(), "n": n };

        for missing in 0..7 {
            let id = put(&*store.blobs, &bytes(7 * MIB)).await;
            chunks.delete_one(numbered(&id, missing)).await.unwrap();
            check_damaged(&store, &id).await;
        }
        let id = put(&*store.blobs, &bytes(7 * MIB)).await;
        chunks
            .insert_one(chunk(&id, 7, ObjectId::new(), MIB))
            .await
            .unwrap();
        check_damaged(&store, &id).await;

        let id = put(&*store.blobs, &bytes(7 * MIB)).await;
        chunks.update_one(numbered(&id, 3), set_n(9)).await.unwrap();
        check_damaged(&store, &id).await;

        // What is asked for lies before the damage, and is whole.
        let part = get(&*store.blobs, &id, 5, Some(2 * MIB as u64))
            .await
            .unwrap();
        assert!(part == bytes(7 * MIB)[5..5 + 2 * MIB]);
    })
    .await;
}

/// R1.29
#[tokio::test]
async fn a_file_document_that_lies_is_damage() {
    on_database(async |uri, database| {
        let store = open(uri).await.unwrap();
        let lies = [
            doc! { "length": i64::MAX },
            doc! { "length": -1_i64 },
            doc! { "length": 2 * MIB as i64 },
            doc! { "length": "long" },
            doc! { "chunkSize": 0 },
            doc! { "chunkSize": -5 },
            doc! { "chunkSize": i64::MAX },
            doc! { "chunkSize": 1_000 },
        ];
        for lie in lies {
            let id = put(&*store.blobs, &bytes(3 * MIB)).await;
            let this = doc! { "_id": id.to_string() };
            let files = collection(database, "blobs.files");
            files.update_one(this, doc! { "$set": lie }).await.unwrap();
            check_damaged(&store, &id).await;
        }
    })
    .await;
}

async fn check_damaged(store: &Store, id: &BlobId) {
    match get(&*store.blobs, id, 0, None).await {
        Err(StoreError::Damaged(_)) => {}
        Err(other) => panic!("{other}"),
        Ok(read) => panic!("{} bytes were read", read.len()),
    }
}

#[tokio::test]
async fn chunks_without_a_file_are_swept_once_they_are_old() {
    on_database(async |uri, database| {
        let store = open(uri).await.unwrap();
        let whole = put(&*store.blobs, &bytes(10)).await;
        let made = |age_h: i64| {
            let seconds = (Timestamp::now() - age_h.hours()).as_second() as u32;
            ObjectId::from_parts(seconds, [0; 5], [0, 0, age_h as u8])
        };
        let chunks = collection(database, "blobs.chunks");
        let [old, young, growing] = [(); 3].map(|()| blob_id());
        // The first chunk may be missing as well, where a deletion was cut off.
        chunks
            .insert_one(chunk(&old, 4, made(30), 10))
            .await
            .unwrap();
        chunks
            .insert_one(chunk(&young, 0, made(2), 10))
            .await
            .unwrap();
        chunks
            .insert_one(chunk(&growing, 0, made(31), 10))
            .await
            .unwrap();
        chunks
            .insert_one(chunk(&growing, 1, made(3), 10))
            .await
            .unwrap();

        drop(
            store
                .blobs
                .list_before(Timestamp::now() - 24.hours())
                .await
                .unwrap(),
        );
        let mut left = chunks.distinct("files_id", doc! {}).await.unwrap();
        left.sort_by_key(|id| id.to_string());
        let mut expected = [whole, young, growing].map(|id| Bson::String(id.to_string()));
        expected.sort_by_key(|id| id.to_string());
        assert_eq!(left, expected);
    })
    .await;
}

#[tokio::test]
async fn files_of_others_in_the_bucket_are_left_alone() {
    on_database(async |uri, database| {
        let store = open(uri).await.unwrap();
        let (file, stray) = (ObjectId::from_parts(1, [0; 5], [0; 3]), ObjectId::new());
        let entry = doc! { "_id": file, "length": 0_i64, "uploadDate": DateTime::MIN };
        collection(database, "blobs.files")
            .insert_one(entry)
            .await
            .unwrap();
        let chunk = doc! { "_id": file, "files_id": stray, "n": 0 };
        collection(database, "blobs.chunks")
            .insert_one(chunk)
            .await
            .unwrap();
        let listed = store.blobs.list_before(later()).await.unwrap();
        assert_eq!(listed.try_collect::<Vec<_>>().await.unwrap(), []);
        let left = collection(database, "blobs.chunks")
            .count_documents(doc! {})
            .await
            .unwrap();
        assert_eq!(left, 1);
    })
    .await;
}
