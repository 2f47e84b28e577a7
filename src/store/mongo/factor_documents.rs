//! The rows of second factors as documents, and of what waits for one.

use mongodb::bson::{Binary, DateTime};
use serde::{Deserialize, Serialize};

use crate::ids::AccountId;

use super::super::{AuthenticatorRow, FactorRow, PendingRow, Result, SpareCodesRow, StoreError};
use super::documents::{array, binary, date, time};

#[derive(Serialize, Deserialize)]
pub(super) struct FactorDoc {
    #[serde(rename = "_id")]
    account: AccountId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authenticator: Option<AuthenticatorDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spare_codes: Option<SpareCodesDoc>,
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
        Self {
            account: row.account,
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
        Ok(Self {
            account: doc.account,
            authenticator: doc.authenticator.map(app).transpose()?,
            spare_codes: doc.spare_codes.map(spare).transpose()?,
            revision: doc.revision,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct PendingDoc {
    #[serde(rename = "_id")]
    digest: Binary,
    account: AccountId,
    payload: Binary,
    expires_at: DateTime,
}

impl From<&PendingRow> for PendingDoc {
    fn from(row: &PendingRow) -> Self {
        Self {
            digest: binary(&row.digest),
            account: row.account,
            payload: binary(&row.payload),
            expires_at: date(row.expires_at),
        }
    }
}

impl TryFrom<PendingDoc> for PendingRow {
    type Error = StoreError;

    fn try_from(doc: PendingDoc) -> Result<Self> {
        Ok(Self {
            digest: array(&doc.digest)?,
            account: doc.account,
            payload: doc.payload.bytes,
            expires_at: time(doc.expires_at)?,
        })
    }
}
