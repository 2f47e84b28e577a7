//! Rows of archives' tickets.

use futures_util::{FutureExt, TryStreamExt};
use jiff::Timestamp;
use mongodb::bson::{Document, doc};

use crate::ids::{AccountId, ArchiveId};

use super::super::{ArchiveRow, Kept, Result};
use super::Mongo;
use super::documents::{ArchiveDoc, date, texts};

pub(super) async fn insert(mongo: &Mongo, row: &ArchiveRow) -> Result<()> {
    mongo
        .answer(mongo.archives().insert_one(ArchiveDoc::from(row)))
        .await?;
    Ok(())
}

pub(super) async fn by_id(
    mongo: &Mongo,
    account: &AccountId,
    id: &ArchiveId,
) -> Result<Option<ArchiveRow>> {
    let own = doc! { "_id": id.to_string(), "account": account.to_string() };
    let found = mongo.answer(mongo.archives().find_one(own)).await?;
    found.map(ArchiveRow::try_from).transpose()
}

pub(super) async fn remove_expired(
    mongo: &Mongo,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<ArchiveRow>> {
    let over = doc! { "expires_at": { "$lt": date(now) } };
    remove(mongo, over, doc! { "expires_at": 1 }, Kept::NOTHING, limit).await
}

pub(super) async fn remove_of(
    mongo: &Mongo,
    account: &AccountId,
    keep: Kept,
    limit: u32,
) -> Result<Vec<ArchiveRow>> {
    let own = doc! { "account": account.to_string() };
    remove(mongo, own, doc! { "created_at": -1 }, keep, limit).await
}

async fn remove(
    mongo: &Mongo,
    which: Document,
    order: Document,
    keep: Kept,
    limit: u32,
) -> Result<Vec<ArchiveRow>> {
    if limit == 0 {
        return Ok(Vec::new()); // to MongoDB it means "no limit"
    }
    let context = (mongo, which, order);
    let removed = mongo
        .transact(context, |session, (mongo, which, order)| {
            async move {
                let mut found = mongo
                    .archives()
                    .find(which.clone())
                    .sort(order.clone())
                    .limit(i64::from(keep.count) + i64::from(limit))
                    .session(&mut *session)
                    .await?;
                let found: Vec<ArchiveDoc> = found.stream(session).try_collect().await?;
                let mut gone = beyond(found, keep);
                gone.truncate(limit as usize);
                if gone.is_empty() {
                    return Ok(gone); // as nearly always
                }
                let ids: Vec<ArchiveId> = gone.iter().map(|archive| archive.id).collect();
                let these = doc! { "_id": { "$in": texts(&ids) } };
                mongo.archives().delete_many(these).session(session).await?;
                Ok(gone)
            }
            .boxed()
        })
        .await?;
    removed.into_iter().map(ArchiveRow::try_from).collect()
}

/// Those that do not keep within `keep`.
fn beyond(archives: Vec<ArchiveDoc>, keep: Kept) -> Vec<ArchiveDoc> {
    let (mut place, mut bytes) = (0, 0_u64);
    let is_beyond = |archive: &ArchiveDoc| {
        place += 1;
        bytes = bytes.saturating_add(archive.plan.len);
        place > keep.count || bytes > keep.bytes
    };
    archives.into_iter().filter(is_beyond).collect()
}
