//! The secrets of an account's owner: changing the password, and the recovery code.
//!
//! Each change re-wraps the account's master key and replaces one row, in one transaction with the
//! end of the old sign-ins: whenever it is interrupted, either the old secret opens the vault or
//! the new one does. No image is touched.

use zeroize::Zeroizing;

use super::accounts::login_key;
use super::sign_in::MAX_LOGIN_BYTES;
use super::strength::MAX_PASSWORD_BYTES;
use crate::crypto::{CryptoError, MasterKey, RecoverySecret, WrapKind};
use crate::store::{AccountRow, EventKind, Updated};
use crate::vault::access::{Guess, Guessed, SessionLifetime};
use crate::vault::error::{FactorPurpose, Result, VaultError};
use crate::vault::{Caller, Opened, Unlocked, Vault, keys};

/// The input of an owner who has lost the password.
pub struct Recovery {
    /// User name or email address.
    pub login: String,
    /// The recovery code, however it was written.
    pub recovery_code: Zeroizing<String>,
    /// The password from now on.
    pub new_password: Zeroizing<String>,
}

impl Recovery {
    /// Refuses only what would cost work: the rest is told once the code has proved the owner.
    fn check(&self) -> Result<()> {
        if self.login.len() > MAX_LOGIN_BYTES {
            let message = "No user name or email address is that long.";
            return Err(VaultError::invalid("login", message));
        }
        if self.new_password.len() > MAX_PASSWORD_BYTES {
            let message = format!("A password has at most {MAX_PASSWORD_BYTES} bytes.");
            return Err(VaultError::invalid("new_password", message));
        }
        Ok(())
    }
}

/// Proof that it is the owner who asks for a change: the password, and a code where the account
/// asks for one.
pub struct Proof {
    /// The password, as it was typed.
    pub(super) password: Zeroizing<String>,
    code: Option<Zeroizing<String>>,
}

impl Proof {
    /// The password and the code as they were typed.
    pub fn new(password: Zeroizing<String>, code: Option<Zeroizing<String>>) -> Self {
        Self { password, code }
    }
}

/// Whoever asks for a change has just proved to be the account's owner. What changes a secret takes
/// one: it opens the master key, and holds for as long as the password stays the same.
pub(super) struct Proven {
    /// The account as it was then.
    pub(super) account: AccountRow,
    pub(super) master: MasterKey,
}

/// How often in a row a change is tried again after another change of the account came first.
pub(super) const MOST_RACES: usize = 5;

impl Vault {
    /// Changes the password, and ends all other sign-ins.
    ///
    /// # Errors
    /// [`VaultError::WrongPassword`] and [`VaultError::WrongFactor`] (each counted as a failed try),
    /// [`VaultError::FactorWanted`], [`VaultError::TooManyTries`]; [`VaultError::Invalid`] naming
    /// `new_password`, which is told to the owner only and is no failed try; [`VaultError::Busy`].
    pub async fn change_password(
        &self,
        who: &Unlocked,
        current: Proof,
        new: Zeroizing<String>,
        caller: &Caller,
    ) -> Result<()> {
        let proven = self.prove_to_replace(who, &current, &new, caller).await?;
        for _ in 0..MOST_RACES {
            let mut row = self.still_proven(&proven).await?;
            self.wrap_password(&mut row, &new, &proven.master).await?;
            let records = &self.store().records;
            let replaced = records.replace_credentials(&row, Some(&who.session));
            if won_race(replaced.await?)? {
                self.note(who.id(), EventKind::PasswordChanged, caller)
                    .await;
                return Ok(());
            }
        }
        Err(VaultError::Busy)
    }

    /// Makes a new recovery code; the old one opens nothing any more.
    ///
    /// # Errors
    /// As [`Vault::change_password`].
    pub async fn renew_recovery_code(
        &self,
        who: &Unlocked,
        proof: Proof,
        caller: &Caller,
    ) -> Result<Zeroizing<String>> {
        let proven = self.prove(who, &proof, caller).await?;
        for _ in 0..MOST_RACES {
            let mut row = self.still_proven(&proven).await?;
            let code = self.wrap_recovery(&mut row, &proven.master)?;
            if won_race(self.store().records.update_account(&row).await?)? {
                self.note(who.id(), EventKind::RecoveryRenewed, caller)
                    .await;
                return Ok(code);
            }
        }
        Err(VaultError::Busy)
    }

