//! `IVAULTB1`: a file in sealed segments, of which each can be opened alone. Written once and
//! never modified.
//!
//! | offset | bytes | |
//! | --- | --- | --- |
//! | 0 | 8 | `IVAULTB1` |
//! | 8 | 1 | version, 1 |
//! | 9 | 1 | suite, 1: HKDF-SHA256, AES-256-GCM, STREAM with a 32-bit big-endian counter |
//! | 10 | 1 | log2 of a segment's length; 16 is written, 12 to 20 are read |
//! | 11 | 1 | [`BlobRole`] |
//! | 12 | 4 | zero |
//! | 16 | 16 | the image's id |
//! | 32 | 32 | salt, fresh for each blob |
//! | 64 | 32 | commitment to the key |
//! | 96 | | segments, each followed by its tag |
//!
//! STREAM is from Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its
//! Nonce-Reuse Misuse-Resistance" (eprint.iacr.org/2015/189): a segment's number and whether it is
//! the last one are in its nonce, so segments can be neither reordered nor cut off. That all but
//! the last are full is ours to check. As in age (C2SP age.md, "Payload"), the last is not empty
//! unless the whole file is.

use std::iter::FusedIterator;
use std::ops::Range;

use aead_stream::{NewStream, StreamBE32, StreamPrimitive};
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::Buffer;
use bytes::Bytes;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::keys::{RoleKey, SecretKey};
use super::schedule::{self, BlobKeys};
use super::tail::Tail;
use super::wrap::array;
use super::{CryptoError, random};

/// Bytes before the first segment.
pub const HEADER_LEN: usize = 96;
/// Bytes of plaintext in every segment but the last.
pub const SEGMENT_LEN: usize = 1 << SEGMENT_LOG2;
/// Bytes of the tag that ends each segment.
pub const TAG_LEN: usize = 16;
/// Bytes of a full segment as stored.
pub const SEALED_SEGMENT_LEN: usize = SEGMENT_LEN + TAG_LEN;

/// Most bytes of plaintext in one blob: 1 TiB. It keeps the data under one key far below what
/// AES-GCM allows (draft-irtf-cfrg-aead-limits), and the counter below 32 bits.
pub const MAX_PLAIN_LEN: u64 = 1 << 40;

const SEGMENT_LOG2: u8 = 16;
const ACCEPTED_LOG2: std::ops::RangeInclusive<u8> = 12..=20;

const MAGIC: &[u8; 8] = b"IVAULTB1";
const VERSION: u8 = 1;
const SUITE: u8 = 1;

const LOG2: usize = 10;
const ID: Range<usize> = 16..32;
const SALT: Range<usize> = 32..64;
const COMMITMENT: Range<usize> = 64..96;

const SEGMENTS_A_PIECE: usize = 16;

/// The part of an image that a blob holds. The numbers are written down; none is ever used again
/// for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum BlobRole {
    /// The file as uploaded.
    Original = 1,
    /// The small picture of lists.
    Thumbnail = 2,
    /// The picture that fills a screen.
    Preview = 3,
    /// Name, checksums, EXIF values, tags. A short value in the image's row, not a blob of its own.
    Metadata = 4,
    /// The frozen list of an archive's entries.
    ArchivePlan = 5,
}

/// The associated data of a blob: it opens only where all of this is given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobContext {
    /// The account's id.
    pub owner: [u8; 16],
    /// The image's id (the archive's, for [`BlobRole::ArchivePlan`]).
    pub image: [u8; 16],
    /// The part of the image that it holds.
    pub role: BlobRole,
}

/// Bytes of a blob that holds `plain_len` bytes. Only up to [`MAX_PLAIN_LEN`] can be sealed.
pub fn sealed_len(plain_len: u64) -> u64 {
    Segmentation::WRITTEN.sealed_len(plain_len)
}

/// Bytes that a blob of `sealed_len` bytes holds; `None` where no blob has that length.
pub fn plain_len(sealed_len: u64) -> Option<u64> {
    Segmentation::WRITTEN.plain_len(sealed_len)
}

/// Where in a blob the segment begins.
pub fn segment_offset(index: u32) -> u64 {
    Segmentation::WRITTEN.offset(index)
}

/// Seals a value that is small enough to be held twice in memory.
///
/// # Errors
/// [`CryptoError::Random`]; [`CryptoError::Parameters`] above [`MAX_PLAIN_LEN`].
pub fn seal(
    key: &RoleKey,
    context: &BlobContext,
    plaintext: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let sealer = Sealer::new(key, context, plaintext.len())?;
    let mut sealed = Vec::new();
    sealer.extend(&mut sealed, plaintext, 0..sealer.count);
    Ok(sealed)
}

