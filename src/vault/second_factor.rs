//! Taking a code of the second factor: each works once, whoever else comes with it at the same
//! moment, on whichever process.

use super::error::{Asked, Result, VaultError};
use super::events::EventKind;
use super::{Caller, Vault, keys};
use crate::crypto::{AuthenticatorKey, FactorCode, MasterKey, SpareCodeKey, WrapKind};
use crate::ids::AccountId;
use crate::store::FactorRow;

/// Others who change the row at the same moment; past it the server is simply busy.
pub(super) const MOST_RACES: usize = 32;

/// What a code was.
enum Taken {
    FromApp,
    Spare,
}

impl Vault {
    /// Uses a code up, if the account asks for one. It is not counted here as a try.
    ///
    /// # Errors
    /// [`VaultError::FactorWanted`] where there is no code, [`VaultError::WrongFactor`],
    /// [`VaultError::Busy`].
    pub(super) async fn take_code(
        &self,
        account: &AccountId,
        master: &MasterKey,
        code: Option<&str>,
        asked: Asked,
        caller: &Caller,
    ) -> Result<()> {
        for _ in 0..MOST_RACES {
            let Some(mut row) = self.factor_in_use(account).await? else {
                return Ok(());
            };
            let typed = code.filter(|code| !code.trim().is_empty());
            let typed = typed.ok_or(VaultError::FactorWanted(asked))?;
            let code = FactorCode::parse(typed).map_err(|_| VaultError::WrongFactor(asked))?;
            let taken = self.use_up(&mut row, master, &code)?;
            let taken = taken.ok_or(VaultError::WrongFactor(asked))?;
            if self.store().records.put_factor(&row).await? {
                if let Taken::Spare = taken {
                    self.note(account, EventKind::SpareCodeUsed, caller).await;
                }
                return Ok(());
            }
        }
        Err(VaultError::Busy)
    }

    /// The row of an account that asks for a code.
    pub(super) async fn factor_in_use(&self, account: &AccountId) -> Result<Option<FactorRow>> {
        let row = self.store().records.factor(account).await?;
        Ok(row.filter(|row| {
            let app = row.authenticator.as_ref();
            app.is_some_and(|app| app.confirmed_at.is_some())
        }))
    }

    /// Changes the row so that the code works no more; nothing where it does not work now.
    fn use_up(
        &self,
        row: &mut FactorRow,
        master: &MasterKey,
        code: &FactorCode,
    ) -> Result<Option<Taken>> {
        match (code, &mut row.authenticator, &mut row.spare_codes) {
            (FactorCode::Totp(digits), Some(app), _) => {
                let key = authenticator_key(&row.account, master, &app.key_wrap)?;
                let step = key.step_of(digits, self.now_secs());
                let fresh = step.filter(|step| *step > app.last_step);
                Ok(fresh.map(|step| {
                    app.last_step = step;
                    Taken::FromApp
                }))
            }
            (FactorCode::Spare(chars), _, Some(spare)) => {
                let key = spare_code_key(&row.account, master, &spare.key_wrap)?;
                let digest = key.digest(chars);
                let at = spare.digests.iter().position(|left| *left == digest);
                Ok(at.map(|at| {
                    spare.digests.remove(at);
                    Taken::Spare
                }))
            }
            _ => Ok(None),
        }
    }

    /// Seconds since 1970, as time steps are counted.
    pub(super) fn now_secs(&self) -> u64 {
        u64::try_from(self.now().as_second()).unwrap_or_default()
    }
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
