//! Rows of sessions.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::ids::AccountId;

use super::super::{Bearer, Result, SessionKind, SessionRow};
use super::columns::Millis;

macro_rules! columns {
    () => {
        "digest, account, master_wrap, created_at, last_seen_at, idle_at, expires_at, label, address,
         scopes, mk_generation"
    };
}

statements! {
    INSERT = concat!("INSERT INTO sessions (", columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    BY_DIGEST = concat!("SELECT ", columns!(), " FROM sessions WHERE digest = ?1");
    IS_LIVE = "SELECT 1 FROM sessions
        WHERE digest = ?1 AND account = ?2 AND expires_at > ?3 AND idle_at > ?3";
    OF_ACCOUNT = concat!(
        "SELECT ", columns!(), " FROM sessions
         WHERE account = ?1 AND (scopes IS NULL) = ?2 AND expires_at > ?3 AND idle_at > ?3
         ORDER BY created_at DESC LIMIT ?4"
    );
    TOUCH = "UPDATE sessions SET last_seen_at = max(last_seen_at, ?2), idle_at = max(idle_at, ?3)
        WHERE digest = ?1";
    DELETE = "DELETE FROM sessions WHERE digest = ?1";
    DELETE_OF = "DELETE FROM sessions WHERE account = ?1 AND digest IS NOT ?2";
    DELETE_SIGN_INS = "DELETE FROM sessions WHERE account = ?1 AND digest IS NOT ?2 AND scopes IS NULL";
    DELETE_OLDEST =
        "DELETE FROM sessions WHERE account = ?1 AND scopes IS NULL AND created_at <
         (SELECT created_at FROM sessions WHERE account = ?1 AND scopes IS NULL
          ORDER BY created_at DESC LIMIT 1 OFFSET ?2 - 1)";
    DELETE_EXPIRED = "DELETE FROM sessions WHERE expires_at <= ?1 OR idle_at <= ?1";
}

pub(super) fn insert(connection: &Connection, row: &SessionRow) -> Result<()> {
    connection.prepare_cached(INSERT)?.execute((
        row.digest,
        row.account,
        &row.master_wrap,
        Millis(row.created_at),
        Millis(row.last_seen_at),
        Millis(row.idle_at),
        Millis(row.expires_at),
        &row.label,
        &row.address,
        row.scopes,
        row.mk_generation,
    ))?;
    if row.scopes.is_none() {
        let mut delete = connection.prepare_cached(DELETE_OLDEST)?;
        delete.execute((row.account, SessionRow::MOST_SIGN_INS))?;
    }
    Ok(())
}

pub(super) fn by_digest(connection: &Connection, digest: &[u8; 32]) -> Result<Option<SessionRow>> {
    Ok(connection
        .prepare_cached(BY_DIGEST)?
        .query_row([digest], session)
        .optional()?)
}

/// Whether the bearer has a session of this account that has not ended.
pub(super) fn is_live(
    connection: &Connection,
    bearer: &Bearer,
    account: &AccountId,
) -> Result<bool> {
    let mut live = connection.prepare_cached(IS_LIVE)?;
    Ok(live.exists((bearer.session, account, Millis(bearer.now)))?)
}

pub(super) fn of_account(
    connection: &Connection,
    account: &AccountId,
    kind: SessionKind,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<SessionRow>> {
    let is_sign_in = kind == SessionKind::SignIn;
    let mut select = connection.prepare_cached(OF_ACCOUNT)?;
    let rows = select.query_map((account, is_sign_in, Millis(now), limit), session)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn touch(
    connection: &Connection,
    digest: &[u8; 32],
    at: Timestamp,
    idle_at: Timestamp,
) -> Result<()> {
    connection
        .prepare_cached(TOUCH)?
        .execute((digest, Millis(at), Millis(idle_at)))?;
    Ok(())
}

pub(super) fn delete(connection: &Connection, digest: &[u8; 32]) -> Result<()> {
    connection.prepare_cached(DELETE)?.execute([digest])?;
    Ok(())
}

pub(super) fn delete_of(
    connection: &Connection,
    account: &AccountId,
    keep: Option<&[u8; 32]>,
) -> Result<u64> {
    let mut delete = connection.prepare_cached(DELETE_OF)?;
    Ok(delete.execute((account, keep))? as u64)
}

pub(super) fn delete_sign_ins(
    connection: &Connection,
    account: &AccountId,
    keep: &[u8; 32],
) -> Result<u64> {
    let mut delete = connection.prepare_cached(DELETE_SIGN_INS)?;
    Ok(delete.execute((account, keep))? as u64)
}

pub(super) fn delete_expired(connection: &Connection, now: Timestamp) -> Result<u64> {
    let mut delete = connection.prepare_cached(DELETE_EXPIRED)?;
    Ok(delete.execute([Millis(now)])? as u64)
}

fn session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        digest: row.get("digest")?,
        account: row.get("account")?,
        master_wrap: row.get("master_wrap")?,
        created_at: row.get::<_, Millis>("created_at")?.0,
        last_seen_at: row.get::<_, Millis>("last_seen_at")?.0,
        idle_at: row.get::<_, Millis>("idle_at")?.0,
        expires_at: row.get::<_, Millis>("expires_at")?.0,
        label: row.get("label")?,
        address: row.get("address")?,
        scopes: row.get("scopes")?,
        mk_generation: row.get("mk_generation")?,
    })
}
