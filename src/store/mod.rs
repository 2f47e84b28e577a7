//! Where everything is kept: two traits and the two backends behind [`open`].
//!
//! The store sees ids, ciphertext and the few facts that are allowed to be plain (counts, sizes,
//! times, names of accounts). It never sees a key, a picture or a picture's name, so a fault in a
//! backend exposes none. Nothing above this floor names a driver.

mod embedded;
mod error;
mod events;
mod factors;
mod image_keys;
mod mongo;
mod quotas;
mod records;
mod tries;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;

pub use error::StoreError;
pub use events::{EventKind, EventRecords, EventRow};
pub use factors::{
    AuthenticatorRow, FactorRecords, FactorRow, PasskeyRow, PendingRow, SpareCodesRow,
};
pub use image_keys::{KeyRecords, KeyRow};
pub use quotas::{Allowance, Quota, UsageRecords, UsageRow, blob_kept, least_kept};
pub use records::{
    AccountRow, Admission, ArchiveRow, Bearer, BlobRef, Change, Edited, ImageRow, ImageState,
    Inserted, InvitationRow, KdfRow, Kept, MetadataChange, Role, SessionKind, SessionRow,
    UniqueField, Updated,
};
pub use tries::{TriesRecords, TriesRow};

use crate::ids::{AccountId, ArchiveId, BlobId, ImageId};

/// What every call here returns.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Consecutive bytes of a blob, in pieces of any size that is not zero.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;

/// The pieces of a blob about to be written, in order. Pulled between two writes, so that a blob is
/// never whole in memory twice; maybe on a thread of the runtime, so it may compute a piece but not
/// wait for one.
pub type ChunkSource = Box<dyn Iterator<Item = Bytes> + Send>;

/// Which backend to open.
#[derive(Clone)]
pub enum StoreChoice {
    /// SQLite and files below this directory, which is created (0700) when missing.
    Embedded {
        /// The data directory.
        dir: PathBuf,
    },
    /// MongoDB with GridFS. It must be a replica set or sharded: changes need transactions.
    Mongodb {
        /// Connection string. Its default database is used, `image_vault` when it names none.
        uri: String,
    },
}

/// An opened store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    /// The rows.
    pub records: Arc<dyn Records>,
    /// The sealed bytes.
    pub blobs: Arc<dyn Blobs>,
}

/// Opens a backend, creating on an empty one all that it needs and bringing an older schema
/// forward.
///
/// # Errors
/// [`StoreError::Incompatible`] with a sentence for the operator where the schema is newer than
/// this program or the database is no replica set; [`StoreError::Unavailable`] where it cannot be
/// reached.
pub async fn open(choice: &StoreChoice) -> Result<Store> {
    match choice {
        StoreChoice::Embedded { dir } => embedded::open(dir).await,
        StoreChoice::Mongodb { uri } => mongo::open(uri).await,
    }
}

/// Rows. Every method is atomic: it happens whole or not at all, and once it has returned `Ok` the
/// change survives the loss of power (SQLite `synchronous=FULL`; MongoDB majority and journal).
///
/// When a change ends with an error that is neither [`StoreError::Taken`] nor
/// [`StoreError::Full`], or its future is dropped, it is not known whether it happened: the answer
/// may have been lost. So nobody removes the blobs of a row whose insertion ended so; they are left
/// to the sweep, which asks [`Records::referenced_blobs`].
///
/// Each account has a *sequence number*. Every change of its images raises it by one inside the
/// same transaction and writes it on each row that changed, so whoever knows the number can fetch
/// just what is newer ([`Records::changes_since`]). Numbers become visible in order.
#[async_trait]
pub trait Records: EventRecords + FactorRecords + KeyRecords + TriesRecords + UsageRecords {
    /// Succeeds when the store answers. Cheap enough for a readiness check.
    async fn ping(&self) -> Result<()>;

    /// Stores the value if there is none yet, and returns the one that is stored: the first caller
    /// of all processes decides.
    async fn instance_check(&self, if_absent: &[u8; 32]) -> Result<[u8; 32]>;

    /// The value kept by [`Records::instance_check`], if any was.
    async fn existing_instance_check(&self) -> Result<Option<[u8; 32]>>;

    /// Stores a new account and its sequence number 0. The first account ever stored becomes
    /// administrator, whatever its row says; returns the role that was stored. Of two callers who
    /// race on one name, on being the first, or on one invitation, one wins. An invitation is spent
    /// in the same transaction, so it is neither used twice nor lost.
    ///
    /// # Errors
    /// [`StoreError::NotAdmitted`]; [`StoreError::Taken`] naming the unique field (`username_key` or
    /// `email_key`), to nobody else than who is admitted.
    async fn insert_account(&self, row: &AccountRow, admission: &Admission) -> Result<Role>;

    /// Whether an account was ever stored.
    async fn has_accounts(&self) -> Result<bool>;

