//! `/trash`: what was deleted, until it goes for good.

use rocket::State;
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::super::assets;
use super::super::guards::Reader;
use super::super::problem::Problem;
use super::super::shell::Shell;
use super::super::site::Site;
use super::super::units;
use super::tiles::{Tile, link};
use crate::store::ImageState;
use crate::vault::Filter;
use crate::vault::ListRequest;
use crate::vault::Vault;

#[derive(Serialize)]
struct TrashPage {
    images: Vec<Tile>,
    total: usize,
    total_label: String,
    next_url: Option<String>,
    first_url: Option<String>,
    modules: &'static [String],
}

#[rocket::get("/trash?<cursor>")]
async fn grid(
    cursor: Option<String>,
    reader: Reader,
    shell: Shell,
    vault: &State<Vault>,
    site: &State<Site>,
) -> Result<Template, Problem> {
    let first_page = cursor.is_none();
    let request = ListRequest {
        filter: Filter {
            state: Some(ImageState::Trashed),
            ..Filter::default()
        },
        cursor,
        ..ListRequest::default()
    };
    let list = vault.list(&reader.who, request).await?;
    let page = TrashPage {
        images: Tile::of_all(&list.items, site.limits.trash_days),
        total: list.total,
        total_label: units::count(list.total),
        next_url: list
            .next_cursor
            .map(|next| link("/trash", &[("cursor", &next)])),
        first_url: (!first_page).then(|| "/trash".to_owned()),
        modules: &assets::TRASH_MODULES,
    };
    Ok(Template::render(
        "pages/trash",
        shell.signed_in(&reader.who).with(page),
    ))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![grid]
}
