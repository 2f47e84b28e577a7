//! Rows of accounts.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use crate::ids::AccountId;

use super::super::{AccountRow, Admission, KdfRow, Result, Role, StoreError, Updated};
use super::columns::{Count, Millis};
use super::{factors, invitations, meta, pending};

macro_rules! columns {
    () => {
        "id, username, username_key, email, email_key, display_name, role, created_at,
         kdf_memory_kib, kdf_passes, kdf_lanes, kdf_salt, kdf_pepper_id, password_wrap,
         recovery_wrap, digest_wrap, public_key, secret_wrap, mk_generation, password_set_at,
         recovery_made_at, recovery_proven_at, retired_wrap, revision"
    };
}

statements! {
    INSERT = concat!(
        "INSERT INTO accounts (", columns!(), ") VALUES (
         :id, :username, :username_key, :email, :email_key, :display_name, :role, :created_at,
         :kdf_memory_kib, :kdf_passes, :kdf_lanes, :kdf_salt, :kdf_pepper_id, :password_wrap,
         :recovery_wrap, :digest_wrap, :public_key, :secret_wrap, :mk_generation, :password_set_at,
         :recovery_made_at, :recovery_proven_at, :retired_wrap, :revision)"
    );
    BY_ID = concat!("SELECT ", columns!(), " FROM accounts WHERE id = ?1");
    BY_LOGIN = concat!(
        "SELECT ", columns!(), " FROM accounts WHERE username_key = ?1 OR email_key = ?1"
    );
    UPDATE = concat!(
        "UPDATE accounts SET (", columns!(), ") = (
         :id, :username, :username_key, :email, :email_key, :display_name, :role, :created_at,
         :kdf_memory_kib, :kdf_passes, :kdf_lanes, :kdf_salt, :kdf_pepper_id, :password_wrap,
         :recovery_wrap, :digest_wrap, :public_key, :secret_wrap, :mk_generation, :password_set_at,
         :recovery_made_at, :recovery_proven_at, :retired_wrap, :revision + 1)
         WHERE id = :id AND revision = :revision"
    );
    DEPART = "INSERT INTO departed (account, at) VALUES (?1, ?2) ON CONFLICT (account) DO NOTHING";
    DEPARTED = "SELECT account, at FROM departed WHERE at <= ?1 ORDER BY at LIMIT ?2";
    FORGET = "DELETE FROM departed WHERE account = ?1";
    DELETE = "DELETE FROM accounts WHERE id = ?1";
    DELETE_SESSIONS = "DELETE FROM sessions WHERE account = ?1";
    DELETE_EVENTS = "DELETE FROM events WHERE account = ?1";
    DELETE_TOMBSTONES = "DELETE FROM tombstones WHERE account = ?1";
    DELETE_SEQUENCE = "DELETE FROM sequences WHERE account = ?1";
}

/// Returns whether there was anything to remove.
pub(super) fn remove(connection: &Connection, id: &AccountId, at: Timestamp) -> Result<bool> {
    connection
        .prepare_cached(DEPART)?
        .execute((id, Millis(at)))?;
    let mut removed = 0;
    for delete in [
        DELETE,
        DELETE_SESSIONS,
        DELETE_EVENTS,
        DELETE_TOMBSTONES,
        DELETE_SEQUENCE,
    ] {
        removed += connection.prepare_cached(delete)?.execute([id])?;
    }
    factors::delete(connection, id)?;
    pending::delete_of(connection, id)?;
    Ok(removed > 0)
}

