//! Whether the process runs, and whether it can do its work.

use rocket::State;
use rocket::serde::json::Json;
use serde::Serialize;

use super::super::problem::Problem;
use crate::vault::Vault;

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

#[rocket::get("/live")]
fn live() -> Json<Health> {
    Json(Health { status: "live" })
}

#[rocket::get("/ready")]
async fn ready(vault: &State<Vault>) -> Result<Json<Health>, Problem> {
    vault.ping().await?;
    Ok(Json(Health { status: "ready" }))
}

pub(in super::super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![live, ready]
}
