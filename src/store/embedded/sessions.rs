//! Sessions in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::Connection;

use crate::ids::AccountId;

use super::super::{AccountRow, Bearer, Result, SessionKind, SessionRow, Sessions};
use super::columns::Millis;
use super::database::Database;
use super::{accounts, rows};

statements! {
    BY_DIGEST = "SELECT * FROM sessions WHERE digest = ?1";
    IS_LIVE = "SELECT 1 FROM sessions
        WHERE digest = ?1 AND account = ?2 AND expires_at > ?3 AND idle_at > ?3";
    OF_ACCOUNT =
        "SELECT * FROM sessions
         WHERE account = ?1 AND (scopes IS NULL) = ?2 AND expires_at > ?3 AND idle_at > ?3
         ORDER BY created_at DESC LIMIT ?4";
    TOUCH = "UPDATE sessions SET last_seen_at = max(last_seen_at, ?2), idle_at = max(idle_at, ?3)
        WHERE digest = ?1";
    DELETE_OF = "DELETE FROM sessions WHERE account = ?1 AND digest IS NOT ?2";
    DELETE_SIGN_INS = "DELETE FROM sessions WHERE account = ?1 AND digest IS NOT ?2 AND scopes IS NULL";
    DELETE_OLDEST =
        "DELETE FROM sessions WHERE account = ?1 AND scopes IS NULL AND created_at <
         (SELECT created_at FROM sessions WHERE account = ?1 AND scopes IS NULL
          ORDER BY created_at DESC LIMIT 1 OFFSET ?2 - 1)";
}

#[async_trait]
impl Sessions for Database {
    async fn insert_session(&self, row: &SessionRow) -> Result<()> {
        let row = row.clone();
        self.write(move |db| {
            rows::insert(db, &row)?;
            if row.scopes.is_none() {
                let mut delete = db.prepare_cached(DELETE_OLDEST)?;
                delete.execute((row.account, SessionRow::MOST_SIGN_INS))?;
            }
            Ok(())
        })
        .await
    }

    async fn session_and_account(
        &self,
        digest: &[u8; 32],
    ) -> Result<Option<(SessionRow, AccountRow)>> {
        let digest = *digest;
        self.read(move |db| {
            let Some(session) = rows::one::<SessionRow>(db, BY_DIGEST, [digest])? else {
                return Ok(None);
            };
            let account = accounts::by_id(db, &session.account)?;
            Ok(account.map(|account| (session, account)))
        })
        .await
    }

    async fn sessions_of(
        &self,
        account: &AccountId,
        kind: SessionKind,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<SessionRow>> {
        let is_sign_in = kind == SessionKind::SignIn;
        let these = (*account, is_sign_in, Millis(now), limit);
        self.all(OF_ACCOUNT, these).await
    }

    async fn touch_session(
        &self,
        digest: &[u8; 32],
        at: Timestamp,
        idle_at: Timestamp,
    ) -> Result<()> {
        let use_of = (*digest, Millis(at), Millis(idle_at));
        self.execute(TOUCH, use_of).await?;
        Ok(())
    }

    async fn delete_sign_ins(&self, account: &AccountId, keep: &[u8; 32]) -> Result<u64> {
        self.execute(DELETE_SIGN_INS, (*account, *keep)).await
    }
}

/// Whether the bearer has a session of this account that has not ended.
pub(super) fn is_live(
    connection: &Connection,
    bearer: &Bearer,
    account: &AccountId,
) -> Result<bool> {
    let mut live = connection.prepare_cached(IS_LIVE)?;
    Ok(live.exists((bearer.session, account, Millis(bearer.now)))?)
}

/// Ends all of an account but one.
pub(super) fn delete_of(
    connection: &Connection,
    account: &AccountId,
    keep: Option<&[u8; 32]>,
) -> Result<()> {
    let mut delete = connection.prepare_cached(DELETE_OF)?;
    delete.execute((account, keep))?;
    Ok(())
}
