//! Registration.

use rocket::State;
use rocket::http::Status;
use rocket::response::status::Custom;
use rocket::serde::json::Json;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::guards::SameOrigin;
use super::super::json::JsonBody;
use super::super::problem::Problem;
use super::super::wire::UserBody;
use crate::vault::Caller;
use crate::vault::NewAccount;
use crate::vault::Vault;

/// What is missing is empty, and refused by name like what is empty.
#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    username: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: Zeroizing<String>,
    display_name: Option<String>,
}

#[derive(Serialize)]
struct Registered {
    #[serde(flatten)]
    user: UserBody,
    recovery_code: Zeroizing<String>,
}

#[rocket::post("/accounts", data = "<body>")]
async fn register(
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
    } = body.0;
    let new = NewAccount {
        username,
        email,
        password,
        display_name,
    };
    let new = vault.register(new, &caller).await?;
    let body = Registered {
        user: UserBody::from(&new.account),
        recovery_code: new.recovery_code,
    };
    Ok(Custom(Status::Created, Json(body)))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![register]
}
