//! `/login` and `/logout`.

use std::collections::HashMap;

use rocket::http::CookieJar;
use rocket::http::uri::Reference;
use rocket::response::Redirect;
use rocket::{FromForm, State};
use rocket_dyn_templates::Template;
use serde::Serialize;
use zeroize::Zeroizing;

use super::super::budgets::Visitor;
use super::super::forms::{Posted, Signed};
use super::super::guards::Reader;
use super::super::problem::Problem;
use super::super::shell::Shell;
use super::super::site::Site;
use super::answer::Answer;
use super::sign_in_code;
use crate::config::Registration;
use crate::vault::Begun;
use crate::vault::Caller;
use crate::vault::SignIn;
use crate::vault::Vault;
use crate::vault::VaultError;

#[derive(Serialize)]
struct LoginPage<'a> {
    form: Typed<'a>,
    error: Option<&'a str>,
    next: &'a str,
    may_register: bool,
    passkeys_possible: bool,
}

#[derive(Serialize)]
struct Typed<'a> {
    login: &'a str,
}

async fn page(
    shell: Shell,
    vault: &Vault,
    login: &str,
    error: Option<&str>,
    next: &str,
) -> Template {
    let page = LoginPage {
        form: Typed { login },
        error,
        next,
        // With the store out of reach nobody can register.
        passkeys_possible: vault.has_passkeys(),
        may_register: matches!(vault.registration().await, Ok(Registration::Open)),
    };
    Template::render("pages/login", shell.with(page))
}

/// Only paths of our own: an open redirect would help a forger.
pub(super) fn own_path(next: Option<&str>) -> &str {
    next.filter(|next| {
        next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t'])
    })
    // Rocket answers 500 to a redirect whose address it cannot read.
    .filter(|next| Reference::parse(next).is_ok())
    .unwrap_or("/vault")
}

#[rocket::get("/login?<next>")]
pub(in super::super) async fn form(
    _visitor: Visitor,
    next: Option<String>,
    reader: Option<Reader>,
    shell: Shell,
    vault: &State<Vault>,
) -> Answer {
    if reader.is_some() {
        return Answer::To(Redirect::to("/vault"));
    }
    let shell = match &next {
        Some(_) => shell.notice("warning", "Sign in to go on."),
        None => shell,
    };
    let next = own_path(next.as_deref());
    Answer::Page(page(shell, vault, "", None, next).await)
}

#[derive(FromForm)]
struct Login {
    login: String,
    password: String,
    next: Option<String>,
    /// "on" where the sign-in is to last.
    keep: Option<String>,
    /// A code. A client that sends this field, even empty, does all in one step:
    /// `sign-in-again.js`.
    totp: Option<String>,
}

#[rocket::post("/login", data = "<form>")]
async fn sign_in(
    _visitor: Visitor,
    form: Posted<Login>,
    caller: Caller,
    shell: Shell,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Login {
        login,
        password,
        next,
        keep,
        totp,
    } = form.0;
    let next = own_path(next.as_deref());
    let in_one_step = totp.is_some();
    let credentials = SignIn {
        login: login.clone(),
        password: Zeroizing::new(password),
        code: totp.map(Zeroizing::new),
        keep: keep.as_deref() == Some("on"),
    };
    let begun = begin(credentials, in_one_step, &caller, vault).await;
    match begun.map_err(Problem::from) {
        Ok(Begun::SignedIn(started)) => {
            jar.add(site.session_cookie(&started));
            Ok(Answer::To(Redirect::to(next.to_owned())))
        }
        Ok(Begun::Waiting(waiting)) => {
            jar.add(site.waiting_cookie(&waiting));
            Ok(Answer::To(sign_in_code::address(next)))
        }
        // For a script, which tells a wanted code from a wrong password by the document's type.
        Err(problem) if in_one_step => Err(problem),
        Err(problem) if matches!(problem.status().code, 401 | 422 | 429) => {
            let page = page(shell, vault, &login, Some(problem.detail()), next).await;
            Ok(Answer::refused(&problem, page))
        }
        Err(problem) => Err(problem),
    }
}

async fn begin(
    credentials: SignIn,
    in_one_step: bool,
    caller: &Caller,
    vault: &Vault,
) -> Result<Begun, VaultError> {
    if !in_one_step {
        return vault.begin_sign_in(credentials, caller).await;
    }
    let started = vault.sign_in(credentials, caller).await?;
    Ok(Begun::SignedIn(Box::new(started)))
}

/// A form with nothing but its token.
pub(super) type NoFields = HashMap<String, String>;

#[rocket::post("/logout", data = "<form>")]
async fn sign_out(
    form: Signed<NoFields>,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    vault.sign_out(&form.who).await?;
    jar.add(site.removal_cookie());
    Ok(Answer::signed_out(
        "You are signed out. Your pictures are sealed.",
    ))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![form, sign_in, sign_out]
}
