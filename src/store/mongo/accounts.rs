//! Rows of accounts.

use futures_util::FutureExt;
use mongodb::bson::doc;

use crate::ids::AccountId;

use super::super::{AccountRow, Result, Role, Updated};
use super::Mongo;
use super::documents::AccountDoc;
use super::meta;

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
    let unchanged = doc! { "_id": row.id.to_string(), "revision": row.revision as i64 };
    let account = AccountDoc::new(row, row.role, row.revision + 1);
    let replaced = mongo
        .answer(mongo.accounts().replace_one(unchanged, account))
        .await?;
    if replaced.matched_count == 1 {
        return Ok(Updated::Done);
    }
    let exists = by_id(mongo, &row.id).await?.is_some();
    Ok(if exists {
        Updated::Conflict
    } else {
        Updated::Missing
    })
}
