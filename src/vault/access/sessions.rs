//! Sessions: how they begin and end, and what a request gets from a session's secret.

use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::scopes::{API_TOKEN_PREFIX, Scope, Scopes};
use super::watch::Watch;
use crate::crypto::{MasterKey, SessionToken, WrapKind};
use crate::ids::AccountId;
use crate::store::{AccountRow, SessionRow};
use crate::vault::error::{Result, VaultError};
use crate::vault::keys::Keyring;
use crate::vault::{Caller, Vault, keys};

/// How often a session's last use is written.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// How long a sign-in lasts.
#[derive(Clone, Copy)]
pub(in crate::vault) enum SessionLifetime {
    /// As long as it is in use, and no longer than a day's work.
    Idle,
    /// For weeks, on a device that is the person's own.
    Remembered,
}

/// A session that has just begun.
pub struct Started {
    /// The secret: the cookie's value and the bearer token. Kept nowhere else.
    pub token: Zeroizing<String>,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// Whether it lasts on this device, used or not.
    pub kept: bool,
    /// The account it belongs to.
    pub account: AccountRow,
    pub(in crate::vault) digest: [u8; 32],
}

/// An account whose owner is signed in: the master key is at hand, for as long as this lives.
pub struct Unlocked {
    /// The account.
    pub account: AccountRow,
    /// When the session ends whatever happens.
    pub expires_at: Timestamp,
    pub(in crate::vault) keyring: Keyring,
    pub(in crate::vault) session: [u8; 32],
    pub(in crate::vault) watch: Watch,
    pub(in crate::vault) lifetime: SessionLifetime,
    /// The scopes of an API token; `None` for a sign-in, which may do everything.
    scopes: Option<Scopes>,
    csrf_token: String,
    token: SessionToken,
}

impl Unlocked {
    /// The secret that a change must carry beside the cookie, to show that our own page asked for
    /// it.
    pub fn csrf_token(&self) -> &str {
        &self.csrf_token
    }

    /// Whether `given` is this session's token, in constant time.
    pub fn csrf_matches(&self, given: &str) -> bool {
        self.token.secret().csrf_matches(given)
    }

    /// Whether the session may do this: a sign-in may do all, an API token what its owner chose.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.is_none_or(|scopes| scopes.has(scope))
    }

    /// The scopes of the API token; `None` for a sign-in.
    pub fn scopes(&self) -> Option<Scopes> {
        self.scopes
    }

    /// The watch on the session, for work that takes longer than a moment.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The account's id.
    pub fn id(&self) -> &AccountId {
        &self.account.id
    }
}

fn is_live(row: &SessionRow, now: Timestamp) -> bool {
    row.expires_at > now && row.idle_at > now
}

/// Whether an API token is used for the first time: its owner wants to see that at once.
fn is_first_use(row: &SessionRow, now: Timestamp) -> bool {
    row.scopes.is_some() && row.last_seen_at == row.created_at && now > row.created_at
}

impl Vault {
    /// Ends a session that has just begun where the password that opened it has been changed
    /// meanwhile: the change has ended the sessions that it found, and this one came after.
    pub(in crate::vault) async fn end_if_credentials_changed(
        &self,
        proven: &AccountRow,
        digest: &[u8; 32],
    ) -> Result<bool> {
        let records = &self.store().records;
        let now = records.account(&proven.id).await?;
        let secrets = |row: &AccountRow| (row.password_set_at, row.mk_generation);
        let changed = now.is_none_or(|now| secrets(&now) != secrets(proven));
        if changed {
            records.delete_session(digest).await?;
        }
        Ok(changed)
    }

    /// Begins a session with a new id and secret.
    pub(in crate::vault) async fn start_session(
        &self,
        account: AccountRow,
        master: &MasterKey,
        caller: &Caller,
        lifetime: SessionLifetime,
    ) -> Result<Started> {
        // A passkey may still wrap the retired master key: pictures stored with that would be lost.
        if !keys::belongs_to(master, &account) {
            return Err(VaultError::Unauthenticated);
        }
        let token = SessionToken::generate()?;
        let now = self.now();
        let sessions = &self.0.sessions;
        let (idle_at, expires_at) = match lifetime {
            SessionLifetime::Idle => (now + sessions.idle, now + sessions.absolute),
            // `idle_at` is the session's end as well, and a use never moves that nearer.
            SessionLifetime::Remembered => (now + sessions.keep, now + sessions.keep),
        };
        let row = SessionRow {
            digest: token.digest(),
            account: account.id,
            master_wrap: keys::wrap(
                WrapKind::Session,
                &account.id,
                token.id(),
                token.secret(),
                master,
            )?,
            created_at: now,
            last_seen_at: now,
            idle_at,
            expires_at,
            label: caller.device.clone(),
            address: caller.address_text(),
            scopes: None,
            mk_generation: account.mk_generation,
        };
        self.store().records.insert_session(&row).await?;
        Ok(Started {
            token: token.to_text(),
            expires_at: row.expires_at,
            kept: matches!(lifetime, SessionLifetime::Remembered),
            digest: row.digest,
            account,
        })
    }

