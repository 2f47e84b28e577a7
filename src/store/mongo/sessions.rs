//! Rows of sessions.

use jiff::Timestamp;
use mongodb::bson::{Document, doc};

use super::super::{Result, SessionRow};
use super::Mongo;
use super::documents::{SessionDoc, binary, date};

pub(super) async fn insert(mongo: &Mongo, row: &SessionRow) -> Result<()> {
    mongo
        .answer(mongo.sessions().insert_one(SessionDoc::from(row)))
        .await?;
    Ok(())
}

pub(super) async fn by_digest(mongo: &Mongo, digest: &[u8; 32]) -> Result<Option<SessionRow>> {
    let found = mongo
        .answer(mongo.sessions().find_one(with(digest)))
        .await?;
    found.map(SessionRow::try_from).transpose()
}

pub(super) async fn touch(mongo: &Mongo, digest: &[u8; 32], at: Timestamp) -> Result<()> {
    let later = doc! { "$max": { "last_seen_at": date(at) } };
    mongo
        .answer(mongo.sessions().update_one(with(digest), later))
        .await?;
    Ok(())
}

pub(super) async fn delete(mongo: &Mongo, digest: &[u8; 32]) -> Result<()> {
    mongo
        .answer(mongo.sessions().delete_one(with(digest)))
        .await?;
    Ok(())
}

pub(super) async fn delete_expired(
    mongo: &Mongo,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<u64> {
    let over = doc! { "$or": [
        { "expires_at": { "$lte": date(now) } },
        { "last_seen_at": { "$lt": date(idle_since) } },
    ] };
    Ok(mongo
        .answer(mongo.sessions().delete_many(over))
        .await?
        .deleted_count)
}

fn with(digest: &[u8; 32]) -> Document {
    doc! { "_id": binary(digest) }
}
