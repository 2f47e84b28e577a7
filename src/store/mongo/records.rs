//! The trait's methods, each one call or one transaction of the file named after its noun.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::Timestamp;

use crate::ids::{AccountId, ArchiveId, BlobId, ImageId};

use super::super::{
    AccountRow, Admission, ArchiveRow, Bearer, BlobRef, Change, Edited, FactorRow, ImageRow,
    ImageState, Inserted, InvitationRow, Kept, MetadataChange, Quota, Records, Result, Role,
    SessionKind, SessionRow, Updated,
};
use super::Mongo;
use super::{accounts, archives, catalogue, changes, images, invitations, meta, sessions};

/// Rows in MongoDB.
pub(super) struct MongoRecords(pub(super) Arc<Mongo>);

impl MongoRecords {
    pub(super) fn new(mongo: Arc<Mongo>) -> Self {
        Self(mongo)
    }
}

#[async_trait]
impl Records for MongoRecords {
    async fn ping(&self) -> Result<()> {
        meta::ping(&self.0).await
    }

    async fn instance_check(&self, if_absent: &[u8; 32]) -> Result<[u8; 32]> {
        meta::keep_instance_check(&self.0, if_absent).await
    }

    async fn existing_instance_check(&self) -> Result<Option<[u8; 32]>> {
        meta::instance_check(&self.0).await
    }

    async fn insert_account(&self, row: &AccountRow, admission: &Admission) -> Result<Role> {
        accounts::insert(&self.0, row, admission).await
    }

    async fn has_accounts(&self) -> Result<bool> {
        meta::is_founded(&self.0).await
    }

    async fn account(&self, id: &AccountId) -> Result<Option<AccountRow>> {
        accounts::by_id(&self.0, id).await
    }

    async fn account_by_login(&self, key: &str) -> Result<Option<AccountRow>> {
        accounts::by_login(&self.0, key).await
    }

    async fn update_account(&self, row: &AccountRow) -> Result<Updated> {
        accounts::update(&self.0, row).await
    }

    async fn replace_credentials(
        &self,
        row: &AccountRow,
        keep: Option<&[u8; 32]>,
    ) -> Result<Updated> {
        accounts::replace_credentials(&self.0, row, keep).await
    }

    async fn rotate_credentials(&self, row: &AccountRow, factor: &FactorRow) -> Result<Updated> {
        accounts::rotate_credentials(&self.0, row, factor).await
    }

    async fn reset_credentials(&self, row: &AccountRow) -> Result<Updated> {
        accounts::reset_credentials(&self.0, row).await
    }

    async fn remove_account(&self, id: &AccountId, at: Timestamp) -> Result<()> {
        accounts::remove(&self.0, id, at).await
    }

    async fn insert_session(&self, row: &SessionRow) -> Result<()> {
        sessions::insert(&self.0, row).await
    }

    async fn session(&self, digest: &[u8; 32]) -> Result<Option<SessionRow>> {
        sessions::by_digest(&self.0, digest).await
    }

    async fn session_and_account(
        &self,
        digest: &[u8; 32],
    ) -> Result<Option<(SessionRow, AccountRow)>> {
        sessions::with_account(&self.0, digest).await
    }

