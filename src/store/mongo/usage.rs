//! How much an account keeps: counted in the document of its sequence number.

use futures_util::{FutureExt, TryStreamExt};
use mongodb::bson::{Document, doc};

use crate::ids::AccountId;

use super::super::quotas::{Allowance, UsageRow};
use super::super::{ImageRow, Result, StoreError};
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
            bytes: u64::try_from(self.bytes).unwrap_or(0),
            images_allowed: Allowance::read(self.images_allowed),
            bytes_allowed: Allowance::read(self.bytes_allowed),
        }
    }

    /// The same before this image was counted.
    pub(super) fn usage_without(&self, row: &ImageRow) -> UsageRow {
        let after = self.usage();
        UsageRow {
            images: after.images.saturating_sub(1),
            bytes: after.bytes.saturating_sub(row.original.len),
            ..after
        }
    }
}

pub(super) async fn of(mongo: &Mongo, account: &AccountId) -> Result<UsageRow> {
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
pub(super) async fn allow(
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
            let begun = doc! { "seq": 0_i64, "images": 0_i64, "bytes": 0_i64 };
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

/// Counts what accounts keep that were not counted yet. May be repeated, and done by several at
/// once: an account is counted where it has not changed meanwhile and nobody else has counted it.
pub(super) async fn count_all(mongo: &Mongo) -> Result<()> {
    let uncounted = doc! { "images": { "$exists": false } };
    for _ in 0..MOST_RACES {
        let found = async {
            let found = mongo.sequences().find(uncounted.clone()).await?;
            found.try_collect::<Vec<SequenceDoc>>().await
        };
        let found = mongo.answer(found).await?;
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
    let sums = vec![
        doc! { "$match": { "account": &account } },
        doc! { "$group": {
            "_id": null, "images": { "$sum": 1_i64 }, "bytes": { "$sum": { "$toLong": "$original.len" } },
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
        "_id": account, "seq": known.seq as i64, "images": { "$exists": false },
    };
    let counted = doc! { "$set": { "images": sum("images")?, "bytes": sum("bytes")? } };
    mongo
        .answer(mongo.sequences().update_one(unchanged, counted))
        .await?;
    Ok(())
}

fn damaged() -> StoreError {
    StoreError::Damaged("the lengths of originals are no whole numbers".into())
}

/// Counts images that are removed in a transaction.
pub(super) async fn take(
    mongo: &Mongo,
    session: &mut mongodb::ClientSession,
    account: &AccountId,
    images: usize,
    bytes: u64,
) -> DriverResult<()> {
    let less = doc! { "images": -(images as i64), "bytes": -(bytes as i64) };
    mongo
        .sequences()
        .update_one(doc! { "_id": account.to_string() }, doc! { "$inc": less })
        .session(session)
        .await?;
    Ok(())
}
