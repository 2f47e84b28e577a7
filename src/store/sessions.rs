//! Sign-ins, and the API tokens of programs.

use async_trait::async_trait;
use jiff::Timestamp;

use super::nouns::{self, Rows, Which};
use super::row::{Life, Row as _, row};
use super::{AccountRow, Result};
use crate::ids::AccountId;

row! {
    /// A sign-in, or the API token of a program.
    pub struct SessionRow in "sessions" {
        /// SHA-256 of the session's id, which only the client knows.
        key digest: [u8; 32],
        /// Whose it is.
        account: AccountId,
        /// Master key, wrapped by the session's secret.
        master_wrap: Vec<u8>,
        /// Which master key that is: after a rotation it is not the account's any more.
        mk_generation: u32,
        /// When it began.
        created_at: Timestamp,
        /// When it was last used, to the minute.
        last_seen_at: Timestamp,
        /// When it ends if it is not used before.
        idle_at: Timestamp,
        /// When it ends whatever happens.
        expires_at: Timestamp,
        /// What kind of client it is, or the token's name, for the owner's list.
        label: String,
        /// Where it began: an IP address as text, or nothing.
        address: String,
        /// What an API token may do, one bit each; `None` for a sign-in.
        scopes: Option<u8>,
    }
    life: Life::EndsAt(&["expires_at", "idle_at"]);
}

impl SessionRow {
    /// Sign-ins of one account.
    pub const MOST_SIGN_INS: u32 = 500;
}

/// On whose authority something is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bearer {
    /// Digest of the session's id.
    pub session: [u8; 32],
    /// When it must not have ended.
    pub now: Timestamp,
}

/// Which of an account's sessions are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// Those of people.
    SignIn,
    /// Those of programs.
    ApiToken,
}

/// A part of [`super::Records`], with the same promises.
#[async_trait]
pub trait Sessions: Rows {
    /// Stores a new session. Of an account's sign-ins the newest [`SessionRow::MOST_SIGN_INS`] stay,
    /// and those that began in the same moment as the last of them.
    async fn insert_session(&self, row: &SessionRow) -> Result<()>;

    /// The session with this digest, expired or not.
    async fn session(&self, digest: &[u8; 32]) -> Result<Option<SessionRow>> {
        nouns::find(self, Which::has(digest)).await
    }

    /// The same with its account, in one step since every request asks for it; `None` where either
    /// is not there.
    async fn session_and_account(
        &self,
        digest: &[u8; 32],
    ) -> Result<Option<(SessionRow, AccountRow)>>;

    /// Up to `limit` sessions of this kind and account that have not ended at `now`, the newest
    /// first.
    async fn sessions_of(
        &self,
        account: &AccountId,
        kind: SessionKind,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<SessionRow>>;

    /// Notes that the session was used, and until when it may be idle now, unless a later use is
    /// noted already. A session that is gone stays gone.
    async fn touch_session(
        &self,
        digest: &[u8; 32],
        at: Timestamp,
        idle_at: Timestamp,
    ) -> Result<()>;

    /// Ends the session. Ending one that is not there succeeds.
    async fn delete_session(&self, digest: &[u8; 32]) -> Result<()> {
        self.remove_row(&SessionRow::NOUN, Which::has(digest)).await
    }

    /// Ends all sign-ins of the account but the one with the digest `keep`; returns how many.
    async fn delete_sign_ins(&self, account: &AccountId, keep: &[u8; 32]) -> Result<u64>;
}
