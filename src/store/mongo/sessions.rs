//! Rows of sessions.

use futures_util::TryStreamExt;
use jiff::Timestamp;
use mongodb::ClientSession;
use mongodb::bson::{Document, doc};
use serde::Deserialize;

use crate::ids::AccountId;

use super::super::{AccountRow, Bearer, Result, SessionKind, SessionRow};
use super::account_documents::{AccountDoc, SessionDoc};
use super::documents::{binary, date};
use super::{DriverResult, Mongo};

pub(super) async fn insert(mongo: &Mongo, row: &SessionRow) -> Result<()> {
    mongo
        .answer(mongo.sessions().insert_one(SessionDoc::from(row)))
        .await?;
    if row.scopes.is_some() {
        return Ok(());
    }
    let mut sign_ins = of(&row.account, None);
    sign_ins.insert("scopes", doc! { "$exists": false });
    let most = SessionRow::MOST_SIGN_INS;
    mongo
        .keep_newest(mongo.sessions(), sign_ins, "created_at", most)
        .await
}

pub(super) async fn by_digest(mongo: &Mongo, digest: &[u8; 32]) -> Result<Option<SessionRow>> {
    let found = mongo
        .answer(mongo.sessions().find_one(with(digest)))
        .await?;
    found.map(SessionRow::try_from).transpose()
}

#[derive(Deserialize)]
struct WithAccount {
    session: SessionDoc,
    account: Vec<AccountDoc>,
}

pub(super) async fn with_account(
    mongo: &Mongo,
    digest: &[u8; 32],
) -> Result<Option<(SessionRow, AccountRow)>> {
    let stages = [
        doc! { "$match": with(digest) },
        doc! { "$project": { "_id": 0, "session": "$$ROOT" } },
        doc! { "$lookup": {
            "from": mongo.accounts().name(),
            "localField": "session.account",
            "foreignField": "_id",
            "as": "account",
        } },
    ];
    let found = async {
        let sessions = mongo.sessions();
        let found = sessions.aggregate(stages).with_type::<WithAccount>();
        found.await?.try_next().await
    };
    let Some(WithAccount { session, account }) = mongo.answer(found).await? else {
        return Ok(None);
    };
    let session = SessionRow::try_from(session)?;
    let account = account.into_iter().next().map(AccountRow::try_from);
    Ok(account.transpose()?.map(|account| (session, account)))
}

/// Whether the bearer has a session of this account that has not ended, noted in the transaction
/// that stores something on its authority.
///
/// A transaction that only read the session would see it as it was when its snapshot was taken, and
/// commit after the session's end was. So it writes to the row, a count that nothing reads: whoever
/// ends the session writes the same row, and MongoDB lets two writers of one document through one
/// after the other. Where the end came first, this transaction meets a write conflict, begins anew
/// and finds no session; where this one came first, the end waits for its commit. A time at which
/// the session ends by itself is not written when it comes, and is compared.
pub(super) async fn note_use(
    mongo: &Mongo,
    session: &mut ClientSession,
    bearer: &Bearer,
    account: &AccountId,
) -> DriverResult<bool> {
    let later = doc! { "$gt": date(bearer.now) };
    let mut live = with(&bearer.session);
    live.extend(doc! {
        "account": account.to_string(), "expires_at": later.clone(), "idle_at": later,
    });
    let noted = mongo
        .sessions()
        .update_one(live, doc! { "$inc": { "stored": 1_i64 } })
        .session(session)
        .await?;
    Ok(noted.matched_count == 1)
}

pub(super) async fn of_account(
    mongo: &Mongo,
    account: &AccountId,
    kind: SessionKind,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<SessionRow>> {
    let mut live = of(account, None);
    let later = doc! { "$gt": date(now) };
    live.insert("scopes", doc! { "$exists": kind == SessionKind::ApiToken });
    live.extend(doc! { "expires_at": later.clone(), "idle_at": later });
    let found = async {
        mongo
            .sessions()
            .find(live)
            .sort(doc! { "created_at": -1 })
            .limit(i64::from(limit))
            .await?
            .try_collect::<Vec<_>>()
            .await
    };
    let documents = mongo.answer(found).await?;
    documents.into_iter().map(SessionRow::try_from).collect()
}

pub(super) async fn touch(
    mongo: &Mongo,
    digest: &[u8; 32],
    at: Timestamp,
    idle_at: Timestamp,
) -> Result<()> {
    let later = doc! { "$max": { "last_seen_at": date(at), "idle_at": date(idle_at) } };
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

pub(super) async fn delete_of(
    mongo: &Mongo,
    account: &AccountId,
    keep: Option<&[u8; 32]>,
) -> Result<u64> {
    Ok(mongo
        .answer(mongo.sessions().delete_many(of(account, keep)))
        .await?
        .deleted_count)
}

pub(super) async fn delete_sign_ins(
    mongo: &Mongo,
    account: &AccountId,
    keep: &[u8; 32],
) -> Result<u64> {
    let mut others = of(account, Some(keep));
    others.insert("scopes", doc! { "$exists": false });
    Ok(mongo
        .answer(mongo.sessions().delete_many(others))
        .await?
        .deleted_count)
}

pub(super) async fn delete_expired(mongo: &Mongo, now: Timestamp) -> Result<u64> {
    let over = doc! { "$or": [
        { "expires_at": { "$lte": date(now) } },
        { "idle_at": { "$lte": date(now) } },
    ] };
    Ok(mongo
        .answer(mongo.sessions().delete_many(over))
        .await?
        .deleted_count)
}

/// All of an account but one.
pub(super) fn of(account: &AccountId, but: Option<&[u8; 32]>) -> Document {
    let mut sessions = doc! { "account": account.to_string() };
    if let Some(digest) = but {
        sessions.insert("_id", doc! { "$ne": binary(digest) });
    }
    sessions
}

fn with(digest: &[u8; 32]) -> Document {
    doc! { "_id": binary(digest) }
}
