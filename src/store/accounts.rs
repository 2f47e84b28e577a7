//! Accounts, and what is noted of those that departed.

use async_trait::async_trait;
use jiff::Timestamp;

use super::field::{Field, Part, Value, single};
use super::nouns::{self, Rows, Which};
use super::row::{Life, Row as _, row};
use super::{FactorRow, Result};
use crate::ids::AccountId;

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Uses the vault.
    User,
    /// Also runs the instance; sees everything but the pictures.
    Administrator,
}

impl Role {
    /// The word that is stored.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Administrator => "administrator",
        }
    }

    /// The role that is stored as this word.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::User, Self::Administrator]
            .into_iter()
            .find(|role| role.name() == name)
    }
}

single! {
    Role: |role| Value::Text(role.name().into()), Value::Text(name) => Self::named(&name);
}

/// The cost and salt of an account's password hash (Argon2id, RFC 9106).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KdfRow {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// Salt.
    pub salt: [u8; 16],
    /// Which pepper was used.
    pub pepper_id: u32,
}

impl Field for KdfRow {
    const PARTS: &'static [Part] = &[
        ("_memory_kib", "memory_kib"),
        ("_passes", "passes"),
        ("_lanes", "lanes"),
        ("_salt", "salt"),
        ("_pepper_id", "pepper_id"),
    ];

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        self.memory_kib.write(values);
        self.passes.write(values);
        self.lanes.write(values);
        self.salt.write(values);
        self.pepper_id.write(values);
    }

    fn read<'v>(values: &mut impl Iterator<Item = Value<'v>>) -> Option<Self> {
        Some(Self {
            memory_kib: Field::read(values)?,
            passes: Field::read(values)?,
            lanes: Field::read(values)?,
            salt: Field::read(values)?,
            pepper_id: Field::read(values)?,
        })
    }
}

row! {
    /// An account.
    pub struct AccountRow in "accounts" {
        /// Its id.
        key id: AccountId,
        /// As typed at registration.
        username: String,
        /// Folded for comparison; unique.
        username_key: String,
        /// What the name looks like; unique. Missing where another account from before there were
        /// skeletons looks the same, or where this was not looked at yet.
        username_skeleton: Option<String>,
        /// As typed at registration.
        email: String,
        /// Folded for comparison; unique.
        email_key: String,
        /// What pages call the person.
        display_name: String,
        /// What the account may do.
        role: Role,
        /// When it was registered.
        created_at: Timestamp,
        /// How the password becomes a key.
        kdf: KdfRow,
        /// Master key, wrapped by the password's key.
        password_wrap: Vec<u8>,
        /// Master key, wrapped by the recovery code's key.
        recovery_wrap: Vec<u8>,
        /// Key of the digests that find duplicates, wrapped by the master key.
        digest_wrap: Vec<u8>,
        /// X25519 public key: the server can seal something to an absent owner.
        public_key: [u8; 32],
        /// The secret half, wrapped by the master key.
        secret_wrap: Vec<u8>,
        /// Counts rotations of the master key.
        mk_generation: u32,
        /// The master key before the last rotation, wrapped by the one of today, while there are images
        /// whose keys it wraps.
        retired_wrap: Option<Vec<u8>>,
        /// When the password was chosen.
        password_set_at: Timestamp,
        /// When the recovery code was made.
        recovery_made_at: Timestamp,
        /// When the owner last proved to have it.
        recovery_proven_at: Option<Timestamp>,
        /// Compare-and-swap counter.
        revision: u64,
    }
}

row! {
    /// An account that was deleted: what came in meanwhile is removed as well.
    pub struct DepartedRow in "departed" {
        /// Which.
        key account: AccountId,
        /// When it was.
        at: Timestamp,
    }
    life: Life::AfterAccount;
}

/// Who is let in as a new account. The first account ever is, whatever is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Everybody.
    Anyone,
    /// Nobody but the first.
    OnlyFirst,
    /// Who has the invitation with this digest, and comes before it ends. The first leaves it.
    Invited {
        /// SHA-256 of its token.
        digest: [u8; 32],
        /// When they come.
        now: Timestamp,
    },
}

