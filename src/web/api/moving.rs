//! Taking everything along, and bringing it back.

use rocket::State;
use rocket::http::Status;
use rocket::response::status::Custom;
use rocket::serde::json::Json;
use serde::{Deserialize, Serialize};

use super::super::guards::{Reader, Writer};
use super::super::json::JsonBody;
use super::super::problem::Problem;
use super::super::receive::{Incoming, import_body};
use super::archives::TicketBody;
use crate::vault::Imported;
use crate::vault::Vault;

#[derive(Deserialize)]
struct Order {
    /// Whether to read every original first.
    #[serde(default)]
    leave_out_damaged: bool,
}

#[rocket::post("/account/export", data = "<body>")]
async fn export(
    who: Writer,
    body: JsonBody<Order>,
    vault: &State<Vault>,
) -> Result<Custom<Json<TicketBody>>, Problem> {
    let ticket = vault
        .create_export(&who.0, body.0.leave_out_damaged)
        .await?;
    Ok(Custom(Status::Created, Json(ticket.into())))
}

#[derive(Serialize)]
struct Report {
    total: usize,
    identical: usize,
    added: usize,
    already_here: usize,
    /// Names of the pictures that the export itself had to leave out.
    left_out: Vec<String>,
    /// The first thousand failures.
    failed: Vec<Failed>,
}

#[derive(Serialize)]
struct Failed {
    name: String,
    reason: String,
}

impl From<Imported> for Report {
    fn from(done: Imported) -> Self {
        let failed = done.failed.into_iter().map(|one| Failed {
            name: one.name,
            reason: one.reason,
        });
        Self {
            total: done.total,
            identical: done.identical,
            added: done.added,
            already_here: done.already_here,
            left_out: done.left_out,
            failed: failed.collect(),
        }
    }
}

#[rocket::post("/account/import")]
async fn import(
    reader: Reader,
    incoming: Incoming,
    vault: &State<Vault>,
) -> Result<Json<Report>, Problem> {
    let done = import_body(reader, &incoming, vault).await?;
    Ok(Json(done.into()))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![export, import]
}
