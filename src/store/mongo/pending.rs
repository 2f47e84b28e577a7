//! Rows of what waits to be finished.

use jiff::Timestamp;
use mongodb::bson::{Document, doc};

use crate::ids::AccountId;

use super::super::{PendingRow, Result};
use super::Mongo;
use super::documents::{binary, date};
use super::factor_documents::PendingDoc;

pub(super) async fn insert(mongo: &Mongo, row: &PendingRow) -> Result<()> {
    mongo
        .answer(mongo.pending().insert_one(PendingDoc::from(row)))
        .await?;
    let Some(account) = &row.account else {
        return Ok(());
    };
    let of_account = doc! { "account": account.to_string() };
    mongo
        .keep_newest(mongo.pending(), of_account, "expires_at", PendingRow::MOST)
        .await
}

pub(super) async fn by_digest(
    mongo: &Mongo,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<PendingRow>> {
    let found = mongo
        .answer(mongo.pending().find_one(live(digest, now)))
        .await?;
    found.map(PendingRow::try_from).transpose()
}

pub(super) async fn take(
    mongo: &Mongo,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<PendingRow>> {
    let taken = mongo
        .answer(mongo.pending().find_one_and_delete(live(digest, now)))
        .await?;
    taken.map(PendingRow::try_from).transpose()
}

pub(super) async fn delete_of(mongo: &Mongo, account: &AccountId) -> Result<()> {
    let of = doc! { "account": account.to_string() };
    mongo.answer(mongo.pending().delete_many(of)).await?;
    Ok(())
}

pub(super) async fn purge(mongo: &Mongo, now: Timestamp) -> Result<u64> {
    let over = doc! { "expires_at": { "$lte": date(now) } };
    Ok(mongo
        .answer(mongo.pending().delete_many(over))
        .await?
        .deleted_count)
}

fn live(digest: &[u8; 32], now: Timestamp) -> Document {
    doc! { "_id": binary(digest), "expires_at": { "$gt": date(now) } }
}
