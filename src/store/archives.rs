//! Archives' tickets: frozen selections that can be downloaded as a zip.

use async_trait::async_trait;
use jiff::Timestamp;

use super::nouns::{self, Rows, Which};
use super::row::{Life, row};
use super::{BlobRef, Result};
use crate::ids::{AccountId, ArchiveId};

/// How much of something stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// How many rows.
    pub count: u32,
    /// Bytes of their blobs, together.
    pub bytes: u64,
}

impl Kept {
    /// Nothing stays.
    pub const NOTHING: Self = Self { count: 0, bytes: 0 };
}

row! {
    /// An archive's ticket.
    pub struct ArchiveRow in "archives" {
        /// Its id.
        key id: ArchiveId,
        /// Whose it is.
        account: AccountId,
        /// When it was made.
        created_at: Timestamp,
        /// When it ends.
        expires_at: Timestamp,
        /// Key of the plan, wrapped by the master key.
        key_wrap: Vec<u8>,
        /// The sealed plan.
        plan: BlobRef,
    }
    life: Life::EndsAt(&["expires_at"]);
}

/// A part of [`super::Records`], with the same promises.
#[async_trait]
pub trait Archives: Rows {
    /// Stores an archive's ticket.
    async fn insert_archive(&self, row: &ArchiveRow) -> Result<()> {
        nouns::insert(self, row).await
    }

    /// The account's ticket with this id, expired or not.
    async fn archive(&self, account: &AccountId, id: &ArchiveId) -> Result<Option<ArchiveRow>> {
        nouns::find(self, Which::has(id).of(account)).await
    }

    /// Removes up to `limit` tickets of the account and returns them: none of its newest, as far as
    /// they keep within `keep`.
    async fn remove_archives_of(
        &self,
        account: &AccountId,
        keep: Kept,
        limit: u32,
    ) -> Result<Vec<ArchiveRow>>;
}
