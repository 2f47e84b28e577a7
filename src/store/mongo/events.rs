//! Rows of what happened to accounts.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use mongodb::bson::doc;

use crate::ids::AccountId;

use super::super::{EventRecords, EventRow, Result};
use super::Mongo;
use super::account_documents::EventDoc;
use super::documents::date;
use super::records::MongoRecords;

#[async_trait]
impl EventRecords for MongoRecords {
    async fn insert_event(&self, row: &EventRow) -> Result<()> {
        insert(&self.0, row).await
    }

    async fn events_of(&self, account: &AccountId, limit: u32) -> Result<Vec<EventRow>> {
        of_account(&self.0, account, limit).await
    }

    async fn purge_events(&self, before: Timestamp) -> Result<u64> {
        purge(&self.0, before).await
    }
}

async fn insert(mongo: &Mongo, row: &EventRow) -> Result<()> {
    mongo
        .answer(mongo.events().insert_one(EventDoc::from(row)))
        .await?;
    let of_account = doc! { "account": row.account.to_string() };
    mongo
        .keep_newest(mongo.events(), of_account, "at", EventRow::MOST)
        .await
}

async fn of_account(mongo: &Mongo, account: &AccountId, limit: u32) -> Result<Vec<EventRow>> {
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

async fn purge(mongo: &Mongo, before: Timestamp) -> Result<u64> {
    let old = doc! { "at": { "$lt": date(before) } };
    Ok(mongo
        .answer(mongo.events().delete_many(old))
        .await?
        .deleted_count)
}
