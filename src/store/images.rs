//! Images, and the sequence of an account's changes of them.

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};

use super::nouns::{self, Rows, Which};
use super::row::{Life, Noun, Shape, row};
use super::{Bearer, BlobRef, Quota, Result};
use crate::ids::{AccountId, ImageId};

/// Where an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageState {
    /// In the vault.
    Active,
    /// In the trash.
    Trashed,
}

row! {
    /// An image of an account. The commit of an upload is the insertion of this row.
    pub struct ImageRow in "images" {
        /// Its id.
        key id: ImageId,
        /// Whose it is.
        account: AccountId,
        /// The account's sequence number at the row's last change.
        seq: u64,
        /// Compare-and-swap counter of the metadata.
        revision: u64,
        /// When it was uploaded.
        uploaded_at: Timestamp,
        /// When it went to the trash, while it is there.
        trashed_at: Option<Timestamp>,
        /// Keyed digest of the original's bytes; unique within the account.
        digest: [u8; 32],
        /// Data key, wrapped by the master key (or a sealed box to the account).
        key_wrap: Vec<u8>,
        /// Generation of the master key that wraps it.
        mk_generation: u32,
        /// The sealed record: name, size, checksums, EXIF values, tags, caption.
        metadata: Vec<u8>,
        /// The sealed original.
        original: BlobRef,
        /// The sealed thumbnail.
        thumbnail: BlobRef,
        /// The sealed preview, once somebody has looked at it.
        preview: Option<BlobRef>,
    }
}

impl ImageRow {
    /// Where the image is.
    pub fn state(&self) -> ImageState {
        match self.trashed_at {
            Some(_) => ImageState::Trashed,
            None => ImageState::Active,
        }
    }

    /// Every blob of the image.
    pub fn blobs(&self) -> impl Iterator<Item = &BlobRef> {
        [&self.original, &self.thumbnail]
            .into_iter()
            .chain(&self.preview)
    }
}

/// What is left of an image that was removed, for those who know it: longer than any catalogue is
/// kept without being read.
pub(super) const TOMBSTONES: Noun = Noun {
    name: "tombstones",
    key: None,
    fields: &[Shape::of::<AccountId>("account")],
    life: Life::Ages("removed_at", SignedDuration::from_hours(24)),
    newest: None,
};

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

/// A part of [`super::Records`], with the same promises.
///
/// Each account has a *sequence number*. Every change of its images raises it by one inside the
/// same transaction and writes it on each row that changed, so whoever knows the number can fetch
/// just what is newer ([`Images::changes_since`]). Numbers become visible in order.
#[async_trait]
pub trait Images: Rows {
    /// The account's sequence number; 0 for one that has no change yet or does not exist.
    async fn sequence(&self, account: &AccountId) -> Result<u64>;

    /// Stores a new image (its `seq` and `revision` are set by the store). When the account
    /// already holds an image with this digest nothing is stored and that one's id is returned; it
    /// is the row's own id where the very call was made before. Nothing is stored either where the
    /// bearer's session has ended (once its end is committed no image comes by it) or the account's
    /// master key is of another generation (after [`super::Accounts::replace_credentials`] no image comes
    /// with a key that was wrapped before), or where the account would keep more than it may:
    /// `default`, unless something was decided about it.
    async fn insert_image(&self, row: &ImageRow, by: &Bearer, default: &Quota) -> Result<Inserted>;

    /// The account's image with this id.
    async fn image(&self, account: &AccountId, id: &ImageId) -> Result<Option<ImageRow>> {
        nouns::find(self, Which::has(id).of(account)).await
    }

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

    /// As [`Images::remove_images`], but only those that went to the trash before `before`: one
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
}
