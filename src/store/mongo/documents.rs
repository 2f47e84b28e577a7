//! Documents that no row describes, and values as MongoDB keeps them. Sealed values and digests are
//! generic binaries, ids are text.

use jiff::Timestamp;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, DateTime};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, ImageId};

use super::super::{Result, StoreError};

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
pub(super) struct TombstoneDoc {
    pub(super) account: AccountId,
    pub(super) seq: u64,
    pub(super) image: ImageId,
    pub(super) removed_at: DateTime,
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
