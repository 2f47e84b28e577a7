//! Rows of accounts.

use futures_util::{FutureExt, TryStreamExt};
use jiff::Timestamp;
use mongodb::bson::{Document, doc};

use crate::ids::AccountId;

use super::super::{AccountRow, Result, Role, Updated};
use super::Mongo;
use super::account_documents::{AccountDoc, DepartedDoc};
use super::documents::date;
use super::sessions;
use super::{factors, meta, pending};

pub(super) async fn insert(mongo: &Mongo, row: &AccountRow) -> Result<Role> {
    mongo
        .transact((mongo, row), |session, (mongo, row)| {
            async move {
                let founder = meta::is_founder(mongo, session, &row.id).await?;
                let role = if founder {
                    Role::Administrator
                } else {
                    row.role
                };
                let account = AccountDoc::new(row, role, row.revision);
                mongo
                    .accounts()
                    .insert_one(account)
                    .session(session)
                    .await?;
                Ok(role)
            }
            .boxed()
        })
        .await
}

pub(super) async fn by_id(mongo: &Mongo, id: &AccountId) -> Result<Option<AccountRow>> {
    let found = mongo
        .answer(mongo.accounts().find_one(doc! { "_id": id.to_string() }))
        .await?;
    found.map(AccountRow::try_from).transpose()
}

pub(super) async fn by_login(mongo: &Mongo, key: &str) -> Result<Option<AccountRow>> {
    let either = doc! { "$or": [{ "username_key": key }, { "email_key": key }] };
    let found = mongo.answer(mongo.accounts().find_one(either)).await?;
    found.map(AccountRow::try_from).transpose()
}

pub(super) async fn update(mongo: &Mongo, row: &AccountRow) -> Result<Updated> {
    let account = AccountDoc::new(row, row.role, row.revision + 1);
    let replaced = mongo
        .answer(mongo.accounts().replace_one(unchanged(row), account))
        .await?;
    outcome(mongo, row, replaced.matched_count == 1).await
}

pub(super) async fn replace_credentials(
    mongo: &Mongo,
    row: &AccountRow,
    keep: Option<&[u8; 32]>,
) -> Result<Updated> {
    replace(mongo, row, keep, false).await
}

pub(super) async fn reset_credentials(mongo: &Mongo, row: &AccountRow) -> Result<Updated> {
    replace(mongo, row, None, true).await
}

async fn replace(
    mongo: &Mongo,
    row: &AccountRow,
    keep: Option<&[u8; 32]>,
    clear_factors: bool,
) -> Result<Updated> {
    let replaced = mongo
        .transact((mongo, row, keep), move |session, (mongo, row, keep)| {
            async move {
                let account = AccountDoc::new(row, row.role, row.revision + 1);
                let replaced = mongo
                    .accounts()
                    .replace_one(unchanged(row), account)
                    .session(&mut *session)
                    .await?;
                if replaced.matched_count == 0 {
                    session.abort_transaction().await?;
                    return Ok(false);
                }
                mongo
                    .sessions()
                    .delete_many(sessions::of(&row.id, *keep))
                    .session(&mut *session)
                    .await?;
                if clear_factors {
                    factors::clear(mongo, session, &row.id).await?;
                }
                Ok(true)
            }
            .boxed()
        })
        .await?;
    // A session that came between the transaction's snapshot and its end was not seen by it.
    if replaced {
        sessions::delete_of(mongo, &row.id, keep).await?;
    }
    outcome(mongo, row, replaced).await
}

pub(super) async fn departed(
    mongo: &Mongo,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<(AccountId, Timestamp)>> {
    let found = async {
        mongo
            .departed()
            .find(doc! { "at": { "$lte": date(until) } })
            .sort(doc! { "at": 1 })
            .limit(i64::from(limit))
            .await?
            .try_collect::<Vec<_>>()
            .await
    };
    let documents = mongo.answer(found).await?;
    documents.into_iter().map(DepartedDoc::into_row).collect()
}

pub(super) async fn forget_departed(mongo: &Mongo, id: &AccountId) -> Result<()> {
    mongo
        .answer(mongo.departed().delete_one(doc! { "_id": id.to_string() }))
        .await?;
    Ok(())
}

/// The account goes first, with its keys and sessions, in one transaction; what is only about it
/// follows in calls of its own, since a transaction has a minute.
pub(super) async fn remove(mongo: &Mongo, id: &AccountId, at: Timestamp) -> Result<()> {
    mongo
        .transact((mongo, id), |session, (mongo, id)| {
            async move {
                let own = doc! { "_id": id.to_string() };
                let note = doc! { "$setOnInsert": { "at": date(at) } };
                mongo
                    .departed()
                    .update_one(own.clone(), note)
                    .upsert(true)
                    .session(&mut *session)
                    .await?;
                mongo
                    .accounts()
                    .delete_one(own.clone())
                    .session(&mut *session)
                    .await?;
                mongo
                    .sequences()
                    .delete_one(own)
                    .session(&mut *session)
                    .await?;
                mongo
                    .sessions()
                    .delete_many(sessions::of(id, None))
                    .session(&mut *session)
                    .await?;
                factors::delete(mongo, session, id).await?;
                Ok(())
            }
            .boxed()
        })
        .await?;
    let of = doc! { "account": id.to_string() };
    mongo
        .answer(mongo.tombstones().delete_many(of.clone()))
        .await?;
    mongo.answer(mongo.events().delete_many(of)).await?;
    pending::delete_of(mongo, id).await
}

fn unchanged(row: &AccountRow) -> Document {
    doc! { "_id": row.id.to_string(), "revision": row.revision as i64 }
}

async fn outcome(mongo: &Mongo, row: &AccountRow, replaced: bool) -> Result<Updated> {
    if replaced {
        return Ok(Updated::Done);
    }
    let exists = by_id(mongo, &row.id).await?.is_some();
    Ok(if exists {
        Updated::Conflict
    } else {
        Updated::Missing
    })
}
