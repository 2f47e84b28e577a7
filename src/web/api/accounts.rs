//! Registration.

use rocket::State;
use rocket::http::Status;
use rocket::http::uri::Host;
use rocket::response::status::Custom;
use rocket::serde::json::Json;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::budgets::Registrant;
use super::super::guards::SameOrigin;
use super::super::json::JsonBody;
use super::super::problem::Problem;
use super::super::site::Site;
use super::super::wire::UserBody;
use crate::vault::Administrator;
use crate::vault::Caller;
use crate::vault::INVITATION_TTL;
use crate::vault::JsonTime;
use crate::vault::NewAccount;
use crate::vault::Vault;

/// A missing field is read as empty, and refused by name like an empty one.
#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    username: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: Zeroizing<String>,
    display_name: Option<String>,
    invitation: Option<String>,
}

#[derive(Serialize)]
struct Registered {
    #[serde(flatten)]
    user: UserBody,
    recovery_code: Zeroizing<String>,
}

#[rocket::post("/accounts", data = "<body>")]
async fn register(
    _registrant: Registrant,
    _ours: SameOrigin,
    body: JsonBody<Registration>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<Custom<Json<Registered>>, Problem> {
    let Registration {
        username,
        email,
        password,
        display_name,
        invitation,
    } = body.0;
    let new = NewAccount {
        username,
        email,
        password,
        display_name,
        invitation,
    };
    let new = vault.register(new, &caller).await?;
    let body = Registered {
        user: UserBody::from(&new.account),
        recovery_code: new.recovery_code,
    };
    Ok(Custom(Status::Created, Json(body)))
}

#[derive(Serialize)]
struct Invited {
    url: String,
    expires_at: JsonTime,
}

#[rocket::post("/admin/invitations")]
async fn invite(
    administrator: Administrator,
    host: &Host<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<Custom<Json<Invited>>, Problem> {
    let invitation = vault.invite(&administrator, INVITATION_TTL).await?;
    let body = Invited {
        url: site.invitation_url(&invitation.token, host),
        expires_at: invitation.expires_at.into(),
    };
    Ok(Custom(Status::Created, Json(body)))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![register, invite]
}
