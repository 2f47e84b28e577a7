//! The rows of images and archives as documents (those of accounts: `account_documents`). Sealed
//! values and digests are generic binaries, ids are text.

use jiff::Timestamp;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, DateTime};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, ArchiveId, BlobId, ImageId};

use super::super::quotas::kept;
use super::super::{ArchiveRow, BlobRef, ImageRow, ImageState, Result, StoreError};

/// An account's sequence number. Every transaction that changes the account's images begins by
/// raising it, so such transactions happen one after the other.
#[derive(Serialize, Deserialize)]
pub(super) struct SequenceDoc {
    #[serde(rename = "_id")]
    pub(super) account: AccountId,
    pub(super) seq: u64,
    // What the account keeps; the latter is absent until schema 8 has counted it. (Before, `bytes`
    // were those of the originals.)
    #[serde(default)]
    pub(super) images: i64,
    #[serde(default)]
    pub(super) kept: i64,
    pub(super) images_allowed: Option<i64>,
    pub(super) bytes_allowed: Option<i64>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BlobDoc {
    pub(super) id: BlobId,
    pub(super) len: u64,
}

impl From<&BlobRef> for BlobDoc {
    fn from(blob: &BlobRef) -> Self {
        Self {
            id: blob.id,
            len: blob.len,
        }
    }
}

impl From<BlobDoc> for BlobRef {
    fn from(doc: BlobDoc) -> Self {
        Self {
            id: doc.id,
            len: doc.len,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ImageDoc {
    #[serde(rename = "_id")]
    pub(super) id: ImageId,
    account: AccountId,
    pub(super) seq: u64,
    revision: u64,
    uploaded_at: DateTime,
    // Absent rather than null, so that a sparse index holds the trash alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trashed_at: Option<DateTime>,
    digest: Binary,
    key_wrap: Binary,
    mk_generation: u32,
    metadata: Binary,
    original: BlobDoc,
    thumbnail: BlobDoc,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preview: Option<BlobDoc>,
}

impl ImageDoc {
    /// The document of a new image.
    pub(super) fn new(row: &ImageRow, seq: u64) -> Self {
        Self {
            id: row.id,
            account: row.account,
            seq,
            revision: 0,
            uploaded_at: date(row.uploaded_at),
            trashed_at: row.trashed_at.map(date),
            digest: binary(&row.digest),
            key_wrap: binary(&row.key_wrap),
            mk_generation: row.mk_generation,
            metadata: binary(&row.metadata),
            original: BlobDoc::from(&row.original),
            thumbnail: BlobDoc::from(&row.thumbnail),
            preview: row.preview.as_ref().map(BlobDoc::from),
        }
    }
}

impl ImageDoc {
    /// As [`ImageRow::kept`].
    pub(super) fn kept(&self) -> u64 {
        let blobs = [&self.original, &self.thumbnail].into_iter();
        let lens = blobs.chain(&self.preview).map(|blob| blob.len);
        kept(lens, &self.metadata.bytes)
    }
}

impl TryFrom<ImageDoc> for ImageRow {
    type Error = StoreError;

    fn try_from(doc: ImageDoc) -> Result<Self> {
        let trashed_at = doc.trashed_at.map(time).transpose()?;
        Ok(Self {
            id: doc.id,
            account: doc.account,
            seq: doc.seq,
            revision: doc.revision,
            state: if trashed_at.is_some() {
                ImageState::Trashed
            } else {
                ImageState::Active
            },
            uploaded_at: time(doc.uploaded_at)?,
            trashed_at,
            digest: array(&doc.digest)?,
            key_wrap: doc.key_wrap.bytes,
            mk_generation: doc.mk_generation,
            metadata: doc.metadata.bytes,
            original: doc.original.into(),
            thumbnail: doc.thumbnail.into(),
            preview: doc.preview.map(BlobRef::from),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct TombstoneDoc {
    pub(super) account: AccountId,
    pub(super) seq: u64,
    pub(super) image: ImageId,
    pub(super) removed_at: DateTime,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ArchiveDoc {
    #[serde(rename = "_id")]
    pub(super) id: ArchiveId,
    account: AccountId,
    created_at: DateTime,
    expires_at: DateTime,
    key_wrap: Binary,
    pub(super) plan: BlobDoc,
}

impl From<&ArchiveRow> for ArchiveDoc {
    fn from(row: &ArchiveRow) -> Self {
        Self {
            id: row.id,
            account: row.account,
            created_at: date(row.created_at),
            expires_at: date(row.expires_at),
            key_wrap: binary(&row.key_wrap),
            plan: BlobDoc::from(&row.plan),
        }
    }
}

impl TryFrom<ArchiveDoc> for ArchiveRow {
    type Error = StoreError;

    fn try_from(doc: ArchiveDoc) -> Result<Self> {
        Ok(Self {
            id: doc.id,
            account: doc.account,
            created_at: time(doc.created_at)?,
            expires_at: time(doc.expires_at)?,
            key_wrap: doc.key_wrap.bytes,
            plan: doc.plan.into(),
        })
    }
}

pub(super) fn binary(bytes: &[u8]) -> Binary {
    Binary {
        subtype: BinarySubtype::Generic,
        bytes: bytes.to_vec(),
    }
}

pub(super) fn array<const N: usize>(binary: &Binary) -> Result<[u8; N]> {
    <[u8; N]>::try_from(binary.bytes.as_slice())
        .map_err(|_| StoreError::Damaged(format!("a value of {N} bytes has another length")))
}

pub(super) fn date(time: Timestamp) -> DateTime {
    DateTime::from_millis(time.as_millisecond())
}

pub(super) fn time(date: DateTime) -> Result<Timestamp> {
    Timestamp::from_millisecond(date.timestamp_millis())
        .map_err(|_| StoreError::Damaged("a date is out of range".into()))
}

/// Ids as the array of an `$in`.
pub(super) fn texts<T: ToString>(ids: &[T]) -> Vec<String> {
    ids.iter().map(T::to_string).collect()
}
