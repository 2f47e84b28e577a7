//! How much an account keeps: counted in the row of its sequence number.

use rusqlite::{Connection, OptionalExtension};

use crate::ids::AccountId;

use super::super::quotas::{Allowance, UsageRow};
use super::super::{ImageRow, Result};
use super::columns::Count;

statements! {
    OF = "SELECT images, bytes, images_allowed, bytes_allowed FROM sequences WHERE account = ?1";
    ADD =
        "UPDATE sequences SET images = images + 1, bytes = bytes + ?2 WHERE account = ?1";
    // Below zero it would go where an account departs, and its count with it, before its images.
    TAKE =
        "UPDATE sequences SET images = max(0, images - ?2), bytes = max(0, bytes - ?3)
         WHERE account = ?1";
    ALLOW =
        "INSERT INTO sequences (account, seq, images_allowed, bytes_allowed)
         SELECT id, 0, ?2, ?3 FROM accounts WHERE id = ?1
         ON CONFLICT (account) DO UPDATE
         SET images_allowed = excluded.images_allowed, bytes_allowed = excluded.bytes_allowed";
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

/// After the sequence number was raised, which makes the row.
pub(super) fn add(connection: &Connection, row: &ImageRow) -> Result<()> {
    connection
        .prepare_cached(ADD)?
        .execute((row.account, Count(row.original.len)))?;
    Ok(())
}

pub(super) fn take(
    connection: &Connection,
    account: &AccountId,
    removed: &[ImageRow],
) -> Result<()> {
    let bytes = removed.iter().map(|row| row.original.len).sum();
    connection.prepare_cached(TAKE)?.execute((
        account,
        Count(removed.len() as u64),
        Count(bytes),
    ))?;
    Ok(())
}

/// Whether there is such an account.
pub(super) fn allow(
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
