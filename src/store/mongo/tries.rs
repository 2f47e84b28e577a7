//! Rows of failed tries.

use jiff::Timestamp;
use mongodb::bson::doc;

use super::super::{Result, TriesRow};
use super::Mongo;
use super::account_documents::TriesDoc;
use super::documents::{binary, date};
use super::errors;

pub(super) async fn by_key(mongo: &Mongo, key: &[u8; 32]) -> Result<Option<TriesRow>> {
    let found = mongo
        .answer(mongo.tries().find_one(doc! { "_id": binary(key) }))
        .await?;
    found.map(TriesRow::try_from).transpose()
}

pub(super) async fn replace(
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

pub(super) async fn delete(mongo: &Mongo, key: &[u8; 32]) -> Result<()> {
    mongo
        .answer(mongo.tries().delete_one(doc! { "_id": binary(key) }))
        .await?;
    Ok(())
}

pub(super) async fn purge(mongo: &Mongo, before: Timestamp) -> Result<u64> {
    let old = doc! { "last_at": { "$lt": date(before) } };
    Ok(mongo
        .answer(mongo.tries().delete_many(old))
        .await?
        .deleted_count)
}
