//! `/vault`: the grid, and uploading without scripts.

use rocket::State;
use rocket::data::Data;
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::super::guards::Reader;
use super::super::problem::Problem;
use super::super::receive::{Incoming, Received, receive_form};
use super::super::shell::Shell;
use super::super::site::Site;
use super::super::units;
use super::tiles::{Tile, link};
use crate::vault::Added;
use crate::vault::ListRequest;
use crate::vault::Sort;
use crate::vault::Unlocked;
use crate::vault::Vault;

const DEFAULT_SORT: &str = "-uploaded_at";

#[derive(Serialize)]
struct VaultPage<'a> {
    images: Vec<Tile>,
    total: usize,
    total_label: String,
    storage_label: String,
    damaged: usize,
    q: &'a str,
    sort: &'a str,
    next_url: Option<String>,
    first_url: Option<String>,
    results: Option<Vec<UploadResult>>,
}

#[derive(Serialize)]
struct UploadResult {
    name: String,
    id: String,
    ok: bool,
    duplicate: bool,
    problem: String,
}

impl From<Received> for UploadResult {
    fn from(received: Received) -> Self {
        let Received { name, outcome } = received;
        let (id, duplicate, problem) = match outcome {
            Ok(Added::New(image)) => (image.id.to_string(), false, String::new()),
            Ok(Added::Duplicate(image)) => (image.id.to_string(), true, String::new()),
            Err(problem) => (String::new(), false, problem.detail().to_owned()),
        };
        Self {
            ok: problem.is_empty(),
            name,
            id,
            duplicate,
            problem,
        }
    }
}

/// What the page was asked to show.
struct Asked<'a> {
    q: &'a str,
    sort: &'a str,
    cursor: Option<String>,
}

#[rocket::get("/vault?<q>&<sort>&<cursor>")]
async fn grid(
    q: Option<&str>,
    sort: Option<&str>,
    cursor: Option<String>,
    reader: Reader,
    shell: Shell,
    vault: &State<Vault>,
    site: &State<Site>,
) -> Result<Template, Problem> {
    let asked = Asked {
        q: q.unwrap_or_default(),
        sort: sort.unwrap_or(DEFAULT_SORT),
        cursor,
    };
    render(&reader.who, shell, vault, site, asked, None).await
}

#[rocket::post("/vault/upload", data = "<data>")]
async fn upload(
    reader: Reader,
    incoming: Incoming,
    data: Data<'_>,
    shell: Shell,
    vault: &State<Vault>,
    site: &State<Site>,
) -> Result<Template, Problem> {
    let (who, received) = receive_form(reader, &incoming, data, vault).await?;
    let results = received.into_iter().map(UploadResult::from).collect();
    let asked = Asked {
        q: "",
        sort: DEFAULT_SORT,
        cursor: None,
    };
    render(&who, shell, vault, site, asked, Some(results)).await
}

async fn render(
    who: &Unlocked,
    shell: Shell,
    vault: &Vault,
    site: &Site,
    asked: Asked<'_>,
    results: Option<Vec<UploadResult>>,
) -> Result<Template, Problem> {
    // An order we do not know, as in an old bookmark, is no reason to show nothing.
    let known = Sort::parse(asked.sort);
    let sort_text = if known.is_some() {
        asked.sort
    } else {
        DEFAULT_SORT
    };
    let (sort, descending) = known.unwrap_or((Sort::UploadedAt, true));
    let first_page = asked.cursor.is_none();
    let query = asked.q.trim();
    let request = ListRequest {
        query: query.to_owned(),
        sort,
        descending,
        cursor: asked.cursor,
        ..ListRequest::default()
    };
    let list = vault.list(who, request).await?;
    let fields = [
        ("q", query),
        (
            "sort",
            if sort_text == DEFAULT_SORT {
                ""
            } else {
                sort_text
            },
        ),
    ];
    let next = list.next_cursor.as_deref();
    let page = VaultPage {
        images: list
            .items
            .iter()
            .map(|image| Tile::new(image, site.limits.trash_days))
            .collect(),
        total: list.total,
        total_label: units::count(list.total),
        storage_label: units::bytes(list.total_bytes),
        damaged: list.damaged,
        q: query,
        sort: sort_text,
        next_url: next.map(|next| link("/vault", &[fields[0], fields[1], ("cursor", next)])),
        first_url: (!first_page).then(|| link("/vault", &fields)),
        results,
    };
    Ok(Template::render(
        "pages/vault",
        shell.signed_in(who).with(page),
    ))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![grid, upload]
}
