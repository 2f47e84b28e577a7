//! Rows of failed tries.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::super::{Result, TriesRecords, TriesRow};
use super::columns::Millis;
use super::records::SqliteRecords;

statements! {
    BY_KEY = "SELECT count, last_at FROM tries WHERE key = ?1";
    INSERT = "INSERT INTO tries (key, count, last_at) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO NOTHING";
    UPDATE = "UPDATE tries SET count = ?2, last_at = ?3 WHERE key = ?1 AND count = ?4 AND last_at = ?5";
    DELETE = "DELETE FROM tries WHERE key = ?1";
    PURGE = "DELETE FROM tries WHERE last_at < ?1";
}

#[async_trait]
impl TriesRecords for SqliteRecords {
    async fn tries(&self, key: &[u8; 32]) -> Result<Option<TriesRow>> {
        let key = *key;
        self.read(move |db| by_key(db, &key)).await
    }

    async fn replace_tries(
        &self,
        key: &[u8; 32],
        known: Option<TriesRow>,
        new: TriesRow,
    ) -> Result<bool> {
        let key = *key;
        self.write(move |db| replace(db, &key, known, new)).await
    }

    async fn delete_tries(&self, key: &[u8; 32]) -> Result<()> {
        let key = *key;
        self.write(move |db| delete(db, &key)).await
    }

    async fn purge_tries(&self, before: Timestamp) -> Result<u64> {
        self.write(move |db| purge(db, before)).await
    }
}

fn by_key(connection: &Connection, key: &[u8; 32]) -> Result<Option<TriesRow>> {
    let mut select = connection.prepare_cached(BY_KEY)?;
    let row = select.query_row([key], |row| {
        Ok(TriesRow {
            count: row.get(0)?,
            last_at: row.get::<_, Millis>(1)?.0,
        })
    });
    Ok(row.optional()?)
}

fn replace(
    connection: &Connection,
    key: &[u8; 32],
    known: Option<TriesRow>,
    new: TriesRow,
) -> Result<bool> {
    let changed = match known {
        None => {
            connection
                .prepare_cached(INSERT)?
                .execute((key, new.count, Millis(new.last_at)))?
        }
        Some(known) => connection.prepare_cached(UPDATE)?.execute((
            key,
            new.count,
            Millis(new.last_at),
            known.count,
            Millis(known.last_at),
        ))?,
    };
    Ok(changed == 1)
}

fn delete(connection: &Connection, key: &[u8; 32]) -> Result<()> {
    connection.prepare_cached(DELETE)?.execute([key])?;
    Ok(())
}

fn purge(connection: &Connection, before: Timestamp) -> Result<u64> {
    Ok(connection
        .prepare_cached(PURGE)?
        .execute([Millis(before)])? as u64)
}