    /// The account, if it exists.
    async fn account(&self, id: &AccountId) -> Result<Option<AccountRow>>;

    /// The account whose `username_key` or `email_key` is `key`. (No user name holds an `@`, so at
    /// most one matches.)
    async fn account_by_login(&self, key: &str) -> Result<Option<AccountRow>>;

    /// Replaces the account's row where its stored revision is `row.revision`; the stored one
    /// becomes one higher.
    ///
    /// # Errors
    /// [`StoreError::Taken`] where another account has the new name or address.
    async fn update_account(&self, row: &AccountRow) -> Result<Updated>;

    /// As [`Records::update_account`], and ends all sessions of the account, sign-ins and API
    /// tokens, but the one with the digest `keep`, in the same transaction: who learns of the new
    /// secret finds no old session. The second factor stays, but who has read it before cannot put
    /// it any more.
    async fn replace_credentials(
        &self,
        row: &AccountRow,
        keep: Option<&[u8; 32]>,
    ) -> Result<Updated>;

    /// As [`Records::replace_credentials`] with no session kept, and puts the second factor under
    /// the new master key in the same transaction: [`Updated::Conflict`] also where that row was
    /// changed by somebody else. Where there is none, [`FactorRow::none`] is put, so that what is
    /// made under the old key in this moment is not.
    async fn rotate_credentials(&self, row: &AccountRow, factor: &FactorRow) -> Result<Updated>;

    /// As [`Records::replace_credentials`] with no session kept, and turns the second factor off in
    /// the same transaction.
    async fn reset_credentials(&self, row: &AccountRow) -> Result<Updated>;

    /// Removes the account with its sessions, and notes that it departed, in one transaction: what
    /// is noted so has no keys any more. What else is only about it goes as well: events, second
    /// factor, tombstones, its number; images and tickets do not, since their blobs have to follow. A
    /// second time it removes what has come since, and the note stays as it is.
    async fn remove_account(&self, id: &AccountId, at: Timestamp) -> Result<()>;

    /// Stores a new session. Of an account's sign-ins the newest [`SessionRow::MOST_SIGN_INS`] stay,
    /// and those that began in the same moment as the last of them.
    async fn insert_session(&self, row: &SessionRow) -> Result<()>;

    /// The session with this digest, expired or not.
    async fn session(&self, digest: &[u8; 32]) -> Result<Option<SessionRow>>;

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
    async fn delete_session(&self, digest: &[u8; 32]) -> Result<()>;

    /// Ends all sign-ins of the account but the one with the digest `keep`; returns how many.
    async fn delete_sign_ins(&self, account: &AccountId, keep: &[u8; 32]) -> Result<u64>;

    /// Removes sessions whose end, absolute or for being idle, is not after `now`; returns how many.
    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<u64>;

    /// Up to `limit` accounts that had departed by `until`, and when, the oldest first.
    async fn departed(&self, until: Timestamp, limit: u32) -> Result<Vec<(AccountId, Timestamp)>>;

    /// Forgets that an account departed.
    async fn delete_departed(&self, account: &AccountId) -> Result<()>;

    /// Stores an invitation.
    async fn insert_invitation(&self, row: &InvitationRow) -> Result<()>;

    /// The invitation with this digest, if it is not spent; ended or not.
    async fn invitation(&self, digest: &[u8; 32]) -> Result<Option<InvitationRow>>;

    /// Removes invitations that have ended; returns how many.
    async fn purge_invitations(&self, now: Timestamp) -> Result<u64>;

    /// The account's sequence number; 0 for one that has no change yet or does not exist.
    async fn sequence(&self, account: &AccountId) -> Result<u64>;

    /// Stores a new image (its `seq` and `revision` are set by the store). When the account
    /// already holds an image with this digest nothing is stored and that one's id is returned; it
    /// is the row's own id where the very call was made before. Nothing is stored either where the
    /// bearer's session has ended (once its end is committed no image comes by it) or the account's
    /// master key is of another generation (after [`Records::replace_credentials`] no image comes
    /// with a key that was wrapped before), or where the account would keep more than it may:
    /// `default`, unless something was decided about it.
    async fn insert_image(&self, row: &ImageRow, by: &Bearer, default: &Quota) -> Result<Inserted>;

    /// The account's image with this id.
    async fn image(&self, account: &AccountId, id: &ImageId) -> Result<Option<ImageRow>>;

    /// Those of the ids that are the account's, in no order. At most 1,000 ids a call.
    async fn images(&self, account: &AccountId, ids: &[ImageId]) -> Result<Vec<ImageRow>>;

    /// The account's images that have one of these digests. At most 1,000 digests a call.
    async fn images_by_digest(
        &self,
        account: &AccountId,
        digests: &[[u8; 32]],
    ) -> Result<Vec<([u8; 32], ImageId)>>;

