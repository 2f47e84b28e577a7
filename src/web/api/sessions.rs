//! Signing in and out.

use rocket::State;
use rocket::http::{CookieJar, Status};
use rocket::response::status::{Custom, NoContent};
use rocket::serde::json::Json;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::budgets::Visitor;
use super::super::guards::{Holder, Reader, SameOrigin, Writer};
use super::super::json::JsonBody;
use super::super::problem::Problem;
use super::super::quota::{QuotaBody, UsageBody};
use super::super::site::Site;
use super::super::wire::UserBody;
use crate::ids::{InvalidId, SessionId};
use crate::vault::Caller;
use crate::vault::Device;
use crate::vault::JsonTime;
use crate::vault::Scopes;
use crate::vault::SignIn;
use crate::vault::Vault;

#[derive(Deserialize)]
struct Credentials {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: Zeroizing<String>,
    totp: Option<Zeroizing<String>>,
    #[serde(default)]
    keep: bool,
}

#[derive(Serialize)]
struct Started {
    token: Zeroizing<String>,
    expires_at: JsonTime,
    user: UserBody,
}

#[derive(Serialize)]
struct Current {
    user: UserBody,
    expires_at: JsonTime,
    csrf_token: String,
    usage: UsageBody,
    quota: QuotaBody,
    /// The scopes of an API token; missing for a sign-in, which may do all.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<&'static str>>,
}

#[rocket::post("/sessions", data = "<body>")]
async fn sign_in(
    _visitor: Visitor,
    _ours: SameOrigin,
    body: JsonBody<Credentials>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<Custom<Json<Started>>, Problem> {
    let Credentials {
        login,
        password,
        totp,
        keep,
    } = body.0;
    let credentials = SignIn {
        login,
        password,
        code: totp,
        keep,
    };
    let started = vault.sign_in(credentials, &caller).await?;
    let body = Started {
        user: UserBody::from(&started.account),
        token: started.token,
        expires_at: started.expires_at.into(),
    };
    Ok(Custom(Status::Created, Json(body)))
}

#[rocket::get("/session")]
async fn current(holder: Holder, vault: &State<Vault>) -> Result<Json<Current>, Problem> {
    let who = holder.0;
    let usage = vault.usage(&who).await?;
    Ok(Json(Current {
        user: UserBody::from(&who.account),
        expires_at: who.expires_at.into(),
        csrf_token: who.csrf_token().to_owned(),
        usage: UsageBody::from(&usage),
        quota: QuotaBody::from(&usage),
        scopes: who.scopes().map(Scopes::names),
    }))
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

#[derive(Serialize)]
struct Devices {
    items: Vec<DeviceBody>,
    total: usize,
    /// Always null: all sign-ins come in one page.
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct DeviceBody {
    id: SessionId,
    current: bool,
    device: String,
    address: String,
    created_at: JsonTime,
    last_seen_at: JsonTime,
    expires_at: JsonTime,
}

impl From<Device> for DeviceBody {
    fn from(device: Device) -> Self {
        Self {
            id: device.id,
            current: device.current,
            device: device.device,
            address: device.address,
            created_at: device.created_at.into(),
            last_seen_at: device.last_seen_at.into(),
            expires_at: device.expires_at.into(),
        }
    }
}

#[rocket::get("/sessions")]
async fn list(reader: Reader, vault: &State<Vault>) -> Result<Json<Devices>, Problem> {
    let devices = vault.devices(&reader.who).await?;
    let items: Vec<_> = devices.into_iter().map(DeviceBody::from).collect();
    let total = items.len();
    Ok(Json(Devices {
        items,
        total,
        next_cursor: None,
    }))
}

#[rocket::delete("/sessions/<id>")]
async fn end(
    id: Result<SessionId, InvalidId>,
    who: Writer,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<NoContent, Problem> {
    vault.end_device(&who.0, &id?, &caller).await?;
    Ok(NoContent)
}

#[rocket::delete("/sessions")]
async fn end_others(
    who: Writer,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<NoContent, Problem> {
    vault.end_other_devices(&who.0, &caller).await?;
    Ok(NoContent)
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![sign_in, current, sign_out, list, end, end_others]
}
