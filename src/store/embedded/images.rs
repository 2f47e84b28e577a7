//! Images in SQLite, and the changes that raise an account's sequence number.

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::ids::{AccountId, ImageId};

use super::super::quotas::{Record, blob_kept, due};
use super::super::{
    Bearer, BlobRef, Change, Edited, ImageRow, ImageState, Images, Inserted, MetadataChange, Quota,
    Result,
};
use super::columns::{Count, Millis, digest_list, id_list};
use super::database::Database;
use super::{catalogue, rows, sessions, usage};

statements! {
    GENERATION = "SELECT mk_generation FROM accounts WHERE id = ?1";
    SEQUENCE = "SELECT seq FROM sequences WHERE account = ?1";
    SET_SEQUENCE =
        "INSERT INTO sequences (account, seq) VALUES (?1, ?2)
         ON CONFLICT (account) DO UPDATE SET seq = excluded.seq";
    BY_IDS =
        "SELECT * FROM images WHERE id IN (SELECT value FROM json_each(?1)) AND account = ?2";
    BY_DIGEST = "SELECT id FROM images WHERE account = ?1 AND digest = ?2";
    BY_DIGESTS =
        "SELECT digest, id FROM images
         WHERE account = ?1 AND digest IN (SELECT unhex(value) FROM json_each(?2))";
    RECORDS =
        "SELECT id, revision, length(metadata) FROM images
         WHERE id IN (SELECT value FROM json_each(?1)) AND account = ?2";
    SET_METADATA =
        "UPDATE images SET metadata = ?4, seq = ?5, revision = revision + 1
         WHERE id = ?1 AND account = ?2 AND revision = ?3";
    SET_PREVIEW =
        "UPDATE images SET preview = ?3, preview_len = ?4
         WHERE id = ?1 AND account = ?2 AND preview IS NULL";
    // An image is not yet in the wanted state when exactly one of the two times is missing.
    SET_TRASHED_AT =
        "UPDATE images SET trashed_at = ?3, seq = ?4
         WHERE id IN (SELECT value FROM json_each(?1)) AND account = ?2
         AND (trashed_at IS NULL) <> (?3 IS NULL)
         RETURNING id";
    REMOVE =
        "DELETE FROM images WHERE id IN (SELECT value FROM json_each(?1)) AND account = ?2
         AND (?3 IS NULL OR trashed_at < ?3) RETURNING *";
    BURY = "INSERT INTO tombstones (account, seq, image, removed_at) VALUES (?1, ?2, ?3, ?4)";
    TRASHED_BEFORE =
        "SELECT account, id FROM images WHERE trashed_at < ?1 ORDER BY trashed_at LIMIT ?2";
}

#[async_trait]
impl Images for Database {
    async fn sequence(&self, account: &AccountId) -> Result<u64> {
        let account = *account;
        self.read(move |db| sequence(db, &account)).await
    }

    async fn insert_image(&self, row: &ImageRow, by: &Bearer, default: &Quota) -> Result<Inserted> {
        let (row, by, default) = (row.clone(), *by, *default);
        self.write(move |db| insert(db, row, &by, &default)).await
    }

    async fn images(&self, account: &AccountId, ids: &[ImageId]) -> Result<Vec<ImageRow>> {
        self.all(BY_IDS, (id_list(ids), *account)).await
    }

