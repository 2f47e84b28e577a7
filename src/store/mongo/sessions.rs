//! Sessions in MongoDB.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::{ClientSession, Collection};
use serde::Deserialize;

use crate::ids::AccountId;

use super::super::row::Row as _;
use super::super::{AccountRow, Bearer, Result, SessionKind, SessionRow, Sessions};
use super::documents::{binary, date};
use super::rows::{document, read};
use super::{DriverResult, Mongo};

#[derive(Deserialize)]
struct WithAccount {
    session: RawDocumentBuf,
    account: Vec<RawDocumentBuf>,
}

#[async_trait]
impl Sessions for Mongo {
    async fn insert_session(&self, row: &SessionRow) -> Result<()> {
        let new = self.sessions().clone_with_type();
        self.answer(new.insert_one(document(row))).await?;
        if row.scopes.is_some() {
            return Ok(());
        }
        let mut sign_ins = of(&row.account, None);
        sign_ins.insert("scopes", doc! { "$exists": false });
        let most = SessionRow::MOST_SIGN_INS;
        self.keep_newest(&SessionRow::NOUN, sign_ins, "created_at", most)
            .await
    }

    async fn session_and_account(
        &self,
        digest: &[u8; 32],
    ) -> Result<Option<(SessionRow, AccountRow)>> {
        let stages = [
            doc! { "$match": with(digest) },
            doc! { "$project": { "_id": 0, "session": "$$ROOT" } },
            doc! { "$lookup": {
                "from": self.rows::<AccountRow>().name(),
                "localField": "session.account",
                "foreignField": "_id",
                "as": "account",
            } },
        ];
        let sessions = self.sessions();
        let found = sessions.aggregate(stages).with_type::<WithAccount>();
        let found = async { found.await?.try_next().await };
        let Some(WithAccount { session, account }) = self.answer(found).await? else {
            return Ok(None);
        };
        let session = read(&session)?;
        let account = account.first().map(|account| read(account)).transpose()?;
        Ok(account.map(|account| (session, account)))
    }

    async fn sessions_of(
        &self,
        account: &AccountId,
        kind: SessionKind,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<SessionRow>> {
        let mut live = of(account, None);
        let later = doc! { "$gt": date(now) };
        live.insert("scopes", doc! { "$exists": kind == SessionKind::ApiToken });
        live.extend(doc! { "expires_at": later.clone(), "idle_at": later });
        self.all(live, doc! { "created_at": -1 }, limit).await
    }

    async fn touch_session(
        &self,
        digest: &[u8; 32],
        at: Timestamp,
        idle_at: Timestamp,
    ) -> Result<()> {
        let later = doc! { "$max": { "last_seen_at": date(at), "idle_at": date(idle_at) } };
        self.answer(self.sessions().update_one(with(digest), later))
            .await?;
        Ok(())
    }

    async fn delete_sign_ins(&self, account: &AccountId, keep: &[u8; 32]) -> Result<u64> {
        let mut others = of(account, Some(keep));
        others.insert("scopes", doc! { "$exists": false });
        let deleted = self.answer(self.sessions().delete_many(others)).await?;
        Ok(deleted.deleted_count)
    }
}

impl Mongo {
    pub(super) fn sessions(&self) -> Collection<RawDocumentBuf> {
        self.rows::<SessionRow>()
    }
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