    /// Opens the session of a cookie or bearer token.
    ///
    /// # Errors
    /// [`VaultError::Unauthenticated`] for anything but the secret of a live session.
    pub async fn unlock(&self, token: &str) -> Result<Unlocked> {
        let api_token = token.strip_prefix(API_TOKEN_PREFIX);
        let token = SessionToken::parse(api_token.unwrap_or(token));
        let token = token.map_err(|_| VaultError::Unauthenticated)?;
        let digest = token.digest();
        let found = self.store().records.session_and_account(&digest).await?;
        let (row, account) = found.ok_or(VaultError::Unauthenticated)?;
        let row = self.used(row).await?.ok_or(VaultError::Unauthenticated)?;
        let scopes = row.scopes.map(Scopes::from_bits);
        if scopes.is_some() != api_token.is_some() {
            return Err(VaultError::Unauthenticated);
        }
        // A session that began while the master key was being replaced has the retired key.
        if account.mk_generation != row.mk_generation {
            return Err(VaultError::Unauthenticated);
        }
        let (kind, subject) = match scopes {
            Some(scopes) => (
                WrapKind::ApiToken,
                scopes.subject_of(&token, row.expires_at),
            ),
            None => (WrapKind::Session, *token.id()),
        };
        let master: MasterKey = keys::unwrap(
            kind,
            &account.id,
            &subject,
            token.secret(),
            &row.master_wrap,
        )
        .map_err(|_| VaultError::Unauthenticated)?;
        let keyring = keys::open_keyring(&account, master);
        let who = Unlocked {
            account,
            expires_at: row.expires_at,
            keyring,
            session: digest,
            watch: Watch::begin(self, digest),
            lifetime: self.lifetime(&row),
            scopes,
            csrf_token: token.secret().csrf_token(),
            token,
        };
        self.go_on_rotating(&who);
        Ok(who)
    }

    /// Ends the session.
    ///
    /// # Errors
    /// The store's.
    pub async fn sign_out(&self, who: &Unlocked) -> Result<()> {
        who.watch.resign();
        Ok(self.store().records.delete_session(&who.session).await?)
    }

    /// The session, if it has not ended; using it keeps it from idling out.
    pub(super) async fn live_session(&self, digest: &[u8; 32]) -> Result<Option<SessionRow>> {
        match self.store().records.session(digest).await? {
            Some(row) => self.used(row).await,
            None => Ok(None),
        }
    }

    /// Notes that a session is in use; `None` where it has ended.
    async fn used(&self, row: SessionRow) -> Result<Option<SessionRow>> {
        let now = self.now();
        if !is_live(&row, now) {
            return Ok(None);
        }
        let since = now.duration_since(row.last_seen_at);
        if since >= self.touch_every() || is_first_use(&row, now) {
            let idle_at = now + self.0.sessions.idle;
            let records = &self.store().records;
            records.touch_session(&row.digest, now, idle_at).await?;
        }
        Ok(Some(row))
    }

    /// Whether the session has not ended; asking does not keep it from idling out.
    pub(in crate::vault) async fn is_live(&self, digest: &[u8; 32]) -> Result<bool> {
        let row = self.store().records.session(digest).await?;
        Ok(row.is_some_and(|row| is_live(&row, self.now())))
    }

    /// How often a use is written: often enough that a session in use outlives a short idle time.
    fn touch_every(&self) -> SignedDuration {
        let quarter = self.0.sessions.idle / 4;
        SignedDuration::try_from(quarter).map_or(TOUCH_EVERY, |quarter| quarter.min(TOUCH_EVERY))
    }

    /// Whether the session was asked to last. In its last minutes the row does not tell, and it is
    /// taken for one that was not.
    fn lifetime(&self, row: &SessionRow) -> SessionLifetime {
        let kept = row.idle_at >= row.expires_at;
        match kept && self.now() + self.0.sessions.idle < row.expires_at {
            true => SessionLifetime::Remembered,
            false => SessionLifetime::Idle,
        }
    }
}
