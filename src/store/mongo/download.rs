//! Reading a blob: its chunks one by one, a few asked for ahead, each checked for its number and its
//! length.
//!
//! Every step asks for a chunk by number instead of holding a cursor, which the server would forget
//! when a client takes ten minutes for a step.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use futures_util::stream::{self, StreamExt};
use mongodb::bson::{RawDocument, doc};
use serde::Deserialize;
use tokio_util::task::AbortOnDropHandle;

use crate::ids::BlobId;

use super::super::{BlobRef, ByteStream, Result, StoreError};
use super::Mongo;
use super::blobs::CHUNK;

/// Chunks on their way at once: while one is opened and sent, the server and the driver are at work
/// on the next. The driver holds an answer as a whole and its document once more, so a download takes
/// about twice this in MiB.
const AHEAD: usize = 3;

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
        start: offset.min(end),
        end,
    };
    Ok(download.pieces())
}

/// A blob in one question where it is one chunk; else, or where that is not as it should be, as
/// everybody reads.
pub(super) async fn get(mongo: Arc<Mongo>, blob: &BlobRef) -> Result<Bytes> {
    if blob.len <= CHUNK as u64
        && let [chunk] = &mut chunks_from(&mongo, &blob.id.to_string(), 0, 2).await?[..]
        && let Some(data) = data(std::mem::take(chunk), 0)
        && data.len() as u64 == blob.len
    {
        return Ok(data);
    }
    let mut whole = BytesMut::new();
    let mut pieces = read(mongo, &blob.id, 0, None).await?;
    while let Some(piece) = pieces.try_next().await? {
        whole.extend_from_slice(&piece);
        if whole.len() as u64 > blob.len {
            break; // of no use, and must not fill the memory
        }
    }
    match whole.len() as u64 == blob.len {
        true => Ok(whole.freeze()),
        false => Err(damaged("a blob has another length")),
    }
}

/// Up to `limit` chunks of a blob, from number `n` on.
async fn chunks_from(mongo: &Mongo, id: &str, n: u64, limit: i64) -> Result<Vec<Bytes>> {
    let chunks = mongo.chunks();
    let found = async {
        let mut found = chunks
            .find(doc! { "files_id": id, "n": { "$gte": n as i64 } })
            .sort(doc! { "files_id": 1, "n": 1 })
            .limit(limit)
            .await?;
        let mut chunks = Vec::new();
        // Not as a stream, which would copy each chunk once more.
        while found.advance().await? {
            chunks.push(Bytes::copy_from_slice(found.current().as_bytes()));
        }
        Ok(chunks)
    };
    mongo.answer(found).await
}

#[derive(Clone)]
struct Download {
    mongo: Arc<Mongo>,
    id: String,
    length: u64,
    chunk_size: u64,
    /// The first byte that is wanted, and the one behind the last.
    start: u64,
    end: u64,
}

impl Download {
    /// The wanted bytes, a chunk at a time.
    fn pieces(self) -> ByteStream {
        let numbers = match self.start < self.end {
            true => self.start / self.chunk_size..self.end.div_ceil(self.chunk_size),
            false => 0..0,
        };
        let pieces = numbers.map(move |n| {
            let download = self.clone();
            async move { download.piece(n).await }
        });
        // Tasks of their own, so that reading goes on while nobody asks; a reader who leaves ends them.
        let tasks = stream::iter(pieces)
            .map(|piece| async { AbortOnDropHandle::new(tokio::spawn(piece)).await });
        let stopped = |error: tokio::task::JoinError| StoreError::Internal(error.into());
        let pieces = tasks.buffered(AHEAD).map_err(stopped);
        pieces.and_then(async |piece| piece).boxed()
    }

    /// The wanted bytes of chunk `n`.
    async fn piece(&self, n: u64) -> Result<Bytes> {
        let start = n * self.chunk_size;
        let len = self.chunk_size.min(self.length - start);
        // Behind the last chunk of the blob there must be none, so one more is asked for.
        let is_last = start + len == self.length;
        let limit = if is_last { 2 } else { 1 };
        let chunks = chunks_from(&self.mongo, &self.id, n, limit).await?;
        let Ok([chunk]) = <[Bytes; 1]>::try_from(chunks) else {
            return Err(damaged("a chunk is missing, or there is one too many"));
        };
        let data = data(chunk, n).ok_or_else(|| damaged("a chunk is missing or has no bytes"))?;
        if data.len() as u64 != len {
            return Err(damaged("a chunk has another length"));
        }
        let from = self.start.saturating_sub(start) as usize;
        let to = (self.end - start).min(len) as usize;
        Ok(data.slice(from..to))
    }
}

/// The bytes of a chunk, if it is number `n`.
fn data(chunk: Bytes, n: u64) -> Option<Bytes> {
    let fields = RawDocument::from_bytes(&chunk).ok()?;
    let number = fields.get_i32("n").ok()?;
    let data = fields.get_binary("data").ok()?;
    (u64::try_from(number) == Ok(n)).then(|| chunk.slice_ref(data.bytes))
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.into())
}
