//! Signing in by a passkey alone. Its signature shows only *that* the passkey is there; the vault
//! is opened by its PRF output, under which the master key is wrapped.

use webauthn_rs::prelude::PublicKeyCredential;

use super::passkey_challenges::{Asking, id_of, internal, note_use, prf_of, read, to_json};
use crate::crypto::{MasterKey, WrapKind};
use crate::ids::AccountId;
use crate::store::AccountRow;
use crate::vault::access::{Guess, Guessed, SessionLifetime};
use crate::vault::error::{Result, VaultError};
use crate::vault::{Answer, Caller, Challenge, Started, Vault, keys};

impl Vault {
    /// Asks for any passkey of this site, to sign in by it alone.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] where passkeys cannot be used here.
    pub async fn ask_to_sign_in(&self) -> Result<Challenge> {
        let begun = self.passkey_site()?.start_discoverable_authentication();
        let (options, state) = begun.map_err(internal)?;
        let asking = Asking::ToSignIn(Box::new(state));
        self.ask(None, to_json(&options)?, asking).await
    }

    /// Signs in by a passkey that opens the vault: the passkey is possession and, since it asks for
    /// a finger or a number, knowledge as well.
    ///
    /// # Errors
    /// [`VaultError::WrongPasskey`] whatever is wrong with the answer,
    /// [`VaultError::TooManyTries`].
    pub async fn sign_in_by_passkey(
        &self,
        answer: Answer,
        keep: bool,
        caller: &Caller,
    ) -> Result<Started> {
        let opened = async { self.open_by_passkey(answer).await.map(Guessed::Right) };
        let (account, master) = self.throttled(Guess::Passkey, caller, opened).await?;
        let lifetime = match keep {
            true => SessionLifetime::Remembered,
            false => SessionLifetime::Idle,
        };
        self.let_in(account, &master, caller, lifetime).await
    }

    async fn open_by_passkey(&self, answer: Answer) -> Result<(AccountRow, MasterKey)> {
        let wrong = || VaultError::WrongPasskey;
        let site = self.passkey_site()?;
        let Some((_, Asking::ToSignIn(state))) = self.asked(&answer.token).await? else {
            return Err(wrong());
        };
        let given: PublicKeyCredential =
            serde_json::from_value(answer.credential).map_err(|_| wrong())?;
        let named = site.identify_discoverable_authentication(&given);
        let (user, credential) = named.map_err(|_| wrong())?;
        let account = AccountId::from_bytes(user.into_bytes());
        let id = id_of(credential);
        // The account is read first: a change of its secrets from now on ends the session that
        // follows.
        let records = &self.store().records;
        let owner = records.account(&account).await?.ok_or_else(wrong)?;
        let row = records.factor(&account).await?;
        let known = row.and_then(|row| row.passkeys.into_iter().find(|known| known.id == id));
        let known = known.ok_or_else(wrong)?;
        let passkey = read(&known)?;
        let shown = site.finish_discoverable_authentication_v2(&given, *state, &passkey);
        let shown = shown.map_err(|_| wrong())?;
        let prf = prf_of(answer.prf)?.ok_or_else(wrong)?;
        let wrap = known.master_wrap.ok_or_else(wrong)?;
        let (kind, subject) = (WrapKind::Passkey, id.as_bytes());
        let master = keys::unwrap(kind, &account, subject, &prf, &wrap).map_err(|_| wrong())?;
        let now = self.now();
        self.change_factor(&account, None, |row| {
            note_use(&mut row.passkeys, &shown, now)
        })
        .await?;
        Ok((owner, master))
    }
}
