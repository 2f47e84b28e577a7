//! An account's passkeys (Web Authentication, Level 3): each is a second factor, and, where the authenticator
//! has the PRF extension, a way in without the password.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;
use webauthn_rs::prelude::{CredentialID, RegisterPublicKeyCredential, WebauthnError};
use zeroize::Zeroizing;

use super::passkey_challenges::{Asking, id_of, internal, parsed, prf_of, to_json, written};
use super::second_factor::is_confirmed;
use crate::crypto::{PasskeySecret, WrapKind};
use crate::ids::PasskeyId;
use crate::store::{EventKind, PasskeyRow};
use crate::vault::error::{Result, VaultError};
use crate::vault::{Answer, Caller, Challenge, Proof, Unlocked, Vault, keys};

/// Most passkeys of one account.
pub const MAX_PASSKEYS: usize = 20;
/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 64;
const NO_ANSWER: &str = "This is not what a browser answers to the challenge.";

/// A passkey, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPasskey {
    /// Names the passkey in calls.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// Whether it opens the vault without the password.
    pub opens: bool,
    /// When it was added.
    pub added_at: Timestamp,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
}

impl From<&PasskeyRow> for KnownPasskey {
    fn from(row: &PasskeyRow) -> Self {
        Self {
            id: row.id,
            name: row.name.clone(),
            opens: row.master_wrap.is_some(),
            added_at: row.added_at,
            used_at: row.used_at,
        }
    }
}

impl Vault {
    /// Whether passkeys can be used at this server's address.
    pub fn has_passkeys(&self) -> bool {
        self.0.passkeys.is_some()
    }

    /// Asks the browser for a new passkey.
    ///
    /// # Errors
    /// As for [`Vault::change_password`], where the proof is not the owner's;
    /// [`VaultError::Invalid`] where there are too many, [`VaultError::NotFound`] where passkeys
    /// cannot be used here.
    pub async fn begin_passkey(
        &self,
        who: &Unlocked,
        proof: Proof,
        caller: &Caller,
    ) -> Result<Challenge> {
        let site = self.passkey_site()?;
        self.prove(who, &proof, caller).await?;
        let row = self.store().records.factor(who.id()).await?;
        let known = row.map(|row| row.passkeys).unwrap_or_default();
        check_number(known.len())?;
        let known: Vec<CredentialID> = parsed(&known)?
            .iter()
            .map(|passkey| passkey.cred_id().clone())
            .collect();
        let (user, name) = (
            Uuid::from_bytes(*who.id().as_bytes()),
            &who.account.username,
        );
        let begun =
            site.start_passkey_registration(user, name, &who.account.display_name, Some(known));
        let (options, state) = begun.map_err(internal)?;
        let mut options = to_json(&options)?;
        // A discoverable credential, where the authenticator has room: signing in needs no name
        // then.
        options["publicKey"]["authenticatorSelection"]["residentKey"] = json!("preferred");
        self.ask(Some(*who.id()), options, Asking::ToAdd(Box::new(state)))
            .await
    }