/// How a compare-and-swap ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Updated {
    /// Stored.
    Done,
    /// Not stored: somebody else changed the row first. Read it again and retry.
    Conflict,
    /// Not stored: there is no such row.
    Missing,
}

/// A field that no two accounts share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UniqueField {
    /// The user name.
    Username,
    /// The email address.
    Email,
}

/// A part of [`super::Records`], with the same promises.
#[async_trait]
pub trait Accounts: Rows {
    /// Stores a new account and its sequence number 0. The first account ever stored becomes
    /// administrator, whatever its row says; returns the role that was stored. Of two callers who
    /// race on one name, on being the first, or on one invitation, one wins. An invitation is spent
    /// in the same transaction, so it is neither used twice nor lost.
    ///
    /// # Errors
    /// [`super::StoreError::NotAdmitted`]; [`super::StoreError::Taken`] naming the unique field (`username_key` and
    /// `username_skeleton`, or `email_key`), to nobody else than who is admitted.
    async fn insert_account(&self, row: &AccountRow, admission: &Admission) -> Result<Role>;

    /// Whether an account was ever stored.
    async fn has_accounts(&self) -> Result<bool>;

    /// The account, if it exists.
    async fn account(&self, id: &AccountId) -> Result<Option<AccountRow>> {
        nouns::find(self, Which::has(id)).await
    }

    /// The account whose `username_key` or `email_key` is `key`. (No user name holds an `@`, so at
    /// most one matches.)
    async fn account_by_login(&self, key: &str) -> Result<Option<AccountRow>>;

    /// The account with this `username_skeleton`.
    async fn account_by_skeleton(&self, skeleton: &str) -> Result<Option<AccountRow>>;

    /// Up to `limit` accounts without a `username_skeleton`, by their ids, from the one behind `after`
    /// on.
    async fn accounts_without_skeleton(
        &self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountRow>>;

    /// Replaces the account's row where its stored revision is `row.revision`; the stored one
    /// becomes one higher.
    ///
    /// # Errors
    /// [`super::StoreError::Taken`] where another account has the new name or address.
    async fn update_account(&self, row: &AccountRow) -> Result<Updated>;

    /// As [`Accounts::update_account`], and ends all sessions of the account, sign-ins and API
    /// tokens, but the one with the digest `keep`, in the same transaction: who learns of the new
    /// secret finds no old session. The second factor stays, but who has read it before cannot put
    /// it any more.
    async fn replace_credentials(
        &self,
        row: &AccountRow,
        keep: Option<&[u8; 32]>,
    ) -> Result<Updated>;

    /// As [`Accounts::replace_credentials`] with no session kept, and puts the second factor under
    /// the new master key in the same transaction: [`Updated::Conflict`] also where that row was
    /// changed by somebody else. Where there is none, [`FactorRow::none`] is put, so that what is
    /// made under the old key in this moment is not.
    async fn rotate_credentials(&self, row: &AccountRow, factor: &FactorRow) -> Result<Updated>;

    /// As [`Accounts::replace_credentials`] with no session kept, and turns the second factor off in
    /// the same transaction.
    async fn reset_credentials(&self, row: &AccountRow) -> Result<Updated>;

    /// Removes the account with its sessions, and notes that it departed, in one transaction: what
    /// is noted so has no keys any more. Every other row that it owns goes as well, but those that
    /// hold blobs, which have to follow ([`Rows::remove_owned`]). A second time it
    /// removes what has come since, and the note stays as it is.
    async fn remove_account(&self, id: &AccountId, at: Timestamp) -> Result<()>;

    /// Up to `limit` accounts that had departed by `until`, and when, the oldest first.
    async fn departed(&self, until: Timestamp, limit: u32) -> Result<Vec<DepartedRow>>;

    /// Forgets that an account departed.
    async fn delete_departed(&self, account: &AccountId) -> Result<()> {
        self.remove_row(&DepartedRow::NOUN, Which::has(account))
            .await
    }
}
