//! The caller's own account: its password, its recovery code, what happened to it.

use rocket::State;
use rocket::http::CookieJar;
use rocket::response::status::NoContent;
use rocket::serde::json::Json;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::budgets::Visitor;
use super::super::guards::{Reader, SameOrigin, Writer};
use super::super::json::JsonBody;
use super::super::problem::Problem;
use super::super::site::Site;
use super::super::wire::UserBody;
use crate::vault;
use crate::vault::Caller;
use crate::vault::Event;
use crate::vault::JsonTime;
use crate::vault::ProfileChange;
use crate::vault::Recovery;
use crate::vault::Unlocked;
use crate::vault::Vault;

#[derive(Deserialize)]
struct NewPassword {
    #[serde(default)]
    current_password: Zeroizing<String>,
    #[serde(default)]
    new_password: Zeroizing<String>,
    totp: Option<Zeroizing<String>>,
}

#[rocket::put("/account/password", data = "<body>")]
async fn change_password(
    who: Writer,
    body: JsonBody<NewPassword>,
    caller: Caller,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<NoContent, Problem> {
    let NewPassword {
        current_password,
        new_password,
        totp,
    } = body.0;
    let current = vault::Proof::new(current_password, totp);
    vault
        .change_password(&who.0, current, new_password, &caller)
        .await?;
    // A program keeps its token: this answer has no place to tell it a new one.
    if who.1 {
        renew_cookie(&who.0, &caller, jar, site, vault).await;
    }
    Ok(NoContent)
}

/// Gives the browser a new session secret, so that a copy of the old one opens nothing. A failure
/// does not undo the change that it follows.
pub(in super::super) async fn renew_cookie(
    who: &Unlocked,
    caller: &Caller,
    jar: &CookieJar<'_>,
    site: &Site,
    vault: &Vault,
) {
    match vault.renew_session(who, caller).await {
        Ok(started) => jar.add(site.session_cookie(&started)),
        Err(error) => tracing::warn!(%error, "a session keeps its secret"),
    }
}

#[derive(Deserialize)]
struct Lost {
    #[serde(default)]
    login: String,
    #[serde(default)]
    recovery_code: Zeroizing<String>,
    #[serde(default)]
    new_password: Zeroizing<String>,
}

#[derive(Serialize)]
struct NewCode {
    recovery_code: Zeroizing<String>,
}

#[rocket::post("/account/recovery", data = "<body>")]
async fn recover(
    _visitor: Visitor,
    _ours: SameOrigin,
    body: JsonBody<Lost>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<Json<NewCode>, Problem> {
    let Lost {
        login,
        recovery_code,
        new_password,
    } = body.0;
    let recovery = Recovery {
        login,
        recovery_code,
        new_password,
    };
    let recovery_code = vault.recover(recovery, &caller).await?.recovery_code;
    Ok(Json(NewCode { recovery_code }))
}

/// The proof that it is the owner who asks.
#[derive(Deserialize)]
pub(super) struct Proof {
    #[serde(default)]
    password: Zeroizing<String>,
    totp: Option<Zeroizing<String>>,
}

impl From<Proof> for vault::Proof {
    fn from(proof: Proof) -> Self {
        Self::new(proof.password, proof.totp)
    }
}

#[rocket::post("/account/recovery-code", data = "<body>")]
async fn renew_code(
    who: Writer,
    body: JsonBody<Proof>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<Json<NewCode>, Problem> {
    let proof = body.0.into();
    let recovery_code = vault.renew_recovery_code(&who.0, proof, &caller).await?;
    Ok(Json(NewCode { recovery_code }))
}

#[derive(Serialize)]
struct NewKey {
    recovery_code: Zeroizing<String>,
    /// A new sign-in. Missing where it could not begin: the recovery code is shown in any case.
    #[serde(flatten)]
    session: Option<NewSession>,
}

#[derive(Serialize)]
struct NewSession {
    token: Zeroizing<String>,
    expires_at: JsonTime,
}

#[rocket::post("/account/master-key", data = "<body>")]
async fn rotate(
    who: Writer,
    body: JsonBody<Proof>,
    caller: Caller,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<Json<NewKey>, Problem> {
    let rotated = vault.rotate_master_key(&who.0, body.0.into(), &caller);
    let opened = rotated.await?;
    let recovery_code = opened.recovery_code.clone();
    let started = vault.start_first_session(opened, &caller).await;
    let started = started.inspect_err(|error| tracing::warn!(%error, "no sign-in followed"));
    if let (true, Ok(started)) = (who.1, &started) {
        jar.add(site.session_cookie(started));
    }
    let session = started.ok().map(|started| NewSession {
        token: started.token,
        expires_at: started.expires_at.into(),
    });
    Ok(Json(NewKey {
        recovery_code,
        session,
    }))
}

#[derive(Serialize)]
struct MasterKeyState {
    generation: u32,
    /// Pictures whose data keys the retired master key still wraps; null where there are none.
    left: Option<u64>,
}

#[rocket::get("/account/master-key")]
async fn master_key(reader: Reader, vault: &State<Vault>) -> Result<Json<MasterKeyState>, Problem> {
    Ok(Json(MasterKeyState {
        generation: reader.who.account.mk_generation,
        left: vault.rotation_left(&reader.who).await?,
    }))
}

#[derive(Deserialize)]
struct Code {
    #[serde(default)]
    recovery_code: Zeroizing<String>,
}

#[rocket::post("/account/recovery-code/test", data = "<body>")]
async fn test_code(
    who: Writer,
    body: JsonBody<Code>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<NoContent, Problem> {
    let code = body.0.recovery_code;
    vault.prove_recovery_code(&who.0, &code, &caller).await?;
    Ok(NoContent)
}

#[derive(Serialize)]
struct Events {
    items: Vec<EventBody>,
    total: usize,
    /// Always null: the last events come in one page.
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct EventBody {
    at: JsonTime,
    kind: &'static str,
    device: String,
    address: String,
}

impl From<Event> for EventBody {
    fn from(event: Event) -> Self {
        Self {
            at: event.at.into(),
            kind: event.kind,
            device: event.device,
            address: event.address,
        }
    }
}

#[rocket::get("/account/events")]
async fn events(reader: Reader, vault: &State<Vault>) -> Result<Json<Events>, Problem> {
    let events = vault.events(&reader.who).await?;
    let items: Vec<_> = events.into_iter().map(EventBody::from).collect();
    let total = items.len();
    Ok(Json(Events {
        items,
        total,
        next_cursor: None,
    }))
}

#[derive(Deserialize)]
struct Profile {
    email: Option<String>,
    display_name: Option<String>,
    #[serde(default)]
    password: Zeroizing<String>,
    totp: Option<Zeroizing<String>>,
}

#[rocket::patch("/account", data = "<body>")]
async fn change_profile(
    who: Writer,
    body: JsonBody<Profile>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<Json<UserBody>, Problem> {
    let Profile {
        email,
        display_name,
        password,
        totp,
    } = body.0;
    let change = ProfileChange {
        email,
        display_name,
    };
    let proof = vault::Proof::new(password, totp);
    let changed = vault.change_profile(&who.0, change, proof, &caller);
    Ok(Json(UserBody::from(&changed.await?)))
}

#[rocket::delete("/account", data = "<body>")]
async fn delete(
    who: Writer,
    body: JsonBody<Proof>,
    caller: Caller,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<NoContent, Problem> {
    vault.delete_account(&who.0, body.0.into(), &caller).await?;
    jar.add(site.removal_cookie());
    Ok(NoContent)
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![
        change_password,
        recover,
        renew_code,
        test_code,
        rotate,
        master_key,
        events,
        change_profile,
        delete
    ]
}
