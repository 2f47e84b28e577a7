//! `/recover`: the way back for an owner who has lost the password and kept the recovery code.

use rocket::http::CookieJar;
use rocket::{FromForm, State};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::super::budgets::Visitor;
use super::super::forms::Posted;
use super::super::problem::Problem;
use super::super::shell::Shell;
use super::super::site::Site;
use super::answer::Answer;
use super::register::welcome;
use crate::vault::Caller;
use crate::vault::FieldErrors;
use crate::vault::Recovery;
use crate::vault::Vault;

#[derive(Serialize)]
struct RecoverPage<'a> {
    login: &'a str,
    errors: &'a FieldErrors,
}

fn page(shell: Shell, login: &str, errors: &FieldErrors) -> Template {
    Template::render("pages/recover", shell.with(RecoverPage { login, errors }))
}

#[rocket::get("/recover")]
fn form(_visitor: Visitor, shell: Shell) -> Template {
    page(shell, "", &FieldErrors::new())
}

#[derive(FromForm)]
struct Lost {
    login: String,
    recovery_code: String,
    new_password: String,
}

#[rocket::post("/recover", data = "<form>")]
async fn recover(
    _visitor: Visitor,
    form: Posted<Lost>,
    caller: Caller,
    shell: Shell,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let login = form.0.login.clone();
    let recovery = Recovery {
        login: form.0.login,
        recovery_code: form.0.recovery_code.into(),
        new_password: form.0.new_password.into(),
    };
    match open(recovery, &caller, shell.clone(), jar, site, vault).await {
        Ok(page) => Ok(Answer::Page(page)),
        Err(problem) => refused(problem, shell, &login),
    }
}

/// Recovers, signs in, and shows the new code: the only time it is seen.
async fn open(
    recovery: Recovery,
    caller: &Caller,
    shell: Shell,
    jar: &CookieJar<'_>,
    site: &Site,
    vault: &Vault,
) -> Result<Template, Problem> {
    let opened = vault.recover(recovery, caller).await?;
    Ok(welcome(opened, caller, shell, jar, site, vault).await)
}

fn refused(problem: Problem, shell: Shell, login: &str) -> Result<Answer, Problem> {
    let mut errors = problem.errors().clone();
    let words = match problem.status().code {
        401 => Some("This user name or email and this recovery code do not belong together."),
        429 => Some(problem.detail()),
        _ => None,
    };
    if let Some(words) = words {
        errors.insert("form".into(), words.to_owned());
    }
    if errors.is_empty() {
        return Err(problem);
    }
    Ok(Answer::refused(&problem, page(shell, login, &errors)))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![form, recover]
}
