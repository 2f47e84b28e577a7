//! Rows of invitations.

use jiff::Timestamp;
use mongodb::bson::doc;

use super::super::{InvitationRow, Result};
use super::Mongo;
use super::account_documents::InvitationDoc;
use super::documents::{binary, date};

pub(super) async fn insert(mongo: &Mongo, row: &InvitationRow) -> Result<()> {
    mongo
        .answer(mongo.invitations().insert_one(InvitationDoc::from(row)))
        .await?;
    Ok(())
}

pub(super) async fn take(
    mongo: &Mongo,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<InvitationRow>> {
    let live = doc! { "_id": binary(digest), "expires_at": { "$gt": date(now) } };
    let taken = mongo
        .answer(mongo.invitations().find_one_and_delete(live))
        .await?;
    taken.map(InvitationRow::try_from).transpose()
}

pub(super) async fn purge(mongo: &Mongo, now: Timestamp) -> Result<u64> {
    let over = doc! { "expires_at": { "$lte": date(now) } };
    Ok(mongo
        .answer(mongo.invitations().delete_many(over))
        .await?
        .deleted_count)
}
