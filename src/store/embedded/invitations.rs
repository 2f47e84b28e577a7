//! Rows of invitations.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::super::{InvitationRow, Result};
use super::columns::Millis;

statements! {
    INSERT = "INSERT INTO invitations (digest, created_at, expires_at) VALUES (?1, ?2, ?3)";
    BY_DIGEST = "SELECT digest, created_at, expires_at FROM invitations WHERE digest = ?1";
    SPEND = "DELETE FROM invitations WHERE digest = ?1 AND expires_at > ?2";
    PURGE = "DELETE FROM invitations WHERE expires_at <= ?1";
}

pub(super) fn insert(connection: &Connection, row: &InvitationRow) -> Result<()> {
    connection.prepare_cached(INSERT)?.execute((
        row.digest,
        Millis(row.created_at),
        Millis(row.expires_at),
    ))?;
    Ok(())
}

/// Whether there was one that had not ended. To be asked in the transaction that it is spent on.
pub(super) fn spend(connection: &Connection, digest: &[u8; 32], now: Timestamp) -> Result<bool> {
    let mut spend = connection.prepare_cached(SPEND)?;
    Ok(spend.execute((digest, Millis(now)))? == 1)
}

pub(super) fn by_digest(
    connection: &Connection,
    digest: &[u8; 32],
) -> Result<Option<InvitationRow>> {
    let mut select = connection.prepare_cached(BY_DIGEST)?;
    let found = select.query_row([digest], |row| {
        Ok(InvitationRow {
            digest: row.get(0)?,
            created_at: row.get::<_, Millis>(1)?.0,
            expires_at: row.get::<_, Millis>(2)?.0,
        })
    });
    Ok(found.optional()?)
}

pub(super) fn purge(connection: &Connection, now: Timestamp) -> Result<u64> {
    Ok(connection.prepare_cached(PURGE)?.execute([Millis(now)])? as u64)
}
