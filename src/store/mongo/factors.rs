//! Rows of second factors.

use mongodb::ClientSession;
use mongodb::bson::doc;
use mongodb::options::ReplaceOptions;

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
    let unchanged = doc! { "_id": row.account.to_string(), "revision": row.revision as i64 };
    // Where the row is there with another revision, the insertion meets its id.
    let options = ReplaceOptions::builder().upsert(row.revision == 0).build();
    let put = async {
        let replaced = mongo
            .factors()
            .replace_one(unchanged, FactorDoc::from(row))
            .with_options(options)
            .await;
        match replaced {
            Err(error) if errors::is_duplicate(&error) => Ok(false),
            replaced => replaced.map(|done| done.matched_count == 1 || done.upserted_id.is_some()),
        }
    };
    mongo.answer(put).await
}

/// Replaces a row inside a transaction; `false` where another one is stored, or one where there was
/// none.
pub(super) async fn put_again(
    mongo: &Mongo,
    session: &mut ClientSession,
    account: &AccountId,
    row: Option<&FactorRow>,
) -> DriverResult<bool> {
    let own = doc! { "_id": account.to_string() };
    let Some(row) = row else {
        let found = mongo.factors().find_one(own).session(session).await?;
        return Ok(found.is_none());
    };
    let mut unchanged = own;
    unchanged.insert("revision", row.revision as i64);
    let replaced = mongo
        .factors()
        .replace_one(unchanged, FactorDoc::from(row))
        .session(session)
        .await?;
    Ok(replaced.matched_count == 1)
}

/// The document stays, so that nobody who read it before can write it again.
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
