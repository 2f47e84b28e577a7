//! Reading sealed blobs as plaintext, a few segments at a time, into a bounded stream, which ends
//! when its reader drops it.

use std::ops::{Range, RangeInclusive};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;

use super::images::OpenImage;
use crate::crypto::{
    BlobContext, BlobOpener, BlobRole, HEADER_LEN, RoleKey, SEALED_SEGMENT_LEN, SEGMENT_LEN,
};
use crate::ids::BlobId;
use crate::store::{BlobRef, Blobs, ByteStream};
use crate::vault::access::Watch;
use crate::vault::error::{Result, VaultError};
use crate::vault::{Unlocked, Vault, keys};
use crate::{crypto, media};

/// Segments opened together into one piece of 256 KiB: each hand-over to another thread costs as much
/// as opening some tens of kilobytes.
const SEGMENTS: u64 = 4;
/// Pieces that are opened already and wait for the reader, at most.
const WINDOW: usize = 2;

/// Decrypted bytes in order. An error ends the stream early, so a reader that counts bytes notices.
pub type PlainStream = std::pin::Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// A sealed blob with all that is needed to read it.
pub(in crate::vault) struct SealedBlob {
    pub(in crate::vault) id: BlobId,
    pub(in crate::vault) key: RoleKey,
    pub(in crate::vault) context: BlobContext,
    /// Length of the plaintext, known from elsewhere and compared with what is read.
    pub(in crate::vault) len: u64,
    /// CRC-32 of the whole plaintext, where it is known.
    pub(in crate::vault) crc32: Option<u32>,
}

/// The writing end of a [`PlainStream`].
pub(in crate::vault) struct StreamSender(mpsc::Sender<Result<Bytes>>);

/// The reader has gone.
pub(in crate::vault) struct ReaderGone;

/// Why a stream ended early.
pub(in crate::vault) enum StreamError {
    /// The reader has gone: nobody needs to know.
    Gone,
    /// The reader is told, by an end that comes too early.
    Failed(VaultError),
}

impl From<ReaderGone> for StreamError {
    fn from(_: ReaderGone) -> Self {
        Self::Gone
    }
}

impl<E: Into<VaultError>> From<E> for StreamError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl StreamSender {
    pub(in crate::vault) async fn send(&self, bytes: Bytes) -> std::result::Result<(), ReaderGone> {
        self.0.send(Ok(bytes)).await.map_err(|_| ReaderGone)
    }
}

/// Runs `produce` as a task of its own, so that reading ahead and sending overlap. Its keys and
/// memory are freed when the task ends: at the latest when the stream is dropped, or two seconds
/// after the session has ended; from then on the reader gets nothing, not even pieces that wait for
/// it already. A caller that hands the stream to a reader who may be slow must see to it that the
/// stream is dropped.
pub(in crate::vault) fn spawn_stream<F, Fut>(watch: &Watch, produce: F) -> PlainStream
where
    F: FnOnce(StreamSender) -> Fut,
    Fut: Future<Output = std::result::Result<(), StreamError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(WINDOW);
    let work = produce(StreamSender(sender.clone()));
    let watching = watch.clone();
    tokio::spawn(async move {
        if let Err(StreamError::Failed(error)) = watching.during(work).await {
            // A reader who has gone meanwhile needs no error.
            let _ = sender.send(Err(error)).await;
        }
    });
    let begun = Some((receiver, watch.clone()));
    Box::pin(stream::unfold(begun, |going| async move {
        let (mut receiver, watch) = going?;
        let piece = receiver.recv().await?;
        match watch.check().await.and(piece) {
            Ok(piece) => Some((Ok(piece), Some((receiver, watch)))),
            Err(error) => Some((Err(error), None)),
        }
    }))
}

