//! Blobs in the GridFS layout: a document in `blobs.files`, its bytes in `blobs.chunks`.
//!
//! <https://github.com/mongodb/specifications/blob/master/source/gridfs/gridfs-spec.md>
//!
//! The documents are written here and not by the driver's upload stream, which would make the
//! index on the chunks without `unique`, and which answers a second use of an id by deleting the
//! chunks of the first. The document in `blobs.files` comes last, as the commit: chunks without
//! one are no blob, and the sweep removes them.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::{BoxStream, StreamExt};
use jiff::Timestamp;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::raw::RawBinaryRef;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Bson, DateTime, Document, RawDocumentBuf, doc};

use crate::ids::BlobId;

use super::super::{BlobRef, Blobs, ByteStream, ChunkSource, Result, StoreError};
use super::Mongo;
use super::documents::{date, texts};
use super::download;
use super::errors::is_duplicate;

/// Bytes in a chunk. Measured fastest among 255 KiB, 1, 4 and 15 MiB.
pub(super) const CHUNK: usize = 1 << 20;

/// Chunks in one insertion; each waits for the majority's journal. So much is held in memory.
const BATCH: usize = 4;

/// Ids looked up in one go while sweeping.
const SWEEP: usize = 1_000;

/// The letters an id can begin with.
const FIRST_LETTERS: &[u8] = b"234567abcdefghijklmnopqrstuvwxyz";

/// Blobs in a bucket named `blobs`.
pub(super) struct GridFsBlobs(Arc<Mongo>);

impl GridFsBlobs {
    pub(super) fn new(mongo: Arc<Mongo>) -> Self {
        Self(mongo)
    }
}

#[async_trait]
impl Blobs for GridFsBlobs {
    async fn put(&self, id: &BlobId, chunks: ChunkSource) -> Result<u64> {
        let mut upload = Upload::new(Arc::clone(&self.0), id);
        for piece in chunks {
            upload.write(piece).await?;
        }
        upload.finish().await
    }

    async fn read(&self, id: &BlobId, offset: u64, len: Option<u64>) -> Result<ByteStream> {
        download::read(Arc::clone(&self.0), id, offset, len).await
    }

    async fn get(&self, blob: &BlobRef) -> Result<Bytes> {
        download::get(Arc::clone(&self.0), blob).await
    }

    async fn delete(&self, id: &BlobId) -> Result<()> {
        // In this order: half of it done leaves no blob, and chunks for the sweep.
        let id = id.to_string();
        self.0
            .answer(self.0.files().delete_one(doc! { "_id": &id }))
            .await?;
        self.0
            .answer(self.0.chunks().delete_many(doc! { "files_id": id }))
            .await?;
        Ok(())
    }

    async fn list_before(&self, before: Timestamp) -> Result<BoxStream<'static, Result<BlobId>>> {
        remove_orphans(&self.0, before).await?;
        let files = self.0.files();
        let old = files
            .find(doc! { "uploadDate": { "$lt": date(before) } })
            .projection(doc! { "_id": 1 })
            .batch_size(SWEEP as u32);
        let ids = self
            .0
            .answer(old)
            .await?
            .try_filter_map(async |file| Ok(blob_id(&file)));
        Ok(ids.map_err(StoreError::from).boxed())
    }
}

/// A blob being written.
struct Upload {
    mongo: Arc<Mongo>,
    id: String,
    length: u64,
    /// Bytes that do not fill a chunk yet.
    rest: Vec<u8>,
    /// Chunks that were not sent yet.
    batch: Vec<RawDocumentBuf>,
    /// Chunks that may be in the database: removed, by their own ids, unless the blob is finished.
    /// (Removing them by the blob's id could hit an older blob.)
    sent: Vec<ObjectId>,
    next: i32,
}

impl Upload {
    fn new(mongo: Arc<Mongo>, id: &BlobId) -> Self {
        Self {
            mongo,
            id: id.to_string(),
            length: 0,
            rest: Vec::new(),
            batch: Vec::new(),
            sent: Vec::new(),
            next: 0,
        }
    }

