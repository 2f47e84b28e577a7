//! The account's sign-ins: listed, and ended from elsewhere.

use jiff::Timestamp;

use crate::ids::SessionId;
use crate::store::{EventKind, SessionKind, SessionRow};
use crate::vault::error::{Result, VaultError};
use crate::vault::{Caller, Started, Unlocked, Vault};

/// A sign-in that has not ended.
pub struct Device {
    /// Names the sign-in in calls.
    pub id: SessionId,
    /// Whether it is the sign-in of this request.
    pub current: bool,
    /// Kind of client.
    pub device: String,
    /// The IP address it began from, as text.
    pub address: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
}

/// The first half of the digest: enough to tell sessions apart, and less than the key by which the
/// store finds them.
pub(super) fn id_of(row: &SessionRow) -> SessionId {
    let mut id = [0; 16];
    id.copy_from_slice(&row.digest[..16]);
    SessionId::from_bytes(id)
}

impl Vault {
    /// The account's live sign-ins: the one of this request first, then the most recently used.
    ///
    /// # Errors
    /// The store's.
    pub async fn devices(&self, who: &Unlocked) -> Result<Vec<Device>> {
        let mut rows = self.live_sessions(who, SessionRow::MOST_SIGN_INS).await?;
        rows.sort_by_key(|row| {
            (
                row.digest != who.session,
                std::cmp::Reverse(row.last_seen_at),
            )
        });
        let device = |row: SessionRow| Device {
            id: id_of(&row),
            current: row.digest == who.session,
            device: row.label,
            address: row.address,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            expires_at: row.expires_at,
        };
        Ok(rows.into_iter().map(device).collect())
    }

    /// Ends one of the account's sign-ins, and the downloads that run on it.
    ///
    /// # Errors
    /// [`VaultError::NotFound`].
    pub async fn end_device(&self, who: &Unlocked, id: &SessionId, caller: &Caller) -> Result<()> {
        let rows = self.live_sessions(who, u32::MAX).await?;
        self.end_session(who, rows, id).await?;
        self.note(who.id(), EventKind::SessionsEnded, caller).await;
        Ok(())
    }

    /// Ends the session with this id, which is one of these.
    pub(super) async fn end_session(
        &self,
        who: &Unlocked,
        rows: Vec<SessionRow>,
        id: &SessionId,
    ) -> Result<()> {
        let row = rows.iter().find(|row| id_of(row) == *id);
        let row = row.ok_or(VaultError::NotFound)?;
        if row.digest == who.session {
            who.watch.resign();
        }
        Ok(self.store().records.delete_session(&row.digest).await?)
    }

    /// Ends all of the account's sign-ins but this one; returns how many.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_other_devices(&self, who: &Unlocked, caller: &Caller) -> Result<u64> {
        let records = &self.store().records;
        let ended = records.delete_sign_ins(who.id(), &who.session).await?;
        if ended > 0 {
            self.note(who.id(), EventKind::SessionsEnded, caller).await;
        }
        Ok(ended)
    }

    /// Gives this sign-in a new id and secret; the old ones open nothing any more.
    ///
    /// # Errors
    /// [`VaultError::Unauthenticated`] where the sign-in has ended meanwhile.
    pub async fn renew_session(&self, who: &Unlocked, caller: &Caller) -> Result<Started> {
        let account = who.account.clone();
        let started = self
            .start_session(account, &who.keyring.master, caller, who.lifetime)
            .await?;
        let records = &self.store().records;
        // The old session was ended meanwhile: then it gets no successor.
        if records.session(&who.session).await?.is_none() {
            records.delete_session(&started.digest).await?;
            return Err(VaultError::Unauthenticated);
        }
        who.watch.resign();
        records.delete_session(&who.session).await?;
        Ok(started)
    }

    async fn live_sessions(&self, who: &Unlocked, limit: u32) -> Result<Vec<SessionRow>> {
        let records = &self.store().records;
        let kind = SessionKind::SignIn;
        Ok(records
            .sessions_of(who.id(), kind, self.now(), limit)
            .await?)
    }
}
