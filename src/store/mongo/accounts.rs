//! Accounts in MongoDB.

use async_trait::async_trait;
use futures_util::FutureExt;
use jiff::Timestamp;
use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::{ClientSession, Collection};

use crate::ids::AccountId;

use super::super::{
    AccountRow, Accounts, Admission, DepartedRow, FactorRow, InvitationRow, Result, Role,
    StoreError, Updated,
};
use super::Mongo;
use super::documents::{binary, date};
use super::rows::{document, update};
use super::{DriverResult, factors, meta, sessions};

#[async_trait]
impl Accounts for Mongo {
    async fn insert_account(&self, row: &AccountRow, admission: &Admission) -> Result<Role> {
        insert(self, row, admission).await
    }

    async fn has_accounts(&self) -> Result<bool> {
        meta::is_founded(self).await
    }

    async fn account_by_login(&self, key: &str) -> Result<Option<AccountRow>> {
        let either = doc! { "$or": [{ "username_key": key }, { "email_key": key }] };
        self.one(either).await
    }

    async fn account_by_skeleton(&self, skeleton: &str) -> Result<Option<AccountRow>> {
        self.one(doc! { "username_skeleton": skeleton }).await
    }

    async fn accounts_without_skeleton(
        &self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountRow>> {
        let mut without = doc! { "username_skeleton": null };
        without.extend(after.map(|id| ("_id".into(), doc! { "$gt": id.to_string() }.into())));
        self.all(without, doc! { "_id": 1 }, limit).await
    }

    async fn update_account(&self, row: &AccountRow) -> Result<Updated> {
        let updated = self
            .answer(
                self.accounts()
                    .update_one(unchanged(row), update(&next(row))),
            )
            .await?;
        outcome(self, row, updated.matched_count == 1).await
    }

    async fn replace_credentials(
        &self,
        row: &AccountRow,
        keep: Option<&[u8; 32]>,
    ) -> Result<Updated> {
        replace(self, row, keep, Factor::Touched).await
    }

    async fn reset_credentials(&self, row: &AccountRow) -> Result<Updated> {
        replace(self, row, None, Factor::Cleared).await
    }

    async fn rotate_credentials(&self, row: &AccountRow, factor: &FactorRow) -> Result<Updated> {
        replace(self, row, None, Factor::Put(factor)).await
    }

    async fn remove_account(&self, id: &AccountId, at: Timestamp) -> Result<()> {
        remove(self, id, at).await
    }

    async fn departed(&self, until: Timestamp, limit: u32) -> Result<Vec<DepartedRow>> {
        let by_then = doc! { "at": { "$lte": date(until) } };
        self.all(by_then, doc! { "at": 1 }, limit).await
    }
}

impl Mongo {
    pub(super) fn accounts(&self) -> Collection<RawDocumentBuf> {
        self.rows::<AccountRow>()
    }
}

/// Who is first is noted in a document that every insertion touches or reads, and an invitation is
/// deleted: two insertions that may not both succeed write one document, and the later comes again.
async fn insert(mongo: &Mongo, row: &AccountRow, admission: &Admission) -> Result<Role> {
    let insert = mongo.transact(
        (mongo, row, admission),
        |session, (mongo, row, admission)| {
            async move {
                let founder = meta::is_founder(mongo, session, &row.id).await?;
                let admitted = founder
                    || match admission {
                        Admission::Anyone => true,
                        Admission::OnlyFirst => false,
                        Admission::Invited { digest, now } => {
                            spend(mongo, session, digest, *now).await?
                        }
                    };
                if !admitted {
                    session.abort_transaction().await?;
                    return Ok(None);
                }
                let role = match founder {
                    true => Role::Administrator,
                    false => row.role,
                };
                let account = AccountRow {
                    role,
                    ..(*row).clone()
                };
                mongo
                    .accounts()
                    .clone_with_type()
                    .insert_one(document(&account))
                    .session(session)
                    .await?;
                Ok(Some(role))
            }
            .boxed()
        },
    );
    insert.await?.ok_or(StoreError::NotAdmitted)
}

/// What becomes of the second factor along with the credentials.
#[derive(Clone, Copy)]
enum Factor<'a> {
    Touched,
    Cleared,
    Put(&'a FactorRow),
}

async fn replace(
    mongo: &Mongo,
    row: &AccountRow,
    keep: Option<&[u8; 32]>,
    factor: Factor<'_>,
) -> Result<Updated> {
    let context = (mongo, row, keep, factor, update(&next(row)));
    let replaced = mongo
        .transact(context, |session, (mongo, row, keep, factor, change)| {
            async move {
                // Images are inserted one transaction at a time, which write to this document: none
                // that has looked at the old row is let through after this one. It comes first, as it
                // does there: who uploads without a pause would otherwise always be before it.
                let own = doc! { "_id": row.id.to_string() };
                let passed = doc! { "$inc": { "seq": 0_i64, "credentials": 1_i64 } };
                mongo
                    .sequences()
                    .update_one(own, passed)
                    .upsert(true)
                    .session(&mut *session)
                    .await?;
                let replaced = mongo
                    .accounts()
                    .update_one(unchanged(row), change.clone())
                    .session(&mut *session)
                    .await?;
                if replaced.matched_count == 0 {
                    session.abort_transaction().await?;
                    return Ok(false);
                }
                mongo
                    .sessions()
                    .delete_many(sessions::of(&row.id, *keep))
                    .session(&mut *session)
                    .await?;
                let is_done = match factor {
                    Factor::Touched => {
                        factors::touch(mongo, &mut *session, &row.id).await?;
                        true
                    }
                    Factor::Cleared => {
                        factors::clear(mongo, &mut *session, &row.id).await?;
                        true
                    }
                    Factor::Put(factor) => factors::put_again(mongo, &mut *session, factor).await?,
                };
                if !is_done {
                    session.abort_transaction().await?;
                }
                Ok(is_done)
            }
            .boxed()
        })
        .await?;
    // A session that came between the transaction's snapshot and its end was not seen by it.
    if replaced {
        let others = sessions::of(&row.id, keep);
        mongo.answer(mongo.sessions().delete_many(others)).await?;
    }
    outcome(mongo, row, replaced).await
}

/// The account goes first, with its keys and sessions, in one transaction; what else it owns follows
/// in calls of its own, since a transaction has a minute.
async fn remove(mongo: &Mongo, id: &AccountId, at: Timestamp) -> Result<()> {
    mongo
        .transact((mongo, id), |session, (mongo, id)| {
            async move {
                let own = doc! { "_id": id.to_string() };
                let note = doc! { "$setOnInsert": { "at": date(at) } };
                // First, for the reason that new credentials have.
                mongo
                    .sequences()
                    .delete_one(own.clone())
                    .session(&mut *session)
                    .await?;
                mongo
                    .rows::<DepartedRow>()
                    .update_one(own.clone(), note)
                    .upsert(true)
                    .session(&mut *session)
                    .await?;
                mongo
                    .accounts()
                    .delete_one(own)
                    .session(&mut *session)
                    .await?;
                mongo
                    .sessions()
                    .delete_many(sessions::of(id, None))
                    .session(&mut *session)
                    .await?;
                mongo
                    .factors()
                    .delete_one(doc! { "_id": id.to_string() })
                    .session(session)
                    .await?;
                Ok(())
            }
            .boxed()
        })
        .await?;
    mongo.remove_all_of(id).await
}

/// Whether there was an invitation that had not ended. Of two who delete one document, the later meets
/// a write conflict, comes again, and finds none.
async fn spend(
    mongo: &Mongo,
    session: &mut ClientSession,
    digest: &[u8; 32],
    now: Timestamp,
) -> DriverResult<bool> {
    let live = doc! { "_id": binary(digest), "expires_at": { "$gt": date(now) } };
    let invitations = mongo.rows::<InvitationRow>();
    let spent = invitations.delete_one(live).session(session).await?;
    Ok(spent.deleted_count == 1)
}

/// The row after a change.
fn next(row: &AccountRow) -> AccountRow {
    AccountRow {
        revision: row.revision + 1,
        ..row.clone()
    }
}

fn unchanged(row: &AccountRow) -> Document {
    doc! { "_id": row.id.to_string(), "revision": row.revision as i64 }
}

async fn outcome(mongo: &Mongo, row: &AccountRow, replaced: bool) -> Result<Updated> {
    if replaced {
        return Ok(Updated::Done);
    }
    let exists = mongo.account(&row.id).await?.is_some();
    Ok(if exists {
        Updated::Conflict
    } else {
        Updated::Missing
    })
}