    async fn write(&mut self, mut piece: Bytes) -> Result<()> {
        self.length += piece.len() as u64;
        while !piece.is_empty() {
            let fits = piece.len().min(CHUNK - self.rest.len());
            self.rest.extend_from_slice(&piece.split_to(fits));
            if self.rest.len() == CHUNK {
                self.cut()?;
            }
            if self.batch.len() == BATCH {
                self.send().await?;
            }
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<u64> {
        if !self.rest.is_empty() {
            self.cut()?;
        }
        if !self.batch.is_empty() {
            self.send().await?;
        }
        let length =
            i64::try_from(self.length).map_err(|error| StoreError::Internal(error.into()))?;
        let file = doc! {
            "_id": &self.id,
            "length": length,
            "chunkSize": CHUNK as i32,
            "uploadDate": DateTime::now(),
            "filename": &self.id,
        };
        // From here on the chunks may belong to a blob, even where no answer comes or nobody waits
        // for it. They are ours to remove only if the document was refused.
        let sent = std::mem::take(&mut self.sent);
        let mongo = Arc::clone(&self.mongo);
        let committed = async { Ok(mongo.files().insert_one(file).await) };
        match self.mongo.answer(committed).await? {
            Ok(_) => Ok(self.length),
            Err(error) if is_duplicate(&error) => {
                self.sent = sent;
                Err(used_twice())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a chunk of the rest.
    fn cut(&mut self) -> Result<()> {
        let mut chunk = RawDocumentBuf::new();
        let id = ObjectId::new();
        chunk.append("_id", id);
        chunk.append("files_id", self.id.as_str());
        chunk.append("n", self.next);
        chunk.append_ref(
            "data",
            RawBinaryRef {
                subtype: BinarySubtype::Generic,
                bytes: &self.rest,
            },
        );
        self.next = self.next.checked_add(1).ok_or_else(|| {
            StoreError::Internal("a blob has more chunks than GridFS can count".into())
        })?;
        self.rest.clear();
        self.batch.push(chunk);
        self.sent.push(id);
        Ok(())
    }

    async fn send(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        let mongo = Arc::clone(&self.mongo);
        let inserted = async { Ok(mongo.chunks().insert_many(batch).await) };
        match self.mongo.answer(inserted).await? {
            Ok(_) => Ok(()),
            Err(error) if is_duplicate(&error) => Err(used_twice()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let sent = std::mem::take(&mut self.sent);
        if sent.is_empty() {
            return;
        }
        // Nobody may be left to wait for this; what it does not reach is left to the sweep.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let mongo = Arc::clone(&self.mongo);
            runtime.spawn(async move {
                let these = doc! { "_id": { "$in": sent } };
                let _ = mongo.answer(mongo.chunks().delete_many(these)).await;
            });
        }
    }
}

fn used_twice() -> StoreError {
    StoreError::Internal("a blob id was used twice".into())
}

fn blob_id(found: &Document) -> Option<BlobId> {
    found.get_str("_id").ok()?.parse().ok()
}

/// Removes chunks that belong to no file, once the newest of a blob is older than `before`.
///
/// The chunks are looked through by the first letter of their blob's id, so that no single call
/// has to touch all of them, and by index alone: no bytes are read.
async fn remove_orphans(mongo: &Mongo, before: Timestamp) -> Result<()> {
    let chunks = mongo.chunks();
    for letter in FIRST_LETTERS {
        let first = char::from(*letter).to_string();
        let behind = char::from(letter + 1).to_string();
        let fileless = chunks.aggregate([
            doc! { "$match": { "files_id": { "$gte": first, "$lt": behind } } },
            doc! { "$group": { "_id": "$files_id" } },
            doc! { "$lookup": {
                "from": "blobs.files", "localField": "_id", "foreignField": "_id", "as": "file",
            } },
            doc! { "$match": { "file": [] } },
            doc! { "$project": { "_id": 1 } },
        ]);
        let found: Vec<Document> = mongo
            .answer(async { fileless.await?.try_collect().await })
            .await?;
        let orphans: Vec<BlobId> = found.iter().filter_map(blob_id).collect();
        for some in orphans.chunks(SWEEP) {
            remove_if_old(mongo, some, before).await?;
        }
    }
    Ok(())
}

async fn remove_if_old(mongo: &Mongo, orphans: &[BlobId], before: Timestamp) -> Result<()> {
    let chunks = mongo.chunks();
    let newest = chunks.aggregate([
        doc! { "$match": { "files_id": { "$in": texts(orphans) } } },
        doc! { "$group": { "_id": "$files_id", "newest": { "$max": "$_id" } } },
    ]);
    let newest: Vec<Document> = mongo
        .answer(async { newest.await?.try_collect().await })
        .await?;
    let old: Vec<&Bson> = newest
        .iter()
        // An object id holds the second in which it was made.
        .filter(|orphan| {
            orphan
                .get_object_id("newest")
                .is_ok_and(|id| id.timestamp() < date(before))
        })
        .filter_map(|orphan| orphan.get("_id"))
        .collect();
    mongo
        .answer(chunks.delete_many(doc! { "files_id": { "$in": old } }))
        .await?;
    Ok(())
}
