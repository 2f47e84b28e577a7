//! What is the same for all nouns: rows are found by their key, end, go with their account, make room
//! for newer ones, and keep blobs alive.

use std::collections::HashSet;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::types::ToSql;
use rusqlite::{Connection, ParamsFromIter, params_from_iter};

use crate::ids::{AccountId, BlobId};

use super::super::field::Value;
use super::super::nouns::{Values, Which};
use super::super::row::Noun;
use super::super::{NOUNS, Removed, Result, Rows};
use super::columns::{Millis, id_list};
use super::database::Database;
use super::rows;

#[async_trait]
impl Rows for Database {
    async fn insert_row(&self, noun: &'static Noun, values: Values) -> Result<()> {
        self.write(move |db| {
            rows::insert_values(db, noun, &values)?;
            keep_newest(db, noun, &values)
        })
        .await
    }

    async fn find_row(&self, noun: &'static Noun, which: Which) -> Result<Option<Values>> {
        let (those, params) = condition(noun, which)?;
        let sql = format!("SELECT * FROM {} WHERE {those}", noun.name);
        let found = self.read(move |db| rows::all_values(db, noun, &sql, params));
        Ok(found.await?.pop())
    }

    async fn take_row(&self, noun: &'static Noun, which: Which) -> Result<Option<Values>> {
        self.write(move |db| take(db, noun, which)).await
    }

    async fn remove_row(&self, noun: &'static Noun, which: Which) -> Result<()> {
        self.write(move |db| take(db, noun, which).map(drop)).await
    }

    async fn newest_rows(
        &self,
        noun: &'static Noun,
        account: &AccountId,
        limit: u32,
    ) -> Result<Vec<Values>> {
        let (sql, account) = (select_newest(noun)?, *account);
        self.read(move |db| rows::all_values(db, noun, &sql, (account, limit)))
            .await
    }

    async fn remove_ended(
        &self,
        noun: &'static Noun,
        now: Timestamp,
        limit: u32,
    ) -> Result<Removed> {
        let Some((sql, until)) = delete_ended(noun, now) else {
            return Ok(Removed::default());
        };
        self.write(move |db| remove(db, noun, &sql, &Millis(until), limit))
            .await
    }

    async fn remove_owned(
        &self,
        noun: &'static Noun,
        account: &AccountId,
        limit: u32,
    ) -> Result<Removed> {
        let (Some(sql), account) = (delete_owned(noun), *account) else {
            return Ok(Removed::default());
        };
        self.write(move |db| remove(db, noun, &sql, &account, limit))
            .await
    }

