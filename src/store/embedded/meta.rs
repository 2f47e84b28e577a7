//! Single values that belong to the instance.

use rusqlite::{Connection, OptionalExtension};

use crate::ids::AccountId;

use super::super::Result;

statements! {
    GET = "SELECT value FROM meta WHERE name = ?1";
    SET_IF_ABSENT = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
}

const INSTANCE_CHECK: &str = "instance_check";
const FOUNDER: &str = "founder";

pub(super) fn instance_check(connection: &Connection) -> Result<Option<[u8; 32]>> {
    let mut get = connection.prepare_cached(GET)?;
    Ok(get
        .query_row([INSTANCE_CHECK], |row| row.get(0))
        .optional()?)
}

pub(super) fn keep_instance_check(connection: &Connection, value: &[u8; 32]) -> Result<[u8; 32]> {
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
