//! What accounts ask for besides their passwords.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::ids::{AccountId, PasskeyId};

use super::Result;
use super::row::{Life, Noun, Shape};

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

/// Each backend writes these rows in its own way: lists within lists.
pub(super) const FACTORS: Noun = Noun {
    name: "factors",
    key: Some("account"),
    fields: &[Shape::of::<AccountId>("account")],
    life: Life::Lasting,
    newest: None,
};

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

/// A part of [`super::Records`], with the same promises.
#[async_trait]
pub trait Factors: Send + Sync {
    /// What the account asks for besides its password, if it ever asked for anything.
    async fn factor(&self, account: &AccountId) -> Result<Option<FactorRow>>;

    /// Stores the row where the stored one's revision is `row.revision`, or where there is none and
    /// it is 0; the stored one becomes one higher. `false` where somebody else was first: so of two
    /// who come with one code, one has used it.
    async fn put_factor(&self, row: &FactorRow) -> Result<bool>;
}
