//! `/account/sessions`: where the vault is open, and ending that.

use rocket::response::{Flash, Redirect};
use rocket::{FromForm, State};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::super::forms::Signed;
use super::super::guards::Reader;
use super::super::problem::Problem;
use super::super::shell::Shell;
use super::super::units;
use crate::ids::SessionId;
use crate::vault::Caller;
use crate::vault::Device;
use crate::vault::Vault;

#[derive(Serialize)]
struct SessionsPage {
    devices: Vec<DeviceLine>,
}

#[derive(Serialize)]
struct DeviceLine {
    id: SessionId,
    current: bool,
    device: String,
    address: String,
    created_label: String,
    seen_label: String,
}

#[rocket::get("/account/sessions")]
async fn sessions(reader: Reader, shell: Shell, vault: &State<Vault>) -> Result<Template, Problem> {
    let line = |device: Device| DeviceLine {
        id: device.id,
        current: device.current,
        device: device.device,
        address: device.address,
        created_label: units::moment(device.created_at),
        seen_label: units::moment(device.last_seen_at),
    };
    let devices = vault.devices(&reader.who).await?;
    let page = SessionsPage {
        devices: devices.into_iter().map(line).collect(),
    };
    let shell = shell.signed_in(&reader.who);
    Ok(Template::render("pages/account_sessions", shell.with(page)))
}

#[derive(FromForm)]
struct Ending {
    /// The sign-in to end; all others where it is missing.
    id: Option<String>,
}

#[rocket::post("/account/sessions", data = "<signed>")]
async fn end_sessions(
    signed: Signed<Ending>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<Flash<Redirect>, Problem> {
    let Signed { who, form } = signed;
    match form.id {
        Some(id) => vault.end_device(&who, &id.parse()?, &caller).await?,
        None => drop(vault.end_other_devices(&who, &caller).await?),
    }
    let back = Redirect::to("/account/sessions");
    Ok(Flash::success(
        back,
        "Ended: what was open there is closed.",
    ))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![sessions, end_sessions]
}
