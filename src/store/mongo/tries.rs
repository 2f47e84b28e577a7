//! Rows of failed tries.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::doc;

use super::super::{Result, TriesRecords, TriesRow};
use super::Mongo;
use super::account_documents::TriesDoc;
use super::documents::{binary, date};
use super::errors;
use super::records::MongoRecords;

#[async_trait]
impl TriesRecords for MongoRecords {
    async fn tries(&self, key: &[u8; 32]) -> Result<Option<TriesRow>> {
        by_key(&self.0, key).await
    }

    async fn replace_tries(
        &self,
        key: &[u8; 32],
        known: Option<TriesRow>,
        new: TriesRow,
    ) -> Result<bool> {
        replace(&self.0, key, known, new).await
    }

    async fn delete_tries(&self, key: &[u8; 32]) -> Result<()> {
        delete(&self.0, key).await
    }

    async fn purge_tries(&self, before: Timestamp) -> Result<u64> {
        purge(&self.0, before).await
    }
}

async fn by_key(mongo: &Mongo, key: &[u8; 32]) -> Result<Option<TriesRow>> {
    let found = mongo
        .answer(mongo.tries().find_one(doc! { "_id": binary(key) }))
        .await?;
    found.map(TriesRow::try_from).transpose()
}

async fn replace(
    mongo: &Mongo,
    key: &[u8; 32],
    known: Option<TriesRow>,
    new: TriesRow,
) -> Result<bool> {
    let Some(known) = known else {
        let insert = async {
            match mongo.tries().insert_one(TriesDoc::new(key, new)).await {
                Err(error) if errors::is_duplicate(&error) => Ok(false),
                inserted => inserted.map(|_| true),
            }
        };
        return mongo.answer(insert).await;
    };
    let unchanged = doc! {
        "_id": binary(key),
        "count": i64::from(known.count),
        "last_at": date(known.last_at),
    };
    let replaced = mongo
        .answer(
            mongo
                .tries()
                .replace_one(unchanged, TriesDoc::new(key, new)),
        )
        .await?;
    Ok(replaced.matched_count == 1)
}

async fn delete(mongo: &Mongo, key: &[u8; 32]) -> Result<()> {
    mongo
        .answer(mongo.tries().delete_one(doc! { "_id": binary(key) }))
        .await?;
    Ok(())
}

async fn purge(mongo: &Mongo, before: Timestamp) -> Result<u64> {
    let old = doc! { "last_at": { "$lt": date(before) } };
    Ok(mongo
        .answer(mongo.tries().delete_many(old))
        .await?
        .deleted_count)
}
