//! Zip archives of a selection.

use rocket::State;
use rocket::http::Status;
use rocket::response::status::Custom;
use rocket::serde::json::Json;
use rocket::uri;
use serde::{Deserialize, Serialize};

use super::super::download::{Download, disposition};
use super::super::guards::{Collector, PictureReader};
use super::super::json::JsonParts;
use super::super::problem::Problem;
use super::super::range::RangeRequest;
use super::super::wire::SelectionBody;
use crate::ids::ArchiveId;
use crate::vault::JsonTime;
use crate::vault::Ticket;
use crate::vault::Vault;

#[derive(Deserialize)]
struct Order {
    name: Option<String>,
}

/// A ticket, as it is told to its account.
#[derive(Serialize)]
pub(super) struct TicketBody {
    url: String,
    filename: String,
    size: u64,
    entries: usize,
    expires_at: JsonTime,
}

impl From<Ticket> for TicketBody {
    fn from(ticket: Ticket) -> Self {
        Self {
            url: address(&ticket),
            filename: ticket.filename,
            size: ticket.size,
            entries: ticket.entries,
            expires_at: ticket.expires_at.into(),
        }
    }
}

/// The address of a ticket's zip.
pub(in super::super) fn address(ticket: &Ticket) -> String {
    uri!("/api/v1", fetch(ticket.id.to_string())).to_string()
}

#[rocket::post("/archives", data = "<body>")]
async fn create(
    who: Collector,
    body: JsonParts<SelectionBody, Order>,
    vault: &State<Vault>,
) -> Result<Custom<Json<TicketBody>>, Problem> {
    let JsonParts(selection, Order { name }) = body;
    let ticket = vault
        .create_archive(&who.0, selection.parse(&who.0)?, name.as_deref())
        .await?;
    Ok(Custom(Status::Created, Json(ticket.into())))
}

#[rocket::get("/archives/<id>")]
async fn fetch(
    reader: PictureReader,
    id: &str,
    wanted: RangeRequest,
    vault: &State<Vault>,
) -> Result<Download, Problem> {
    let id: ArchiveId = id.parse()?;
    let archive = vault.open_archive(&reader.who, &id).await?;
    let disposition = disposition("attachment", &archive.filename);
    let (size, tag) = (archive.size, id.to_string());
    let download = Download::new(
        &wanted,
        size,
        &tag,
        "application/zip",
        disposition,
        |range| vault.read_archive(&reader.who, &archive, range),
    );
    Ok(download.holding(archive.memory()))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![create, fetch]
}
