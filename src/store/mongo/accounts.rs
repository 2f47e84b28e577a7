//! Rows of accounts.

use futures_util::{FutureExt, TryStreamExt};
use jiff::Timestamp;
use mongodb::bson::{Document, doc};

use crate::ids::AccountId;

use super::super::{AccountRow, Admission, FactorRow, Result, Role, StoreError, Updated};
use super::Mongo;
use super::account_documents::{AccountDoc, DepartedDoc};
use super::documents::date;
use super::sessions;
use super::{factors, invitations, meta, pending};

/// Who is first is noted in a document that every insertion touches or reads, and an invitation is
/// deleted: two insertions that may not both succeed write one document, and the later comes again.
pub(super) async fn insert(mongo: &Mongo, row: &AccountRow, admission: &Admission) -> Result<Role> {
    let insert = mongo.transact(
        (mongo, row, admission),
        |session, (mongo, row, admission)| {
            async move {
                let founder = meta::is_founder(mongo, session, &row.id).await?;
                let admitted = founder
                    || match admission {
                        Admission::Anyone => true,
                        Admission::OnlyFirst => false,
                        Admission::Invited { digest, now } => {
                            invitations::spend(mongo, session, digest, *now).await?
                        }
                    };
                if !admitted {
                    session.abort_transaction().await?;
                    return Ok(None);
                }
                let role = match founder {
                    true => Role::Administrator,
                    false => row.role,
                };
                let account = AccountDoc::new(row, role, row.revision);
                mongo
                    .accounts()
                    .insert_one(account)
                    .session(session)
                    .await?;
                Ok(Some(role))
            }
            .boxed()
        },
    );
    insert.await?.ok_or(StoreError::NotAdmitted)
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
    let change = change(row)?;
    let updated = mongo
        .answer(mongo.accounts().update_one(unchanged(row), change))
        .await?;
    outcome(mongo, row, updated.matched_count == 1).await
}

pub(super) async fn replace_credentials(
    mongo: &Mongo,
    row: &AccountRow,
    keep: Option<&[u8; 32]>,
) -> Result<Updated> {
    replace(mongo, row, keep, Factor::Touched).await
}

pub(super) async fn reset_credentials(mongo: &Mongo, row: &AccountRow) -> Result<Updated> {
    replace(mongo, row, None, Factor::Cleared).await
}

pub(super) async fn rotate_credentials(
    mongo: &Mongo,
    row: &AccountRow,
    factor: &FactorRow,
) -> Result<Updated> {
    replace(mongo, row, None, Factor::Put(factor)).await
}

/// What becomes of the second factor along with the credentials.
#[derive(Clone, Copy)]
enum Factor<'a> {
    Touched,
    Cleared,
    Put(&'a FactorRow),
}

async fn replace(
    mongo: &Mongo,
    row: &AccountRow,
    keep: Option<&[u8; 32]>,
    factor: Factor<'_>,
) -> Result<Updated> {
    let context = (mongo, row, keep, factor, change(row)?);
    let replaced = mongo
        .transact(context, |session, (mongo, row, keep, factor, change)| {
            async move {
                // Images are inserted one transaction at a time, which write to this document: none
                // that has looked at the old row is let through after this one. It comes first, as it
                // does there: who uploads without a pause would otherwise always be before it.
                let own = doc! { "_id": row.id.to_string() };
                let passed = doc! { "$inc": { "seq": 0_i64, "credentials": 1_i64 } };
                mongo
                    .sequences()
                    .update_one(own, passed)
                    .upsert(true)
                    .session(&mut *session)
                    .await?;
                let replaced = mongo
                    .accounts()
                    .update_one(unchanged(row), change.clone())
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
                let is_done = match factor {
                    Factor::Touched => {
                        factors::touch(mongo, &mut *session, &row.id).await?;
                        true
                    }
                    Factor::Cleared => {
                        factors::clear(mongo, &mut *session, &row.id).await?;
                        true
                    }
                    Factor::Put(factor) => factors::put_again(mongo, &mut *session, factor).await?,
                };
                if !is_done {
                    session.abort_transaction().await?;
                }
                Ok(is_done)
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

/// Sets what this version knows, and leaves alone what a later one may have added.
fn change(row: &AccountRow) -> Result<Document> {
    let account = AccountDoc::new(row, row.role, row.revision + 1);
    let set = mongodb::bson::to_document(&account);
    let mut set = set.map_err(|error| StoreError::Damaged(error.to_string()))?;
    set.remove("_id");
    Ok(doc! { "$set": set })
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
                // First, for the reason that new credentials have.
                mongo
                    .sequences()
                    .delete_one(own.clone())
                    .session(&mut *session)
                    .await?;
                mongo
                    .departed()
                    .update_one(own.clone(), note)
                    .upsert(true)
                    .session(&mut *session)
                    .await?;
                mongo
                    .accounts()
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
