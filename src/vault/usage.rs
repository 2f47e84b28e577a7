//! How much an account keeps, and how much it may keep.

pub use crate::store::Quota;

/// What an account keeps, and what it may keep. Bytes are those of all that is stored of its
/// pictures, in blocks: originals, thumbnails, previews once they are made, and sealed records.
/// Pictures in the trash count as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Pictures.
    pub images: u64,
    /// Bytes of all their parts, as they are stored.
    pub bytes: u64,
    /// What it may keep.
    pub quota: Quota,
}

impl Usage {
    /// Bytes that are left, where they are limited.
    pub fn bytes_left(&self) -> Option<u64> {
        Some(self.quota.bytes?.saturating_sub(self.bytes))
    }

    /// Pictures that are left, where they are limited.
    pub fn images_left(&self) -> Option<u64> {
        Some(self.quota.images?.saturating_sub(self.images))
    }

    /// Whether one more picture of so many bytes may be kept.
    pub(super) fn has_room(&self, kept: u64) -> bool {
        self.bytes_left().is_none_or(|left| kept <= left)
            && self.images_left().is_none_or(|left| left > 0)
    }
}
