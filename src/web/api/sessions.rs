//! Signing in and out.

use jiff::Timestamp;
use rocket::State;
use rocket::http::{CookieJar, Status};
use rocket::response::status::{Custom, NoContent};
use rocket::serde::json::Json;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::guards::{Reader, SameOrigin, Writer};
use super::super::json::JsonBody;
use super::super::problem::Problem;
use super::super::site::Site;
use super::super::wire::UserBody;
use crate::vault::SignIn;
use crate::vault::Vault;

#[derive(Deserialize)]
struct Credentials {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: Zeroizing<String>,
}

#[derive(Serialize)]
struct Started {
    token: Zeroizing<String>,
    expires_at: Timestamp,
    user: UserBody,
}

#[derive(Serialize)]
struct Current {
    user: UserBody,
    expires_at: Timestamp,
    csrf_token: String,
}

#[rocket::post("/sessions", data = "<body>")]
async fn sign_in(
    _ours: SameOrigin,
    body: JsonBody<Credentials>,
    vault: &State<Vault>,
) -> Result<Custom<Json<Started>>, Problem> {
    let Credentials { login, password } = body.0;
    let started = vault.sign_in(SignIn { login, password }, "API").await?;
    let body = Started {
        user: UserBody::from(&started.account),
        token: started.token,
        expires_at: started.expires_at,
    };
    Ok(Custom(Status::Created, Json(body)))
}

#[rocket::get("/session")]
fn current(reader: Reader) -> Json<Current> {
    Json(Current {
        user: UserBody::from(&reader.who.account),
        expires_at: reader.who.expires_at,
        csrf_token: reader.who.csrf_token().to_owned(),
    })
}

#[rocket::delete("/session")]
async fn sign_out(
    who: Writer,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<NoContent, Problem> {
    vault.sign_out(&who.0).await?;
    jar.add(site.removal_cookie());
    Ok(NoContent)
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![sign_in, current, sign_out]
}
