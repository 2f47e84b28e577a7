//! How much an account keeps: counted in the row of its sequence number.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};

use crate::ids::AccountId;

use super::super::{Allowance, Result, Usage, UsageRow};
use super::columns::Count;
use super::database::Database;

statements! {
    OF = "SELECT images, bytes, images_allowed, bytes_allowed FROM sequences WHERE account = ?1";
    // Below zero it would go where an account departs, and its count with it, before its images.
    CHANGE =
        "UPDATE sequences SET images = max(0, images + ?2), bytes = max(0, bytes + ?3)
         WHERE account = ?1";
    ALLOW =
        "INSERT INTO sequences (account, seq, images_allowed, bytes_allowed)
         SELECT id, 0, ?2, ?3 FROM accounts WHERE id = ?1
         ON CONFLICT (account) DO UPDATE
         SET images_allowed = excluded.images_allowed, bytes_allowed = excluded.bytes_allowed";
}

#[async_trait]
impl Usage for Database {
    async fn usage(&self, account: &AccountId) -> Result<UsageRow> {
        let account = *account;
        self.read(move |db| of(db, &account)).await
    }

    async fn set_allowed(
        &self,
        account: &AccountId,
        images: Allowance,
        bytes: Allowance,
    ) -> Result<bool> {
        let account = *account;
        self.write(move |db| allow(db, &account, images, bytes))
            .await
    }
}

pub(super) fn of(connection: &Connection, account: &AccountId) -> Result<UsageRow> {
    let found = connection
        .prepare_cached(OF)?
        .query_row([account], |row| {
            Ok(UsageRow {
                images: row.get::<_, Count>(0)?.0,
                bytes: row.get::<_, Count>(1)?.0,
                images_allowed: Allowance::read(row.get(2)?),
                bytes_allowed: Allowance::read(row.get(3)?),
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Counts so many images and bytes more, or less. After the sequence number was raised, which makes
/// the row.
pub(super) fn change(
    connection: &Connection,
    account: &AccountId,
    images: i64,
    bytes: i64,
) -> Result<()> {
    connection
        .prepare_cached(CHANGE)?
        .execute((account, images, bytes))?;
    Ok(())
}

fn allow(
    connection: &Connection,
    account: &AccountId,
    images: Allowance,
    bytes: Allowance,
) -> Result<bool> {
    let changed =
        connection
            .prepare_cached(ALLOW)?
            .execute((account, images.stored(), bytes.stored()))?;
    Ok(changed == 1)
}
