//! Passkeys of the caller's own account.

use rocket::State;
use rocket::http::Status;
use rocket::response::status::{Custom, NoContent};
use rocket::serde::json::Json;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::super::guards::Writer;
use super::super::json::JsonBody;
use super::super::problem::Problem;
use super::account::Proof;
use super::factors::SpareCodes;
use crate::ids::{InvalidId, PasskeyId};
use crate::vault::Answer;
use crate::vault::Caller;
use crate::vault::Challenge;
use crate::vault::Vault;

/// A challenge for the browser; bytes are base64url.
#[derive(Serialize)]
pub(in super::super) struct ChallengeBody {
    token: Zeroizing<String>,
    options: Value,
}

impl From<Challenge> for ChallengeBody {
    fn from(challenge: Challenge) -> Self {
        Self {
            token: challenge.token,
            options: challenge.options,
        }
    }
}

#[rocket::post("/account/passkeys/challenge", data = "<body>")]
async fn begin(
    who: Writer,
    body: JsonBody<Proof>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<Json<ChallengeBody>, Problem> {
    let challenge = vault.begin_passkey(&who.0, body.0.into(), &caller).await?;
    Ok(Json(challenge.into()))
}

#[derive(Deserialize)]
struct NewPasskey {
    #[serde(default)]
    name: String,
    token: Zeroizing<String>,
    credential: Value,
    prf: Option<Zeroizing<String>>,
}

#[rocket::post("/account/passkeys", data = "<body>")]
async fn add(
    who: Writer,
    body: JsonBody<NewPasskey>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<Custom<Json<SpareCodes>>, Problem> {
    let NewPasskey {
        name,
        token,
        credential,
        prf,
    } = body.0;
    let answer = Answer {
        token,
        credential,
        prf,
    };
    let spare_codes = vault.add_passkey(&who.0, &name, answer, &caller).await?;
    Ok(Custom(Status::Created, Json(SpareCodes { spare_codes })))
}

#[rocket::delete("/account/passkeys/<id>", data = "<body>")]
async fn remove(
    id: Result<PasskeyId, InvalidId>,
    who: Writer,
    body: JsonBody<Proof>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<NoContent, Problem> {
    let (id, proof) = (id?, body.0.into());
    vault.remove_passkey(&who.0, &id, proof, &caller).await?;
    Ok(NoContent)
}

#[rocket::post("/account/passkeys/assertion")]
async fn ask(who: Writer, vault: &State<Vault>) -> Result<Json<ChallengeBody>, Problem> {
    let challenge = vault.ask_for_passkey(who.0.id()).await?;
    Ok(Json(challenge.into()))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![begin, add, remove, ask]
}
