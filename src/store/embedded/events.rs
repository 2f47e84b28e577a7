//! Rows of what happened to accounts.

use jiff::Timestamp;
use rusqlite::{Connection, Row};

use crate::ids::AccountId;

use super::super::{EventRow, Result};
use super::columns::Millis;

statements! {
    INSERT = "INSERT INTO events (id, account, at, kind, device, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    OF_ACCOUNT = "SELECT id, account, at, kind, device, address FROM events
        WHERE account = ?1 ORDER BY at DESC LIMIT ?2";
    PURGE = "DELETE FROM events WHERE at < ?1";
}

pub(super) fn insert(connection: &Connection, row: &EventRow) -> Result<()> {
    connection.prepare_cached(INSERT)?.execute((
        row.id,
        row.account,
        Millis(row.at),
        row.kind,
        &row.device,
        &row.address,
    ))?;
    Ok(())
}

pub(super) fn of_account(
    connection: &Connection,
    account: &AccountId,
    limit: u32,
) -> Result<Vec<EventRow>> {
    let mut select = connection.prepare_cached(OF_ACCOUNT)?;
    let rows = select.query_map((account, limit), event)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn purge(connection: &Connection, before: Timestamp) -> Result<u64> {
    Ok(connection
        .prepare_cached(PURGE)?
        .execute([Millis(before)])? as u64)
}

fn event(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        id: row.get("id")?,
        account: row.get("account")?,
        at: row.get::<_, Millis>("at")?.0,
        kind: row.get("kind")?,
        device: row.get("device")?,
        address: row.get("address")?,
    })
}
