//! `/account/export` and `/account/import`: taking everything along, and bringing it back.

use rocket::response::Redirect;
use rocket::{FromForm, State};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::super::api;
use super::super::forms::Signed;
use super::super::guards::Reader;
use super::super::problem::Problem;
use super::super::receive::{Incoming, import_form};
use super::super::shell::Shell;
use super::super::units;
use super::account::totals;
use super::answer::Answer;
use crate::store::ImageState;
use crate::vault::FieldErrors;
use crate::vault::Imported;
use crate::vault::Unlocked;
use crate::vault::Vault;

#[derive(Serialize)]
struct ExportPage {
    pictures: usize,
    pictures_label: String,
    trashed: usize,
    bytes_label: String,
}

#[rocket::get("/account/export")]
async fn offer(reader: Reader, shell: Shell, vault: &State<Vault>) -> Result<Template, Problem> {
    let who = &reader.who;
    let (active, active_bytes) = totals(vault, who, &[ImageState::Active]).await?;
    let (trashed, trashed_bytes) = totals(vault, who, &[ImageState::Trashed]).await?;
    let page = ExportPage {
        pictures: active + trashed,
        pictures_label: units::pictures(active + trashed),
        trashed,
        bytes_label: units::bytes(active_bytes + trashed_bytes),
    };
    let shell = shell.signed_in(who);
    Ok(Template::render("pages/account_export", shell.with(page)))
}

#[derive(FromForm)]
struct Order {
    check: Option<String>,
}

#[rocket::post("/account/export", data = "<signed>")]
async fn export(signed: Signed<Order>, vault: &State<Vault>) -> Result<Redirect, Problem> {
    let check_all = signed.form.check.as_deref() == Some("on");
    let ticket = vault.create_export(&signed.who, check_all).await?;
    Ok(Redirect::to(api::archive_address(&ticket)))
}

#[derive(Serialize)]
struct ImportPage<'a> {
    done: Option<Done>,
    errors: &'a FieldErrors,
}

/// The outcome of an import, in words.
#[derive(Serialize)]
struct Done {
    all: bool,
    identical_label: String,
    added_label: String,
    already_here_label: String,
    failed: Vec<Line>,
    /// Failures beyond those that are listed.
    more_label: Option<String>,
    left_out: Vec<String>,
}

#[derive(Serialize)]
struct Line {
    name: String,
    reason: String,
}

impl From<Imported> for Done {
    fn from(done: Imported) -> Self {
        let more = done.failures() - done.failed.len();
        let count = units::count;
        Self {
            all: done.failures() == 0,
            identical_label: format!(
                "{} of {} identical",
                count(done.identical),
                count(done.total)
            ),
            added_label: units::pictures(done.added),
            already_here_label: units::pictures(done.already_here),
            more_label: (more > 0).then(|| units::pictures(more)),
            failed: done
                .failed
                .into_iter()
                .map(|one| Line {
                    name: one.name,
                    reason: one.reason,
                })
                .collect(),
            left_out: done.left_out,
        }
    }
}

#[rocket::get("/account/import")]
fn ask(reader: Reader, shell: Shell) -> Template {
    import_page(&reader.who, shell, None, &FieldErrors::new())
}

fn import_page(who: &Unlocked, shell: Shell, done: Option<Done>, errors: &FieldErrors) -> Template {
    let page = ImportPage { done, errors };
    let shell = shell.signed_in(who);
    Template::render("pages/account_import", shell.with(page))
}

#[rocket::post("/account/import")]
async fn import(
    reader: Reader,
    incoming: Incoming,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let (who, done) = import_form(reader, &incoming, vault).await?;
    match done {
        Ok(done) => {
            let page = import_page(&who, shell, Some(done.into()), &FieldErrors::new());
            Ok(Answer::Page(page))
        }
        Err(problem) if problem.errors().is_empty() => Err(problem),
        Err(problem) => {
            let page = import_page(&who, shell, None, problem.errors());
            Ok(Answer::refused(&problem, page))
        }
    }
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![offer, export, ask, import]
}
