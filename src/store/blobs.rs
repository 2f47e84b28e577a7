//! Sealed blobs, as the vault sees them.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;

use super::Result;
use crate::ids::BlobId;

/// Consecutive bytes of a blob, in pieces of any size that is not zero.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;

/// The pieces of a blob about to be written, in order. Pulled between two writes, so that a blob is
/// never whole in memory twice; maybe on a thread of the runtime, so it may compute a piece but not
/// wait for one.
pub type ChunkSource = Box<dyn Iterator<Item = Bytes> + Send>;

/// A stored blob and its sealed length in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRef {
    /// Its id.
    pub id: BlobId,
    /// Its length as stored.
    pub len: u64,
}

/// Sealed blobs, written once and never modified.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores the pieces, one after the other, under an id that was never used before, and returns
    /// the number of bytes. When it returns `Ok` they survive the loss of power. A reader sees all
    /// of them or [`super::StoreError::NotFound`]; when it fails, or its future is dropped, what was
    /// written is removed at once or by a later sweep. An id that is in use is refused, and its
    /// blob stays whole.
    async fn put(&self, id: &BlobId, chunks: ChunkSource) -> Result<u64>;

    /// The blob's bytes from `offset` on; `len` of them, or all to the end. Fewer come where the
    /// blob is shorter: the reader above checks. A gap or a damaged chunk ends the stream with an
    /// error.
    ///
    /// # Errors
    /// [`super::StoreError::NotFound`] at once where there is no such blob.
    async fn read(&self, id: &BlobId, offset: u64, len: Option<u64>) -> Result<ByteStream>;

    /// A whole blob that is small enough to be held in memory, in one step. One that is just being
    /// removed may still be given, as to who began to read it before.
    ///
    /// # Errors
    /// [`super::StoreError::NotFound`]; [`super::StoreError::Damaged`] where it has another length.
    async fn get(&self, blob: &BlobRef) -> Result<Bytes>;

    /// Removes the blob. Removing one that is not there succeeds, so a retried job converges.
    async fn delete(&self, id: &BlobId) -> Result<()>;

    /// The ids of blobs, whole or half written, whose last byte was written before `before`. What
    /// is in the store's own space and can be no blob of ours at all (a half-written file, chunks
    /// without a file) is removed on the way.
    async fn list_before(&self, before: Timestamp) -> Result<BoxStream<'static, Result<BlobId>>>;
}
