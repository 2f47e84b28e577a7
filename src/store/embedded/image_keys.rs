//! The wrapped keys of images, while a rotation replaces them.

use async_trait::async_trait;
use rusqlite::Connection;

use crate::ids::{AccountId, ImageId};

use super::super::{ImageKeys, KeyRow, Result};
use super::columns::Count;
use super::database::Database;

statements! {
    OF_GENERATION =
        "SELECT id, key_wrap FROM images
         WHERE account = ?1 AND mk_generation = ?2 AND id > ?3 ORDER BY id LIMIT ?4";
    COUNT = "SELECT count(*) FROM images WHERE account = ?1 AND mk_generation = ?2";
    REPLACE =
        "UPDATE images SET key_wrap = ?4, mk_generation = mk_generation + 1
         WHERE id = ?1 AND account = ?2 AND mk_generation = ?3";
}

#[async_trait]
impl ImageKeys for Database {
    async fn keys_of_generation(
        &self,
        account: &AccountId,
        generation: u32,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<KeyRow>> {
        let (account, after) = (*account, after.copied());
        self.read(move |db| of_generation(db, &account, generation, after.as_ref(), limit))
            .await
    }

    async fn count_keys_of_generation(&self, account: &AccountId, generation: u32) -> Result<u64> {
        let account = *account;
        self.read(move |db| count(db, &account, generation)).await
    }

    async fn replace_keys(
        &self,
        account: &AccountId,
        generation: u32,
        keys: &[KeyRow],
    ) -> Result<()> {
        let (account, keys) = (*account, keys.to_vec());
        self.write(move |db| replace(db, &account, generation, &keys))
            .await
    }
}

fn of_generation(
    connection: &Connection,
    account: &AccountId,
    generation: u32,
    after: Option<&ImageId>,
    limit: u32,
) -> Result<Vec<KeyRow>> {
    // No id's text is empty, so all come after it.
    let after = after.map(ImageId::to_string).unwrap_or_default();
    let mut select = connection.prepare_cached(OF_GENERATION)?;
    let rows = select.query_map((account, generation, after, limit), |row| {
        Ok(KeyRow {
            id: row.get(0)?,
            key_wrap: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn count(connection: &Connection, account: &AccountId, generation: u32) -> Result<u64> {
    let mut select = connection.prepare_cached(COUNT)?;
    let count: Count = select.query_row((account, generation), |row| row.get(0))?;
    Ok(count.0)
}

fn replace(
    connection: &Connection,
    account: &AccountId,
    generation: u32,
    keys: &[KeyRow],
) -> Result<()> {
    let mut replace = connection.prepare_cached(REPLACE)?;
    for key in keys {
        replace.execute((key.id, account, generation, &key.key_wrap))?;
    }
    Ok(())
}