    /// Replaces the sealed metadata of those whose stored revision is still the change's; the stored
    /// one becomes one higher. The others are gone, another account's, or were changed by somebody
    /// else. None is changed where the account would keep more than before and than it may. At most
    /// 1,000 changes a call.
    async fn update_metadata(
        &self,
        account: &AccountId,
        changes: &[MetadataChange],
        default: &Quota,
    ) -> Result<Edited>;

    /// Notes the preview that was made, unless the image is gone or has one, or the account may not
    /// keep so much: `false` then, and the caller removes its blob. Not a change of the catalogue:
    /// the sequence number stays.
    async fn set_preview(
        &self,
        account: &AccountId,
        id: &ImageId,
        preview: &BlobRef,
        default: &Quota,
    ) -> Result<bool>;

    /// Moves those of the ids that are the account's and not yet in `state` there, noting `at` as
    /// the time of trashing; returns the ids it moved, in no order. At most 1,000 ids a call.
    async fn set_state(
        &self,
        account: &AccountId,
        ids: &[ImageId],
        state: ImageState,
        at: Timestamp,
    ) -> Result<Vec<ImageId>>;

    /// Removes those of the ids that are the account's, wrapped keys first of all, and leaves a
    /// tombstone for each; returns the rows that were removed, so that their blobs can follow.
    /// At most 1,000 ids a call.
    async fn remove_images(
        &self,
        account: &AccountId,
        ids: &[ImageId],
        at: Timestamp,
    ) -> Result<Vec<ImageRow>>;

    /// As [`Records::remove_images`], but only those that went to the trash before `before`: one
    /// that its owner restores in the same moment stays.
    async fn remove_trashed(
        &self,
        account: &AccountId,
        ids: &[ImageId],
        before: Timestamp,
        at: Timestamp,
    ) -> Result<Vec<ImageRow>>;

    /// Every image and tombstone of the account whose sequence number is above `after`, in the
    /// order of that number. With `after` 0 tombstones may be left out.
    ///
    /// What changes while the stream is read may come in it or not. Either way nothing is lost to
    /// a reader who remembers the highest number it was given, and asks for what is above it.
    async fn changes_since(
        &self,
        account: &AccountId,
        after: u64,
    ) -> Result<BoxStream<'static, Result<Change>>>;

    /// Up to `limit` images that went to the trash before `before`, oldest first.
    async fn trashed_before(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(AccountId, ImageId)>>;

    /// Forgets tombstones left before `before`.
    async fn purge_tombstones(&self, before: Timestamp) -> Result<u64>;

    /// Stores an archive's ticket.
    async fn insert_archive(&self, row: &ArchiveRow) -> Result<()>;

    /// The account's ticket with this id, expired or not.
    async fn archive(&self, account: &AccountId, id: &ArchiveId) -> Result<Option<ArchiveRow>>;

    /// Removes up to `limit` tickets that ended before `now` and returns them, so that their blobs
    /// can follow.
    async fn remove_expired_archives(&self, now: Timestamp, limit: u32) -> Result<Vec<ArchiveRow>>;

    /// Removes up to `limit` tickets of the account and returns them: none of its newest, as far as
    /// they keep within `keep`.
    async fn remove_archives_of(
        &self,
        account: &AccountId,
        keep: Kept,
        limit: u32,
    ) -> Result<Vec<ArchiveRow>>;

    /// Those of the ids that any row names. At most 1,000 ids a call.
    async fn referenced_blobs(&self, ids: &[BlobId]) -> Result<HashSet<BlobId>>;
}

/// Sealed blobs, written once and never modified.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores the pieces, one after the other, under an id that was never used before, and returns
    /// the number of bytes. When it returns `Ok` they survive the loss of power. A reader sees all
    /// of them or [`StoreError::NotFound`]; when it fails, or its future is dropped, what was
    /// written is removed at once or by a later sweep. An id that is in use is refused, and its
    /// blob stays whole.
    async fn put(&self, id: &BlobId, chunks: ChunkSource) -> Result<u64>;

    /// The blob's bytes from `offset` on; `len` of them, or all to the end. Fewer come where the
    /// blob is shorter: the reader above checks. A gap or a damaged chunk ends the stream with an
    /// error.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] at once where there is no such blob.
    async fn read(&self, id: &BlobId, offset: u64, len: Option<u64>) -> Result<ByteStream>;

    /// A whole blob that is small enough to be held in memory, in one step. One that is just being
    /// removed may still be given, as to who began to read it before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Damaged`] where it has another length.
    async fn get(&self, blob: &BlobRef) -> Result<Bytes>;

    /// Removes the blob. Removing one that is not there succeeds, so a retried job converges.
    async fn delete(&self, id: &BlobId) -> Result<()>;

    /// The ids of blobs, whole or half written, whose last byte was written before `before`. What
    /// is in the store's own space and can be no blob of ours at all (a half-written file, chunks
    /// without a file) is removed on the way.
    async fn list_before(&self, before: Timestamp) -> Result<BoxStream<'static, Result<BlobId>>>;
}
