//! Signing in and out, and what a request gets from a session's secret.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::error::{FieldErrors, Result, VaultError};
use super::{Vault, accounts, keys};
use crate::crypto::MasterKey;
use crate::crypto::PasswordHashing;
use crate::crypto::SessionToken;
use crate::crypto::WrapKind;
use crate::ids::AccountId;
use crate::store::AccountRow;
use crate::store::SessionRow;
use crate::store::Updated;

/// How often a session's last use is written.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// What somebody types to sign in.
pub struct SignIn {
    /// User name or email address.
    pub login: String,
    /// Password.
    pub password: Zeroizing<String>,
}

impl SignIn {
    fn check(&self) -> Result<()> {
        let missing = [
            (
                self.login.trim().is_empty(),
                "login",
                "Enter your user name or email address.",
            ),
            (self.password.is_empty(), "password", "Enter your password."),
        ];
        let errors: FieldErrors = missing
            .into_iter()
            .filter(|(missing, ..)| *missing)
            .map(|(_, field, message)| (field.into(), message.to_owned()))
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(VaultError::Invalid(errors))
        }
    }
}

/// A session that has just begun.
pub struct Started {
    /// The secret: the cookie's value and the bearer token. Kept nowhere else.
    pub token: Zeroizing<String>,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// Whose it is.
    pub account: AccountRow,
}

/// An account whose owner is signed in: the master key is at hand, for as long as this lives.
pub struct Unlocked {
    /// The account.
    pub account: AccountRow,
    /// When the session ends whatever happens.
    pub expires_at: Timestamp,
    pub(super) master: Arc<MasterKey>,
    pub(super) session: [u8; 32],
    csrf_token: String,
    token: SessionToken,
}

impl Unlocked {
    /// What a change must carry beside the cookie, to show that our own page asked for it.
    pub fn csrf_token(&self) -> &str {
        &self.csrf_token
    }

    /// Whether `given` is this session's token, in constant time.
    pub fn csrf_matches(&self, given: &str) -> bool {
        self.token.secret().csrf_matches(given)
    }

    /// The account's id.
    pub fn id(&self) -> &AccountId {
        &self.account.id
    }
}

impl Vault {
    /// Signs in. An unknown login costs the same work as a wrong password.
    ///
    /// # Errors
    /// [`VaultError::WrongCredentials`], [`VaultError::Busy`].
    pub async fn sign_in(&self, sign_in: SignIn, label: &str) -> Result<Started> {
        sign_in.check()?;
        let login = accounts::login_key(&sign_in.login);
        let row = self.store().records.account_by_login(&login).await?;
        let hashing = match &row {
            Some(row) => keys::hashing_of(&row.kdf),
            None => self.0.passwords.fresh()?,
        };
        let key = self.0.passwords.derive(&sign_in.password, &hashing).await?;
        let account = row.ok_or(VaultError::WrongCredentials)?;
        let master = keys::unwrap_by_password(&account.id, &hashing, &key, &account.password_wrap)?;
        if self.0.passwords.is_outdated(&hashing) {
            self.rewrap_password(account.clone(), &sign_in.password, &master)
                .await?;
        }
        self.start_session(account, master, label).await
    }

    /// Begins a session with a new id and secret.
    pub(super) async fn start_session(
        &self,
        account: AccountRow,
        master: MasterKey,
        label: &str,
    ) -> Result<Started> {
        let token = SessionToken::generate()?;
        let now = self.now();
        let row = SessionRow {
            digest: token.digest(),
            account: account.id,
            master_wrap: keys::wrap(
                WrapKind::Session,
                &account.id,
                token.id(),
                token.secret(),
                &master,
            )?,
            created_at: now,
            last_seen_at: now,
            expires_at: now + self.0.sessions.absolute,
            label: label.to_owned(),
        };
        self.store().records.insert_session(&row).await?;
        Ok(Started {
            token: token.to_text(),
            expires_at: row.expires_at,
            account,
        })
    }

    /// What a cookie or bearer token opens.
    ///
    /// # Errors
    /// [`VaultError::Unauthenticated`] for anything but the secret of a live session.
    pub async fn unlock(&self, token: &str) -> Result<Unlocked> {
        let token = SessionToken::parse(token).map_err(|_| VaultError::Unauthenticated)?;
        let digest = token.digest();
        let row = self
            .live_session(&digest)
            .await?
            .ok_or(VaultError::Unauthenticated)?;
        let account = self.store().records.account(&row.account).await?;
        let account = account.ok_or(VaultError::Unauthenticated)?;
        let master: MasterKey = keys::unwrap(
            WrapKind::Session,
            &account.id,
            token.id(),
            token.secret(),
            &row.master_wrap,
        )
        .map_err(|_| VaultError::Unauthenticated)?;
        Ok(Unlocked {
            account,
            expires_at: row.expires_at,
            master: Arc::new(master),
            session: digest,
            csrf_token: token.secret().csrf_token(),
            token,
        })
    }

    /// Ends the session.
    ///
    /// # Errors
    /// The store's.
    pub async fn sign_out(&self, who: &Unlocked) -> Result<()> {
        Ok(self.store().records.delete_session(&who.session).await?)
    }

    /// The session, if it has not ended; using it keeps it from idling out.
    pub(super) async fn live_session(&self, digest: &[u8; 32]) -> Result<Option<SessionRow>> {
        let now = self.now();
        let idle_since = now - self.0.sessions.idle;
        let row = self.store().records.session(digest).await?;
        let live = row.filter(|row| row.expires_at > now && row.last_seen_at > idle_since);
        if let Some(row) = &live
            && now.duration_since(row.last_seen_at) >= self.touch_every()
        {
            self.store().records.touch_session(digest, now).await?;
        }
        Ok(live)
    }

    /// Often enough that a short idle time is not outrun by the writing of it.
    fn touch_every(&self) -> SignedDuration {
        let quarter = self.0.sessions.idle / 4;
        SignedDuration::try_from(quarter).map_or(TOUCH_EVERY, |quarter| quarter.min(TOUCH_EVERY))
    }

    /// Brings the password's hash to today's cost, while the password is at hand. Losing a race
    /// against another sign-in is fine: that one did the same.
    async fn rewrap_password(
        &self,
        mut account: AccountRow,
        password: &str,
        master: &MasterKey,
    ) -> Result<()> {
        let hashing: PasswordHashing = self.0.passwords.fresh()?;
        let key = self.0.passwords.derive(password, &hashing).await?;
        account.password_wrap = keys::wrap_by_password(&account.id, &hashing, &key, master)?;
        account.kdf = keys::kdf_row(&hashing);
        if self.store().records.update_account(&account).await? == Updated::Done {
            tracing::info!(account = %account.id, "password hash raised to the configured cost");
        }
        Ok(())
    }
}
