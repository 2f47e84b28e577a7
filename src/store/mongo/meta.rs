//! Single values that belong to the instance.

use async_trait::async_trait;
use mongodb::ClientSession;
use mongodb::bson::doc;
use mongodb::options::ReturnDocument;

use crate::ids::AccountId;

use super::super::{Instance, Result, StoreError};
use super::Mongo;
use super::documents::{array, binary};

const INSTANCE_CHECK: &str = "instance_check";
const FOUNDER: &str = "founder";

#[async_trait]
impl Instance for Mongo {
    async fn ping(&self) -> Result<()> {
        let ping = self.database.run_command(doc! { "ping": 1 });
        self.answer(ping).await?;
        Ok(())
    }

    async fn instance_check(&self, if_absent: &[u8; 32]) -> Result<[u8; 32]> {
        let keep = doc! { "$setOnInsert": { "value": binary(if_absent) } };
        let meta = self.meta();
        let kept = meta
            .find_one_and_update(doc! { "_id": INSTANCE_CHECK }, keep)
            .upsert(true)
            .return_document(ReturnDocument::After);
        match self.answer(kept).await? {
            Some(kept) => value(&kept),
            None => Err(StoreError::Internal(
                "an upsert returned no document".into(),
            )),
        }
    }

    async fn existing_instance_check(&self) -> Result<Option<[u8; 32]>> {
        let check = doc! { "_id": INSTANCE_CHECK };
        let found = self.answer(self.meta().find_one(check)).await?;
        found.as_ref().map(value).transpose()
    }

    /// Whatever was acknowledged is the server's, and so is what it keeps of it (SECURITY.md).
    async fn close(&self) -> Result<()> {
        Ok(())
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
