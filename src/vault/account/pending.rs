//! A sign-in by forms that waits for its second factor.
//!
//! The password was right, and must neither stand in the page nor be asked for again: so the master
//! key waits for five minutes in a row of its own, sealed under a secret that only the browser's
//! cookie has. It is no session: no guard takes it, and its wrapped key has a kind of its own.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::accounts;
use super::sign_in::Shown;
use crate::crypto::{MasterKey, SessionToken, WrapKind};
use crate::store::{AccountRow, PendingRow};
use crate::vault::access::{Guess, Guessed, SessionLifetime};
use crate::vault::error::{FactorPurpose, Result, VaultError};
use crate::vault::{Caller, Challenge, Factors, SignIn, Started, Vault, keys};

/// How long a sign-in waits for its code.
pub const SIGN_IN_WAITS: SignedDuration = SignedDuration::from_mins(5);

/// How far a sign-in has come.
pub enum Begun {
    /// To the end.
    SignedIn(Box<Started>),
    /// To the second factor.
    Waiting(Waiting),
}

/// A sign-in that waits for its second factor.
pub struct Waiting {
    /// The secret that finishes the sign-in, together with a code. Kept nowhere else.
    pub token: Zeroizing<String>,
}

/// The payload of its row.
#[derive(Serialize, Deserialize)]
struct Payload {
    /// The wrapped master key, in hexadecimal digits.
    master_wrap: String,
    keep: bool,
    /// The login as it is compared: wrong codes count along with wrong passwords.
    login: String,
    /// If this differs from the account's, the password was changed meanwhile.
    password_set_at: Timestamp,
    mk_generation: u32,
}

impl Vault {
    /// As [`Vault::sign_in`]; where the account asks for a code, and none was given, the sign-in
    /// waits for it.
    ///
    /// # Errors
    /// As [`Vault::sign_in`].
    pub async fn begin_sign_in(&self, sign_in: SignIn, caller: &Caller) -> Result<Begun> {
        match self.prove_sign_in(&sign_in, caller).await? {
            Shown::All(account, master) => {
                self.raise_cost(&account, &sign_in.password, &master).await;
                let lifetime = sign_in.lifetime();
                let started = self.let_in(account, &master, caller, lifetime).await?;
                Ok(Begun::SignedIn(Box::new(started)))
            }
            Shown::PasswordAlone(account, master) => {
                self.raise_cost(&account, &sign_in.password, &master).await;
                let waiting = self.wait_for_code(&account, &master, &sign_in).await?;
                Ok(Begun::Waiting(waiting))
            }
        }
    }

    /// Goes on with a sign-in that waits. After a wrong code it still waits.
    ///
    /// # Errors
    /// [`VaultError::Unauthenticated`] where the sign-in no longer waits,
    /// [`VaultError::FactorWanted`],
    /// [`VaultError::WrongFactor`], [`VaultError::TooManyTries`], [`VaultError::Busy`].
    pub async fn finish_sign_in(
        &self,
        token: &str,
        code: &str,
        caller: &Caller,
    ) -> Result<Started> {
        let token = SessionToken::parse(token).map_err(|_| VaultError::Unauthenticated)?;
        let (account, payload) = self.waiting_account(&token).await?;
        let master = open(&token, &account, &payload)?;
        let guess = Guess::SignIn {
            login: &payload.login,
            account: Some(account.id),
        };
        let records = &self.store().records;
        let proven = async {
            let asked = FactorPurpose::ToSignIn;
            self.take_code(&account.id, &master, Some(code), asked, caller)
                .await?;
            let taken = records.take_pending(&token.digest(), self.now()).await?;
            taken.map(Guessed::Right).ok_or(VaultError::Unauthenticated)
        };
        self.throttled(guess, caller, proven).await?;
        let lifetime = match payload.keep {
            true => SessionLifetime::Remembered,
            false => SessionLifetime::Idle,
        };
        self.let_in(account, &master, caller, lifetime).await
    }

    /// The second factors of the account whose sign-in waits.
    ///
    /// # Errors
    /// [`VaultError::Unauthenticated`] where the sign-in no longer waits.
    pub async fn waiting_factors(&self, token: &str) -> Result<Factors> {
        let token = SessionToken::parse(token).map_err(|_| VaultError::Unauthenticated)?;
        let (account, _) = self.waiting_account(&token).await?;
        self.factors_of(&account.id).await
    }

    /// Asks for a passkey of the account whose sign-in waits.
    ///
    /// # Errors
    /// [`VaultError::Unauthenticated`] where it no longer waits; as [`Vault::ask_for_passkey`].
    pub async fn ask_waiting_for_passkey(&self, token: &str) -> Result<Challenge> {
        let token = SessionToken::parse(token).map_err(|_| VaultError::Unauthenticated)?;
        let (account, _) = self.waiting_account(&token).await?;
        self.ask_for_passkey(&account.id).await
    }

    async fn wait_for_code(
        &self,
        account: &AccountRow,
        master: &MasterKey,
        sign_in: &SignIn,
    ) -> Result<Waiting> {
        let token = SessionToken::generate()?;
        let kind = WrapKind::PendingSignIn;
        let wrap = keys::wrap(kind, &account.id, token.id(), token.secret(), master)?;
        let payload = Payload {
            master_wrap: data_encoding::HEXLOWER.encode(&wrap),
            keep: sign_in.keep,
            login: accounts::login_key(&sign_in.login),
            password_set_at: account.password_set_at,
            mk_generation: account.mk_generation,
        };
        let row = PendingRow {
            digest: token.digest(),
            account: Some(account.id),
            payload: serde_json::to_vec(&payload)
                .map_err(|error| VaultError::Internal(error.to_string()))?,
            expires_at: self.now() + SIGN_IN_WAITS,
        };
        self.store().records.insert_pending(&row).await?;
        Ok(Waiting {
            token: token.to_text(),
        })
    }

    async fn waiting_account(&self, token: &SessionToken) -> Result<(AccountRow, Payload)> {
        let records = &self.store().records;
        let row = records.pending(&token.digest(), self.now()).await?;
        let row = row.ok_or(VaultError::Unauthenticated)?;
        // A challenge for a passkey has another payload: its token finishes no sign-in.
        let payload: Payload =
            serde_json::from_slice(&row.payload).map_err(|_| VaultError::Unauthenticated)?;
        let account = row.account.ok_or(VaultError::Unauthenticated)?;
        let account = records.account(&account).await?;
        let account = account.filter(|account| {
            account.password_set_at == payload.password_set_at
                && account.mk_generation == payload.mk_generation
        });
        Ok((account.ok_or(VaultError::Unauthenticated)?, payload))
    }
}

fn open(token: &SessionToken, account: &AccountRow, payload: &Payload) -> Result<MasterKey> {
    let wrap = data_encoding::HEXLOWER.decode(payload.master_wrap.as_bytes());
    let wrap = wrap.map_err(|_| VaultError::Damaged("a waiting sign-in cannot be read"))?;
    let kind = WrapKind::PendingSignIn;
    keys::unwrap(kind, &account.id, token.id(), token.secret(), &wrap)
        .map_err(|_| VaultError::Unauthenticated)
}