    async fn referenced_blobs(&self, ids: &[BlobId]) -> Result<HashSet<BlobId>> {
        let ids = id_list(ids);
        self.read(move |db| {
            let mut select = db.prepare_cached(&referenced())?;
            let rows = select.query_map([ids], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

/// Removes the row and returns it, if there is such a one.
pub(super) fn take(
    connection: &Connection,
    noun: &'static Noun,
    which: Which,
) -> Result<Option<Values>> {
    let (those, params) = condition(noun, which)?;
    let sql = format!("DELETE FROM {} WHERE {those} RETURNING *", noun.name);
    Ok(rows::all_values(connection, noun, &sql, params)?.pop())
}

/// The condition that a row meets, and its parameters.
fn condition(noun: &'static Noun, which: Which) -> Result<(String, ParamsFromIter<Values>)> {
    let key = noun.keyed()?;
    let (mut those, mut params) = (format!("{key} = ?1"), vec![which.key]);
    if let Some(account) = which.owner {
        let owner = noun.owned()?;
        params.push(Value::Text(account.to_string().into()));
        those += &format!(" AND {owner} = ?{}", params.len());
    }
    if let Some(now) = which.live_at {
        let (times, until) = noun.ending(now)?;
        params.push(Value::Time(until));
        for time in times {
            those += &format!(" AND {time} > ?{}", params.len());
        }
    }
    Ok((those, params_from_iter(params)))
}

fn select_newest(noun: &Noun) -> Result<String> {
    let (table, owner, time) = (noun.name, noun.owned()?, noun.ordered()?);
    Ok(format!(
        "SELECT * FROM {table} WHERE {owner} = ?1 ORDER BY {time} DESC LIMIT ?2"
    ))
}

/// Makes room for a row that was just inserted.
fn keep_newest(connection: &Connection, noun: &Noun, values: &[Value<'_>]) -> Result<()> {
    let (Some((sql, most)), Some(owner)) = (delete_older(noun), noun.owner()) else {
        return Ok(());
    };
    let columns = rows::columns(noun);
    let owner = columns.iter().position(|column| column == owner);
    // A row may be nobody's.
    let owner = owner.and_then(|owner| values.get(owner));
    if let Some(owner) = owner.filter(|owner| **owner != Value::Null) {
        let mut delete = connection.prepare_cached(&sql)?;
        delete.execute((owner, most))?;
    }
    Ok(())
}

fn delete_older(noun: &Noun) -> Option<(String, u32)> {
    let ((time, most), owner, table) = (noun.newest?, noun.owner()?, noun.name);
    let those = format!("FROM {table} WHERE {owner} = ?1");
    let last = format!("SELECT {time} {those} ORDER BY {time} DESC LIMIT 1 OFFSET ?2 - 1");
    Some((format!("DELETE {those} AND {time} < ({last})"), most))
}

/// Removes all that goes with an account in one transaction, but what holds blobs.
pub(super) fn remove_all_of(connection: &Connection, account: &AccountId) -> Result<()> {
    for noun in NOUNS.iter().filter(|noun| !noun.holds_blobs()) {
        if let Some(sql) = delete_owned(noun) {
            remove(connection, noun, &sql, account, u32::MAX)?;
        }
    }
    Ok(())
}

fn remove(
    connection: &Connection,
    noun: &Noun,
    sql: &str,
    which: &dyn ToSql,
    limit: u32,
) -> Result<Removed> {
    let mut delete = connection.prepare_cached(sql)?;
    let mut removed = Removed::default();
    if !noun.holds_blobs() {
        removed.rows = delete.execute([which])? as u64;
        return Ok(removed);
    }
    let blobs = delete.column_count();
    let mut rows = delete.query([which, &limit])?;
    while let Some(row) = rows.next()? {
        removed.rows += 1;
        for blob in 0..blobs {
            removed.blobs.extend(row.get::<_, Option<BlobId>>(blob)?);
        }
    }
    Ok(removed)
}

/// The statement that removes what has ended, and by when.
fn delete_ended(noun: &'static Noun, now: Timestamp) -> Option<(String, Timestamp)> {
    let (times, until) = noun.ended(now)?;
    let over: Vec<String> = times.iter().map(|time| format!("{time} <= ?1")).collect();
    Some((delete(noun, &over.join(" OR "), times[0])?, until))
}

fn delete_owned(noun: &Noun) -> Option<String> {
    let owner = noun.owner()?;
    delete(noun, &format!("{owner} = ?1"), owner)
}

fn delete(noun: &Noun, which: &str, order: &str) -> Option<String> {
    let table = noun.name;
    if !noun.holds_blobs() {
        return Some(format!("DELETE FROM {table} WHERE {which}"));
    }
    let (key, blobs) = (noun.key?, noun.blobs().collect::<Vec<_>>().join(", "));
    let those = format!("SELECT {key} FROM {table} WHERE {which} ORDER BY {order} LIMIT ?2");
    Some(format!(
        "DELETE FROM {table} WHERE {key} IN ({those}) RETURNING {blobs}"
    ))
}

fn referenced() -> String {
    let columns = NOUNS
        .iter()
        .flat_map(|noun| noun.blobs().map(|blob| (noun.name, blob)));
    let selects = columns.map(|(table, blob)| {
        format!("SELECT {blob} FROM {table} WHERE {blob} IN (SELECT value FROM json_each(?1))")
    });
    selects.collect::<Vec<_>>().join(" UNION ALL ")
}

/// Every statement that is made here, for the test that reads their query plans.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    let mut statements = vec![referenced()];
    let now = Timestamp::UNIX_EPOCH;
    for noun in NOUNS {
        statements.extend(delete_ended(noun, now).map(|(sql, _)| sql));
        statements.extend(delete_owned(noun));
        statements.extend(delete_older(noun).map(|(sql, _)| sql));
        statements.extend(select_newest(noun).ok());
        if noun.key.is_some() {
            let which = Which {
                key: Value::Null,
                owner: noun.owner().map(|_| AccountId::from_bytes([0; 16])),
                live_at: noun.ends().then_some(now),
            };
            let (those, _) = condition(noun, which).expect("it has all that is asked of it");
            statements.push(format!("SELECT * FROM {} WHERE {those}", noun.name));
        }
    }
    statements
}
