//! Rows of second factors.

use mongodb::action::ReplaceOne;
use mongodb::bson::doc;
use mongodb::results::UpdateResult;
use mongodb::{ClientSession, Collection};

use crate::ids::AccountId;

use super::super::{FactorRow, Result};
use super::factor_documents::FactorDoc;
use super::{DriverResult, Mongo, errors};

pub(super) async fn of_account(mongo: &Mongo, account: &AccountId) -> Result<Option<FactorRow>> {
    let found = mongo
        .answer(
            mongo
                .factors()
                .find_one(doc! { "_id": account.to_string() }),
        )
        .await?;
    found.map(FactorRow::try_from).transpose()
}

pub(super) async fn put(mongo: &Mongo, row: &FactorRow) -> Result<bool> {
    let factors = mongo.factors();
    let put = async { taken(replacement(&factors, row).await) };
    mongo.answer(put).await
}

/// The same inside a transaction.
pub(super) async fn put_again(
    mongo: &Mongo,
    session: &mut ClientSession,
    row: &FactorRow,
) -> DriverResult<bool> {
    taken(replacement(&mongo.factors(), row).session(session).await)
}

/// Puts the row over the one that was read.
fn replacement<'a>(factors: &'a Collection<FactorDoc>, row: &FactorRow) -> ReplaceOne<'a> {
    let unchanged = doc! { "_id": row.account.to_string(), "revision": row.revision as i64 };
    let replace = factors.replace_one(unchanged, FactorDoc::from(row));
    // Where the row is there with another revision, the insertion meets its id.
    replace.upsert(row.revision == 0)
}

/// Whether it was done.
fn taken(replaced: DriverResult<UpdateResult>) -> DriverResult<bool> {
    match replaced {
        Err(error) if errors::is_duplicate(&error) => Ok(false),
        replaced => replaced.map(|done| done.matched_count == 1 || done.upserted_id.is_some()),
    }
}

/// Changes nothing but the revision: nobody who read before can write.
pub(super) async fn touch(
    mongo: &Mongo,
    session: &mut ClientSession,
    account: &AccountId,
) -> DriverResult<()> {
    let touched = doc! { "$inc": { "revision": 1_i64 }, "$setOnInsert": { "passkeys": [] } };
    mongo
        .factors()
        .update_one(doc! { "_id": account.to_string() }, touched)
        .upsert(true)
        .session(session)
        .await?;
    Ok(())
}

/// A document is left in any case, so that nobody who read before can write.
pub(super) async fn clear(
    mongo: &Mongo,
    session: &mut ClientSession,
    account: &AccountId,
) -> DriverResult<()> {
    let cleared = doc! {
        "$unset": { "authenticator": "", "spare_codes": "" },
        "$set": { "passkeys": [] },
        "$inc": { "revision": 1_i64 },
    };
    mongo
        .factors()
        .update_one(doc! { "_id": account.to_string() }, cleared)
        .upsert(true)
        .session(session)
        .await?;
    Ok(())
}

pub(super) async fn delete(
    mongo: &Mongo,
    session: &mut ClientSession,
    account: &AccountId,
) -> DriverResult<()> {
    mongo
        .factors()
        .delete_one(doc! { "_id": account.to_string() })
        .session(session)
        .await?;
    Ok(())
}
