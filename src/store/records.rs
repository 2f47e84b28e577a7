//! The rows, as plain values. Times are whole milliseconds; wrapped keys and sealed records are
//! opaque bytes.

use jiff::Timestamp;

use crate::ids::{AccountId, ArchiveId, BlobId, ImageId};

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

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its id.
    pub id: AccountId,
    /// As typed at registration.
    pub username: String,
    /// Folded for comparison; unique.
    pub username_key: String,
    /// As typed at registration.
    pub email: String,
    /// Folded for comparison; unique.
    pub email_key: String,
    /// What pages call the person.
    pub display_name: String,
    /// What the account may do.
    pub role: Role,
    /// When it was registered.
    pub created_at: Timestamp,
    /// How the password becomes a key.
    pub kdf: KdfRow,
    /// Master key, wrapped by the password's key.
    pub password_wrap: Vec<u8>,
    /// Master key, wrapped by the recovery code's key.
    pub recovery_wrap: Vec<u8>,
    /// Key of the digests that find duplicates, wrapped by the master key.
    pub digest_wrap: Vec<u8>,
    /// X25519 public key: the server can seal something to an absent owner.
    pub public_key: [u8; 32],
    /// The secret half, wrapped by the master key.
    pub secret_wrap: Vec<u8>,
    /// Counts rotations of the master key.
    pub mk_generation: u32,
    /// The master key before the last rotation, wrapped by the one of today, while there are images
    /// whose keys it wraps.
    pub retired_wrap: Option<Vec<u8>>,
    /// When the password was chosen.
    pub password_set_at: Timestamp,
    /// When the recovery code was made.
    pub recovery_made_at: Timestamp,
    /// When the owner last proved to have it.
    pub recovery_proven_at: Option<Timestamp>,
    /// Compare-and-swap counter.
    pub revision: u64,
}

/// A sign-in, or the API token of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of the session's id, which only the client knows.
    pub digest: [u8; 32],
    /// Whose it is.
    pub account: AccountId,
    /// Master key, wrapped by the session's secret.
    pub master_wrap: Vec<u8>,
    /// Which master key that is: after a rotation it is not the account's any more.
    pub mk_generation: u32,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// When it ends if it is not used before.
    pub idle_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// What kind of client it is, or the token's name, for the owner's list.
    pub label: String,
    /// Where it began: an IP address as text, or nothing.
    pub address: String,
    /// What an API token may do, one bit each; `None` for a sign-in.
    pub scopes: Option<u8>,
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

/// A link with which one person can register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationRow {
    /// SHA-256 of the token, which only who was invited knows.
    pub digest: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be used.
    pub expires_at: Timestamp,
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

/// Where an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageState {
    /// In the vault.
    Active,
    /// In the trash.
    Trashed,
}

/// A stored blob and its sealed length in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRef {
    /// Its id.
    pub id: BlobId,
    /// Its length as stored.
    pub len: u64,
}

/// An image of an account. The commit of an upload is the insertion of this row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRow {
    /// Its id.
    pub id: ImageId,
    /// Whose it is.
    pub account: AccountId,
    /// The account's sequence number at the row's last change.
    pub seq: u64,
    /// Compare-and-swap counter of the metadata.
    pub revision: u64,
    /// Where it is.
    pub state: ImageState,
    /// When it was uploaded.
    pub uploaded_at: Timestamp,
    /// When it went to the trash; present exactly when `state` says that it is there. This is
    /// what is stored, and `state` is read off it.
    pub trashed_at: Option<Timestamp>,
    /// Keyed digest of the original's bytes; unique within the account.
    pub digest: [u8; 32],
    /// Data key, wrapped by the master key (or a sealed box to the account).
    pub key_wrap: Vec<u8>,
    /// Generation of the master key that wraps it.
    pub mk_generation: u32,
    /// The sealed record: name, size, checksums, EXIF values, tags, caption.
    pub metadata: Vec<u8>,
    /// The sealed original.
    pub original: BlobRef,
    /// The sealed thumbnail.
    pub thumbnail: BlobRef,
    /// The sealed preview, once somebody has looked at it.
    pub preview: Option<BlobRef>,
}

impl ImageRow {
    /// Every blob of the image.
    pub fn blobs(&self) -> impl Iterator<Item = &BlobRef> {
        [&self.original, &self.thumbnail]
            .into_iter()
            .chain(&self.preview)
    }
}

/// New sealed metadata for an image.
#[derive(Debug, Clone)]
pub struct MetadataChange {
    /// Whose.
    pub id: ImageId,
    /// The revision it was made from; where the stored one is another, nothing is changed.
    pub revision: u64,
    /// The record.
    pub metadata: Vec<u8>,
}

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

/// An archive's ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveRow {
    /// Its id.
    pub id: ArchiveId,
    /// Whose it is.
    pub account: AccountId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Key of the plan, wrapped by the master key.
    pub key_wrap: Vec<u8>,
    /// The sealed plan.
    pub plan: BlobRef,
}

/// One step of an account's catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The image is new or changed.
    Put(Box<ImageRow>),
    /// The image is gone for good.
    Gone {
        /// Which image.
        id: ImageId,
        /// The sequence number of its removal.
        seq: u64,
    },
}

impl Change {
    /// The account's sequence number at this change.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Put(row) => row.seq,
            Self::Gone { seq, .. } => *seq,
        }
    }
}

/// How an insertion ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// Stored.
    New,
    /// Not stored: this image of the account has the same digest.
    Duplicate(ImageId),
    /// Not stored: the session has ended that it came by, or the account's master key is of another
    /// generation than the row's.
    Stale,
    /// Not stored: the account would keep more than it may.
    NoRoom,
}

/// How changes of sealed metadata ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// These were made, in no order.
    Done(Vec<ImageId>),
    /// None was made: the account would keep more than it may.
    NoRoom,
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
