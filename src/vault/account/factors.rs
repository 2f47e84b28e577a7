//! The owner's second factor: setting an authenticator app up, spare codes, and turning it off.
//!
//! An app is asked for only once a code has shown that it has the secret: so nobody locks themself
//! out by a picture that was not scanned.

use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::credentials::Proven;
use super::passkeys::KnownPasskey;
use super::second_factor::{
    MOST_RACES, authenticator_key, is_confirmed, is_in_use, spare_code_key,
};
use crate::crypto::{AuthenticatorKey, FactorCode, MasterKey, SPARE_CODES, SpareCodeKey, WrapKind};
use crate::ids::AccountId;
use crate::store::{AuthenticatorRow, EventKind, FactorRow, SpareCodesRow};
use crate::vault::error::{FieldErrors, Result, VaultError};
use crate::vault::{Caller, Proof, Unlocked, Vault, keys};

/// How long a secret that was shown can be confirmed.
const CONFIRM_WITHIN: SignedDuration = SignedDuration::from_mins(30);
/// The issuer that authenticator apps show.
const ISSUER: &str = "Image Vault";

/// The second factors that an account asks for besides its password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Factors {
    /// Since when codes of an authenticator app are asked for.
    pub authenticator_since: Option<Timestamp>,
    /// Passkeys, in the order in which they were added.
    pub passkeys: Vec<KnownPasskey>,
    /// How many spare codes are left.
    pub spare_codes_left: usize,
    /// When the spare codes were made.
    pub spare_codes_made_at: Option<Timestamp>,
}

impl Factors {
    /// Whether any second factor is asked for.
    pub fn is_on(&self) -> bool {
        self.authenticator_since.is_some() || !self.passkeys.is_empty()
    }
}

/// What an authenticator app needs. Shown until a code confirms it, and never again.
pub struct Enrolment {
    /// The secret in base32.
    pub secret: Zeroizing<String>,
    /// The same as a link, which apps open, or scan as a QR code.
    pub url: Zeroizing<String>,
}

impl Vault {
    /// The second factors that the account asks for besides its password.
    ///
    /// # Errors
    /// The store's.
    pub async fn factors(&self, who: &Unlocked) -> Result<Factors> {
        self.factors_of(who.id()).await
    }

    pub(super) async fn factors_of(&self, account: &AccountId) -> Result<Factors> {
        let Some(row) = self.factor_in_use(account).await? else {
            return Ok(Factors::default());
        };
        let spare = row.spare_codes.as_ref();
        Ok(Factors {
            authenticator_since: row.authenticator.and_then(|app| app.confirmed_at),
            passkeys: row.passkeys.iter().map(KnownPasskey::from).collect(),
            spare_codes_left: spare.map_or(0, |spare| spare.digests.len()),
            spare_codes_made_at: spare.map(|spare| spare.made_at),
        })
    }

    /// Makes the secret of a new authenticator app; one that was not confirmed is replaced.
    ///
    /// # Errors
    /// [`VaultError::WrongPassword`] and [`VaultError::WrongFactor`] (counted as failed tries),
    /// [`VaultError::FactorWanted`], [`VaultError::TooManyTries`], [`VaultError::Taken`] where an
    /// app is set up, [`VaultError::Busy`].
    pub async fn begin_authenticator(
        &self,
        who: &Unlocked,
        proof: Proof,
        caller: &Caller,
    ) -> Result<Enrolment> {
        let Proven { master, .. } = self.prove(who, &proof, caller).await?;
        let key = AuthenticatorKey::generate()?;
        let id = who.id();
        let key_wrap = keys::wrap(WrapKind::Authenticator, id, id.as_bytes(), &master, &key)?;
        let begun_at = self.now();
        self.change_factor(id, Some(&who.session), |row| {
            if is_confirmed(row) {
                let message = "An authenticator app is set up already. Turn it off first.";
                let errors = FieldErrors::from([("authenticator".into(), message.into())]);
                return Err(VaultError::Taken(errors));
            }
            row.authenticator = Some(AuthenticatorRow {
                key_wrap: key_wrap.clone(),
                begun_at,
                confirmed_at: None,
                last_step: 0,
            });
            Ok(())
        })
        .await?;
        Ok(enrolment(&key, who))
    }

    /// The enrolment that [`Vault::begin_authenticator`] began, while it waits to be confirmed.
    ///
    /// # Errors
    /// [`VaultError::Gone`] where no app waits to be confirmed.
    pub async fn waiting_authenticator(&self, who: &Unlocked) -> Result<Enrolment> {
        let row = self.store().records.factor(who.id()).await?;
        let app = row.and_then(|row| row.authenticator);
        let app = app.filter(|app| self.can_be_confirmed(app));
        let app = app.ok_or(VaultError::Gone)?;
        let key = authenticator_key(who.id(), &who.keyring.master, &app.key_wrap)?;
        Ok(enrolment(&key, who))
    }

