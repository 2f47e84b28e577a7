//! The rows as documents. Sealed values and digests are generic binaries, ids are text.

use jiff::Timestamp;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, DateTime};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, ArchiveId, BlobId, ImageId};

use super::super::{
    AccountRow, ArchiveRow, BlobRef, ImageRow, ImageState, KdfRow, Result, Role, SessionRow,
    StoreError,
};

#[derive(Serialize, Deserialize)]
pub(super) struct AccountDoc {
    #[serde(rename = "_id")]
    id: AccountId,
    username: String,
    username_key: String,
    email: String,
    email_key: String,
    display_name: String,
    role: String,
    created_at: DateTime,
    kdf: KdfDoc,
    password_wrap: Binary,
    recovery_wrap: Binary,
    digest_wrap: Binary,
    public_key: Binary,
    secret_wrap: Binary,
    mk_generation: u32,
    revision: u64,
}

#[derive(Serialize, Deserialize)]
struct KdfDoc {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: Binary,
    pepper_id: u32,
}

impl AccountDoc {
    pub(super) fn new(row: &AccountRow, role: Role, revision: u64) -> Self {
        Self {
            id: row.id,
            username: row.username.clone(),
            username_key: row.username_key.clone(),
            email: row.email.clone(),
            email_key: row.email_key.clone(),
            display_name: row.display_name.clone(),
            role: role.name().into(),
            created_at: date(row.created_at),
            kdf: KdfDoc {
                memory_kib: row.kdf.memory_kib,
                passes: row.kdf.passes,
                lanes: row.kdf.lanes,
                salt: binary(&row.kdf.salt),
                pepper_id: row.kdf.pepper_id,
            },
            password_wrap: binary(&row.password_wrap),
            recovery_wrap: binary(&row.recovery_wrap),
            digest_wrap: binary(&row.digest_wrap),
            public_key: binary(&row.public_key),
            secret_wrap: binary(&row.secret_wrap),
            mk_generation: row.mk_generation,
            revision,
        }
    }
}

impl TryFrom<AccountDoc> for AccountRow {
    type Error = StoreError;

    fn try_from(doc: AccountDoc) -> Result<Self> {
        Ok(Self {
            id: doc.id,
            username: doc.username,
            username_key: doc.username_key,
            email: doc.email,
            email_key: doc.email_key,
            display_name: doc.display_name,
            role: Role::named(&doc.role)
                .ok_or_else(|| StoreError::Damaged("an account has an unknown role".into()))?,
            created_at: time(doc.created_at)?,
            kdf: KdfRow {
                memory_kib: doc.kdf.memory_kib,
                passes: doc.kdf.passes,
                lanes: doc.kdf.lanes,
                salt: array(&doc.kdf.salt)?,
                pepper_id: doc.kdf.pepper_id,
            },
            password_wrap: doc.password_wrap.bytes,
            recovery_wrap: doc.recovery_wrap.bytes,
            digest_wrap: doc.digest_wrap.bytes,
            public_key: array(&doc.public_key)?,
            secret_wrap: doc.secret_wrap.bytes,
            mk_generation: doc.mk_generation,
            revision: doc.revision,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct SessionDoc {
    #[serde(rename = "_id")]
    digest: Binary,
    account: AccountId,
    master_wrap: Binary,
    created_at: DateTime,
    last_seen_at: DateTime,
    expires_at: DateTime,
    label: String,
}

impl From<&SessionRow> for SessionDoc {
    fn from(row: &SessionRow) -> Self {
        Self {
            digest: binary(&row.digest),
            account: row.account,
            master_wrap: binary(&row.master_wrap),
            created_at: date(row.created_at),
            last_seen_at: date(row.last_seen_at),
            expires_at: date(row.expires_at),
            label: row.label.clone(),
        }
    }
}

impl TryFrom<SessionDoc> for SessionRow {
    type Error = StoreError;

    fn try_from(doc: SessionDoc) -> Result<Self> {
        Ok(Self {
            digest: array(&doc.digest)?,
            account: doc.account,
            master_wrap: doc.master_wrap.bytes,
            created_at: time(doc.created_at)?,
            last_seen_at: time(doc.last_seen_at)?,
            expires_at: time(doc.expires_at)?,
            label: doc.label,
        })
    }
}

/// An account's sequence number. Every transaction that changes the account's images begins by
/// raising it, so such transactions happen one after the other.
#[derive(Serialize, Deserialize)]
pub(super) struct SequenceDoc {
    #[serde(rename = "_id")]
    pub(super) account: AccountId,
    pub(super) seq: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BlobDoc {
    pub(super) id: BlobId,
    len: u64,
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

fn time(date: DateTime) -> Result<Timestamp> {
    Timestamp::from_millisecond(date.timestamp_millis())
        .map_err(|_| StoreError::Damaged("a date is out of range".into()))
}

/// Ids as the array of an `$in`.
pub(super) fn texts<T: ToString>(ids: &[T]) -> Vec<String> {
    ids.iter().map(T::to_string).collect()
}
