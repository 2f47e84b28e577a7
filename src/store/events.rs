//! What happened to accounts.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::Result;
use super::field::{Value, single};
use super::nouns::{self, Rows};
use super::row::{Life, row};
use crate::ids::{AccountId, EventId};

row! {
    /// Something that happened to an account, for its owner's eyes.
    pub struct EventRow in "events" {
        /// Its id.
        key id: EventId,
        /// Whose account.
        account: AccountId,
        /// When.
        at: Timestamp,
        /// What.
        kind: EventKind,
        /// What kind of client did it.
        device: String,
        /// From where: an IP address as text, or nothing.
        address: String,
    }
    life: Life::Ages("at", SignedDuration::from_hours(365 * 24));
    newest: ("at", EventRow::MOST);
}

impl EventRow {
    /// Of one account; more than anybody is shown.
    pub const MOST: u32 = 1_000;
}

/// What can happen to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// It was registered.
    Registered,
    /// A kind of client signed in that had not before.
    NewDevice,
    /// The password was changed.
    PasswordChanged,
    /// The recovery code opened it and a new password was set.
    Recovered,
    /// A new recovery code took the old one's place.
    RecoveryRenewed,
    /// So many tries failed that further ones have to wait.
    Guessing,
    /// Sign-ins were ended from elsewhere.
    SessionsEnded,
    /// An operator or administrator changed its role.
    RoleChanged,
    /// An API token was made.
    TokenMade,
    /// An API token was revoked.
    TokenRevoked,
    /// The master key was replaced.
    KeyRotated,
    /// An operator changed how much it may keep.
    QuotaChanged,
    /// An authenticator app was set up.
    FactorAdded,
    /// The authenticator app was turned off.
    FactorRemoved,
    /// New spare codes took the old ones' place.
    SpareCodesRenewed,
    /// A spare code was used up.
    SpareCodeUsed,
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
    /// Another email address took the old one's place.
    EmailChanged,
}

impl EventKind {
    const ALL: [Self; 19] = [
        Self::Registered,
        Self::NewDevice,
        Self::PasswordChanged,
        Self::Recovered,
        Self::RecoveryRenewed,
        Self::Guessing,
        Self::SessionsEnded,
        Self::RoleChanged,
        Self::TokenMade,
        Self::TokenRevoked,
        Self::KeyRotated,
        Self::QuotaChanged,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::SpareCodesRenewed,
        Self::SpareCodeUsed,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::EmailChanged,
    ];

    /// The word that is stored, and that the API says.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::NewDevice => "new_device",
            Self::PasswordChanged => "password_changed",
            Self::Recovered => "recovered",
            Self::RecoveryRenewed => "recovery_renewed",
            Self::Guessing => "guessing",
            Self::SessionsEnded => "sessions_ended",
            Self::RoleChanged => "role_changed",
            Self::TokenMade => "token_made",
            Self::TokenRevoked => "token_revoked",
            Self::KeyRotated => "key_rotated",
            Self::QuotaChanged => "quota_changed",
            Self::FactorAdded => "factor_added",
            Self::FactorRemoved => "factor_removed",
            Self::SpareCodesRenewed => "spare_codes_renewed",
            Self::SpareCodeUsed => "spare_code_used",
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRemoved => "passkey_removed",
            Self::EmailChanged => "email_changed",
        }
    }

    /// The kind that is stored as this word.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

single! {
    EventKind: |kind| Value::Text(kind.name().into()), Value::Text(name) => Self::named(&name);
}

/// A part of [`super::Records`], with the same promises.
#[async_trait]
pub trait Events: Rows {
    /// Stores what happened to an account. Of its events the newest [`EventRow::MOST`] stay, and
    /// those of the same moment as the last of them.
    async fn insert_event(&self, row: &EventRow) -> Result<()> {
        nouns::insert(self, row).await
    }

    /// The account's last `limit` events, the newest first.
    async fn events_of(&self, account: &AccountId, limit: u32) -> Result<Vec<EventRow>> {
        nouns::newest(self, account, limit).await
    }
}

impl<S: Rows> Events for S {}