impl SealedBlob {
    /// Sends the plaintext of this range; whole segments are checked before any byte of them
    /// leaves. Where the range is the whole blob, the CRC is checked too, and nothing may follow
    /// the last segment.
    pub(in crate::vault) async fn send(
        &self,
        blobs: &dyn Blobs,
        range: Range<u64>,
        stream: &StreamSender,
    ) -> std::result::Result<(), StreamError> {
        let segment = SEGMENT_LEN as u64;
        let last = self.len.saturating_sub(1) / segment;
        let (first, end) = (range.start / segment, range.end.saturating_sub(1) / segment);
        let mut source = Source::open(blobs, &self.id, first, (end < last).then_some(end)).await?;
        let opener = BlobOpener::new(&self.key, &self.context, &source.header)?;
        let check = self.crc32.filter(|_| range == (0..self.len));
        let mut crc = crc32fast::Hasher::new();
        for from in (first..=end).step_by(SEGMENTS as usize) {
            let to = end.min(from + SEGMENTS - 1);
            let plain = self.open(&opener, &mut source, from..=to).await?;
            if check.is_some() {
                crc.update(&plain);
            }
            if to == last {
                source.expect_end().await?;
                if check.is_some_and(|crc32| crc32 != crc.clone().finalize()) {
                    return Err(VaultError::Damaged("the checksum of a file is wrong").into());
                }
            }
            let place =
                |at: u64| at.saturating_sub(from * segment).min(plain.len() as u64) as usize;
            let (start, stop) = (place(range.start), place(range.end));
            if start < stop {
                stream.send(Bytes::from(plain).slice(start..stop)).await?;
            }
        }
        Ok(())
    }

    /// The plaintext of the next segments, which have these numbers.
    async fn open(
        &self,
        opener: &BlobOpener,
        source: &mut Source,
        numbers: RangeInclusive<u64>,
    ) -> Result<Vec<u8>> {
        let segment = SEGMENT_LEN as u64;
        let last = self.len.saturating_sub(1) / segment;
        let rest = self.len - numbers.start() * segment;
        let room = rest.min(SEGMENTS * segment) as usize + crypto::TAG_LEN;
        let mut plain = Vec::with_capacity(room);
        for index in numbers {
            let number = u32::try_from(index).map_err(|_| VaultError::Damaged("too long"))?;
            let whole = segment.min(self.len - index * segment) as usize;
            let start = plain.len();
            source.take(whole + crypto::TAG_LEN, &mut plain).await?;
            opener.open_segment(number, index == last, &mut plain, start)?;
        }
        Ok(plain)
    }
}

/// The sealed bytes of a blob from one segment on, handed out in the lengths that are asked for.
struct Source {
    header: [u8; HEADER_LEN],
    stream: ByteStream,
    /// Bytes that were read and not yet taken.
    piece: Bytes,
}

impl Source {
    /// Reads the header, and prepares to read from segment `first` to `end`, or to the blob's end.
    async fn open(blobs: &dyn Blobs, id: &BlobId, first: u64, end: Option<u64>) -> Result<Self> {
        let offset = |index: u64| HEADER_LEN as u64 + index * SEALED_SEGMENT_LEN as u64;
        let stop = end.map(|end| offset(end + 1));
        let first_read = if first == 0 {
            stop
        } else {
            Some(HEADER_LEN as u64)
        };
        let mut source = Self {
            header: [0; HEADER_LEN],
            stream: blobs.read(id, 0, first_read).await?,
            piece: Bytes::new(),
        };
        let mut header = Vec::with_capacity(HEADER_LEN);
        source.take(HEADER_LEN, &mut header).await?;
        source.header.copy_from_slice(&header);
        if first > 0 {
            let start = offset(first);
            source.stream = blobs.read(id, start, stop.map(|stop| stop - start)).await?;
            source.piece.clear();
        }
        Ok(source)
    }

    /// Appends the next `len` bytes to `taken`.
    async fn take(&mut self, mut len: usize, taken: &mut Vec<u8>) -> Result<()> {
        loop {
            let part = self.piece.split_to(len.min(self.piece.len()));
            taken.extend_from_slice(&part);
            len -= part.len();
            if len == 0 {
                return Ok(());
            }
            let next = self.stream.next().await.transpose()?;
            self.piece = next.ok_or(VaultError::Damaged("a blob ends too early"))?;
        }
    }

    async fn expect_end(&mut self) -> Result<()> {
        let surplus = !self.piece.is_empty() || self.stream.next().await.transpose()?.is_some();
        if surplus {
            Err(VaultError::Damaged("a blob goes on after its end"))
        } else {
            Ok(())
        }
    }
}

