//! Rows of sessions.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use super::super::{Result, SessionRow};
use super::columns::Millis;

macro_rules! columns {
    () => {
        "digest, account, master_wrap, created_at, last_seen_at, expires_at, label"
    };
}

statements! {
    INSERT = concat!("INSERT INTO sessions (", columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    BY_DIGEST = concat!("SELECT ", columns!(), " FROM sessions WHERE digest = ?1");
    TOUCH = "UPDATE sessions SET last_seen_at = max(last_seen_at, ?2) WHERE digest = ?1";
    DELETE = "DELETE FROM sessions WHERE digest = ?1";
    DELETE_EXPIRED = "DELETE FROM sessions WHERE expires_at <= ?1 OR last_seen_at < ?2";
}

pub(super) fn insert(connection: &Connection, row: &SessionRow) -> Result<()> {
    connection.prepare_cached(INSERT)?.execute((
        row.digest,
        row.account,
        &row.master_wrap,
        Millis(row.created_at),
        Millis(row.last_seen_at),
        Millis(row.expires_at),
        &row.label,
    ))?;
    Ok(())
}

pub(super) fn by_digest(connection: &Connection, digest: &[u8; 32]) -> Result<Option<SessionRow>> {
    Ok(connection
        .prepare_cached(BY_DIGEST)?
        .query_row([digest], session)
        .optional()?)
}

pub(super) fn touch(connection: &Connection, digest: &[u8; 32], at: Timestamp) -> Result<()> {
    connection
        .prepare_cached(TOUCH)?
        .execute((digest, Millis(at)))?;
    Ok(())
}

pub(super) fn delete(connection: &Connection, digest: &[u8; 32]) -> Result<()> {
    connection.prepare_cached(DELETE)?.execute([digest])?;
    Ok(())
}

pub(super) fn delete_expired(
    connection: &Connection,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<u64> {
    let mut delete = connection.prepare_cached(DELETE_EXPIRED)?;
    Ok(delete.execute((Millis(now), Millis(idle_since)))? as u64)
}

fn session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        digest: row.get("digest")?,
        account: row.get("account")?,
        master_wrap: row.get("master_wrap")?,
        created_at: row.get::<_, Millis>("created_at")?.0,
        last_seen_at: row.get::<_, Millis>("last_seen_at")?.0,
        expires_at: row.get::<_, Millis>("expires_at")?.0,
        label: row.get("label")?,
    })
}
