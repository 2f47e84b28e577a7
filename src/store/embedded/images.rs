//! Rows of images, and the changes that raise an account's sequence number.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::ids::{AccountId, BlobId, ImageId};

use super::super::quotas::{Record, blob_kept, due};
use super::super::{
    Bearer, BlobRef, Edited, ImageRow, ImageState, Inserted, MetadataChange, Quota, Result,
};
use super::columns::{Count, Millis, digest_list, id_list};
use super::{sessions, usage};

/// In the order in which [`image()`] reads them; `catalogue` selects them as well.
macro_rules! image_columns {
    () => {
        "id, account, seq, revision, uploaded_at, trashed_at, digest, key_wrap, mk_generation,
         metadata, original, original_len, thumbnail, thumbnail_len, preview, preview_len"
    };
}
pub(super) use image_columns;

statements! {
    GENERATION = "SELECT mk_generation FROM accounts WHERE id = ?1";
    SEQUENCE = "SELECT seq FROM sequences WHERE account = ?1";
    SET_SEQUENCE =
        "INSERT INTO sequences (account, seq) VALUES (?1, ?2)
         ON CONFLICT (account) DO UPDATE SET seq = excluded.seq";
    INSERT = concat!(
        "INSERT INTO images (", image_columns!(), ")
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
    );
    BY_ID = concat!("SELECT ", image_columns!(), " FROM images WHERE id = ?1 AND account = ?2");
    BY_IDS = concat!(
        "SELECT ", image_columns!(), " FROM images
         WHERE id IN (SELECT value FROM json_each(?1)) AND account = ?2"
    );
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
    REMOVE = concat!(
        "DELETE FROM images WHERE id IN (SELECT value FROM json_each(?1)) AND account = ?2
         AND (?3 IS NULL OR trashed_at < ?3)
         RETURNING ", image_columns!()
    );
    BURY = "INSERT INTO tombstones (account, seq, image, removed_at) VALUES (?1, ?2, ?3, ?4)";
    TRASHED_BEFORE =
        "SELECT account, id FROM images WHERE trashed_at < ?1 ORDER BY trashed_at LIMIT ?2";
    PURGE_TOMBSTONES = "DELETE FROM tombstones WHERE removed_at < ?1";
    REFERENCED =
        "SELECT original FROM images WHERE original IN (SELECT value FROM json_each(?1))
         UNION ALL
         SELECT thumbnail FROM images WHERE thumbnail IN (SELECT value FROM json_each(?1))
         UNION ALL
         SELECT preview FROM images WHERE preview IN (SELECT value FROM json_each(?1))
         UNION ALL
         SELECT plan FROM archives WHERE plan IN (SELECT value FROM json_each(?1))";
}

pub(super) fn sequence(connection: &Connection, account: &AccountId) -> Result<u64> {
    let seq = connection
        .prepare_cached(SEQUENCE)?
        .query_row([account], |row| row.get::<_, Count>(0))
        .optional()?;
    Ok(seq.map_or(0, |seq| seq.0))
}

pub(super) fn insert(
    connection: &Connection,
    row: &ImageRow,
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
    let seq = sequence(connection, &row.account)? + 1;
    let preview = row.preview.as_ref();
    connection.prepare_cached(INSERT)?.execute(params![
        row.id,
        row.account,
        Count(seq),
        Count(0),
        Millis(row.uploaded_at),
        row.trashed_at.map(Millis),
        row.digest,
        row.key_wrap,
        row.mk_generation,
        row.metadata,
        row.original.id,
        Count(row.original.len),
        row.thumbnail.id,
        Count(row.thumbnail.len),
        preview.map(|blob| blob.id),
        preview.map(|blob| Count(blob.len)),
    ])?;
    set_sequence(connection, &row.account, seq)?;
    usage::change(connection, &row.account, 1, row.kept() as i64)?;
    Ok(Inserted::New)
}

pub(super) fn by_id(
    connection: &Connection,
    account: &AccountId,
    id: &ImageId,
) -> Result<Option<ImageRow>> {
    Ok(connection
        .prepare_cached(BY_ID)?
        .query_row((id, account), image)
        .optional()?)
}

pub(super) fn by_ids(
    connection: &Connection,
    account: &AccountId,
    ids: &[ImageId],
) -> Result<Vec<ImageRow>> {
    let mut select = connection.prepare_cached(BY_IDS)?;
    let rows = select.query_map((id_list(ids), account), image)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn by_digests(
    connection: &Connection,
    account: &AccountId,
    digests: &[[u8; 32]],
) -> Result<Vec<([u8; 32], ImageId)>> {
    let mut select = connection.prepare_cached(BY_DIGESTS)?;
    let rows = select.query_map((account, digest_list(digests)), |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn update_metadata(
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

pub(super) fn set_preview(
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

pub(super) fn set_state(
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

pub(super) fn remove(
    connection: &Connection,
    account: &AccountId,
    ids: &[ImageId],
    trashed_before: Option<Timestamp>,
    at: Timestamp,
) -> Result<Vec<ImageRow>> {
    let removed: Vec<ImageRow> = connection
        .prepare_cached(REMOVE)?
        .query_map((id_list(ids), account, trashed_before.map(Millis)), image)?
        .collect::<rusqlite::Result<_>>()?;
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

pub(super) fn trashed_before(
    connection: &Connection,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<(AccountId, ImageId)>> {
    let mut select = connection.prepare_cached(TRASHED_BEFORE)?;
    let rows = select.query_map((Millis(before), limit), |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn purge_tombstones(connection: &Connection, before: Timestamp) -> Result<u64> {
    Ok(connection
        .prepare_cached(PURGE_TOMBSTONES)?
        .execute([Millis(before)])? as u64)
}

pub(super) fn referenced(connection: &Connection, ids: &[BlobId]) -> Result<HashSet<BlobId>> {
    let mut select = connection.prepare_cached(REFERENCED)?;
    let rows = select.query_map([id_list(ids)], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Reads a row that begins with `image_columns!`.
pub(super) fn image(row: &Row<'_>) -> rusqlite::Result<ImageRow> {
    let trashed_at = row.get::<_, Option<Millis>>(5)?.map(|at| at.0);
    let preview = match (row.get(14)?, row.get::<_, Option<Count>>(15)?) {
        (Some(id), Some(len)) => Some(BlobRef { id, len: len.0 }),
        _ => None,
    };
    Ok(ImageRow {
        id: row.get(0)?,
        account: row.get(1)?,
        seq: row.get::<_, Count>(2)?.0,
        revision: row.get::<_, Count>(3)?.0,
        state: if trashed_at.is_some() {
            ImageState::Trashed
        } else {
            ImageState::Active
        },
        uploaded_at: row.get::<_, Millis>(4)?.0,
        trashed_at,
        digest: row.get(6)?,
        key_wrap: row.get(7)?,
        mk_generation: row.get(8)?,
        metadata: row.get(9)?,
        original: BlobRef {
            id: row.get(10)?,
            len: row.get::<_, Count>(11)?.0,
        },
        thumbnail: BlobRef {
            id: row.get(12)?,
            len: row.get::<_, Count>(13)?.0,
        },
        preview,
    })
}

fn set_sequence(connection: &Connection, account: &AccountId, seq: u64) -> Result<()> {
    connection
        .prepare_cached(SET_SEQUENCE)?
        .execute((account, Count(seq)))?;
    Ok(())
}
