//! The wrapped keys of images, while a rotation replaces them.

use async_trait::async_trait;
use mongodb::bson::{Binary, Document, doc};
use serde::Deserialize;

use crate::ids::{AccountId, ImageId};

use super::super::{ImageKeys, KeyRow, Result};
use super::Mongo;
use super::changes::refuse_write_errors;
use super::documents::binary;
use super::images::own;

#[derive(Deserialize)]
struct KeyDoc {
    #[serde(rename = "_id")]
    id: ImageId,
    key_wrap: Binary,
}

#[async_trait]
impl ImageKeys for Mongo {
    async fn keys_of_generation(
        &self,
        account: &AccountId,
        generation: u32,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<KeyRow>> {
        of_generation(self, account, generation, after, limit).await
    }

    async fn count_keys_of_generation(&self, account: &AccountId, generation: u32) -> Result<u64> {
        count(self, account, generation).await
    }

    async fn replace_keys(
        &self,
        account: &AccountId,
        generation: u32,
        keys: &[KeyRow],
    ) -> Result<()> {
        replace(self, account, generation, keys).await
    }
}

async fn of_generation(
    mongo: &Mongo,
    account: &AccountId,
    generation: u32,
    after: Option<&ImageId>,
    limit: u32,
) -> Result<Vec<KeyRow>> {
    let mut those = wrapped_by(account, generation);
    // No id's text is empty, so all come after it.
    let after = after.map(ImageId::to_string).unwrap_or_default();
    those.insert("_id", doc! { "$gt": after });
    let images = mongo.images().clone_with_type::<KeyDoc>();
    let find = images
        .find(those)
        .projection(doc! { "key_wrap": 1 })
        .sort(doc! { "_id": 1 })
        .limit(limit.into());
    let documents = mongo.collect(find).await?.into_iter();
    let row = |doc: KeyDoc| KeyRow {
        id: doc.id,
        key_wrap: doc.key_wrap.bytes,
    };
    Ok(documents.map(row).collect())
}

async fn count(mongo: &Mongo, account: &AccountId, generation: u32) -> Result<u64> {
    let those = wrapped_by(account, generation);
    mongo.answer(mongo.images().count_documents(those)).await
}

async fn replace(
    mongo: &Mongo,
    account: &AccountId,
    generation: u32,
    keys: &[KeyRow],
) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let update = |key: &KeyRow| {
        let mut those = own(account, &key.id);
        those.insert("mk_generation", generation);
        let wrapped = doc! { "key_wrap": binary(&key.key_wrap), "mk_generation": generation + 1 };
        doc! { "q": those, "u": { "$set": wrapped } }
    };
    let updates: Vec<Document> = keys.iter().map(update).collect();
    // As for metadata: one command for many.
    // A command does not take over how the client writes.
    let durable = doc! { "w": "majority", "j": true };
    let command = doc! {
        "update": mongo.images().name(), "updates": updates, "writeConcern": durable,
    };
    let reply = mongo.answer(async {
        let reply = mongo.database.run_command(command).await?;
        refuse_write_errors(&reply)
    });
    reply.await
}

fn wrapped_by(account: &AccountId, generation: u32) -> Document {
    doc! { "account": account.to_string(), "mk_generation": generation }
}
