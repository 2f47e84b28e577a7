//! Reading a blob: its chunks a few at a time, each checked for its number and its length.
//!
//! Every step asks for the next chunks by number instead of holding a cursor, which the server
//! would forget when a client takes ten minutes for a step.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::{self, StreamExt};
use mongodb::bson::{RawDocument, RawDocumentBuf, doc};
use serde::Deserialize;

use crate::ids::BlobId;

use super::super::{ByteStream, Result, StoreError};
use super::Mongo;

/// Chunks asked for in one go. The driver holds the answer as a whole and each document of it once
/// more, so a download takes twice this in MiB.
const BATCH: u64 = 2;

/// The largest document of MongoDB: no chunk is longer.
const MAX_CHUNK: u64 = 16 << 20;

#[derive(Deserialize)]
struct FileDoc {
    length: u64,
    #[serde(rename = "chunkSize")]
    chunk_size: u64,
}

pub(super) async fn read(
    mongo: Arc<Mongo>,
    id: &BlobId,
    offset: u64,
    len: Option<u64>,
) -> Result<ByteStream> {
    let id = id.to_string();
    let files = mongo.files().clone_with_type::<FileDoc>();
    let file = mongo.answer(files.find_one(doc! { "_id": &id })).await?;
    let FileDoc { length, chunk_size } = file.ok_or(StoreError::NotFound)?;
    if chunk_size == 0 || chunk_size > MAX_CHUNK || length.div_ceil(chunk_size) > i32::MAX as u64 {
        return Err(StoreError::Damaged(
            "a blob's lengths are impossible".into(),
        ));
    }
    let end = len.map_or(length, |len| offset.saturating_add(len).min(length));
    let download = Download {
        mongo,
        id,
        length,
        chunk_size,
        at: offset.min(end),
        end,
    };
    let batches = stream::try_unfold(download, |mut download| async move {
        if download.at == download.end {
            return Ok(None);
        }
        let pieces = download.next_batch().await?;
        Ok::<_, StoreError>(Some((stream::iter(pieces.into_iter().map(Ok)), download)))
    });
    Ok(batches.try_flatten().boxed())
}

struct Download {
    mongo: Arc<Mongo>,
    id: String,
    length: u64,
    chunk_size: u64,
    /// The first byte that was not handed out, and the one behind the last that is wanted.
    at: u64,
    end: u64,
}

impl Download {
    /// The wanted bytes of the next few chunks.
    async fn next_batch(&mut self) -> Result<Vec<Bytes>> {
        let first = self.at / self.chunk_size;
        let wanted = (self.end.div_ceil(self.chunk_size) - first).min(BATCH);
        // Behind the last chunk of the blob there must be none, so one more is asked for.
        let surplus = u64::from((first + wanted) * self.chunk_size >= self.length);
        let collection = self.mongo.chunks();
        let chunks = collection
            .find(doc! { "files_id": &self.id, "n": { "$gte": first as i64 } })
            .sort(doc! { "files_id": 1, "n": 1 })
            .limit((wanted + surplus) as i64);
        let chunks: Vec<RawDocumentBuf> = self
            .mongo
            .answer(async { chunks.await?.try_collect().await })
            .await?;
        if chunks.len() as u64 != wanted {
            return Err(damaged("a chunk is missing, or there is one too many"));
        }
        chunks
            .into_iter()
            .zip(first..)
            .map(|(chunk, n)| self.piece(chunk, n))
            .collect()
    }

    /// The wanted bytes of chunk `n`.
    fn piece(&mut self, chunk: RawDocumentBuf, n: u64) -> Result<Bytes> {
        let chunk = Bytes::from(chunk.into_bytes());
        let data = data(&chunk, n).ok_or_else(|| damaged("a chunk is missing or has no bytes"))?;
        let start = n * self.chunk_size;
        if data.len() as u64 != self.chunk_size.min(self.length - start) {
            return Err(damaged("a chunk has another length"));
        }
        let from = (self.at - start) as usize;
        let to = (self.end - start).min(data.len() as u64) as usize;
        self.at = start + to as u64;
        Ok(data.slice(from..to))
    }
}

/// The bytes of a chunk, if it is number `n`.
fn data(chunk: &Bytes, n: u64) -> Option<Bytes> {
    let fields = RawDocument::from_bytes(chunk).ok()?;
    let number = fields.get_i32("n").ok()?;
    let data = fields.get_binary("data").ok()?;
    (u64::try_from(number) == Ok(n)).then(|| chunk.slice_ref(data.bytes))
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.into())
}
