//! Rows of archives' tickets.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::ids::{AccountId, ArchiveId};

use super::super::{ArchiveRow, BlobRef, Kept, Result};
use super::columns::{Count, Millis};

macro_rules! columns {
    () => {
        "id, account, created_at, expires_at, key_wrap, plan, plan_len"
    };
}

statements! {
    INSERT = concat!("INSERT INTO archives (", columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    BY_ID = concat!("SELECT ", columns!(), " FROM archives WHERE id = ?1 AND account = ?2");
    REMOVE_EXPIRED = concat!(
        "DELETE FROM archives WHERE id IN
         (SELECT id FROM archives WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)
         RETURNING ", columns!()
    );
    REMOVE_OF = concat!(
        "DELETE FROM archives WHERE id IN
         (SELECT id FROM
            (SELECT id, row_number() OVER newest AS place, sum(plan_len) OVER newest AS bytes
             FROM archives WHERE account = ?1
             WINDOW newest AS (ORDER BY created_at DESC, rowid DESC ROWS UNBOUNDED PRECEDING))
          WHERE place > ?2 OR bytes > ?3 LIMIT ?4)
         RETURNING ", columns!()
    );
}

pub(super) fn remove_of(
    connection: &Connection,
    account: &AccountId,
    keep: Kept,
    limit: u32,
) -> Result<Vec<ArchiveRow>> {
    let mut remove = connection.prepare_cached(REMOVE_OF)?;
    let rows = remove.query_map((account, keep.count, Count(keep.bytes), limit), archive)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn insert(connection: &Connection, row: &ArchiveRow) -> Result<()> {
    connection.prepare_cached(INSERT)?.execute((
        row.id,
        row.account,
        Millis(row.created_at),
        Millis(row.expires_at),
        &row.key_wrap,
        row.plan.id,
        Count(row.plan.len),
    ))?;
    Ok(())
}

pub(super) fn by_id(
    connection: &Connection,
    account: &AccountId,
    id: &ArchiveId,
) -> Result<Option<ArchiveRow>> {
    Ok(connection
        .prepare_cached(BY_ID)?
        .query_row((id, account), archive)
        .optional()?)
}

pub(super) fn remove_expired(
    connection: &Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<ArchiveRow>> {
    let mut remove = connection.prepare_cached(REMOVE_EXPIRED)?;
    let rows = remove.query_map((Millis(now), limit), archive)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn archive(row: &Row<'_>) -> rusqlite::Result<ArchiveRow> {
    Ok(ArchiveRow {
        id: row.get("id")?,
        account: row.get("account")?,
        created_at: row.get::<_, Millis>("created_at")?.0,
        expires_at: row.get::<_, Millis>("expires_at")?.0,
        key_wrap: row.get("key_wrap")?,
        plan: BlobRef {
            id: row.get("plan")?,
            len: row.get::<_, Count>("plan_len")?.0,
        },
    })
}
