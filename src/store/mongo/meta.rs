//! Single values that belong to the instance.

use mongodb::ClientSession;
use mongodb::bson::doc;
use mongodb::options::ReturnDocument;

use crate::ids::AccountId;

use super::super::{Result, StoreError};
use super::Mongo;
use super::documents::{array, binary};

const INSTANCE_CHECK: &str = "instance_check";
const FOUNDER: &str = "founder";

pub(super) async fn ping(mongo: &Mongo) -> Result<()> {
    mongo
        .answer(mongo.database.run_command(doc! { "ping": 1 }))
        .await?;
    Ok(())
}

pub(super) async fn instance_check(mongo: &Mongo) -> Result<Option<[u8; 32]>> {
    let found = mongo
        .answer(mongo.meta().find_one(doc! { "_id": INSTANCE_CHECK }))
        .await?;
    found.as_ref().map(value).transpose()
}

pub(super) async fn keep_instance_check(mongo: &Mongo, if_absent: &[u8; 32]) -> Result<[u8; 32]> {
    let keep = doc! { "$setOnInsert": { "value": binary(if_absent) } };
    let meta = mongo.meta();
    let kept = meta
        .find_one_and_update(doc! { "_id": INSTANCE_CHECK }, keep)
        .upsert(true)
        .return_document(ReturnDocument::After);
    match mongo.answer(kept).await? {
        Some(kept) => value(&kept),
        None => Err(StoreError::Internal(
            "an upsert returned no document".into(),
        )),
    }
}

/// Whether an account was ever stored.
pub(super) async fn is_founded(mongo: &Mongo) -> Result<bool> {
    let found = mongo
        .answer(mongo.meta().find_one(doc! { "_id": FOUNDER }))
        .await?;
    Ok(found.is_some())
}

/// Whether this account is the first that was ever stored. To be asked in the transaction that
/// stores it.
pub(super) async fn is_founder(
    mongo: &Mongo,
    session: &mut ClientSession,
    id: &AccountId,
) -> mongodb::error::Result<bool> {
    let note = doc! { "$setOnInsert": { "account": id.to_string() } };
    let earlier = mongo
        .meta()
        .find_one_and_update(doc! { "_id": FOUNDER }, note)
        .upsert(true)
        .return_document(ReturnDocument::Before)
        .session(session)
        .await?;
    Ok(earlier.is_none())
}

fn value(found: &mongodb::bson::Document) -> Result<[u8; 32]> {
    match found.get("value") {
        Some(mongodb::bson::Bson::Binary(value)) => array(value),
        _ => Err(StoreError::Damaged(
            "the instance check is no binary".into(),
        )),
    }
}