/// Opens a blob that is small enough to be held twice in memory.
///
/// # Errors
/// [`CryptoError::Open`], whatever is wrong.
pub fn open(
    key: &RoleKey,
    context: &BlobContext,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let (header, body) = sealed.split_first_chunk().ok_or(CryptoError::Open)?;
    let opener = BlobOpener::new(key, context, header)?;
    let plain_len = opener
        .plain_len(sealed.len() as u64)
        .ok_or(CryptoError::Open)?;

    // Full capacity at once, with the last tag: a buffer that grows leaves plaintext behind.
    let mut plaintext = Zeroizing::new(Vec::with_capacity(plain_len as usize + TAG_LEN));
    let mut segments = (0..)
        .zip(body.chunks(opener.segment_len() + TAG_LEN))
        .peekable();
    while let Some((index, ciphertext)) = segments.next() {
        let start = plaintext.len();
        plaintext.extend_from_slice(ciphertext);
        opener.open_segment(index, segments.peek().is_none(), &mut plaintext, start)?;
    }
    Ok(plaintext)
}

/// Seals a file piece by piece, so that it is never in memory twice.
///
/// # Errors
/// [`CryptoError::Random`]; [`CryptoError::Parameters`] above [`MAX_PLAIN_LEN`].
pub fn seal_chunks(
    key: &RoleKey,
    context: &BlobContext,
    plaintext: Bytes,
) -> Result<SealedChunks, CryptoError> {
    let sealer = Sealer::new(key, context, plaintext.len())?;
    Ok(SealedChunks {
        sealer,
        plaintext,
        next: 0,
    })
}

/// The pieces of a blob, in order and of about 1 MiB each, sealed as they are asked for.
pub struct SealedChunks {
    sealer: Sealer,
    plaintext: Bytes,
    next: usize,
}

impl SealedChunks {
    /// Bytes of all the pieces together, whether or not they were already given out.
    pub fn sealed_len(&self) -> u64 {
        sealed_len(self.plaintext.len() as u64)
    }
}

impl Iterator for SealedChunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let segments = self.next..self.sealer.count.min(self.next + SEGMENTS_A_PIECE);
        if segments.is_empty() {
            return None;
        }
        self.next = segments.end;
        let mut piece = Vec::new();
        self.sealer.extend(&mut piece, &self.plaintext, segments);
        Some(piece.into())
    }
}

impl FusedIterator for SealedChunks {}

/// Opens the segments of one blob, in any order.
pub struct BlobOpener {
    stream: StreamBE32<Aes256Gcm>,
    associated_data: [u8; HEADER_LEN + 16],
    segmentation: Segmentation,
}

impl BlobOpener {
    /// Checks a blob's first bytes, and that the key is the one it was sealed with.
    ///
    /// # Errors
    /// [`CryptoError::Open`], whatever is wrong.
    pub fn new(
        key: &RoleKey,
        context: &BlobContext,
        header: &[u8; HEADER_LEN],
    ) -> Result<Self, CryptoError> {
        let log2 = header[LOG2];
        let expected = header_of(
            log2,
            context,
            array(&header[SALT]),
            array(&header[COMMITMENT]),
        );
        if *header != expected || !ACCEPTED_LOG2.contains(&log2) {
            return Err(CryptoError::Open);
        }
        let keys = schedule::blob(key.key(), array(&header[SALT]), SUITE, context);
        if !bool::from(keys.commitment.ct_eq(&header[COMMITMENT])) {
            return Err(CryptoError::Open);
        }
        Ok(Self {
            stream: stream(&keys),
            associated_data: associated_data(header, context),
            segmentation: Segmentation { log2 },
        })
    }

    /// Bytes of plaintext in each segment of this blob but the last; [`SEGMENT_LEN`] in all that
    /// this version writes. As stored, a segment is [`TAG_LEN`] longer.
    pub fn segment_len(&self) -> usize {
        1 << self.segmentation.log2
    }

    /// As [`plain_len`], for the length of this blob's segments.
    pub fn plain_len(&self, sealed_len: u64) -> Option<u64> {
        self.segmentation.plain_len(sealed_len)
    }

    /// As [`segment_offset`], for the length of this blob's segments.
    pub fn segment_offset(&self, index: u32) -> u64 {
        self.segmentation.offset(index)
    }

    /// Opens a segment in place: from `start` on `buffer` holds its ciphertext and tag, and
    /// afterwards its plaintext, or nothing if it failed.
    ///
    /// `last` says that the blob ends with this segment. A caller who reads to the end and takes
    /// `last` from where the bytes end cannot be given a shortened file: the last segment that is
    /// left will not open as the last.
    ///
    /// # Errors
    /// [`CryptoError::Open`], whatever is wrong.
    pub fn open_segment(
        &self,
        index: u32,
        last: bool,
        buffer: &mut Vec<u8>,
        start: usize,
    ) -> Result<(), CryptoError> {
        let mut segment = Tail::from(buffer, start).ok_or(CryptoError::Open)?;
        let opened = self.try_open(index, last, &mut segment);
        if opened.is_err() {
            segment.truncate(0);
        }
        opened
    }

