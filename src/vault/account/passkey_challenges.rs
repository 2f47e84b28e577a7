//! Challenges for passkeys, and their answers. A challenge is a row of `pending` that is taken
//! once: any process may check the answer, and no challenge can be answered twice.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use webauthn_rs::prelude::{
    AuthenticationResult, DiscoverableAuthentication, Passkey, PasskeyAuthentication,
    PasskeyRegistration, PublicKeyCredential,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};
use zeroize::Zeroizing;

use crate::crypto::{PasskeySecret, SessionToken, sha256};
use crate::ids::{AccountId, PasskeyId};
use crate::store::{PasskeyRow, PendingRow};
use crate::vault::Vault;
use crate::vault::error::{FactorPurpose, Result, VaultError};

/// How long a challenge can be answered. Browsers give up after as long, too.
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// Input of every passkey's PRF: always the same, so that the output is.
const PRF_INPUT: &[u8] = b"image-vault passkey v1\0";
/// Longest answer that is looked at: a signature, a key and an attestation have some 2 KB.
pub(super) const MAX_ANSWER_BYTES: usize = 16 << 10;

/// A challenge for the browser.
pub struct Challenge {
    /// Names the challenge; comes back with the answer.
    pub token: Zeroizing<String>,
    /// What `navigator.credentials` is called with; bytes are base64url.
    pub options: Value,
}

/// A browser's answer to a challenge.
#[derive(Deserialize)]
pub struct Answer {
    /// The token of the challenge.
    pub token: Zeroizing<String>,
    /// What `navigator.credentials` gave.
    pub credential: Value,
    /// The output of the PRF extension, in base64url, where there is one.
    pub prf: Option<Zeroizing<String>>,
}

/// The payload of a challenge's row.
#[derive(Serialize, Deserialize)]
pub(super) enum Asking {
    ToAdd(Box<PasskeyRegistration>),
    AsFactor(Box<PasskeyAuthentication>),
    ToSignIn(Box<DiscoverableAuthentication>),
}

/// The relying party of passkeys; `None` where its host is an IP address, which browsers refuse.
pub(in crate::vault) fn site(public_url: Option<&str>) -> Option<Webauthn> {
    let origin = Url::parse(public_url.unwrap_or("http://localhost")).ok()?;
    let host = origin.domain()?.to_owned();
    let builder = WebauthnBuilder::new(&host, &origin).ok()?;
    let builder = builder.rp_name("Image Vault");
    // On localhost the port is whichever was free.
    builder.allow_any_port(public_url.is_none()).build().ok()
}

impl Vault {
    pub(super) fn passkey_site(&self) -> Result<&Webauthn> {
        self.0.passkeys.as_ref().ok_or(VaultError::NotFound)
    }

    pub(super) async fn ask(
        &self,
        account: Option<AccountId>,
        mut options: Value,
        asking: Asking,
    ) -> Result<Challenge> {
        let input = data_encoding::BASE64URL_NOPAD.encode(PRF_INPUT);
        options["publicKey"]["extensions"]["prf"] = json!({ "eval": { "first": input } });
        let token = SessionToken::generate()?;
        let row = PendingRow {
            digest: token.digest(),
            account,
            payload: serde_json::to_vec(&asking).map_err(internal)?,
            expires_at: self.now() + ANSWER_WITHIN,
        };
        self.store().records.insert_pending(&row).await?;
        Ok(Challenge {
            token: token.to_text(),
            options,
        })
    }

    /// Takes the challenge with this token; it can be taken once.
    pub(super) async fn asked(&self, token: &str) -> Result<Option<(Option<AccountId>, Asking)>> {
        let Ok(token) = SessionToken::parse(token) else {
            return Ok(None);
        };
        let records = &self.store().records;
        let row = records.take_pending(&token.digest(), self.now()).await?;
        // The row of a waiting sign-in has another payload: its token is no challenge's.
        Ok(row.and_then(|row| {
            let asking = serde_json::from_slice(&row.payload).ok()?;
            Some((row.account, asking))
        }))
    }

