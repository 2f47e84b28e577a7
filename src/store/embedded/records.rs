//! The trait's methods, each one statement or one transaction of the file named after its noun.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use crate::ids::{AccountId, ArchiveId, BlobId, ImageId};

use super::super::{
    AccountRow, Admission, ArchiveRow, Bearer, BlobRef, Change, Edited, FactorRow, ImageRow,
    ImageState, Inserted, InvitationRow, Kept, MetadataChange, Quota, Records, Result, Role,
    SessionKind, SessionRow, Updated,
};
use super::database::Database;
use super::{accounts, archives, catalogue, factors, images, invitations, meta, sessions};

/// Rows in SQLite.
pub(super) struct SqliteRecords {
    database: Arc<Database>,
}

impl SqliteRecords {
    pub(super) fn new(database: Database) -> Self {
        Self {
            database: Arc::new(database),
        }
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.database.read(work).await
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.database.write(work).await
    }
}

#[async_trait]
impl Records for SqliteRecords {
    async fn ping(&self) -> Result<()> {
        self.read(|db| meta::instance_check(db).map(drop)).await
    }

    async fn instance_check(&self, if_absent: &[u8; 32]) -> Result<[u8; 32]> {
        let value = *if_absent;
        self.write(move |db| meta::keep_instance_check(db, &value))
            .await
    }

    async fn existing_instance_check(&self) -> Result<Option<[u8; 32]>> {
        self.read(meta::instance_check).await
    }

    async fn insert_account(&self, row: &AccountRow, admission: &Admission) -> Result<Role> {
        let (row, admission) = (row.clone(), *admission);
        self.write(move |db| accounts::insert(db, &row, &admission))
            .await
    }

    async fn has_accounts(&self) -> Result<bool> {
        self.read(meta::is_founded).await
    }

    async fn account(&self, id: &AccountId) -> Result<Option<AccountRow>> {
        let id = *id;
        self.read(move |db| accounts::by_id(db, &id)).await
    }

    async fn account_by_login(&self, key: &str) -> Result<Option<AccountRow>> {
        let key = key.to_owned();
        self.read(move |db| accounts::by_login(db, &key)).await
    }

    async fn update_account(&self, row: &AccountRow) -> Result<Updated> {
        let row = row.clone();
        self.write(move |db| accounts::update(db, &row)).await
    }

    async fn replace_credentials(
        &self,
        row: &AccountRow,
        keep: Option<&[u8; 32]>,
    ) -> Result<Updated> {
        let (row, keep) = (row.clone(), keep.copied());
        self.write(move |db| {
            let updated = accounts::update(db, &row)?;
            if updated == Updated::Done {
                sessions::delete_of(db, &row.id, keep.as_ref())?;
                factors::touch(db, &row.id)?;
            }
            Ok(updated)
        })
        .await
    }

    async fn reset_credentials(&self, row: &AccountRow) -> Result<Updated> {
        let row = row.clone();
        self.write(move |db| {
            let updated = accounts::update(db, &row)?;
            if updated == Updated::Done {
                sessions::delete_of(db, &row.id, None)?;
                factors::clear(db, &row.id)?;
            }
            Ok(updated)
        })
        .await
    }

    async fn rotate_credentials(&self, row: &AccountRow, factor: &FactorRow) -> Result<Updated> {
        let (row, factor) = (row.clone(), factor.clone());
        self.write(move |db| {
            let stored = factors::of_account(db, &row.id)?;
            if stored.map_or(0, |stored| stored.revision) != factor.revision {
                return Ok(Updated::Conflict);
            }
            let updated = accounts::update(db, &row)?;
            if updated == Updated::Done {
                sessions::delete_of(db, &row.id, None)?;
                factors::put(db, &factor)?;
            }
            Ok(updated)
        })
        .await
    }

    async fn remove_account(&self, id: &AccountId, at: Timestamp) -> Result<()> {
        let id = *id;
        let removed = self.write(move |db| accounts::remove(db, &id, at)).await?;
        match removed {
            true => self.database.fold_log().await,
            false => Ok(()),
        }
    }

    async fn insert_session(&self, row: &SessionRow) -> Result<()> {
        let row = row.clone();
        self.write(move |db| sessions::insert(db, &row)).await
    }

    async fn session(&self, digest: &[u8; 32]) -> Result<Option<SessionRow>> {
        let digest = *digest;
        self.read(move |db| sessions::by_digest(db, &digest)).await
    }

    async fn session_and_account(
        &self,
        digest: &[u8; 32],
    ) -> Result<Option<(SessionRow, AccountRow)>> {
        let digest = *digest;
        self.read(move |db| {
            let Some(session) = sessions::by_digest(db, &digest)? else {
                return Ok(None);
            };
            let account = accounts::by_id(db, &session.account)?;
            Ok(account.map(|account| (session, account)))
        })
        .await
    }