    async fn images_by_digest(
        &self,
        account: &AccountId,
        digests: &[[u8; 32]],
    ) -> Result<Vec<([u8; 32], ImageId)>> {
        let (account, digests) = (*account, digest_list(digests));
        self.read(move |db| {
            let mut select = db.prepare_cached(BY_DIGESTS)?;
            let rows =
                select.query_map((account, digests), |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn update_metadata(
        &self,
        account: &AccountId,
        changes: &[MetadataChange],
        default: &Quota,
    ) -> Result<Edited> {
        let (account, changes, default) = (*account, changes.to_vec(), *default);
        self.write(move |db| update_metadata(db, &account, &changes, &default))
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
        self.write(move |db| set_preview(db, &account, &id, &preview, &default))
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
        self.write(move |db| set_state(db, &account, &ids, state, at))
            .await
    }

    async fn remove_images(
        &self,
        account: &AccountId,
        ids: &[ImageId],
        at: Timestamp,
    ) -> Result<Vec<ImageRow>> {
        let (account, ids) = (*account, ids.to_vec());
        self.write(move |db| remove(db, &account, &ids, None, at))
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
        self.write(move |db| remove(db, &account, &ids, Some(before), at))
            .await
    }

    async fn changes_since(
        &self,
        account: &AccountId,
        after: u64,
    ) -> Result<BoxStream<'static, Result<Change>>> {
        Ok(catalogue::changes_since(self.clone(), *account, after))
    }

    async fn trashed_before(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(AccountId, ImageId)>> {
        self.read(move |db| {
            let mut select = db.prepare_cached(TRASHED_BEFORE)?;
            let rows = select.query_map((Millis(before), limit), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

fn sequence(connection: &Connection, account: &AccountId) -> Result<u64> {
    let seq = connection
        .prepare_cached(SEQUENCE)?
        .query_row([account], |row| row.get::<_, Count>(0))
        .optional()?;
    Ok(seq.map_or(0, |seq| seq.0))
}

fn insert(
    connection: &Connection,
    mut row: ImageRow,
    bearer: &Bearer,
    default: &Quota,
) -> Result<Inserted> {
    let twin = connection
        .prepare_cached(BY_DIGEST)?
        .query_row((row.account, row.digest), |row| row.get(0))
        .optional()?;
    if let Some(id) = twin {
        return Ok(Inserted::Duplicate(id));
    }
    // Transactions that write come one after the other: none ends it between this and the commit.
    if !sessions::is_live(connection, bearer, &row.account)? {
        return Ok(Inserted::Stale);
    }
    let generation: Option<u32> = connection
        .prepare_cached(GENERATION)?
        .query_row([row.account], |row| row.get(0))
        .optional()?;
    if generation.is_some_and(|generation| generation != row.mk_generation) {
        return Ok(Inserted::Stale);
    }
    if !usage::of(connection, &row.account)?.has_room(row.kept(), default) {
        return Ok(Inserted::NoRoom);
    }
    (row.seq, row.revision) = (sequence(connection, &row.account)? + 1, 0);
    rows::insert(connection, &row)?;
    set_sequence(connection, &row.account, row.seq)?;
    usage::change(connection, &row.account, 1, row.kept() as i64)?;
    Ok(Inserted::New)
}

fn update_metadata(
    connection: &Connection,
    account: &AccountId,
    changes: &[MetadataChange],
    default: &Quota,
) -> Result<Edited> {
    let ids: Vec<ImageId> = changes.iter().map(|change| change.id).collect();
    let mut select = connection.prepare_cached(RECORDS)?;
    let stored = select.query_map((id_list(&ids), account), |row| {
        Ok(Record {
            id: row.get(0)?,
            revision: row.get::<_, Count>(1)?.0,
            len: row.get::<_, Count>(2)?.0,
        })
    })?;
    let (due, growth) = due(changes, stored.collect::<rusqlite::Result<Vec<_>>>()?);
    if due.is_empty() {
        return Ok(Edited::Done(Vec::new()));
    }
    if !usage::of(connection, account)?.may_change_by(growth, default) {
        return Ok(Edited::NoRoom);
    }
    let seq = sequence(connection, account)? + 1;
    let mut update = connection.prepare_cached(SET_METADATA)?;
    for change in &due {
        let revision = Count(change.revision);
        update.execute(params![
            change.id,
            account,
            revision,
            change.metadata,
            Count(seq)
        ])?;
    }
    set_sequence(connection, account, seq)?;
    usage::change(connection, account, 0, growth)?;
    Ok(Edited::Done(due.iter().map(|change| change.id).collect()))
}

fn set_preview(
    connection: &Connection,
    account: &AccountId,
    id: &ImageId,
    preview: &BlobRef,
    default: &Quota,
) -> Result<bool> {
    let kept = blob_kept(preview.len) as i64;
    if !usage::of(connection, account)?.may_change_by(kept, default) {
        return Ok(false);
    }
    let mut update = connection.prepare_cached(SET_PREVIEW)?;
    let is_new = update.execute((id, account, preview.id, Count(preview.len)))? == 1;
    if is_new {
        usage::change(connection, account, 0, kept)?;
    }
    Ok(is_new)
}

fn set_state(
    connection: &Connection,
    account: &AccountId,
    ids: &[ImageId],
    state: ImageState,
    at: Timestamp,
) -> Result<Vec<ImageId>> {
    let trashed_at = match state {
        ImageState::Active => None,
        ImageState::Trashed => Some(Millis(at)),
    };
    let seq = sequence(connection, account)? + 1;
    let moved: Vec<ImageId> = connection
        .prepare_cached(SET_TRASHED_AT)?
        .query_map((id_list(ids), account, trashed_at, Count(seq)), |row| {
            row.get(0)
        })?
        .collect::<rusqlite::Result<_>>()?;
    if !moved.is_empty() {
        set_sequence(connection, account, seq)?;
    }
    Ok(moved)
}

fn remove(
    connection: &Connection,
    account: &AccountId,
    ids: &[ImageId],
    trashed_before: Option<Timestamp>,
    at: Timestamp,
) -> Result<Vec<ImageRow>> {
    let these = (id_list(ids), account, trashed_before.map(Millis));
    let removed: Vec<ImageRow> = rows::all(connection, REMOVE, these)?;
    if !removed.is_empty() {
        let seq = sequence(connection, account)? + 1;
        let mut bury = connection.prepare_cached(BURY)?;
        for row in &removed {
            bury.execute((account, Count(seq), row.id, Millis(at)))?;
        }
        set_sequence(connection, account, seq)?;
        let kept: u64 = removed.iter().map(ImageRow::kept).sum();
        usage::change(connection, account, -(removed.len() as i64), -(kept as i64))?;
    }
    Ok(removed)
}

fn set_sequence(connection: &Connection, account: &AccountId, seq: u64) -> Result<()> {
    connection
        .prepare_cached(SET_SEQUENCE)?
        .execute((account, Count(seq)))?;
    Ok(())
}
