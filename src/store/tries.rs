//! How often secrets were tried in vain.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::Result;
use super::nouns::{self, Rows, Which};
use super::row::{Life, Row as _, row};

row! {
    /// How often something was tried in vain. It is forgotten when it counts for nothing any more:
    /// the throttle halves a count every hour, and a count of 2^32 is gone after 32.
    pub struct TriesRow in "tries" {
        /// Digest of what was tried on.
        key key: [u8; 32],
        /// How often.
        count: u32,
        /// When last.
        last_at: Timestamp,
    }
    life: Life::Ages("last_at", SignedDuration::from_hours(32));
}

/// A part of [`super::Records`], with the same promises.
#[async_trait]
pub trait Tries: Rows {
    /// How often what has this key was tried in vain.
    async fn tries(&self, key: &[u8; 32]) -> Result<Option<TriesRow>> {
        nouns::find(self, Which::has(key)).await
    }

    /// Stores the row where the one that is stored under its key is still `known`; else `false`.
    async fn replace_tries(&self, known: Option<&TriesRow>, new: &TriesRow) -> Result<bool>;

    /// Forgets the tries of a key.
    async fn delete_tries(&self, key: &[u8; 32]) -> Result<()> {
        self.remove_row(&TriesRow::NOUN, Which::has(key)).await
    }
}
