//! Taking a code of the second factor: each works once, even if several requests bring it at the
//! same moment, on whichever process.

use webauthn_rs::prelude::AuthenticationResult;

use super::passkey_challenges::{MAX_ANSWER_BYTES, note_use};
use crate::crypto::{AuthenticatorKey, FactorCode, MasterKey, SpareCodeKey, WrapKind};
use crate::ids::AccountId;
use crate::store::{EventKind, FactorRow};
use crate::vault::error::{FactorPurpose, Result, VaultError};
use crate::vault::{Caller, Vault, keys};

/// How often a change of the row is tried again after another came first; then the server is busy.
pub(super) const MOST_RACES: usize = 32;

/// A second factor that was shown.
enum Shown {
    /// A code of an app, or a spare code.
    Code(FactorCode),
    /// A passkey that has signed its challenge.
    Passkey(Box<AuthenticationResult>),
}

impl Vault {
    /// Uses a code up, if the account asks for one. Counting the try is for the caller.
    ///
    /// # Errors
    /// [`VaultError::FactorWanted`] where there is no code, [`VaultError::WrongFactor`],
    /// [`VaultError::Busy`].
    pub(super) async fn take_code(
        &self,
        account: &AccountId,
        master: &MasterKey,
        code: Option<&str>,
        asked: FactorPurpose,
        caller: &Caller,
    ) -> Result<()> {
        if self.factor_in_use(account).await?.is_none() {
            return Ok(());
        }
        let typed = code.filter(|code| !code.trim().is_empty());
        let typed = typed.ok_or(VaultError::FactorWanted(asked))?;
        let shown = self.shown(account, typed, asked).await?;
        for _ in 0..MOST_RACES {
            let Some(mut row) = self.factor_in_use(account).await? else {
                return Ok(());
            };
            if !self.use_up(&mut row, master, &shown)? {
                return Err(VaultError::WrongFactor(asked));
            }
            if self.store().records.put_factor(&row).await? {
                if let Shown::Code(FactorCode::Spare(_)) = shown {
                    self.note(account, EventKind::SpareCodeUsed, caller).await;
                }
                return Ok(());
            }
        }
        Err(VaultError::Busy)
    }

    /// Reads a code, or a browser's answer for a passkey, which is JSON.
    async fn shown(&self, account: &AccountId, typed: &str, asked: FactorPurpose) -> Result<Shown> {
        if !typed.starts_with('{') || typed.len() > MAX_ANSWER_BYTES {
            let code = FactorCode::parse(typed).map_err(|_| VaultError::WrongFactor(asked))?;
            return Ok(Shown::Code(code));
        }
        let shown = self.shown_passkey(account, typed, asked).await?;
        Ok(Shown::Passkey(Box::new(shown)))
    }

    /// The account's factors, if it asks for a second factor.
    pub(super) async fn factor_in_use(&self, account: &AccountId) -> Result<Option<FactorRow>> {
        let row = self.store().records.factor(account).await?;
        Ok(row.filter(is_in_use))
    }

    /// Changes the row so that the shown factor works no more; `false` where it does not work now.
    fn use_up(&self, row: &mut FactorRow, master: &MasterKey, shown: &Shown) -> Result<bool> {
        let account = row.account;
        match shown {
            Shown::Code(FactorCode::Totp(digits)) => {
                let app = row.authenticator.as_mut();
                let Some(app) = app.filter(|app| app.confirmed_at.is_some()) else {
                    return Ok(false);
                };
                let key = authenticator_key(&account, master, &app.key_wrap)?;
                let step = key.step_of(digits, self.now_secs());
                let fresh = step.filter(|step| *step > app.last_step);
                app.last_step = fresh.unwrap_or(app.last_step);
                Ok(fresh.is_some())
            }
            Shown::Code(FactorCode::Spare(chars)) => {
                let Some(spare) = &mut row.spare_codes else {
                    return Ok(false);
                };
                let digest = spare_code_key(&account, master, &spare.key_wrap)?.digest(chars);
                let before = spare.digests.len();
                spare.digests.retain(|left| *left != digest);
                Ok(spare.digests.len() < before)
            }
            Shown::Passkey(shown) => match note_use(&mut row.passkeys, shown, self.now()) {
                Ok(()) => Ok(true),
                Err(VaultError::WrongPasskey) => Ok(false),
                Err(error) => Err(error),
            },
        }
    }

    /// Seconds since 1970, as time steps are counted.
    pub(super) fn now_secs(&self) -> u64 {
        u64::try_from(self.now().as_second()).unwrap_or_default()
    }
}

/// Whether a second factor is asked for: an app that was not confirmed does not count.
pub(super) fn is_in_use(row: &FactorRow) -> bool {
    is_confirmed(row) || !row.passkeys.is_empty()
}

/// Whether there is an authenticator app that has shown that it works.
pub(super) fn is_confirmed(row: &FactorRow) -> bool {
    let app = row.authenticator.as_ref();
    app.is_some_and(|app| app.confirmed_at.is_some())
}

/// What an authenticator app's secret is derived from.
pub(super) fn authenticator_key(
    account: &AccountId,
    master: &MasterKey,
    wrapped: &[u8],
) -> Result<AuthenticatorKey> {
    let kind = WrapKind::Authenticator;
    keys::unwrap(kind, account, account.as_bytes(), master, wrapped)
}

/// The key of the spare codes' digests.
pub(super) fn spare_code_key(
    account: &AccountId,
    master: &MasterKey,
    wrapped: &[u8],
) -> Result<SpareCodeKey> {
    let kind = WrapKind::SpareCodes;
    keys::unwrap(kind, account, account.as_bytes(), master, wrapped)
}
