//! The second factor: an authenticator app, and spare codes.

use rocket::State;
use rocket::http::Status;
use rocket::response::status::{Custom, NoContent};
use rocket::serde::json::Json;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::guards::{Reader, Writer};
use super::super::json::JsonBody;
use super::super::problem::Problem;
use super::account::Proof;
use crate::ids::PasskeyId;
use crate::vault::Caller;
use crate::vault::Factors;
use crate::vault::JsonTime;
use crate::vault::KnownPasskey;
use crate::vault::Vault;

#[derive(Serialize)]
struct FactorsBody {
    authenticator_since: Option<JsonTime>,
    passkeys: Vec<PasskeyBody>,
    spare_codes_left: usize,
    spare_codes_made_at: Option<JsonTime>,
}

#[derive(Serialize)]
struct PasskeyBody {
    id: PasskeyId,
    name: String,
    /// Whether the passkey opens the vault without the password.
    opens: bool,
    added_at: JsonTime,
    used_at: Option<JsonTime>,
}

impl From<KnownPasskey> for PasskeyBody {
    fn from(passkey: KnownPasskey) -> Self {
        Self {
            id: passkey.id,
            name: passkey.name,
            opens: passkey.opens,
            added_at: passkey.added_at.into(),
            used_at: passkey.used_at.map(JsonTime),
        }
    }
}

impl From<Factors> for FactorsBody {
    fn from(factors: Factors) -> Self {
        Self {
            authenticator_since: factors.authenticator_since.map(JsonTime),
            passkeys: factors
                .passkeys
                .into_iter()
                .map(PasskeyBody::from)
                .collect(),
            spare_codes_left: factors.spare_codes_left,
            spare_codes_made_at: factors.spare_codes_made_at.map(JsonTime),
        }
    }
}

#[rocket::get("/account/factors")]
async fn list(reader: Reader, vault: &State<Vault>) -> Result<Json<FactorsBody>, Problem> {
    let factors = vault.factors(&reader.who).await?;
    Ok(Json(factors.into()))
}

#[derive(Serialize)]
struct EnrolmentBody {
    /// Base32.
    secret: Zeroizing<String>,
    otpauth_url: Zeroizing<String>,
}

#[rocket::post("/account/authenticator", data = "<body>")]
async fn begin(
    who: Writer,
    body: JsonBody<Proof>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<Custom<Json<EnrolmentBody>>, Problem> {
    let begun = vault.begin_authenticator(&who.0, body.0.into(), &caller);
    let enrolment = begun.await?;
    let body = EnrolmentBody {
        secret: enrolment.secret,
        otpauth_url: enrolment.url,
    };
    Ok(Custom(Status::Created, Json(body)))
}

#[derive(Deserialize)]
struct Code {
    #[serde(default)]
    totp: Zeroizing<String>,
}

/// Shown once; empty where there were spare codes before, which still work.
#[derive(Serialize)]
pub(super) struct SpareCodes {
    pub(super) spare_codes: Vec<Zeroizing<String>>,
}

#[rocket::post("/account/authenticator/confirm", data = "<body>")]
async fn confirm(
    who: Writer,
    body: JsonBody<Code>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<Json<SpareCodes>, Problem> {
    let confirmed = vault.confirm_authenticator(&who.0, &body.0.totp, &caller);
    let spare_codes = confirmed.await?;
    Ok(Json(SpareCodes { spare_codes }))
}

#[rocket::delete("/account/authenticator", data = "<body>")]
async fn remove(
    who: Writer,
    body: JsonBody<Proof>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<NoContent, Problem> {
    let removed = vault.remove_authenticator(&who.0, body.0.into(), &caller);
    removed.await?;
    Ok(NoContent)
}

#[rocket::post("/account/spare-codes", data = "<body>")]
async fn renew_spare_codes(
    who: Writer,
    body: JsonBody<Proof>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<Json<SpareCodes>, Problem> {
    let renewed = vault.renew_spare_codes(&who.0, body.0.into(), &caller);
    let spare_codes = renewed.await?;
    Ok(Json(SpareCodes { spare_codes }))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![list, begin, confirm, remove, renew_spare_codes]
}