    /// Takes the app's first code: from now on the account asks for its codes. Returns spare codes
    /// where there were none.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] naming `totp`, [`VaultError::Gone`] where no app waits to be
    /// confirmed, [`VaultError::Busy`].
    pub async fn confirm_authenticator(
        &self,
        who: &Unlocked,
        code: &str,
        caller: &Caller,
    ) -> Result<Vec<Zeroizing<String>>> {
        let (id, now) = (who.id(), self.now());
        let (codes, spare) = self.draw_spare_codes(id, &who.keyring.master)?;
        let confirmed = self.change_factor(id, Some(&who.session), |row| {
            let app = row.authenticator.as_mut();
            let app = app.filter(|app| self.can_be_confirmed(app));
            let app = app.ok_or(VaultError::Gone)?;
            let key = authenticator_key(id, &who.keyring.master, &app.key_wrap)?;
            app.last_step = self.step_of(&key, code).ok_or_else(not_the_apps)?;
            app.confirmed_at = Some(now);
            let had_spare = row.spare_codes.is_some();
            row.spare_codes.get_or_insert_with(|| spare.clone());
            Ok(had_spare)
        });
        let had_spare = confirmed.await?;
        self.note(id, EventKind::FactorAdded, caller).await;
        Ok(if had_spare { Vec::new() } else { codes })
    }

    /// Turns the app off. Where there is no passkey either, the password alone opens the account.
    ///
    /// # Errors
    /// As [`Vault::begin_authenticator`]; [`VaultError::NotFound`] where no app is set up.
    pub async fn remove_authenticator(
        &self,
        who: &Unlocked,
        proof: Proof,
        caller: &Caller,
    ) -> Result<()> {
        self.prove(who, &proof, caller).await?;
        self.change_factor(who.id(), Some(&who.session), |row| {
            if !is_confirmed(row) {
                return Err(VaultError::NotFound);
            }
            row.authenticator = None;
            if row.passkeys.is_empty() {
                row.spare_codes = None;
            }
            Ok(())
        })
        .await?;
        self.note(who.id(), EventKind::FactorRemoved, caller).await;
        Ok(())
    }

    /// Makes new spare codes; the old ones work no more.
    ///
    /// # Errors
    /// As [`Vault::remove_authenticator`].
    pub async fn renew_spare_codes(
        &self,
        who: &Unlocked,
        proof: Proof,
        caller: &Caller,
    ) -> Result<Vec<Zeroizing<String>>> {
        let Proven { master, .. } = self.prove(who, &proof, caller).await?;
        let (codes, spare) = self.draw_spare_codes(who.id(), &master)?;
        self.change_factor(who.id(), Some(&who.session), |row| {
            if !is_in_use(row) {
                return Err(VaultError::NotFound);
            }
            row.spare_codes = Some(spare.clone());
            Ok(())
        })
        .await?;
        self.note(who.id(), EventKind::SpareCodesRenewed, caller)
            .await;
        Ok(codes)
    }

    /// Changes the row by compare-and-swap, and tries again where another change came first.
    /// Whether the session has ended is looked up after the row was read: whatever ended it, a new
    /// password, a recovery or a new master key, has written the row, so a change made on the old
    /// terms cannot be written after it.
    pub(super) async fn change_factor<T>(
        &self,
        account: &AccountId,
        session: Option<&[u8; 32]>,
        change: impl Fn(&mut FactorRow) -> Result<T>,
    ) -> Result<T> {
        let records = &self.store().records;
        for _ in 0..MOST_RACES {
            let stored = records.factor(account).await?;
            if let Some(session) = session
                && !self.is_live(session).await?
            {
                return Err(VaultError::Unauthenticated);
            }
            let mut row = stored.unwrap_or_else(|| FactorRow::none(*account));
            let outcome = change(&mut row)?;
            if records.put_factor(&row).await? {
                return Ok(outcome);
            }
        }
        Err(VaultError::Busy)
    }

    pub(super) fn draw_spare_codes(
        &self,
        account: &AccountId,
        master: &MasterKey,
    ) -> Result<(Vec<Zeroizing<String>>, SpareCodesRow)> {
        let key = SpareCodeKey::generate()?;
        let drawn = (0..SPARE_CODES).map(|_| key.draw());
        let drawn: Vec<_> = drawn.collect::<std::result::Result<_, _>>()?;
        let (codes, digests) = drawn.into_iter().unzip();
        let (kind, subject) = (WrapKind::SpareCodes, account.as_bytes());
        let spare = SpareCodesRow {
            key_wrap: keys::wrap(kind, account, subject, master, &key)?,
            made_at: self.now(),
            digests,
        };
        Ok((codes, spare))
    }

