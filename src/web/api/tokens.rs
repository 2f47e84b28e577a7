//! API tokens: what programs are given in place of the password.

use rocket::State;
use rocket::http::Status;
use rocket::response::status::{Custom, NoContent};
use rocket::serde::json::Json;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::guards::{Reader, Writer};
use super::super::json::JsonBody;
use super::super::problem::Problem;
use crate::ids::{InvalidId, SessionId};
use crate::vault::ApiToken;
use crate::vault::Caller;
use crate::vault::JsonTime;
use crate::vault::NewToken;
use crate::vault::Proof;
use crate::vault::Vault;

#[derive(Serialize)]
struct Tokens {
    items: Vec<TokenBody>,
    total: usize,
    /// Always null: all tokens come in one page.
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct TokenBody {
    id: SessionId,
    name: String,
    scopes: Vec<&'static str>,
    created_at: JsonTime,
    used_at: Option<JsonTime>,
    expires_at: JsonTime,
}

impl From<ApiToken> for TokenBody {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            scopes: token.scopes.names(),
            created_at: token.created_at.into(),
            used_at: token.used_at.map(JsonTime),
            expires_at: token.expires_at.into(),
        }
    }
}

#[rocket::get("/account/tokens")]
async fn list(reader: Reader, vault: &State<Vault>) -> Result<Json<Tokens>, Problem> {
    let tokens = vault.tokens(&reader.who).await?;
    let items: Vec<_> = tokens.into_iter().map(TokenBody::from).collect();
    let total = items.len();
    Ok(Json(Tokens {
        items,
        total,
        next_cursor: None,
    }))
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    name: String,
    #[serde(default)]
    scopes: Vec<String>,
    expires_in_days: Option<u32>,
    #[serde(default)]
    password: Zeroizing<String>,
    totp: Option<Zeroizing<String>>,
}

#[derive(Serialize)]
struct Made {
    token: Zeroizing<String>,
    #[serde(flatten)]
    about: TokenBody,
}

#[rocket::post("/account/tokens", data = "<body>")]
async fn make(
    who: Writer,
    body: JsonBody<Wanted>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<Custom<Json<Made>>, Problem> {
    let wanted = body.0;
    let new = NewToken {
        name: wanted.name,
        scopes: wanted.scopes,
        days: wanted.expires_in_days,
    };
    let proof = Proof::new(wanted.password, wanted.totp);
    let made = vault.make_token(&who.0, new, proof, &caller);
    let made = made.await?;
    let body = Made {
        token: made.secret,
        about: made.token.into(),
    };
    Ok(Custom(Status::Created, Json(body)))
}

#[rocket::delete("/account/tokens/<id>")]
async fn revoke(
    id: Result<SessionId, InvalidId>,
    who: Writer,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<NoContent, Problem> {
    vault.revoke_token(&who.0, &id?, &caller).await?;
    Ok(NoContent)
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![list, make, revoke]
}