impl Vault {
    /// The original's bytes in this range, which lies within `0..size` of its metadata.
    pub fn read_original(&self, image: &OpenImage, range: Range<u64>) -> PlainStream {
        let (key, context) = keys::blob_key(&image.key, &image.row, BlobRole::Original);
        let blob = SealedBlob {
            id: image.row.original.id,
            key,
            context,
            len: image.image.metadata.size,
            crc32: Some(image.image.metadata.crc32),
        };
        let blobs = self.store().blobs.clone();
        spawn_stream(&image.watch, |stream| async move {
            blob.send(&*blobs, range, &stream).await
        })
    }

    /// The thumbnail: a JPEG that fits 400 by 400 pixels, upright, without metadata.
    ///
    /// # Errors
    /// [`VaultError::NotFound`], [`VaultError::Damaged`].
    pub async fn thumbnail(&self, who: &Unlocked, id: &crate::ids::ImageId) -> Result<Bytes> {
        let row = self.row(who, id).await?;
        let key = who.keyring.data_key(&row)?;
        let (key, context) = keys::blob_key(&key, &row, BlobRole::Thumbnail);
        self.read_small(&row.thumbnail, key, context).await
    }

    /// The preview: a JPEG that fits 1600 by 1600 pixels. Made at the first request, and kept where
    /// the account's quota has room for it: looking at pictures needs no room.
    ///
    /// # Errors
    /// [`VaultError::NotFound`], [`VaultError::Damaged`].
    pub async fn preview(&self, who: &Unlocked, id: &crate::ids::ImageId) -> Result<Bytes> {
        let image = self.open_image(who, id).await?;
        if let Some(kept) = self.kept_preview(&image).await? {
            return Ok(kept);
        }
        // Memory first, then a turn, as uploads do: in the opposite order the two could deadlock.
        let permit = self.admit_original(&image).await?;
        let turn = self.decoder(who.id()).await?;
        // Read again: a request that was ahead in line may have made the preview.
        let image = self.open_image(who, id).await?;
        if let Some(kept) = self.kept_preview(&image).await? {
            return Ok(kept);
        }
        let original = self.whole_original(&image).await?;
        let made = self.decode(&turn, move |limits| media::preview(&original, &limits));
        let jpeg = made.await?;
        drop((permit, turn));
        let (key, context) = keys::blob_key(&image.key, &image.row, BlobRole::Preview);
        let jpeg = Bytes::from(jpeg);
        if !self.has_room_beside(who, jpeg.len() as u64).await? {
            return Ok(jpeg);
        }
        let kept = async {
            let blob = self.put_sealed(&key, &context, jpeg.clone()).await?;
            let (records, quota) = (&self.store().records, self.default_quota());
            if !records.set_preview(who.id(), id, &blob, &quota).await? {
                self.store().blobs.delete(&blob.id).await?;
            }
            Ok::<(), VaultError>(())
        };
        // The preview can be shown all the same; the sweep finds a blob that is left of it.
        if let Err(error) = kept.await {
            tracing::warn!(%error, "a preview was not kept");
        }
        Ok(jpeg)
    }

    async fn kept_preview(&self, image: &OpenImage) -> Result<Option<Bytes>> {
        let Some(preview) = &image.row.preview else {
            return Ok(None);
        };
        let (key, context) = keys::blob_key(&image.key, &image.row, BlobRole::Preview);
        self.read_small(preview, key, context).await.map(Some)
    }

    /// A small blob whole, such as a thumbnail.
    pub(super) async fn read_small(
        &self,
        blob: &BlobRef,
        key: RoleKey,
        context: BlobContext,
    ) -> Result<Bytes> {
        let sealed = self.store().blobs.get(blob).await?;
        let mut plain = crypto::open(&key, &context, &sealed)?;
        Ok(Bytes::from(std::mem::take(&mut *plain)))
    }

    /// Seals bytes under a new blob id and stores them.
    pub(in crate::vault) async fn put_sealed(
        &self,
        key: &RoleKey,
        context: &BlobContext,
        plaintext: Bytes,
    ) -> Result<BlobRef> {
        let id = BlobId::from_bytes(crypto::random()?);
        let chunks = crypto::seal_chunks(key, context, plaintext)?;
        let len = self.store().blobs.put(&id, Box::new(chunks)).await?;
        Ok(BlobRef { id, len })
    }
}