    /// Adds the passkey that was asked for. Returns spare codes where there were none.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] naming `name` or `passkey`, [`VaultError::Gone`] where the challenge
    /// has ended, [`VaultError::Busy`].
    pub async fn add_passkey(
        &self,
        who: &Unlocked,
        name: &str,
        answer: Answer,
        caller: &Caller,
    ) -> Result<Vec<Zeroizing<String>>> {
        let name = clean_name(name)?;
        let (id, site) = (who.id(), self.passkey_site()?);
        let Some((Some(account), Asking::ToAdd(state))) = self.asked(&answer.token).await? else {
            return Err(VaultError::Gone);
        };
        if account != *id {
            return Err(VaultError::Gone);
        }
        let given: RegisterPublicKeyCredential = serde_json::from_value(answer.credential)
            .map_err(|_| VaultError::invalid("passkey", NO_ANSWER))?;
        let passkey = site.finish_passkey_registration(&given, &state);
        let passkey = passkey.map_err(|error| refused(&error))?;
        let passkey_id = id_of(passkey.cred_id());
        let wrap = |prf: PasskeySecret| {
            let (kind, subject) = (WrapKind::Passkey, passkey_id.as_bytes());
            keys::wrap(kind, id, subject, &prf, &*who.keyring.master)
        };
        let new = PasskeyRow {
            id: passkey_id,
            name,
            credential: written(&passkey)?,
            master_wrap: prf_of(answer.prf)?.map(wrap).transpose()?,
            added_at: self.now(),
            used_at: None,
        };
        let (codes, spare) = self.draw_spare_codes(id, &who.keyring.master)?;
        let had_spare = self
            .change_factor(id, Some(&who.session), |row| {
                check_number(row.passkeys.len())?;
                if row.passkeys.iter().any(|known| known.id == new.id) {
                    return Err(VaultError::invalid(
                        "passkey",
                        "This passkey is here already.",
                    ));
                }
                row.passkeys.push(new.clone());
                let had_spare = row.spare_codes.is_some();
                row.spare_codes.get_or_insert_with(|| spare.clone());
                Ok(had_spare)
            })
            .await?;
        self.note(id, EventKind::PasskeyAdded, caller).await;
        Ok(if had_spare { Vec::new() } else { codes })
    }

    /// Removes a passkey: it opens nothing any more.
    ///
    /// # Errors
    /// As for [`Vault::change_password`], where the proof is not the owner's;
    /// [`VaultError::NotFound`], [`VaultError::Busy`].
    pub async fn remove_passkey(
        &self,
        who: &Unlocked,
        passkey: &PasskeyId,
        proof: Proof,
        caller: &Caller,
    ) -> Result<()> {
        self.prove(who, &proof, caller).await?;
        self.change_factor(who.id(), Some(&who.session), |row| {
            let before = row.passkeys.len();
            row.passkeys.retain(|known| known.id != *passkey);
            if row.passkeys.len() == before {
                return Err(VaultError::NotFound);
            }
            if row.passkeys.is_empty() && !is_confirmed(row) {
                row.spare_codes = None;
            }
            Ok(())
        })
        .await?;
        self.note(who.id(), EventKind::PasskeyRemoved, caller).await;
        Ok(())
    }
}

fn check_number(there_are: usize) -> Result<()> {
    match there_are < MAX_PASSKEYS {
        true => Ok(()),
        false => {
            let message =
                format!("An account has at most {MAX_PASSKEYS} passkeys. Remove one first.");
            Err(VaultError::invalid("passkey", message))
        }
    }
}

fn clean_name(name: &str) -> Result<String> {
    let name = name.trim();
    let message = match name.chars().count() {
        0 => "Give the passkey a name, such as “Telephone”.",
        1..=MAX_NAME_CHARS if !name.contains(char::is_control) => return Ok(name.to_owned()),
        1..=MAX_NAME_CHARS => "A name has no control characters.",
        _ => "A name has at most 64 characters.",
    };
    Err(VaultError::invalid("name", message))
}

fn refused(error: &WebauthnError) -> VaultError {
    tracing::info!(%error, "a passkey was refused");
    let message = "The browser's answer does not fit the challenge. Try again.";
    VaultError::invalid("passkey", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_so_many_and_no_more() {
        assert!(check_number(MAX_PASSKEYS - 1).is_ok());
        assert!(check_number(MAX_PASSKEYS).is_err());
    }

    #[test]
    fn names_are_short_and_visible() {
        assert_eq!(clean_name("  Telephone ").unwrap(), "Telephone");
        for name in ["", "   ", "a\u{7}b", &"x".repeat(65)] {
            assert!(clean_name(name).is_err(), "{name:?}");
        }
        assert!(clean_name(&"ö".repeat(64)).is_ok());
    }
}
