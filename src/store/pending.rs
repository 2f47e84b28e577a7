//! What waits to be finished: sign-ins that wait for a second factor, challenges that passkeys
//! answer.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use super::nouns::{self, Rows, Which};
use super::row::{Life, row};
use crate::ids::AccountId;

row! {
    /// Something that was begun and is to be finished within minutes, by whoever has its token.
    pub struct PendingRow in "pending" {
        /// SHA-256 of the token's id, which only the client knows.
        key digest: [u8; 32],
        /// Whose it is, where that is known.
        account: Option<AccountId>,
        /// What it is about; opaque, and sealed where it must be.
        payload: Vec<u8>,
        /// Until when it can be finished.
        expires_at: Timestamp,
    }
    life: Life::EndsAt(&["expires_at"]);
    newest: ("expires_at", PendingRow::MOST);
}

impl PendingRow {
    /// Of one account: more than a person has open at once, on all devices.
    pub const MOST: u32 = 50;
}

/// A part of [`super::Records`], with the same promises.
#[async_trait]
pub trait Pending: Rows {
    /// Stores what is to be finished soon. Of what an account has begun the newest
    /// [`PendingRow::MOST`] stay, and what was begun in the same moment as the last of them.
    async fn insert_pending(&self, row: &PendingRow) -> Result<()> {
        nouns::insert(self, row).await
    }

    /// What has this digest, unless it has ended.
    async fn pending(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<PendingRow>> {
        nouns::find(self, Which::has(digest).live_at(now)).await
    }

    /// Removes what has this digest and returns it, unless it has ended: one of all who ask gets it.
    async fn take_pending(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<PendingRow>> {
        nouns::take(self, Which::has(digest).live_at(now)).await
    }
}

impl<S: Rows> Pending for S {}