    fn step_of(&self, key: &AuthenticatorKey, code: &str) -> Option<u64> {
        match FactorCode::parse(code) {
            Ok(FactorCode::Totp(digits)) => key.step_of(&digits, self.now_secs()),
            _ => None,
        }
    }

    fn can_be_confirmed(&self, app: &AuthenticatorRow) -> bool {
        app.confirmed_at.is_none() && self.now() < app.begun_at + CONFIRM_WITHIN
    }
}

/// The same second factor under a new master key: the keys wrapped by the old one are wrapped by
/// the new one, and no code changes. The copy of the master key that a passkey wraps cannot be made
/// anew without that passkey, so passkeys stay second factors only, until they are added again.
///
/// # Errors
/// [`VaultError::Damaged`] where the old key does not open it.
pub fn reseal_factor(row: &FactorRow, old: &MasterKey, new: &MasterKey) -> Result<FactorRow> {
    let (mut row, account) = (row.clone(), row.account);
    let subject = account.as_bytes();
    if let Some(app) = &mut row.authenticator {
        let key = authenticator_key(&account, old, &app.key_wrap)?;
        app.key_wrap = keys::wrap(WrapKind::Authenticator, &account, subject, new, &key)?;
    }
    if let Some(spare) = &mut row.spare_codes {
        let key = spare_code_key(&account, old, &spare.key_wrap)?;
        spare.key_wrap = keys::wrap(WrapKind::SpareCodes, &account, subject, new, &key)?;
    }
    for passkey in &mut row.passkeys {
        passkey.master_wrap = None;
    }
    Ok(row)
}

fn not_the_apps() -> VaultError {
    let message = "This is not the code that the app shows now. Look at the clocks of both devices, \
                   and try the next code.";
    VaultError::invalid("totp", message)
}

/// The link is in the form that apps agree on (Key URI Format of Google Authenticator).
fn enrolment(key: &AuthenticatorKey, who: &Unlocked) -> Enrolment {
    let secret = key.secret_text();
    let (issuer, name) = (encoded(ISSUER), encoded(&who.account.username));
    let url = format!(
        "otpauth://totp/{issuer}:{name}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
        *secret
    );
    Enrolment {
        secret,
        url: Zeroizing::new(url),
    }
}

/// Percent-encoded, but for unreserved characters (RFC 3986, 2.3).
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_for_links() {
        assert_eq!(encoded("a.b-c_d~1"), "a.b-c_d~1");
        assert_eq!(encoded("Image Vault"), "Image%20Vault");
        assert_eq!(encoded("Ä&?"), "%C3%84%26%3F");
    }

    #[test]
    fn a_new_master_key_opens_the_same_factor() {
        let (old, new) = (
            MasterKey::generate().unwrap(),
            MasterKey::generate().unwrap(),
        );
        let account = AccountId::from_bytes([3; 16]);
        let subject = account.as_bytes();
        let (app, spare) = (
            AuthenticatorKey::generate().unwrap(),
            SpareCodeKey::generate().unwrap(),
        );
        let row = FactorRow {
            account,
            authenticator: Some(AuthenticatorRow {
                key_wrap: keys::wrap(WrapKind::Authenticator, &account, subject, &old, &app)
                    .unwrap(),
                begun_at: Timestamp::UNIX_EPOCH,
                confirmed_at: None,
                last_step: 7,
            }),
            spare_codes: Some(SpareCodesRow {
                key_wrap: keys::wrap(WrapKind::SpareCodes, &account, subject, &old, &spare)
                    .unwrap(),
                made_at: Timestamp::UNIX_EPOCH,
                digests: vec![spare.digest("0123456789AC")],
            }),
            passkeys: Vec::new(),
            revision: 9,
        };
        let resealed = reseal_factor(&row, &old, &new).unwrap();
        let app_wrap = &resealed.authenticator.as_ref().unwrap().key_wrap;
        let opened = authenticator_key(&account, &new, app_wrap).unwrap();
        assert_eq!(opened.secret_text(), app.secret_text());
        assert!(authenticator_key(&account, &old, app_wrap).is_err());
        let codes = resealed.spare_codes.as_ref().unwrap();
        let opened = spare_code_key(&account, &new, &codes.key_wrap).unwrap();
        assert_eq!(opened.digest("0123456789AC"), codes.digests[0]);
        assert_eq!(resealed.revision, 9);
        assert!(reseal_factor(&row, &new, &old).is_err());
    }
}
