//! The rows of second factors, and of what waits for one; and the part of [`super::Records`] that
//! keeps them.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::ids::{AccountId, PasskeyId};

use super::Result;

/// What an account asks for besides its password. An account without such a row asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactorRow {
    /// Whose it is.
    pub account: AccountId,
    /// The authenticator app, if one is set up or about to be.
    pub authenticator: Option<AuthenticatorRow>,
    /// Passkeys, in the order in which they were added.
    pub passkeys: Vec<PasskeyRow>,
    /// What stands in for them when the telephone is lost.
    pub spare_codes: Option<SpareCodesRow>,
    /// Compare-and-swap counter.
    pub revision: u64,
}

impl FactorRow {
    /// That of an account which asks for nothing and has no row yet.
    pub fn none(account: AccountId) -> Self {
        Self {
            account,
            authenticator: None,
            passkeys: Vec::new(),
            spare_codes: None,
            revision: 0,
        }
    }
}

/// An authenticator app (TOTP, RFC 6238).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatorRow {
    /// Its key, wrapped by the master key.
    pub key_wrap: Vec<u8>,
    /// When the key was made.
    pub begun_at: Timestamp,
    /// When a code showed that the app has it; before, none is asked for.
    pub confirmed_at: Option<Timestamp>,
    /// The time step of the last code that was taken: none is taken for it or one before again.
    pub last_step: u64,
}

/// A passkey (Web Authentication, Level 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// Its id.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// Public key and counter, as the library writes them.
    pub credential: String,
    /// Master key, wrapped by what the passkey's PRF extension gives, if it has one: such a passkey
    /// opens the account without a password.
    pub master_wrap: Option<Vec<u8>>,
    /// When it was added.
    pub added_at: Timestamp,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
}

/// Codes of which each works once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpareCodesRow {
    /// The key of the digests, wrapped by the master key.
    pub key_wrap: Vec<u8>,
    /// When they were made.
    pub made_at: Timestamp,
    /// Keyed digests of those that are left.
    pub digests: Vec<[u8; 32]>,
}

/// Something that was begun and is to be finished within minutes, by whoever has its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRow {
    /// SHA-256 of the token's id, which only the client knows.
    pub digest: [u8; 32],
    /// Whose it is, where that is known.
    pub account: Option<AccountId>,
    /// What it is about; opaque, and sealed where it must be.
    pub payload: Vec<u8>,
    /// Until when it can be finished.
    pub expires_at: Timestamp,
}

impl PendingRow {
    /// Of one account: more than a person has open at once, on all devices.
    pub const MOST: u32 = 50;
}

/// A part of [`super::Records`], with the same promises.
#[async_trait]
pub trait FactorRecords: Send + Sync {
    /// What the account asks for besides its password, if it ever asked for anything.
    async fn factor(&self, account: &AccountId) -> Result<Option<FactorRow>>;

    /// Stores the row where the stored one's revision is `row.revision`, or where there is none and
    /// it is 0; the stored one becomes one higher. `false` where somebody else was first: so of two
    /// who come with one code, one has used it.
    async fn put_factor(&self, row: &FactorRow) -> Result<bool>;

    /// Stores what is to be finished soon. Of what an account has begun the newest
    /// [`PendingRow::MOST`] stay, and what was begun in the same moment as the last of them.
    async fn insert_pending(&self, row: &PendingRow) -> Result<()>;

    /// What has this digest, unless it has ended.
    async fn pending(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<PendingRow>>;

    /// Removes what has this digest and returns it, unless it has ended: one of all who ask gets it.
    async fn take_pending(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<PendingRow>>;

    /// Removes what has ended unfinished; returns how much.
    async fn purge_pending(&self, now: Timestamp) -> Result<u64>;
}
