//! Rows of what happened to accounts.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, Row};

use crate::ids::AccountId;

use super::super::{EventRecords, EventRow, Result};
use super::columns::Millis;
use super::records::SqliteRecords;

statements! {
    INSERT = "INSERT INTO events (id, account, at, kind, device, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    OF_ACCOUNT = "SELECT id, account, at, kind, device, address FROM events
        WHERE account = ?1 ORDER BY at DESC LIMIT ?2";
    FORGET = "DELETE FROM events WHERE account = ?1 AND at <
        (SELECT at FROM events WHERE account = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2 - 1)";
    PURGE = "DELETE FROM events WHERE at < ?1";
}

#[async_trait]
impl EventRecords for SqliteRecords {
    async fn insert_event(&self, row: &EventRow) -> Result<()> {
        let row = row.clone();
        self.write(move |db| insert(db, &row)).await
    }

    async fn events_of(&self, account: &AccountId, limit: u32) -> Result<Vec<EventRow>> {
        let account = *account;
        self.read(move |db| of_account(db, &account, limit)).await
    }

    async fn purge_events(&self, before: Timestamp) -> Result<u64> {
        self.write(move |db| purge(db, before)).await
    }
}

fn insert(connection: &Connection, row: &EventRow) -> Result<()> {
    connection.prepare_cached(INSERT)?.execute((
        row.id,
        row.account,
        Millis(row.at),
        row.kind,
        &row.device,
        &row.address,
    ))?;
    connection
        .prepare_cached(FORGET)?
        .execute((row.account, EventRow::MOST))?;
    Ok(())
}

fn of_account(connection: &Connection, account: &AccountId, limit: u32) -> Result<Vec<EventRow>> {
    let mut select = connection.prepare_cached(OF_ACCOUNT)?;
    let rows = select.query_map((account, limit), event)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn purge(connection: &Connection, before: Timestamp) -> Result<u64> {
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