    /// Whether a recovery code opens this vault; if so, it is noted that the owner has it.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] naming `recovery_code` where it does not,
    /// [`VaultError::TooManyTries`].
    pub async fn prove_recovery_code(
        &self,
        who: &Unlocked,
        code: &str,
        caller: &Caller,
    ) -> Result<()> {
        let secret = read_code(code)?;
        for _ in 0..MOST_RACES {
            let mut row = self.account_of(who).await?;
            let opens = async { unwrap_by_code(&row, &secret).map(Guessed::Right) };
            let opened = self.throttled(Guess::Proof(row.id), caller, opens).await;
            opened.map_err(|error| match error {
                VaultError::WrongCredentials => {
                    let message = "This code does not open your vault. Perhaps it is an older one.";
                    VaultError::invalid("recovery_code", message)
                }
                other => other,
            })?;
            row.recovery_proven_at = Some(self.now());
            if won_race(self.store().records.update_account(&row).await?)? {
                return Ok(());
            }
        }
        Err(VaultError::Busy)
    }

    /// Opens an account by its recovery code: sets a new password, makes a new code, ends all
    /// sign-ins, and turns the second factor off, since an owner who has lost it needs a way back,
    /// and this code is the stronger secret. An unknown login costs the same work as a wrong code.
    ///
    /// # Errors
    /// [`VaultError::WrongCredentials`], [`VaultError::TooManyTries`], [`VaultError::Invalid`]
    /// naming the fields, [`VaultError::Busy`].
    pub async fn recover(&self, recovery: Recovery, caller: &Caller) -> Result<Opened> {
        recovery.check()?;
        let secret = read_code(&recovery.recovery_code)?;
        let login = login_key(&recovery.login);
        let row = self.store().records.account_by_login(&login).await?;
        let hashing = self.0.passwords.fresh()?;
        let opened = async {
            let derived = self.0.passwords.derive(&recovery.new_password, &hashing);
            let key = derived.await?;
            let row = row.ok_or(VaultError::WrongCredentials)?;
            let master = unwrap_by_code(&row, &secret)?;
            Ok(Guessed::Right((row, key, master)))
        };
        let (mut row, key, master) = self.throttled(Guess::Recovery, caller, opened).await?;
        // Only now: a refusal of the password before the code was checked would tell whether the
        // login is in use. The code still works after it.
        self.judge_new(&recovery.new_password, &row).await?;
        row.password_wrap = keys::wrap_by_password(&row.id, &hashing, &key, &master)?;
        row.kdf = keys::kdf_row(&hashing);
        row.password_set_at = self.now();
        let recovery_code = self.wrap_recovery(&mut row, &master)?;
        let had_factor = self.factor_in_use(&row.id).await?.is_some();
        match self.store().records.reset_credentials(&row).await? {
            Updated::Done => row.revision += 1,
            Updated::Missing => return Err(VaultError::WrongCredentials),
            Updated::Conflict => return Err(VaultError::Busy),
        }
        tracing::info!(account = %row.id, "account recovered");
        self.note(&row.id, EventKind::Recovered, caller).await;
        if had_factor {
            self.note(&row.id, EventKind::FactorRemoved, caller).await;
        }
        Ok(Opened {
            account: row,
            recovery_code,
            master,
            lifetime: SessionLifetime::Idle,
        })
    }

    /// Looks whether the proof is the owner's.
    ///
    /// # Errors
    /// [`VaultError::WrongPassword`] and [`VaultError::WrongFactor`] (each counted as a failed try),
    /// [`VaultError::FactorWanted`], [`VaultError::TooManyTries`].
    pub(super) async fn prove(
        &self,
        who: &Unlocked,
        proof: &Proof,
        caller: &Caller,
    ) -> Result<Proven> {
        self.prove_and_judge(who, proof, None, caller).await
    }

    /// The same for a change of the password: the new one is judged once the present one proved
    /// right, and before a code is used up on it.
    async fn prove_to_replace(
        &self,
        who: &Unlocked,
        proof: &Proof,
        new: &str,
        caller: &Caller,
    ) -> Result<Proven> {
        self.prove_and_judge(who, proof, Some(new), caller).await
    }

