//! Single values that belong to the instance.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};

use crate::ids::AccountId;

use super::super::{Instance, Result};
use super::database::Database;

statements! {
    GET = "SELECT value FROM meta WHERE name = ?1";
    SET_IF_ABSENT = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
}

const INSTANCE_CHECK: &str = "instance_check";
const FOUNDER: &str = "founder";

#[async_trait]
impl Instance for Database {
    async fn ping(&self) -> Result<()> {
        self.read(|db| instance_check(db).map(drop)).await
    }

    async fn instance_check(&self, if_absent: &[u8; 32]) -> Result<[u8; 32]> {
        let value = *if_absent;
        self.write(move |db| keep_instance_check(db, &value)).await
    }

    async fn existing_instance_check(&self) -> Result<Option<[u8; 32]>> {
        self.read(instance_check).await
    }

    async fn close(&self) -> Result<()> {
        self.fold_and_close().await
    }
}

fn instance_check(connection: &Connection) -> Result<Option<[u8; 32]>> {
    let mut get = connection.prepare_cached(GET)?;
    Ok(get
        .query_row([INSTANCE_CHECK], |row| row.get(0))
        .optional()?)
}

fn keep_instance_check(connection: &Connection, value: &[u8; 32]) -> Result<[u8; 32]> {
    connection
        .prepare_cached(SET_IF_ABSENT)?
        .execute((INSTANCE_CHECK, value))?;
    Ok(connection
        .prepare_cached(GET)?
        .query_row([INSTANCE_CHECK], |row| row.get(0))?)
}

/// Whether an account was ever stored.
pub(super) fn is_founded(connection: &Connection) -> Result<bool> {
    Ok(connection.prepare_cached(GET)?.exists([FOUNDER])?)
}

/// Whether this account is the first that was ever stored. To be asked in the transaction that
/// stores it.
pub(super) fn is_founder(connection: &Connection, id: &AccountId) -> Result<bool> {
    let noted = connection
        .prepare_cached(SET_IF_ABSENT)?
        .execute((FOUNDER, id.as_bytes()))?;
    Ok(noted == 1)
}
