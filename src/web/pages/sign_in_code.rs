//! `/login/code`: the second step of signing in, for accounts that ask for a code.

use rocket::http::CookieJar;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, State};
use rocket_dyn_templates::Template;
use serde::Serialize;
use zeroize::Zeroizing;

use super::super::budgets::Visitor;
use super::super::forms::Posted;
use super::super::problem::Problem;
use super::super::shell::Shell;
use super::super::site::Site;
use super::answer::Answer;
use super::factors::FactorsView;
use super::sign_in::own_path;
use crate::vault::Caller;
use crate::vault::Factors;
use crate::vault::Vault;
use crate::vault::VaultError;

#[derive(Serialize)]
struct CodePage<'a> {
    factors: FactorsView,
    next: &'a str,
    error: &'a str,
}

fn page(shell: Shell, factors: Factors, next: &str, error: &str) -> Template {
    let page = CodePage {
        factors: FactorsView::of_waiting(factors),
        next,
        error,
    };
    Template::render("pages/login_code", shell.with(page))
}

/// The page's address, which leads on to `next` afterwards.
pub(super) fn address(next: &str) -> Redirect {
    Redirect::to(rocket::uri!(form(next = Some(next))))
}

/// The secret of the sign-in that waits in this browser.
pub(super) fn token(jar: &CookieJar<'_>, site: &Site) -> Zeroizing<String> {
    let cookie = jar.get(&site.waiting_cookie_name());
    Zeroizing::new(
        cookie
            .map(|cookie| cookie.value().to_owned())
            .unwrap_or_default(),
    )
}

fn over() -> Answer {
    let words = "That took more than five minutes. Sign in once more.";
    Answer::Told(Flash::warning(Redirect::to("/login"), words))
}

#[rocket::get("/login/code?<next>")]
async fn form(
    _visitor: Visitor,
    next: Option<&str>,
    shell: Shell,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    match vault.waiting_factors(&token(jar, site)).await {
        Ok(factors) => Ok(Answer::Page(page(shell, factors, own_path(next), ""))),
        Err(VaultError::Unauthenticated) => Ok(over()),
        Err(error) => Err(error.into()),
    }
}

#[derive(FromForm)]
struct Code {
    totp: String,
    next: Option<String>,
}

#[rocket::post("/login/code", data = "<form>")]
async fn finish(
    _visitor: Visitor,
    form: Posted<Code>,
    caller: Caller,
    shell: Shell,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let next = own_path(form.0.next.as_deref());
    let code = Zeroizing::new(form.0.totp);
    let waiting = token(jar, site);
    let finished = vault.finish_sign_in(&waiting, &code, &caller).await;
    let started = match finished {
        Ok(started) => started,
        Err(VaultError::Unauthenticated) => return Ok(over()),
        Err(error) => {
            let factors = vault.waiting_factors(&waiting).await;
            return refused(error.into(), shell, factors.unwrap_or_default(), next);
        }
    };
    jar.add(site.waiting_removal_cookie());
    jar.add(site.session_cookie(&started));
    Ok(Answer::To(Redirect::to(next.to_owned())))
}

fn refused(
    problem: Problem,
    shell: Shell,
    factors: Factors,
    next: &str,
) -> Result<Answer, Problem> {
    if !matches!(problem.status().code, 401 | 429) {
        return Err(problem);
    }
    let page = page(shell, factors, next, problem.detail());
    Ok(Answer::refused(&problem, page))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![form, finish]
}
