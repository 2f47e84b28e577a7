//! Accounts in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::Connection;

use crate::ids::AccountId;

use super::super::nouns::Which;
use super::super::row::Row as _;
use super::super::{
    AccountRow, Accounts, Admission, DepartedRow, FactorRow, InvitationRow, Result, Role,
    StoreError, Updated,
};
use super::columns::{Count, Millis};
use super::database::Database;
use super::{factors, meta, nouns, rows, sessions};

statements! {
    BY_ID = "SELECT * FROM accounts WHERE id = ?1";
    BY_LOGIN = "SELECT * FROM accounts WHERE username_key = ?1 OR email_key = ?1";
    BY_SKELETON = "SELECT * FROM accounts WHERE username_skeleton = ?1";
    WITHOUT_SKELETON =
        "SELECT * FROM accounts WHERE username_skeleton IS NULL AND id > ?1 ORDER BY id LIMIT ?2";
    DEPART = "INSERT INTO departed (account, at) VALUES (?1, ?2) ON CONFLICT (account) DO NOTHING";
    DEPARTED = "SELECT * FROM departed WHERE at <= ?1 ORDER BY at LIMIT ?2";
}

#[async_trait]
impl Accounts for Database {
    async fn insert_account(&self, row: &AccountRow, admission: &Admission) -> Result<Role> {
        let (row, admission) = (row.clone(), *admission);
        self.write(move |db| insert(db, row, &admission)).await
    }

    async fn has_accounts(&self) -> Result<bool> {
        self.read(meta::is_founded).await
    }

    async fn account_by_login(&self, key: &str) -> Result<Option<AccountRow>> {
        self.one(BY_LOGIN, [key.to_owned()]).await
    }

    async fn account_by_skeleton(&self, skeleton: &str) -> Result<Option<AccountRow>> {
        self.one(BY_SKELETON, [skeleton.to_owned()]).await
    }

    async fn accounts_without_skeleton(
        &self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountRow>> {
        // Every id is behind the empty text.
        let after = after.map(AccountId::to_string).unwrap_or_default();
        self.all(WITHOUT_SKELETON, (after, limit)).await
    }

    async fn update_account(&self, row: &AccountRow) -> Result<Updated> {
        let row = row.clone();
        self.write_and_fold(move |db| update(db, &row)).await
    }

    async fn replace_credentials(
        &self,
        row: &AccountRow,
        keep: Option<&[u8; 32]>,
    ) -> Result<Updated> {
        let (row, keep) = (row.clone(), keep.copied());
        self.write_and_fold(move |db| {
            let updated = update(db, &row)?;
            if updated == Updated::Done {
                sessions::delete_of(db, &row.id, keep.as_ref())?;
                factors::touch(db, &row.id)?;
            }
            Ok(updated)
        })
        .await
    }

    async fn reset_credentials(&self, row: &AccountRow) -> Result<Updated> {
        let row = row.clone();
        self.write_and_fold(move |db| {
            let updated = update(db, &row)?;
            if updated == Updated::Done {
                sessions::delete_of(db, &row.id, None)?;
                factors::clear(db, &row.id)?;
            }
            Ok(updated)
        })
        .await
    }

    async fn rotate_credentials(&self, row: &AccountRow, factor: &FactorRow) -> Result<Updated> {
        let (row, factor) = (row.clone(), factor.clone());
        self.write_and_fold(move |db| {
            let stored = factors::of_account(db, &row.id)?;
            if stored.map_or(0, |stored| stored.revision) != factor.revision {
                return Ok(Updated::Conflict);
            }
            let updated = update(db, &row)?;
            if updated == Updated::Done {
                sessions::delete_of(db, &row.id, None)?;
                factors::put(db, &factor)?;
            }
            Ok(updated)
        })
        .await
    }

    async fn remove_account(&self, id: &AccountId, at: Timestamp) -> Result<()> {
        let id = *id;
        self.write_and_fold(move |db| {
            db.prepare_cached(DEPART)?.execute((id, Millis(at)))?;
            nouns::remove_all_of(db, &id)
        })
        .await
    }

    async fn departed(&self, until: Timestamp, limit: u32) -> Result<Vec<DepartedRow>> {
        self.all(DEPARTED, (Millis(until), limit)).await
    }
}

pub(super) fn by_id(connection: &Connection, id: &AccountId) -> Result<Option<AccountRow>> {
    rows::one(connection, BY_ID, [id])
}

fn insert(connection: &Connection, mut row: AccountRow, admission: &Admission) -> Result<Role> {
    let founder = meta::is_founder(connection, &row.id)?;
    let admitted = founder
        || match admission {
            Admission::Anyone => true,
            Admission::OnlyFirst => false,
            Admission::Invited { digest, now } => {
                let invitation = Which::has(digest).live_at(*now);
                nouns::take(connection, &InvitationRow::NOUN, invitation)?.is_some()
            }
        };
    if !admitted {
        return Err(StoreError::NotAdmitted);
    }
    if founder {
        row.role = Role::Administrator;
    }
    rows::insert(connection, &row)?;
    Ok(row.role)
}

fn update(connection: &Connection, row: &AccountRow) -> Result<Updated> {
    let next = AccountRow {
        revision: row.revision + 1,
        ..row.clone()
    };
    if rows::replace(connection, &next, "revision", &Count(row.revision))? {
        return Ok(Updated::Done);
    }
    let exists = by_id(connection, &row.id)?.is_some();
    Ok(if exists {
        Updated::Conflict
    } else {
        Updated::Missing
    })
}
