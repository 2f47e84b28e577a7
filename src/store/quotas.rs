//! How much an account keeps, and how much it may.
//!
//! What is kept of an image counts in whole blocks, as a file system keeps it: sealed original,
//! thumbnail, and preview once it is made, each with a block more for the directory that leads to it;
//! and the sealed record, whose last block stands for the rest of its row as well. So a picture of 500
//! bytes counts the 20 KiB that it takes on the disk, and an ordinary record changes without any change
//! of the count.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use async_trait::async_trait;

use super::row::{Life, Noun, Shape};
use super::{ImageRow, MetadataChange, Result};
use crate::ids::{AccountId, ImageId};

/// A block of ext4, XFS, APFS and NTFS as they are made by default, and a page of SQLite.
pub(super) const BLOCK: u64 = 4_096;

/// What a sealed record of so many bytes counts.
pub(super) fn record_kept(len: u64) -> u64 {
    len.div_ceil(BLOCK).saturating_mul(BLOCK)
}

/// What a blob of so many sealed bytes counts.
pub fn blob_kept(len: u64) -> u64 {
    record_kept(len).saturating_add(BLOCK)
}

/// What an image counts at least whose sealed original has so many bytes: a thumbnail and a record
/// come with it.
pub fn least_kept(original_len: u64) -> u64 {
    let others = blob_kept(1) + record_kept(1);
    blob_kept(original_len).saturating_add(others)
}

/// What an image of these parts counts.
pub(super) fn kept(blob_lens: impl IntoIterator<Item = u64>, record: &[u8]) -> u64 {
    let blobs = blob_lens.into_iter().map(blob_kept);
    blobs.fold(record_kept(record.len() as u64), u64::saturating_add)
}

impl ImageRow {
    /// What the image counts of what its owner may keep, in bytes.
    pub fn kept(&self) -> u64 {
        kept(self.blobs().map(|blob| blob.len), &self.metadata)
    }
}

/// A stored record of an image, as far as a change of it asks.
pub(super) struct Record {
    pub(super) id: ImageId,
    pub(super) revision: u64,
    pub(super) len: u64,
}

/// The changes that are made from what is stored, and by how much more, or less, is kept with them.
pub(super) fn due(
    changes: &[MetadataChange],
    stored: impl IntoIterator<Item = Record>,
) -> (Vec<&MetadataChange>, i64) {
    let mut stored: HashMap<ImageId, Record> = stored
        .into_iter()
        .map(|record| (record.id, record))
        .collect();
    let (mut due, mut growth) = (Vec::new(), 0);
    for change in changes {
        // Of two of one image the second comes too late.
        let Entry::Occupied(record) = stored.entry(change.id) else {
            continue;
        };
        if record.get().revision != change.revision {
            continue;
        }
        let record = record.remove();
        growth += record_kept(change.metadata.len() as u64) as i64 - record_kept(record.len) as i64;
        due.push(change);
    }
    (due, growth)
}

/// How much an account may keep; nothing is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quota {
    /// Bytes of its images, as [`ImageRow::kept`] counts them.
    pub bytes: Option<u64>,
    /// Images, those in the trash included.
    pub images: Option<u64>,
}

impl Quota {
    /// No limit at all.
    pub const NONE: Self = Self {
        bytes: None,
        images: None,
    };
}

/// What was decided about one limit of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Allowance {
    /// Nothing: it is as for all others.
    #[default]
    Default,
    /// It has no limit.
    Unlimited,
    /// It is this.
    AtMost(u64),
}

impl Allowance {
    const UNLIMITED: i64 = -1;

    /// The number that is stored, if any.
    pub(super) fn stored(self) -> Option<i64> {
        match self {
            Self::Default => None,
            Self::Unlimited => Some(Self::UNLIMITED),
            Self::AtMost(most) => Some(i64::try_from(most).unwrap_or(i64::MAX)),
        }
    }

    /// What is stored as this number.
    pub(super) fn read(stored: Option<i64>) -> Self {
        match stored {
            None => Self::Default,
            Some(most) => u64::try_from(most).map_or(Self::Unlimited, Self::AtMost),
        }
    }

    fn or(self, default: Option<u64>) -> Option<u64> {
        match self {
            Self::Default => default,
            Self::Unlimited => None,
            Self::AtMost(most) => Some(most),
        }
    }
}