    async fn sessions_of(
        &self,
        account: &AccountId,
        kind: SessionKind,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<SessionRow>> {
        let account = *account;
        self.read(move |db| sessions::of_account(db, &account, kind, now, limit))
            .await
    }

    async fn touch_session(
        &self,
        digest: &[u8; 32],
        at: Timestamp,
        idle_at: Timestamp,
    ) -> Result<()> {
        let digest = *digest;
        self.write(move |db| sessions::touch(db, &digest, at, idle_at))
            .await
    }

    async fn delete_session(&self, digest: &[u8; 32]) -> Result<()> {
        let digest = *digest;
        self.write(move |db| sessions::delete(db, &digest)).await
    }

    async fn delete_sign_ins(&self, account: &AccountId, keep: &[u8; 32]) -> Result<u64> {
        let (account, keep) = (*account, *keep);
        self.write(move |db| sessions::delete_sign_ins(db, &account, &keep))
            .await
    }

    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<u64> {
        self.write(move |db| sessions::delete_expired(db, now))
            .await
    }

    async fn departed(&self, until: Timestamp, limit: u32) -> Result<Vec<(AccountId, Timestamp)>> {
        self.read(move |db| accounts::departed(db, until, limit))
            .await
    }

    async fn delete_departed(&self, account: &AccountId) -> Result<()> {
        let account = *account;
        self.write(move |db| accounts::forget_departed(db, &account))
            .await
    }

    async fn insert_invitation(&self, row: &InvitationRow) -> Result<()> {
        let row = row.clone();
        self.write(move |db| invitations::insert(db, &row)).await
    }

    async fn invitation(&self, digest: &[u8; 32]) -> Result<Option<InvitationRow>> {
        let digest = *digest;
        self.read(move |db| invitations::by_digest(db, &digest))
            .await
    }

    async fn purge_invitations(&self, now: Timestamp) -> Result<u64> {
        self.write(move |db| invitations::purge(db, now)).await
    }

    async fn sequence(&self, account: &AccountId) -> Result<u64> {
        let account = *account;
        self.read(move |db| images::sequence(db, &account)).await
    }

    async fn insert_image(&self, row: &ImageRow, by: &Bearer, default: &Quota) -> Result<Inserted> {
        let (row, by, default) = (row.clone(), *by, *default);
        self.write(move |db| images::insert(db, &row, &by, &default))
            .await
    }

    async fn image(&self, account: &AccountId, id: &ImageId) -> Result<Option<ImageRow>> {
        let (account, id) = (*account, *id);
        self.read(move |db| images::by_id(db, &account, &id)).await
    }

    async fn images(&self, account: &AccountId, ids: &[ImageId]) -> Result<Vec<ImageRow>> {
        let (account, ids) = (*account, ids.to_vec());
        self.read(move |db| images::by_ids(db, &account, &ids))
            .await
    }

    async fn images_by_digest(
        &self,
        account: &AccountId,
        digests: &[[u8; 32]],
    ) -> Result<Vec<([u8; 32], ImageId)>> {
        let (account, digests) = (*account, digests.to_vec());
        self.read(move |db| images::by_digests(db, &account, &digests))
            .await
    }

    async fn update_metadata(
        &self,
        account: &AccountId,
        changes: &[MetadataChange],
        default: &Quota,
    ) -> Result<Edited> {
        let (account, changes, default) = (*account, changes.to_vec(), *default);
        self.write(move |db| images::update_metadata(db, &account, &changes, &default))
            .await
    }

    async fn set_preview(
        &self,
        account: &AccountId,
        id: &ImageId,
        preview: &BlobRef,
        default: &Quota,
    ) -> Result<bool> {
        let (account, id, preview, default) = (*account, *id, preview.clone(), *default);
        self.write(move |db| images::set_preview(db, &account, &id, &preview, &default))
            .await
    }

    async fn set_state(
        &self,
        account: &AccountId,
        ids: &[ImageId],
        state: ImageState,
        at: Timestamp,
    ) -> Result<Vec<ImageId>> {
        let (account, ids) = (*account, ids.to_vec());
        self.write(move |db| images::set_state(db, &account, &ids, state, at))
            .await
    }

    async fn remove_images(
        &self,
        account: &AccountId,
        ids: &[ImageId],
        at: Timestamp,
    ) -> Result<Vec<ImageRow>> {
        let (account, ids) = (*account, ids.to_vec());
        self.write(move |db| images::remove(db, &account, &ids, None, at))
            .await
    }

    async fn remove_trashed(
        &self,
        account: &AccountId,
        ids: &[ImageId],
        before: Timestamp,
        at: Timestamp,
    ) -> Result<Vec<ImageRow>> {
        let (account, ids) = (*account, ids.to_vec());
        self.write(move |db| images::remove(db, &account, &ids, Some(before), at))
            .await
    }

    async fn changes_since(
        &self,
        account: &AccountId,
        after: u64,
    ) -> Result<BoxStream<'static, Result<Change>>> {
        Ok(catalogue::changes_since(
            Arc::clone(&self.database),
            *account,
            after,
        ))
    }

    async fn trashed_before(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(AccountId, ImageId)>> {
        self.read(move |db| images::trashed_before(db, before, limit))
            .await
    }

    async fn purge_tombstones(&self, before: Timestamp) -> Result<u64> {
        self.write(move |db| images::purge_tombstones(db, before))
            .await
    }

    async fn insert_archive(&self, row: &ArchiveRow) -> Result<()> {
        let row = row.clone();
        self.write(move |db| archives::insert(db, &row)).await
    }

    async fn archive(&self, account: &AccountId, id: &ArchiveId) -> Result<Option<ArchiveRow>> {
        let (account, id) = (*account, *id);
        self.read(move |db| archives::by_id(db, &account, &id))
            .await
    }

    async fn remove_expired_archives(&self, now: Timestamp, limit: u32) -> Result<Vec<ArchiveRow>> {
        self.write(move |db| archives::remove_expired(db, now, limit))
            .await
    }

    async fn remove_archives_of(
        &self,
        account: &AccountId,
        keep: Kept,
        limit: u32,
    ) -> Result<Vec<ArchiveRow>> {
        let account = *account;
        self.write(move |db| archives::remove_of(db, &account, keep, limit))
            .await
    }

    async fn referenced_blobs(&self, ids: &[BlobId]) -> Result<HashSet<BlobId>> {
        let ids = ids.to_vec();
        self.read(move |db| images::referenced(db, &ids)).await
    }
}
