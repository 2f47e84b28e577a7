//! `/register`, and the one page that shows the recovery code.

use rocket::http::CookieJar;
use rocket::response::Redirect;
use rocket::{FromForm, State};
use rocket_dyn_templates::Template;
use serde::Serialize;
use zeroize::Zeroizing;

use super::super::budgets::{Registrant, Visitor};
use super::super::forms::Posted;
use super::super::guards::Reader;
use super::super::problem::Problem;
use super::super::shell::Shell;
use super::super::site::Site;
use super::answer::Answer;
use crate::config::Registration;
use crate::vault::Caller;
use crate::vault::FieldErrors;
use crate::vault::NewAccount;
use crate::vault::Opened;
use crate::vault::Vault;
use crate::vault::VaultError;

#[derive(Serialize)]
struct RegisterPage<'a> {
    form: Typed<'a>,
    errors: &'a FieldErrors,
    closed: bool,
    invitation_missing: bool,
}

#[derive(Serialize)]
struct Typed<'a> {
    username: &'a str,
    email: &'a str,
    display_name: &'a str,
    invitation: &'a str,
}

#[derive(Serialize)]
struct CodePage<'a> {
    recovery_code: Zeroizing<String>,
    errors: &'a FieldErrors,
}

#[rocket::get("/register?<invitation>")]
async fn form(
    _visitor: Visitor,
    invitation: Option<&str>,
    reader: Option<Reader>,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    if reader.is_some() {
        return Ok(Answer::To(Redirect::to("/vault")));
    }
    let form = Typed {
        username: "",
        email: "",
        display_name: "",
        invitation: invitation.unwrap_or_default(),
    };
    let registration = vault.registration().await?;
    let page = RegisterPage {
        closed: registration == Registration::Closed,
        invitation_missing: registration == Registration::Invitation && invitation.is_none(),
        form,
        errors: &FieldErrors::new(),
    };
    Ok(Answer::Page(Template::render(
        "pages/register",
        shell.with(page),
    )))
}

#[derive(FromForm)]
struct Newcomer {
    username: String,
    email: String,
    password: String,
    display_name: Option<String>,
    invitation: Option<String>,
}

#[rocket::post("/register", data = "<form>")]
async fn register(
    _registrant: Registrant,
    form: Posted<Newcomer>,
    caller: Caller,
    shell: Shell,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let mut form = form.0;
    let new = NewAccount {
        username: form.username.clone(),
        email: form.email.clone(),
        password: Zeroizing::new(std::mem::take(&mut form.password)),
        display_name: form.display_name.clone(),
        invitation: form.invitation.clone(),
    };
    match create(new, &caller, shell.clone(), jar, site, vault).await {
        Ok(page) => Ok(Answer::Page(page)),
        Err(problem) if problem.errors().is_empty() => Err(problem),
        Err(problem) => Ok(Answer::refused(&problem, refused(shell, &form, &problem))),
    }
}

/// Registers, signs in, and shows the recovery code: the only time it is seen.
async fn create(
    new: NewAccount,
    caller: &Caller,
    shell: Shell,
    jar: &CookieJar<'_>,
    site: &Site,
    vault: &Vault,
) -> Result<Template, Problem> {
    let opened = vault.register(new, caller).await?;
    Ok(welcome(opened, caller, shell, jar, site, vault).await)
}

/// Signs the owner of an account in that was just opened, and shows the recovery code.
pub(super) async fn welcome(
    opened: Opened,
    caller: &Caller,
    shell: Shell,
    jar: &CookieJar<'_>,
    site: &Site,
    vault: &Vault,
) -> Template {
    let recovery_code = opened.recovery_code.clone();
    let entered = async {
        let started = vault.start_first_session(opened, caller).await?;
        let who = vault.unlock(&started.token).await?;
        jar.add(site.session_cookie(&started));
        Ok::<_, VaultError>(who)
    };
    // The code is shown in any case: the old one is gone.
    let shell = match entered.await {
        Ok(who) => shell.signed_in(&who),
        Err(error) => {
            tracing::warn!(%error, "no sign-in followed");
            shell
        }
    };
    code_page(recovery_code, shell)
}

/// The one page that shows a recovery code.
pub(super) fn code_page(recovery_code: Zeroizing<String>, shell: Shell) -> Template {
    code_page_again(recovery_code, shell, &FieldErrors::new())
}

/// The same, after the code was not typed back right.
pub(super) fn code_page_again(
    recovery_code: Zeroizing<String>,
    shell: Shell,
    errors: &FieldErrors,
) -> Template {
    let page = CodePage {
        recovery_code,
        errors,
    };
    Template::render("pages/recovery_code", shell.with(page))
}

fn refused(shell: Shell, form: &Newcomer, problem: &Problem) -> Template {
    let form = Typed {
        username: &form.username,
        email: &form.email,
        display_name: form.display_name.as_deref().unwrap_or_default(),
        invitation: form.invitation.as_deref().unwrap_or_default(),
    };
    let page = RegisterPage {
        form,
        errors: problem.errors(),
        closed: false,
        invitation_missing: false,
    };
    Template::render("pages/register", shell.with(page))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![form, register]
}