    fn try_open(&self, index: u32, last: bool, segment: &mut Tail) -> Result<(), CryptoError> {
        let plain_len = segment
            .len()
            .checked_sub(TAG_LEN)
            .ok_or(CryptoError::Open)?;
        let allowed = match (last, index) {
            (false, _) => plain_len == self.segment_len(),
            (true, 0) => plain_len <= self.segment_len(),
            (true, _) => (1..=self.segment_len()).contains(&plain_len),
        };
        let end = self.segmentation.plain_offset(index) + plain_len as u64;
        if !allowed || end > MAX_PLAIN_LEN {
            return Err(CryptoError::Open);
        }
        self.stream
            .decrypt_in_place(index, last, &self.associated_data, segment)
            .map_err(|_| CryptoError::Open)
    }
}

/// Seals the segments of one blob.
struct Sealer {
    stream: StreamBE32<Aes256Gcm>,
    associated_data: [u8; HEADER_LEN + 16],
    count: usize,
}

impl Sealer {
    fn new(key: &RoleKey, context: &BlobContext, plain_len: usize) -> Result<Self, CryptoError> {
        if plain_len as u64 > MAX_PLAIN_LEN {
            return Err(CryptoError::Parameters);
        }
        let salt = random()?;
        let keys = schedule::blob(key.key(), &salt, SUITE, context);
        let header = header_of(SEGMENT_LOG2, context, &salt, &keys.commitment);
        Ok(Self {
            stream: stream(&keys),
            associated_data: associated_data(&header, context),
            count: plain_len.div_ceil(SEGMENT_LEN).max(1),
        })
    }

    /// Appends these segments of `plaintext`, and before the first one the header.
    fn extend(&self, sealed: &mut Vec<u8>, plaintext: &[u8], segments: Range<usize>) {
        sealed.reserve(HEADER_LEN + segments.len() * SEALED_SEGMENT_LEN);
        if segments.start == 0 {
            sealed.extend_from_slice(&self.associated_data[..HEADER_LEN]);
        }
        for index in segments {
            let (from, last) = (index * SEGMENT_LEN, index + 1 == self.count);
            let end = plaintext.len().min(from + SEGMENT_LEN);
            let mut segment = Tail::behind(sealed, &plaintext[from..end]);
            self.stream
                .encrypt_in_place(index as u32, last, &self.associated_data, &mut segment)
                .expect("a segment is shorter than GCM's 64 GiB");
        }
    }
}

/// How a file is cut into segments.
#[derive(Clone, Copy)]
struct Segmentation {
    log2: u8,
}

impl Segmentation {
    const WRITTEN: Self = Self { log2: SEGMENT_LOG2 };

    fn sealed_len(self, plain_len: u64) -> u64 {
        let tags = plain_len.div_ceil(1 << self.log2).max(1) * TAG_LEN as u64;
        plain_len.saturating_add(HEADER_LEN as u64 + tags)
    }

    fn plain_len(self, sealed_len: u64) -> Option<u64> {
        let body = sealed_len.checked_sub(HEADER_LEN as u64)?;
        let segments = body.div_ceil((1 << self.log2) + TAG_LEN as u64);
        let plain_len = body.checked_sub(segments * TAG_LEN as u64)?;
        // Exactly the lengths that sealing gives: no missing, cut or empty last segment.
        (plain_len <= MAX_PLAIN_LEN && self.sealed_len(plain_len) == sealed_len)
            .then_some(plain_len)
    }

    fn offset(self, index: u32) -> u64 {
        HEADER_LEN as u64 + self.plain_offset(index) + u64::from(index) * TAG_LEN as u64
    }

    fn plain_offset(self, index: u32) -> u64 {
        u64::from(index) << self.log2
    }
}

fn header_of(
    log2: u8,
    context: &BlobContext,
    salt: &[u8; 32],
    commitment: &[u8; 32],
) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&[VERSION, SUITE, log2, context.role as u8]);
    header[ID].copy_from_slice(&context.image);
    header[SALT].copy_from_slice(salt);
    header[COMMITMENT].copy_from_slice(commitment);
    header
}

fn associated_data(header: &[u8; HEADER_LEN], context: &BlobContext) -> [u8; HEADER_LEN + 16] {
    let mut bytes = [0; HEADER_LEN + 16];
    bytes[..HEADER_LEN].copy_from_slice(header);
    bytes[HEADER_LEN..].copy_from_slice(&context.owner);
    bytes
}

fn stream(keys: &BlobKeys) -> StreamBE32<Aes256Gcm> {
    StreamBE32::new((&*keys.key).into(), &keys.nonce_prefix.into())
}

#[cfg(test)]
mod tests;