    /// Asks for one of the account's passkeys as its second factor: the answer, as JSON, is taken
    /// wherever a code is.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] where the account has none.
    pub async fn ask_for_passkey(&self, account: &AccountId) -> Result<Challenge> {
        let site = self.passkey_site()?;
        let row = self.store().records.factor(account).await?;
        let known = parsed(&row.map(|row| row.passkeys).unwrap_or_default())?;
        if known.is_empty() {
            return Err(VaultError::NotFound);
        }
        let begun = site.start_passkey_authentication(&known);
        let (options, state) = begun.map_err(internal)?;
        let asking = Asking::AsFactor(Box::new(state));
        self.ask(Some(*account), to_json(&options)?, asking).await
    }

    /// Checks the answer of a passkey of the account that was asked for as its second factor.
    pub(super) async fn shown_passkey(
        &self,
        account: &AccountId,
        answer: &str,
        asked: FactorPurpose,
    ) -> Result<AuthenticationResult> {
        let wrong = || VaultError::WrongFactor(asked);
        let answer: Answer = serde_json::from_str(answer).map_err(|_| wrong())?;
        let Some((Some(of), Asking::AsFactor(state))) = self.asked(&answer.token).await? else {
            return Err(wrong());
        };
        if of != *account {
            return Err(wrong());
        }
        let given: PublicKeyCredential =
            serde_json::from_value(answer.credential).map_err(|_| wrong())?;
        let site = self.passkey_site()?;
        let shown = site.finish_passkey_authentication(&given, &state);
        shown.map_err(|_| wrong())
    }
}

/// Notes in a passkey's row what its use has changed: the signature counter, and the time.
///
/// # Errors
/// [`VaultError::WrongPasskey`] where it was removed meanwhile.
pub(super) fn note_use(
    passkeys: &mut [PasskeyRow],
    shown: &AuthenticationResult,
    now: Timestamp,
) -> Result<()> {
    let id = id_of(shown.cred_id());
    let known = passkeys.iter_mut().find(|known| known.id == id);
    let known = known.ok_or(VaultError::WrongPasskey)?;
    let mut passkey = read(known)?;
    passkey.update_credential(shown);
    (known.credential, known.used_at) = (written(&passkey)?, Some(now));
    Ok(())
}

pub(super) fn id_of(credential: &[u8]) -> PasskeyId {
    let mut id = [0; 16];
    id.copy_from_slice(&sha256(credential)[..16]);
    PasskeyId::from_bytes(id)
}

pub(super) fn parsed(rows: &[PasskeyRow]) -> Result<Vec<Passkey>> {
    rows.iter().map(read).collect()
}

pub(super) fn read(row: &PasskeyRow) -> Result<Passkey> {
    serde_json::from_str(&row.credential)
        .map_err(|_| VaultError::Damaged("a passkey cannot be read"))
}

pub(super) fn written(passkey: &Passkey) -> Result<String> {
    serde_json::to_string(passkey).map_err(internal)
}

pub(super) fn to_json(options: &impl Serialize) -> Result<Value> {
    serde_json::to_value(options).map_err(internal)
}

/// The PRF output, which has 32 bytes.
pub(super) fn prf_of(text: Option<Zeroizing<String>>) -> Result<Option<PasskeySecret>> {
    let Some(text) = text else { return Ok(None) };
    let wrong = || VaultError::invalid("prf", "The PRF extension gives 32 bytes, in base64url.");
    let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes());
    let bytes = Zeroizing::new(bytes.map_err(|_| wrong())?);
    let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| wrong())?;
    Ok(Some(PasskeySecret::from_bytes(bytes)))
}

pub(super) fn internal(error: impl std::fmt::Display) -> VaultError {
    VaultError::Internal(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_belong_to_a_name_and_not_to_a_number() {
        for url in [
            None,
            Some("https://pictures.example.org"),
            Some("http://localhost:8000"),
        ] {
            assert!(site(url).is_some(), "{url:?}");
        }
        for url in [
            "https://192.0.2.1",
            "https://[2001:db8::1]:8443",
            "nonsense",
        ] {
            assert!(site(Some(url)).is_none(), "{url}");
        }
    }

    #[test]
    fn another_length_is_no_prf_output() {
        let text = |bytes: &[u8]| Some(data_encoding::BASE64URL_NOPAD.encode(bytes).into());
        assert!(prf_of(None).unwrap().is_none());
        assert!(prf_of(text(&[7; 32])).unwrap().is_some());
        for bytes in [&[7; 31][..], &[7; 33], &[]] {
            assert!(prf_of(text(bytes)).is_err());
        }
        assert!(prf_of(Some("!".repeat(43).into())).is_err());
    }
}
