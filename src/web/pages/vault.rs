//! `/vault`: the grid, and uploading without scripts.

use rocket::{FromForm, State};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::super::assets;
use super::super::guards::Reader;
use super::super::problem::Problem;
use super::super::receive::{Incoming, Received, receive_form};
use super::super::shell::Shell;
use super::super::site::Site;
use super::super::units;
use super::tiles::{Tile, link};
use crate::vault::Added;
use crate::vault::Filter;
use crate::vault::ListRequest;
use crate::vault::Sort;
use crate::vault::Unlocked;
use crate::vault::Vault;

/// Memory that a line about an uploaded file takes while the page is made, beside its text; and how
/// many copies of its text are in memory then, escaped or not.
const LINE: u64 = 1 << 10;
const COPIES: u64 = 8;

const DEFAULT_SORT: &str = "-uploaded_at";

#[derive(Serialize)]
struct VaultPage<'a> {
    images: Vec<Tile>,
    total: usize,
    total_label: String,
    storage_label: String,
    damaged: usize,
    q: &'a str,
    favourites: bool,
    sort: &'a str,
    next_url: Option<String>,
    first_url: Option<String>,
    results: Option<Vec<UploadResult>>,
    modules: &'static [String],
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

/// The query of the page.
#[derive(Default, FromForm)]
struct GridQuery {
    q: Option<String>,
    favourites: Option<String>,
    sort: Option<String>,
    cursor: Option<String>,
}

impl GridQuery {
    fn favourites(&self) -> bool {
        self.favourites.as_deref() == Some("on")
    }

    /// The order, as text and parsed. An unknown order, as in an old bookmark, is no reason to show
    /// nothing.
    fn order(&self) -> (&str, (Sort, bool)) {
        let asked = self.sort.as_deref().unwrap_or(DEFAULT_SORT);
        match Sort::parse(asked) {
            Some(order) => (asked, order),
            None => (DEFAULT_SORT, (Sort::UploadedAt, true)),
        }
    }

    /// The same list, from its beginning or from a cursor.
    fn link(&self, cursor: &str) -> String {
        let fields = [
            ("q", self.q.as_deref().unwrap_or_default().trim()),
            ("favourites", if self.favourites() { "on" } else { "" }),
            ("sort", self.order().0.trim_start_matches(DEFAULT_SORT)),
            ("cursor", cursor),
        ];
        link("/vault", &fields)
    }
}

#[rocket::get("/vault?<asked..>")]
async fn grid(
    asked: GridQuery,
    reader: Reader,
    shell: Shell,
    vault: &State<Vault>,
    site: &State<Site>,
) -> Result<Template, Problem> {
    render(&reader.who, shell, vault, site, asked, None).await
}

#[rocket::post("/vault/upload")]
async fn upload(
    reader: Reader,
    incoming: Incoming,
    shell: Shell,
    vault: &State<Vault>,
    site: &State<Site>,
) -> Result<Template, Problem> {
    let mut results = Vec::new();
    let note = |_: &_, received| {
        let result = UploadResult::from(received);
        let text = result.name.len() + result.problem.len();
        results.push(result);
        LINE + COPIES * text as u64
    };
    let who = receive_form(reader, &incoming, vault, note).await?;
    let all = GridQuery::default();
    render(&who, shell, vault, site, all, Some(results)).await
}

async fn render(
    who: &Unlocked,
    shell: Shell,
    vault: &Vault,
    site: &Site,
    asked: GridQuery,
    results: Option<Vec<UploadResult>>,
) -> Result<Template, Problem> {
    let (sort_text, (sort, descending)) = asked.order();
    let query = asked.q.as_deref().unwrap_or_default().trim();
    let request = ListRequest {
        filter: Filter {
            query: query.to_owned(),
            favourite: asked.favourites(),
            ..Filter::default()
        },
        sort,
        descending,
        cursor: asked.cursor.clone(),
        ..ListRequest::default()
    };
    let list = vault.list(who, request).await?;
    let page = VaultPage {
        images: Tile::of_all(&list.items, site.limits.trash_days),
        total: list.total,
        total_label: units::count(list.total),
        storage_label: units::bytes(list.total_bytes),
        damaged: list.damaged,
        q: query,
        favourites: asked.favourites(),
        sort: sort_text,
        next_url: list.next_cursor.as_deref().map(|next| asked.link(next)),
        first_url: asked.cursor.is_some().then(|| asked.link("")),
        results,
        modules: &assets::VAULT_MODULES,
    };
    Ok(Template::render(
        "pages/vault",
        shell.signed_in(who).with(page),
    ))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![grid, upload]
}
