//! Rows of invitations.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::super::{InvitationRow, Result};
use super::columns::Millis;

statements! {
    INSERT = "INSERT INTO invitations (digest, created_at, expires_at) VALUES (?1, ?2, ?3)";
    TAKE = "DELETE FROM invitations WHERE digest = ?1 AND expires_at > ?2
        RETURNING digest, created_at, expires_at";
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

pub(super) fn take(
    connection: &Connection,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<InvitationRow>> {
    let mut take = connection.prepare_cached(TAKE)?;
    let taken = take.query_row((digest, Millis(now)), |row| {
        Ok(InvitationRow {
            digest: row.get(0)?,
            created_at: row.get::<_, Millis>(1)?.0,
            expires_at: row.get::<_, Millis>(2)?.0,
        })
    });
    Ok(taken.optional()?)
}

pub(super) fn purge(connection: &Connection, now: Timestamp) -> Result<u64> {
    Ok(connection.prepare_cached(PURGE)?.execute([Millis(now)])? as u64)
}