pub(super) fn departed(
    connection: &Connection,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<(AccountId, Timestamp)>> {
    let mut select = connection.prepare_cached(DEPARTED)?;
    let rows = select.query_map((Millis(until), limit), |row| {
        Ok((row.get(0)?, row.get::<_, Millis>(1)?.0))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn forget_departed(connection: &Connection, id: &AccountId) -> Result<()> {
    connection.prepare_cached(FORGET)?.execute([id])?;
    Ok(())
}

pub(super) fn insert(
    connection: &Connection,
    row: &AccountRow,
    admission: &Admission,
) -> Result<Role> {
    let founder = meta::is_founder(connection, &row.id)?;
    let admitted = founder
        || match admission {
            Admission::Anyone => true,
            Admission::OnlyFirst => false,
            Admission::Invited { digest, now } => invitations::spend(connection, digest, *now)?,
        };
    if !admitted {
        return Err(StoreError::NotAdmitted);
    }
    let role = match founder {
        true => Role::Administrator,
        false => row.role,
    };
    execute(connection, INSERT, row, role)?;
    Ok(role)
}

pub(super) fn by_id(connection: &Connection, id: &AccountId) -> Result<Option<AccountRow>> {
    Ok(connection
        .prepare_cached(BY_ID)?
        .query_row([id], account)
        .optional()?)
}

pub(super) fn by_login(connection: &Connection, key: &str) -> Result<Option<AccountRow>> {
    Ok(connection
        .prepare_cached(BY_LOGIN)?
        .query_row([key], account)
        .optional()?)
}

pub(super) fn update(connection: &Connection, row: &AccountRow) -> Result<Updated> {
    if execute(connection, UPDATE, row, row.role)? == 1 {
        return Ok(Updated::Done);
    }
    let exists = by_id(connection, &row.id)?.is_some();
    Ok(if exists {
        Updated::Conflict
    } else {
        Updated::Missing
    })
}

fn execute(connection: &Connection, sql: &str, row: &AccountRow, role: Role) -> Result<usize> {
    Ok(connection.prepare_cached(sql)?.execute(named_params! {
        ":id": row.id,
        ":username": row.username,
        ":username_key": row.username_key,
        ":email": row.email,
        ":email_key": row.email_key,
        ":display_name": row.display_name,
        ":role": role,
        ":created_at": Millis(row.created_at),
        ":kdf_memory_kib": row.kdf.memory_kib,
        ":kdf_passes": row.kdf.passes,
        ":kdf_lanes": row.kdf.lanes,
        ":kdf_salt": row.kdf.salt,
        ":kdf_pepper_id": row.kdf.pepper_id,
        ":password_wrap": row.password_wrap,
        ":recovery_wrap": row.recovery_wrap,
        ":digest_wrap": row.digest_wrap,
        ":public_key": row.public_key,
        ":secret_wrap": row.secret_wrap,
        ":mk_generation": row.mk_generation,
        ":retired_wrap": row.retired_wrap,
        ":password_set_at": Millis(row.password_set_at),
        ":recovery_made_at": Millis(row.recovery_made_at),
        ":recovery_proven_at": row.recovery_proven_at.map(Millis),
        ":revision": Count(row.revision),
    })?)
}

fn account(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        id: row.get("id")?,
        username: row.get("username")?,
        username_key: row.get("username_key")?,
        email: row.get("email")?,
        email_key: row.get("email_key")?,
        display_name: row.get("display_name")?,
        role: row.get("role")?,
        created_at: row.get::<_, Millis>("created_at")?.0,
        kdf: KdfRow {
            memory_kib: row.get("kdf_memory_kib")?,
            passes: row.get("kdf_passes")?,
            lanes: row.get("kdf_lanes")?,
            salt: row.get("kdf_salt")?,
            pepper_id: row.get("kdf_pepper_id")?,
        },
        password_wrap: row.get("password_wrap")?,
        recovery_wrap: row.get("recovery_wrap")?,
        digest_wrap: row.get("digest_wrap")?,
        public_key: row.get("public_key")?,
        secret_wrap: row.get("secret_wrap")?,
        mk_generation: row.get("mk_generation")?,
        retired_wrap: row.get("retired_wrap")?,
        password_set_at: row.get::<_, Millis>("password_set_at")?.0,
        recovery_made_at: row.get::<_, Millis>("recovery_made_at")?.0,
        recovery_proven_at: row
            .get::<_, Option<Millis>>("recovery_proven_at")?
            .map(|at| at.0),
        revision: row.get::<_, Count>("revision")?.0,
    })
}