    async fn sessions_of(
        &self,
        account: &AccountId,
        kind: SessionKind,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<SessionRow>> {
        sessions::of_account(&self.0, account, kind, now, limit).await
    }

    async fn touch_session(
        &self,
        digest: &[u8; 32],
        at: Timestamp,
        idle_at: Timestamp,
    ) -> Result<()> {
        sessions::touch(&self.0, digest, at, idle_at).await
    }

    async fn delete_session(&self, digest: &[u8; 32]) -> Result<()> {
        sessions::delete(&self.0, digest).await
    }

    async fn delete_sign_ins(&self, account: &AccountId, keep: &[u8; 32]) -> Result<u64> {
        sessions::delete_sign_ins(&self.0, account, keep).await
    }

    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<u64> {
        sessions::delete_expired(&self.0, now).await
    }

    async fn departed(&self, until: Timestamp, limit: u32) -> Result<Vec<(AccountId, Timestamp)>> {
        accounts::departed(&self.0, until, limit).await
    }

    async fn delete_departed(&self, account: &AccountId) -> Result<()> {
        accounts::forget_departed(&self.0, account).await
    }

    async fn insert_invitation(&self, row: &InvitationRow) -> Result<()> {
        invitations::insert(&self.0, row).await
    }

    async fn invitation(&self, digest: &[u8; 32]) -> Result<Option<InvitationRow>> {
        invitations::by_digest(&self.0, digest).await
    }

    async fn purge_invitations(&self, now: Timestamp) -> Result<u64> {
        invitations::purge(&self.0, now).await
    }

    async fn sequence(&self, account: &AccountId) -> Result<u64> {
        images::sequence(&self.0, account).await
    }

    async fn insert_image(&self, row: &ImageRow, by: &Bearer, default: &Quota) -> Result<Inserted> {
        changes::insert(&self.0, row, by, default).await
    }

    async fn image(&self, account: &AccountId, id: &ImageId) -> Result<Option<ImageRow>> {
        images::by_id(&self.0, account, id).await
    }

    async fn images(&self, account: &AccountId, ids: &[ImageId]) -> Result<Vec<ImageRow>> {
        images::by_ids(&self.0, account, ids).await
    }

    async fn images_by_digest(
        &self,
        account: &AccountId,
        digests: &[[u8; 32]],
    ) -> Result<Vec<([u8; 32], ImageId)>> {
        images::by_digests(&self.0, account, digests).await
    }

    async fn update_metadata(
        &self,
        account: &AccountId,
        changes: &[MetadataChange],
        default: &Quota,
    ) -> Result<Edited> {
        changes::update_metadata(&self.0, account, changes, default).await
    }

    async fn set_preview(
        &self,
        account: &AccountId,
        id: &ImageId,
        preview: &BlobRef,
        default: &Quota,
    ) -> Result<bool> {
        changes::set_preview(&self.0, account, id, preview, default).await
    }

    async fn set_state(
        &self,
        account: &AccountId,
        ids: &[ImageId],
        state: ImageState,
        at: Timestamp,
    ) -> Result<Vec<ImageId>> {
        changes::set_state(&self.0, account, ids, state, at).await
    }

    async fn remove_images(
        &self,
        account: &AccountId,
        ids: &[ImageId],
        at: Timestamp,
    ) -> Result<Vec<ImageRow>> {
        changes::remove(&self.0, images::owns(account, ids), account, at).await
    }

    async fn remove_trashed(
        &self,
        account: &AccountId,
        ids: &[ImageId],
        before: Timestamp,
        at: Timestamp,
    ) -> Result<Vec<ImageRow>> {
        let trashed = images::trashed(account, ids, before);
        changes::remove(&self.0, trashed, account, at).await
    }

    async fn changes_since(
        &self,
        account: &AccountId,
        after: u64,
    ) -> Result<BoxStream<'static, Result<Change>>> {
        catalogue::changes_since(Arc::clone(&self.0), account, after).await
    }

    async fn trashed_before(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(AccountId, ImageId)>> {
        images::trashed_before(&self.0, before, limit).await
    }

    async fn purge_tombstones(&self, before: Timestamp) -> Result<u64> {
        images::purge_tombstones(&self.0, before).await
    }

    async fn insert_archive(&self, row: &ArchiveRow) -> Result<()> {
        archives::insert(&self.0, row).await
    }

    async fn archive(&self, account: &AccountId, id: &ArchiveId) -> Result<Option<ArchiveRow>> {
        archives::by_id(&self.0, account, id).await
    }

    async fn remove_expired_archives(&self, now: Timestamp, limit: u32) -> Result<Vec<ArchiveRow>> {
        archives::remove_expired(&self.0, now, limit).await
    }

    async fn remove_archives_of(
        &self,
        account: &AccountId,
        keep: Kept,
        limit: u32,
    ) -> Result<Vec<ArchiveRow>> {
        archives::remove_of(&self.0, account, keep, limit).await
    }

    async fn referenced_blobs(&self, ids: &[BlobId]) -> Result<HashSet<BlobId>> {
        images::referenced(&self.0, ids).await
    }
}