    async fn prove_and_judge(
        &self,
        who: &Unlocked,
        proof: &Proof,
        new: Option<&str>,
        caller: &Caller,
    ) -> Result<Proven> {
        let account = self.account_of(who).await?;
        let (id, hashing) = (account.id, keys::hashing_of(&account.kdf));
        let opened = async {
            let key = self.0.passwords.derive(&proof.password, &hashing).await?;
            let opened = keys::unwrap_by_password(&id, &hashing, &key, &account.password_wrap);
            let master = opened.map_err(|error| match error {
                VaultError::WrongCredentials => VaultError::WrongPassword,
                other => other,
            })?;
            // Judged here, so that a refusal is an error: a success would clear the count of wrong
            // codes.
            if let Some(new) = new {
                self.judge_new(new, &account).await?;
            }
            let code = proof.code.as_ref().map(|code| code.as_str());
            let asked = FactorPurpose::ToChange;
            self.take_code(&id, &master, code, asked, caller).await?;
            Ok(Guessed::Right(Proven { account, master }))
        };
        self.throttled(Guess::Proof(id), caller, opened).await
    }

    /// The account as it is now, for a change that its owner has proved to want; a code works once,
    /// so a change that lost a race is not proved again.
    ///
    /// # Errors
    /// [`VaultError::WrongPassword`] where the password was changed since.
    pub(super) async fn still_proven(&self, proven: &Proven) -> Result<AccountRow> {
        let then = &proven.account;
        let row = self.store().records.account(&then.id).await?;
        let row = row.ok_or(VaultError::Unauthenticated)?;
        let is_same = |row: &AccountRow| (row.password_set_at, row.mk_generation);
        match is_same(&row) == is_same(then) {
            true => Ok(row),
            false => Err(VaultError::WrongPassword),
        }
    }

    async fn judge_new(&self, password: &str, row: &AccountRow) -> Result<()> {
        let context = [row.username.as_str(), &row.email];
        self.judge("new_password", password, context).await
    }

    async fn account_of(&self, who: &Unlocked) -> Result<AccountRow> {
        let row = self.store().records.account(who.id()).await?;
        row.ok_or(VaultError::Unauthenticated)
    }

    async fn wrap_password(
        &self,
        row: &mut AccountRow,
        password: &str,
        master: &MasterKey,
    ) -> Result<()> {
        let hashing = self.0.passwords.fresh()?;
        let key = self.0.passwords.derive(password, &hashing).await?;
        row.password_wrap = keys::wrap_by_password(&row.id, &hashing, &key, master)?;
        row.kdf = keys::kdf_row(&hashing);
        row.password_set_at = self.now();
        Ok(())
    }

    /// Puts a new recovery code in the old one's place, and returns it.
    pub(super) fn wrap_recovery(
        &self,
        row: &mut AccountRow,
        master: &MasterKey,
    ) -> Result<Zeroizing<String>> {
        let secret = RecoverySecret::generate()?;
        let subject = row.id.as_bytes();
        row.recovery_wrap = keys::wrap(WrapKind::Recovery, &row.id, subject, &secret, master)?;
        row.recovery_made_at = self.now();
        row.recovery_proven_at = None;
        Ok(secret.to_code())
    }
}

/// Whether the change was made; `false` where another one won the race and it is to be tried again.
pub(super) fn won_race(updated: Updated) -> Result<bool> {
    match updated {
        Updated::Done => Ok(true),
        Updated::Conflict => Ok(false),
        Updated::Missing => Err(VaultError::Unauthenticated),
    }
}

fn read_code(code: &str) -> Result<RecoverySecret> {
    if code.trim().is_empty() {
        return Err(VaultError::invalid("recovery_code", "Enter the code."));
    }
    RecoverySecret::from_code(code).map_err(|_: CryptoError| {
        let message = "This is no recovery code: a group is missing, or one is mistyped. It has \
                       fourteen groups of four characters.";
        VaultError::invalid("recovery_code", message)
    })
}

fn unwrap_by_code(row: &AccountRow, secret: &RecoverySecret) -> Result<MasterKey> {
    let subject = row.id.as_bytes();
    keys::unwrap(
        WrapKind::Recovery,
        &row.id,
        subject,
        secret,
        &row.recovery_wrap,
    )
    .map_err(|_| VaultError::WrongCredentials)
}
