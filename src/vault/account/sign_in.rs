//! Signing in with name and password, and raising the hash's cost while the password is at hand.

use zeroize::Zeroizing;

use super::accounts;
use super::strength::MAX_PASSWORD_BYTES;
use crate::crypto::{MasterKey, PasswordHashing};
use crate::store::{AccountRow, Updated};
use crate::vault::access::{Guess, Guessed, SessionLifetime, Started};
use crate::vault::error::{FactorPurpose, FieldErrors, Result, VaultError};
use crate::vault::{Caller, Vault, keys};

/// Longest login that is looked up. An address has 254 bytes, a name of 64 characters 256.
pub(super) const MAX_LOGIN_BYTES: usize = 256;

/// The input of a sign-in.
pub struct SignIn {
    /// User name or email address.
    pub login: String,
    /// Password.
    pub password: Zeroizing<String>,
    /// A code, for accounts that ask for one.
    pub code: Option<Zeroizing<String>>,
    /// Whether the sign-in is to last on this device, used or not.
    pub keep: bool,
}

impl SignIn {
    pub(super) fn lifetime(&self) -> SessionLifetime {
        match self.keep {
            true => SessionLifetime::Remembered,
            false => SessionLifetime::Idle,
        }
    }

    fn check(&self) -> Result<()> {
        let problems = [
            (
                self.login.trim().is_empty(),
                "login",
                "Enter your user name or email address.",
            ),
            (self.password.is_empty(), "password", "Enter your password."),
            (
                self.login.len() > MAX_LOGIN_BYTES,
                "login",
                "No user name or email address is that long.",
            ),
            (
                self.password.len() > MAX_PASSWORD_BYTES,
                "password",
                "No password is that long.",
            ),
        ];
        let errors: FieldErrors = problems
            .into_iter()
            .filter(|(applies, ..)| *applies)
            .map(|(_, field, message)| (field.into(), message.to_owned()))
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(VaultError::Invalid(errors))
        }
    }
}

/// What somebody who signs in has shown: the account, and the master key that its password opened.
pub(super) enum Shown {
    /// All that the account asks for.
    All(AccountRow, MasterKey),
    /// The password; the account asks for a code besides.
    PasswordAlone(AccountRow, MasterKey),
}

impl Vault {
    /// Signs in. An unknown login costs the same work as a wrong password.
    ///
    /// # Errors
    /// [`VaultError::WrongCredentials`], [`VaultError::FactorWanted`] (once the password was right),
    /// [`VaultError::WrongFactor`], [`VaultError::TooManyTries`], [`VaultError::Busy`].
    pub async fn sign_in(&self, sign_in: SignIn, caller: &Caller) -> Result<Started> {
        let (account, master) = match self.prove_sign_in(&sign_in, caller).await? {
            Shown::All(account, master) => (account, master),
            Shown::PasswordAlone(..) => {
                return Err(VaultError::FactorWanted(FactorPurpose::ToSignIn));
            }
        };
        self.raise_cost(&account, &sign_in.password, &master).await;
        self.let_in(account, &master, caller, sign_in.lifetime())
            .await
    }

    /// The account and its master key, where the password is right, and the code if one was given.
    pub(super) async fn prove_sign_in(&self, sign_in: &SignIn, caller: &Caller) -> Result<Shown> {
        sign_in.check()?;
        let login = accounts::login_key(&sign_in.login);
        let row = self.store().records.account_by_login(&login).await?;
        let guess = Guess::SignIn {
            login: &login,
            account: row.as_ref().map(|row| row.id),
        };
        let proven = async {
            let (account, master) = self.open_by_password(row, &sign_in.password).await?;
            let code = sign_in.code.as_ref().map(|code| code.as_str());
            let asked = FactorPurpose::ToSignIn;
            let taken = self.take_code(&account.id, &master, code, asked, caller);
            match taken.await {
                Ok(()) => Ok(Guessed::Right(Shown::All(account, master))),
                Err(VaultError::FactorWanted(_)) => {
                    Ok(Guessed::Unfinished(Shown::PasswordAlone(account, master)))
                }
                Err(error) => Err(error),
            }
        };
        self.throttled(guess, caller, proven).await
    }

    /// Begins the session of an owner who has proved everything.
    pub(super) async fn let_in(
        &self,
        account: AccountRow,
        master: &MasterKey,
        caller: &Caller,
        lifetime: SessionLifetime,
    ) -> Result<Started> {
        self.note_new_device(&account, caller).await?;
        let started = self
            .start_session(account, master, caller, lifetime)
            .await?;
        match self
            .end_if_credentials_changed(&started.account, &started.digest)
            .await?
        {
            true => Err(VaultError::WrongCredentials),
            false => Ok(started),
        }
    }

    /// The account and its master key, where this is its password. The work is the same without an
    /// account, and where the password's hash is still of a lower cost than configured.
    async fn open_by_password(
        &self,
        row: Option<AccountRow>,
        password: &str,
    ) -> Result<(AccountRow, MasterKey)> {
        let hashing = match &row {
            Some(row) => keys::hashing_of(&row.kdf),
            None => self.0.passwords.fresh()?,
        };
        let passwords = &self.0.passwords;
        let key = passwords.derive_for_anybody(password, &hashing).await?;
        let account = row.ok_or(VaultError::WrongCredentials)?;
        let master = keys::unwrap_by_password(&account.id, &hashing, &key, &account.password_wrap)?;
        Ok((account, master))
    }

    /// Hashes the password anew at the configured cost, while it is at hand. A failure, such as
    /// another sign-in that does the same, keeps nobody from signing in.
    pub(super) async fn raise_cost(
        &self,
        account: &AccountRow,
        password: &str,
        master: &MasterKey,
    ) {
        if !self
            .0
            .passwords
            .is_outdated(&keys::hashing_of(&account.kdf))
        {
            return;
        }
        match self
            .rewrap_password(account.clone(), password, master)
            .await
        {
            Ok(Updated::Done) => {
                tracing::info!(account = %account.id, "password hash raised to the configured cost");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a password hash keeps its old cost for now"),
        }
    }

    async fn rewrap_password(
        &self,
        mut account: AccountRow,
        password: &str,
        master: &MasterKey,
    ) -> Result<Updated> {
        let hashing: PasswordHashing = self.0.passwords.fresh()?;
        let key = self.0.passwords.derive(password, &hashing).await?;
        account.password_wrap = keys::wrap_by_password(&account.id, &hashing, &key, master)?;
        account.kdf = keys::kdf_row(&hashing);
        Ok(self.store().records.update_account(&account).await?)
    }
}
