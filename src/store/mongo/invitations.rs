//! Rows of invitations.

use jiff::Timestamp;
use mongodb::ClientSession;
use mongodb::bson::doc;

use super::super::{InvitationRow, Result};
use super::account_documents::InvitationDoc;
use super::documents::{binary, date};
use super::{DriverResult, Mongo};

pub(super) async fn insert(mongo: &Mongo, row: &InvitationRow) -> Result<()> {
    mongo
        .answer(mongo.invitations().insert_one(InvitationDoc::from(row)))
        .await?;
    Ok(())
}

/// Whether there was one that had not ended. Part of the transaction that it is spent on: of two who
/// delete one document, the later meets a write conflict, comes again, and finds none.
pub(super) async fn spend(
    mongo: &Mongo,
    session: &mut ClientSession,
    digest: &[u8; 32],
    now: Timestamp,
) -> DriverResult<bool> {
    let live = doc! { "_id": binary(digest), "expires_at": { "$gt": date(now) } };
    let invitations = mongo.invitations();
    let spent = invitations.delete_one(live).session(session).await?;
    Ok(spent.deleted_count == 1)
}

pub(super) async fn by_digest(mongo: &Mongo, digest: &[u8; 32]) -> Result<Option<InvitationRow>> {
    let one = doc! { "_id": binary(digest) };
    let found = mongo.answer(mongo.invitations().find_one(one)).await?;
    found.map(InvitationRow::try_from).transpose()
}

pub(super) async fn purge(mongo: &Mongo, now: Timestamp) -> Result<u64> {
    let over = doc! { "expires_at": { "$lte": date(now) } };
    Ok(mongo
        .answer(mongo.invitations().delete_many(over))
        .await?
        .deleted_count)
}
