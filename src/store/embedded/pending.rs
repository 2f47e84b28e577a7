//! Rows of what waits to be finished.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::ids::AccountId;

use super::super::{PendingRow, Result};
use super::columns::Millis;

statements! {
    INSERT = "INSERT INTO pending (digest, account, payload, expires_at) VALUES (?1, ?2, ?3, ?4)";
    BY_DIGEST = "SELECT digest, account, payload, expires_at FROM pending
        WHERE digest = ?1 AND expires_at > ?2";
    TAKE = "DELETE FROM pending WHERE digest = ?1 AND expires_at > ?2
        RETURNING digest, account, payload, expires_at";
    FORGET = "DELETE FROM pending WHERE account = ?1 AND expires_at <
        (SELECT expires_at FROM pending WHERE account = ?1 ORDER BY expires_at DESC LIMIT 1 OFFSET ?2 - 1)";
    DELETE_OF = "DELETE FROM pending WHERE account = ?1";
    PURGE = "DELETE FROM pending WHERE expires_at <= ?1";
}

pub(super) fn insert(connection: &Connection, row: &PendingRow) -> Result<()> {
    connection.prepare_cached(INSERT)?.execute((
        row.digest,
        row.account,
        &row.payload,
        Millis(row.expires_at),
    ))?;
    if let Some(account) = &row.account {
        let mut forget = connection.prepare_cached(FORGET)?;
        forget.execute((account, PendingRow::MOST))?;
    }
    Ok(())
}

pub(super) fn by_digest(
    connection: &Connection,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<PendingRow>> {
    one(connection, BY_DIGEST, digest, now)
}

pub(super) fn take(
    connection: &Connection,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<PendingRow>> {
    one(connection, TAKE, digest, now)
}

pub(super) fn delete_of(connection: &Connection, account: &AccountId) -> Result<()> {
    connection.prepare_cached(DELETE_OF)?.execute([account])?;
    Ok(())
}

pub(super) fn purge(connection: &Connection, now: Timestamp) -> Result<u64> {
    Ok(connection.prepare_cached(PURGE)?.execute([Millis(now)])? as u64)
}

fn one(
    connection: &Connection,
    sql: &str,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<PendingRow>> {
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row((digest, Millis(now)), pending);
    Ok(found.optional()?)
}

fn pending(row: &Row<'_>) -> rusqlite::Result<PendingRow> {
    Ok(PendingRow {
        digest: row.get(0)?,
        account: row.get(1)?,
        payload: row.get(2)?,
        expires_at: row.get::<_, Millis>(3)?.0,
    })
}