/// Rows of accounts' sequence numbers, with which the count of what each account keeps stands.
pub(super) const SEQUENCES: Noun = Noun {
    name: "sequences",
    key: Some("account"),
    fields: &[Shape::of::<AccountId>("account")],
    life: Life::Lasting,
    newest: None,
};

/// What an account keeps, counted in the transactions that change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageRow {
    /// Images, those in the trash included.
    pub images: u64,
    /// Bytes of its images, as [`ImageRow::kept`] counts them.
    pub bytes: u64,
    /// What was decided about its bytes.
    pub bytes_allowed: Allowance,
    /// What was decided about its images.
    pub images_allowed: Allowance,
}

impl UsageRow {
    /// What the account may keep where all others may keep `default`.
    pub fn quota(&self, default: &Quota) -> Quota {
        Quota {
            bytes: self.bytes_allowed.or(default.bytes),
            images: self.images_allowed.or(default.images),
        }
    }

    /// Whether one more image fits, which counts so many bytes.
    pub(super) fn has_room(&self, kept: u64, default: &Quota) -> bool {
        let most = self.quota(default).images;
        most.is_none_or(|most| self.images < most) && self.fits(kept, default)
    }

    /// Whether the images that are there may change by so many bytes. What is not more always
    /// may, also where there is too much already.
    pub(super) fn may_change_by(&self, bytes: i64, default: &Quota) -> bool {
        match u64::try_from(bytes) {
            Ok(more) if more > 0 => self.fits(more, default),
            _ => true,
        }
    }

    fn fits(&self, more: u64, default: &Quota) -> bool {
        let most = self.quota(default).bytes;
        most.is_none_or(|most| self.bytes.saturating_add(more) <= most)
    }
}

/// A part of [`super::Records`], with the same promises.
#[async_trait]
pub trait Usage: Send + Sync {
    /// What the account keeps and what was decided about its limits; nothing for one that does not
    /// exist. Every change of what its images take is counted in the same transaction.
    async fn usage(&self, account: &AccountId) -> Result<UsageRow>;

    /// Decides about the limits of an account. `false` where there is none.
    async fn set_allowed(
        &self,
        account: &AccountId,
        images: Allowance,
        bytes: Allowance,
    ) -> Result<bool>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_decided_reads_back() {
        for decided in [
            Allowance::Default,
            Allowance::Unlimited,
            Allowance::AtMost(0),
            Allowance::AtMost(50 << 30),
        ] {
            assert_eq!(Allowance::read(decided.stored()), decided);
        }
    }

    #[test]
    fn the_last_byte_and_the_last_image_still_fit() {
        let most = |bytes, images| Quota { bytes, images };
        let used = UsageRow {
            images: 9,
            bytes: 900,
            ..UsageRow::default()
        };
        assert!(used.has_room(100, &most(Some(1_000), Some(10))));
        assert!(!used.has_room(101, &most(Some(1_000), Some(10))));
        assert!(!used.has_room(0, &most(None, Some(9))));
        assert!(used.has_room(u64::MAX, &most(None, None)));
        let own = UsageRow {
            bytes_allowed: Allowance::Unlimited,
            images_allowed: Allowance::AtMost(9),
            ..used
        };
        assert!(!own.has_room(0, &most(None, None)));
        assert_eq!(own.quota(&most(Some(1), None)), most(None, Some(9)));
    }

    #[test]
    fn what_becomes_no_more_is_never_refused() {
        let full = UsageRow {
            images: 9,
            bytes: 900,
            ..UsageRow::default()
        };
        for (bytes, by, may) in [
            (901, 1, true),
            (900, 1, false),
            (900, 0, true),
            (10, 0, true),
            (10, -1, true),
            (10, 1, false),
        ] {
            let most = Quota {
                bytes: Some(bytes),
                images: Some(0),
            };
            assert_eq!(full.may_change_by(by, &most), may, "{by} of {bytes}");
        }
    }

    #[test]
    fn each_part_counts_in_whole_blocks() {
        for (len, counted) in [(0, 0), (1, 4_096), (4_096, 4_096), (4_097, 8_192)] {
            assert_eq!(record_kept(len), counted, "{len}");
            assert_eq!(blob_kept(len), counted + 4_096, "{len}");
        }
        assert_eq!(least_kept(1), 20 << 10);
        assert_eq!(least_kept(u64::MAX), u64::MAX, "and never too little");
    }
}
