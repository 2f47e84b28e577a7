//! How much an account keeps: counted in the document of its sequence number.

use async_trait::async_trait;
use futures_util::{FutureExt, TryStreamExt};
use mongodb::bson::{Bson, Document, doc};

use crate::ids::AccountId;

use super::super::quotas::BLOCK;
use super::super::{Allowance, Result, StoreError, Usage, UsageRow};
use super::documents::SequenceDoc;
use super::{DriverResult, Mongo};

/// How often another process may change an account while it is counted, at the start of the first
/// version that counts.
const MOST_RACES: usize = 100;

impl SequenceDoc {
    /// What the account keeps. (It may seem to keep less than nothing where it departs, and its
    /// count with it, before its images.)
    pub(super) fn usage(&self) -> UsageRow {
        UsageRow {
            images: u64::try_from(self.images).unwrap_or(0),
            bytes: u64::try_from(self.kept).unwrap_or(0),
            images_allowed: Allowance::read(self.images_allowed),
            bytes_allowed: Allowance::read(self.bytes_allowed),
        }
    }

    /// The same before so many images and bytes were counted.
    pub(super) fn usage_before(&self, images: u64, bytes: u64) -> UsageRow {
        let after = self.usage();
        UsageRow {
            images: after.images.saturating_sub(images),
            bytes: after.bytes.saturating_sub(bytes),
            ..after
        }
    }
}

#[async_trait]
impl Usage for Mongo {
    async fn usage(&self, account: &AccountId) -> Result<UsageRow> {
        of(self, account).await
    }

    async fn set_allowed(
        &self,
        account: &AccountId,
        images: Allowance,
        bytes: Allowance,
    ) -> Result<bool> {
        allow(self, account, images, bytes).await
    }
}

async fn of(mongo: &Mongo, account: &AccountId) -> Result<UsageRow> {
    let found = mongo
        .answer(
            mongo
                .sequences()
                .find_one(doc! { "_id": account.to_string() }),
        )
        .await?;
    Ok(found.map_or_else(UsageRow::default, |found| found.usage()))
}

/// Whether there is such an account.
async fn allow(
    mongo: &Mongo,
    account: &AccountId,
    images: Allowance,
    bytes: Allowance,
) -> Result<bool> {
    let decided = doc! { "images_allowed": images.stored(), "bytes_allowed": bytes.stored() };
    let context = (mongo, account, decided);
    let allow = mongo.transact(context, |session, (mongo, account, decided)| {
        async move {
            let own = doc! { "_id": account.to_string() };
            let accounts = mongo.accounts().clone_with_type::<Document>();
            let found = accounts
                .find_one(own.clone())
                .projection(doc! { "_id": 1 })
                .session(&mut *session)
                .await?;
            if found.is_none() {
                session.abort_transaction().await?;
                return Ok(false);
            }
            let begun = doc! { "seq": 0_i64, "images": 0_i64, "kept": 0_i64 };
            let change = doc! { "$set": decided.clone(), "$setOnInsert": begun };
            mongo
                .sequences()
                .update_one(own, change)
                .upsert(true)
                .session(session)
                .await?;
            Ok(true)
        }
        .boxed()
    });
    allow.await
}

/// Counts what accounts keep that were not counted yet as it is counted now. May be repeated, and
/// done by several at once: an account is counted where it has not changed meanwhile and nobody else
/// has counted it. Who is interrupted goes on with those that are left.
pub(super) async fn count_all(mongo: &Mongo) -> Result<()> {
    let uncounted = doc! { "kept": { "$exists": false } };
    for _ in 0..MOST_RACES {
        let sequences = mongo.sequences();
        let found = mongo.collect(sequences.find(uncounted.clone())).await?;
        if found.is_empty() {
            return Ok(());
        }
        for account in found {
            count(mongo, &account).await?;
        }
    }
    Err(StoreError::Unavailable(
        "other servers change accounts while they are counted: stop them first".into(),
    ))
}

async fn count(mongo: &Mongo, known: &SequenceDoc) -> Result<()> {
    let account = known.account.to_string();
    let parts = vec![
        blob_kept("$original.len"),
        blob_kept("$thumbnail.len"),
        // Of a length that is not there it is null.
        doc! { "$ifNull": [blob_kept("$preview.len"), 0_i64] },
        record_kept(doc! { "$binarySize": "$metadata" }),
    ];
    let sums = vec![
        doc! { "$match": { "account": &account } },
        doc! { "$group": {
            "_id": null, "images": { "$sum": 1_i64 }, "kept": { "$sum": { "$add": parts } },
        } },
    ];
    let summed = async {
        let mut groups = mongo.images().aggregate(sums).await?;
        groups.try_next().await
    };
    let summed: Option<Document> = mongo.answer(summed).await?;
    let sum = |field| match &summed {
        Some(summed) => summed.get_i64(field).map_err(|_| damaged()),
        None => Ok(0),
    };
    let unchanged = doc! {
        "_id": account, "seq": known.seq as i64, "kept": { "$exists": false },
    };
    let counted = doc! {
        "$set": { "images": sum("images")?, "kept": sum("kept")? }, "$unset": { "bytes": "" },
    };
    mongo
        .answer(mongo.sequences().update_one(unchanged, counted))
        .await?;
    Ok(())
}

/// As [`super::super::quotas::record_kept`], where the server computes it.
fn record_kept(len: impl Into<Bson>) -> Document {
    let block = BLOCK as i64;
    // A double, and exact: lengths are far below 2^53.
    let blocks = doc! { "$ceil": { "$divide": [len.into(), block] } };
    doc! { "$multiply": [{ "$toLong": blocks }, block] }
}

/// As [`super::super::blob_kept`].
fn blob_kept(len: &str) -> Document {
    doc! { "$add": [record_kept(len), BLOCK as i64] }
}

fn damaged() -> StoreError {
    StoreError::Damaged("the lengths of what is stored are no whole numbers".into())
}

/// Counts so many images and bytes more, or less, in a transaction that has raised the number.
pub(super) async fn change(
    mongo: &Mongo,
    session: &mut mongodb::ClientSession,
    account: &AccountId,
    images: i64,
    bytes: i64,
) -> DriverResult<()> {
    let more = doc! { "images": images, "kept": bytes };
    mongo
        .sequences()
        .update_one(doc! { "_id": account.to_string() }, doc! { "$inc": more })
        .session(session)
        .await?;
    Ok(())
}
