//! Signing in with a passkey: what the login pages' scripts call. Without scripts there are no passkeys.

use rocket::State;
use rocket::http::CookieJar;
use rocket::response::status::NoContent;
use rocket::serde::json::Json;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::super::api::passkeys::ChallengeBody;
use super::super::budgets::Visitor;
use super::super::guards::SameOrigin;
use super::super::json::JsonBody;
use super::super::problem::Problem;
use super::super::site::Site;
use super::sign_in_code::token;
use crate::vault::Answer;
use crate::vault::Caller;
use crate::vault::Vault;

#[rocket::post("/login/code/passkey")]
async fn ask_waiting(
    _visitor: Visitor,
    _ours: SameOrigin,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<Json<ChallengeBody>, Problem> {
    let challenge = vault.ask_waiting_for_passkey(&token(jar, site)).await?;
    Ok(Json(challenge.into()))
}

#[rocket::post("/login/passkey/challenge")]
async fn ask(
    _visitor: Visitor,
    _ours: SameOrigin,
    vault: &State<Vault>,
) -> Result<Json<ChallengeBody>, Problem> {
    Ok(Json(vault.ask_to_sign_in().await?.into()))
}

#[derive(Deserialize)]
struct SignIn {
    token: Zeroizing<String>,
    credential: Value,
    prf: Option<Zeroizing<String>>,
    #[serde(default)]
    keep: bool,
}

#[rocket::post("/login/passkey", data = "<body>")]
async fn sign_in(
    _visitor: Visitor,
    _ours: SameOrigin,
    body: JsonBody<SignIn>,
    caller: Caller,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<NoContent, Problem> {
    let SignIn {
        token,
        credential,
        prf,
        keep,
    } = body.0;
    let answer = Answer {
        token,
        credential,
        prf,
    };
    let started = vault.sign_in_by_passkey(answer, keep, &caller).await?;
    jar.add(site.session_cookie(&started));
    Ok(NoContent)
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![ask_waiting, ask, sign_in]
}
