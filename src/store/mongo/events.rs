//! Rows of what happened to accounts.

use futures_util::TryStreamExt;
use jiff::Timestamp;
use mongodb::bson::doc;

use crate::ids::AccountId;

use super::super::{EventRow, Result};
use super::Mongo;
use super::account_documents::EventDoc;
use super::documents::date;

pub(super) async fn insert(mongo: &Mongo, row: &EventRow) -> Result<()> {
    mongo
        .answer(mongo.events().insert_one(EventDoc::from(row)))
        .await?;
    Ok(())
}

pub(super) async fn of_account(
    mongo: &Mongo,
    account: &AccountId,
    limit: u32,
) -> Result<Vec<EventRow>> {
    let found = async {
        mongo
            .events()
            .find(doc! { "account": account.to_string() })
            .sort(doc! { "at": -1 })
            .limit(i64::from(limit))
            .await?
            .try_collect::<Vec<_>>()
            .await
    };
    let documents = mongo.answer(found).await?;
    documents.into_iter().map(EventRow::try_from).collect()
}

pub(super) async fn purge(mongo: &Mongo, before: Timestamp) -> Result<u64> {
    let old = doc! { "at": { "$lt": date(before) } };
    Ok(mongo
        .answer(mongo.events().delete_many(old))
        .await?
        .deleted_count)
}
