//! The rows of second factors as documents: lists within them.

use mongodb::bson::{Binary, DateTime};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, PasskeyId};

use super::super::{AuthenticatorRow, FactorRow, PasskeyRow, Result, SpareCodesRow, StoreError};
use super::documents::{array, binary, date, time};

#[derive(Serialize, Deserialize)]
pub(super) struct FactorDoc {
    #[serde(rename = "_id")]
    account: AccountId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authenticator: Option<AuthenticatorDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spare_codes: Option<SpareCodesDoc>,
    #[serde(default)]
    passkeys: Vec<PasskeyDoc>,
    revision: u64,
}

#[derive(Serialize, Deserialize)]
struct AuthenticatorDoc {
    key_wrap: Binary,
    begun_at: DateTime,
    confirmed_at: Option<DateTime>,
    last_step: u64,
}

#[derive(Serialize, Deserialize)]
struct SpareCodesDoc {
    key_wrap: Binary,
    made_at: DateTime,
    digests: Vec<Binary>,
}

#[derive(Serialize, Deserialize)]
struct PasskeyDoc {
    id: PasskeyId,
    name: String,
    credential: String,
    master_wrap: Option<Binary>,
    added_at: DateTime,
    used_at: Option<DateTime>,
}

impl From<&FactorRow> for FactorDoc {
    /// The document of the row after this change.
    fn from(row: &FactorRow) -> Self {
        let app = |app: &AuthenticatorRow| AuthenticatorDoc {
            key_wrap: binary(&app.key_wrap),
            begun_at: date(app.begun_at),
            confirmed_at: app.confirmed_at.map(date),
            last_step: app.last_step,
        };
        let spare = |spare: &SpareCodesRow| SpareCodesDoc {
            key_wrap: binary(&spare.key_wrap),
            made_at: date(spare.made_at),
            digests: spare.digests.iter().map(|digest| binary(digest)).collect(),
        };
        let passkey = |passkey: &PasskeyRow| PasskeyDoc {
            id: passkey.id,
            name: passkey.name.clone(),
            credential: passkey.credential.clone(),
            master_wrap: passkey.master_wrap.as_deref().map(binary),
            added_at: date(passkey.added_at),
            used_at: passkey.used_at.map(date),
        };
        Self {
            account: row.account,
            passkeys: row.passkeys.iter().map(passkey).collect(),
            authenticator: row.authenticator.as_ref().map(app),
            spare_codes: row.spare_codes.as_ref().map(spare),
            revision: row.revision + 1,
        }
    }
}

impl TryFrom<FactorDoc> for FactorRow {
    type Error = StoreError;

    fn try_from(doc: FactorDoc) -> Result<Self> {
        let app = |app: AuthenticatorDoc| -> Result<_> {
            Ok(AuthenticatorRow {
                key_wrap: app.key_wrap.bytes,
                begun_at: time(app.begun_at)?,
                confirmed_at: app.confirmed_at.map(time).transpose()?,
                last_step: app.last_step,
            })
        };
        let spare = |spare: SpareCodesDoc| -> Result<_> {
            Ok(SpareCodesRow {
                key_wrap: spare.key_wrap.bytes,
                made_at: time(spare.made_at)?,
                digests: spare.digests.iter().map(array).collect::<Result<_>>()?,
            })
        };
        let passkey = |passkey: PasskeyDoc| -> Result<_> {
            Ok(PasskeyRow {
                id: passkey.id,
                name: passkey.name,
                credential: passkey.credential,
                master_wrap: passkey.master_wrap.map(|wrap| wrap.bytes),
                added_at: time(passkey.added_at)?,
                used_at: passkey.used_at.map(time).transpose()?,
            })
        };
        Ok(Self {
            account: doc.account,
            passkeys: doc
                .passkeys
                .into_iter()
                .map(passkey)
                .collect::<Result<_>>()?,
            authenticator: doc.authenticator.map(app).transpose()?,
            spare_codes: doc.spare_codes.map(spare).transpose()?,
            revision: doc.revision,
        })
    }
}
