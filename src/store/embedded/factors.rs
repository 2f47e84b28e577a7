//! Second factors in SQLite.

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, PasskeyId};

use super::super::{
    AuthenticatorRow, FactorRow, Factors, PasskeyRow, Result, SpareCodesRow, StoreError,
};
use super::columns::{Count, Millis};
use super::database::Database;

macro_rules! columns {
    () => {
        "account, totp_wrap, totp_begun_at, totp_confirmed_at, totp_last_step, spare_wrap,
         spare_made_at, spare_digests, passkeys, revision"
    };
}

statements! {
    BY_ACCOUNT = concat!("SELECT ", columns!(), " FROM factors WHERE account = ?1");
    INSERT = concat!(
        "INSERT INTO factors (", columns!(), ") VALUES (
         :account, :totp_wrap, :totp_begun_at, :totp_confirmed_at, :totp_last_step, :spare_wrap,
         :spare_made_at, :spare_digests, :passkeys, :revision + 1) ON CONFLICT (account) DO NOTHING"
    );
    UPDATE = concat!(
        "UPDATE factors SET (", columns!(), ") = (
         :account, :totp_wrap, :totp_begun_at, :totp_confirmed_at, :totp_last_step, :spare_wrap,
         :spare_made_at, :spare_digests, :passkeys, :revision + 1)
         WHERE account = :account AND revision = :revision"
    );
    CLEAR = "INSERT INTO factors (account, passkeys, revision) VALUES (?1, '[]', 1)
         ON CONFLICT (account) DO UPDATE SET
         totp_wrap = NULL, totp_begun_at = NULL, totp_confirmed_at = NULL,
         totp_last_step = NULL, spare_wrap = NULL, spare_made_at = NULL, spare_digests = NULL,
         passkeys = '[]', revision = revision + 1";
    TOUCH = "INSERT INTO factors (account, passkeys, revision) VALUES (?1, '[]', 1)
         ON CONFLICT (account) DO UPDATE SET revision = revision + 1";
}

#[async_trait]
impl Factors for Database {
    async fn factor(&self, account: &AccountId) -> Result<Option<FactorRow>> {
        let account = *account;
        self.read(move |db| of_account(db, &account)).await
    }

    async fn put_factor(&self, row: &FactorRow) -> Result<bool> {
        let row = row.clone();
        self.write_and_fold(move |db| put(db, &row)).await
    }
}

pub(super) fn of_account(
    connection: &Connection,
    account: &AccountId,
) -> Result<Option<FactorRow>> {
    let mut select = connection.prepare_cached(BY_ACCOUNT)?;
    let row = select
        .query_row([account], |row| Ok(factor(row)))
        .optional()?;
    row.transpose()
}

pub(super) fn put(connection: &Connection, row: &FactorRow) -> Result<bool> {
    let sql = if row.revision == 0 { INSERT } else { UPDATE };
    let (app, spare) = (row.authenticator.as_ref(), row.spare_codes.as_ref());
    let changed = connection.prepare_cached(sql)?.execute(named_params! {
        ":account": row.account,
        ":totp_wrap": app.map(|app| &app.key_wrap),
        ":totp_begun_at": app.map(|app| Millis(app.begun_at)),
        ":totp_confirmed_at": app.and_then(|app| app.confirmed_at).map(Millis),
        ":totp_last_step": app.map(|app| Count(app.last_step)),
        ":spare_wrap": spare.map(|spare| &spare.key_wrap),
        ":spare_made_at": spare.map(|spare| Millis(spare.made_at)),
        ":spare_digests": spare.map(|spare| spare.digests.concat()),
        ":passkeys": Passkey::list(&row.passkeys),
        ":revision": Count(row.revision),
    })?;
    Ok(changed == 1)
}

/// A row is left in any case, so that nobody who read before can write.
pub(super) fn clear(connection: &Connection, account: &AccountId) -> Result<()> {
    connection.prepare_cached(CLEAR)?.execute([account])?;
    Ok(())
}

/// Changes nothing but the revision: nobody who read before can write.
pub(super) fn touch(connection: &Connection, account: &AccountId) -> Result<()> {
    connection.prepare_cached(TOUCH)?.execute([account])?;
    Ok(())
}

fn factor(row: &Row<'_>) -> Result<FactorRow> {
    let app_wrap: Option<Vec<u8>> = row.get("totp_wrap")?;
    let authenticator = match app_wrap {
        Some(key_wrap) => Some(AuthenticatorRow {
            key_wrap,
            begun_at: row.get::<_, Millis>("totp_begun_at")?.0,
            confirmed_at: row
                .get::<_, Option<Millis>>("totp_confirmed_at")?
                .map(|at| at.0),
            last_step: row.get::<_, Count>("totp_last_step")?.0,
        }),
        None => None,
    };
    let spare_wrap: Option<Vec<u8>> = row.get("spare_wrap")?;
    let spare_codes = match spare_wrap {
        Some(key_wrap) => Some(SpareCodesRow {
            key_wrap,
            made_at: row.get::<_, Millis>("spare_made_at")?.0,
            digests: digests(row.get_ref("spare_digests")?.as_blob().unwrap_or_default())?,
        }),
        None => None,
    };
    Ok(FactorRow {
        account: row.get("account")?,
        authenticator,
        passkeys: passkeys(row.get_ref("passkeys")?.as_bytes().unwrap_or_default())?,
        spare_codes,
        revision: row.get::<_, Count>("revision")?.0,
    })
}

/// A passkey inside the column.
#[derive(Serialize, Deserialize)]
struct Passkey {
    id: PasskeyId,
    name: String,
    credential: String,
    /// In hexadecimal digits.
    master_wrap: Option<String>,
    added_at: Timestamp,
    used_at: Option<Timestamp>,
}

impl Passkey {
    fn list(rows: &[PasskeyRow]) -> String {
        let passkey = |row: &PasskeyRow| Self {
            id: row.id,
            name: row.name.clone(),
            credential: row.credential.clone(),
            master_wrap: row.master_wrap.as_ref().map(|wrap| HEXLOWER.encode(wrap)),
            added_at: row.added_at,
            used_at: row.used_at,
        };
        let passkeys: Vec<Self> = rows.iter().map(passkey).collect();
        serde_json::to_string(&passkeys).expect("texts and times always make JSON")
    }
}

fn passkeys(json: &[u8]) -> Result<Vec<PasskeyRow>> {
    let damaged = |_| StoreError::Damaged("the passkeys of an account cannot be read".into());
    let row = |passkey: Passkey| {
        let wrap = passkey.master_wrap;
        let wrap = wrap.map(|wrap| HEXLOWER.decode(wrap.as_bytes()).map_err(|_| ()));
        Ok(PasskeyRow {
            id: passkey.id,
            name: passkey.name,
            credential: passkey.credential,
            master_wrap: wrap.transpose().map_err(damaged)?,
            added_at: passkey.added_at,
            used_at: passkey.used_at,
        })
    };
    let listed: Vec<Passkey> = serde_json::from_slice(json).map_err(|_| damaged(()))?;
    listed.into_iter().map(row).collect()
}

fn digests(bytes: &[u8]) -> Result<Vec<[u8; 32]>> {
    match bytes.as_chunks() {
        (digests, []) => Ok(digests.to_vec()),
        _ => Err(StoreError::Damaged(
            "the digests of spare codes are cut".into(),
        )),
    }
}
