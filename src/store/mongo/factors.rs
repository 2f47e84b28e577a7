//! Second factors in MongoDB.

use async_trait::async_trait;
use mongodb::action::ReplaceOne;
use mongodb::bson::doc;
use mongodb::results::UpdateResult;
use mongodb::{ClientSession, Collection};

use crate::ids::AccountId;

use super::super::factors::FACTORS;
use super::super::{FactorRow, Factors, Result};
use super::factor_documents::FactorDoc;
use super::{DriverResult, Mongo, errors};

#[async_trait]
impl Factors for Mongo {
    async fn factor(&self, account: &AccountId) -> Result<Option<FactorRow>> {
        let of = doc! { "_id": account.to_string() };
        let found = self.answer(self.factors().find_one(of)).await?;
        found.map(FactorRow::try_from).transpose()
    }

    async fn put_factor(&self, row: &FactorRow) -> Result<bool> {
        let factors = self.factors();
        let put = async { taken(replacement(&factors, row).await) };
        self.answer(put).await
    }
}

impl Mongo {
    pub(super) fn factors(&self) -> Collection<FactorDoc> {
        self.database.collection(FACTORS.name)
    }
}

/// As [`Factors::put_factor`], inside a transaction.
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
