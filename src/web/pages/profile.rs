//! `/account/profile`: the address to sign in with, and the name to show.

use rocket::{FromForm, State};
use rocket_dyn_templates::Template;
use serde::Serialize;
use zeroize::Zeroizing;

use super::super::forms::Signed;
use super::super::guards::Reader;
use super::super::problem::Problem;
use super::super::shell::Shell;
use super::answer::Answer;
use super::factors::FactorsView;
use crate::vault::Caller;
use crate::vault::FieldErrors;
use crate::vault::ProfileChange;
use crate::vault::Proof;
use crate::vault::Unlocked;
use crate::vault::Vault;

#[derive(Serialize)]
struct ProfilePage<'a> {
    email: &'a str,
    display_name: &'a str,
    factors: FactorsView,
    errors: &'a FieldErrors,
}

async fn page(
    who: &Unlocked,
    shell: Shell,
    vault: &Vault,
    (email, display_name): (&str, &str),
    errors: &FieldErrors,
) -> Result<Template, Problem> {
    let page = ProfilePage {
        email,
        display_name,
        factors: vault.factors(who).await?.into(),
        errors,
    };
    let shell = shell.signed_in(who);
    Ok(Template::render("pages/account_profile", shell.with(page)))
}

#[rocket::get("/account/profile")]
async fn profile(reader: Reader, shell: Shell, vault: &State<Vault>) -> Result<Template, Problem> {
    let account = &reader.who.account;
    let known = (account.email.as_str(), account.display_name.as_str());
    page(&reader.who, shell, vault, known, &FieldErrors::new()).await
}

#[derive(FromForm)]
struct Changed {
    email: String,
    display_name: String,
    password: String,
    totp: Option<String>,
}

#[rocket::post("/account/profile", data = "<signed>")]
async fn change(
    signed: Signed<Changed>,
    caller: Caller,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let change = ProfileChange {
        email: Some(form.email.clone()),
        display_name: Some(form.display_name.clone()),
    };
    let proof = Proof::new(form.password.into(), form.totp.map(Zeroizing::new));
    let changed = vault.change_profile(&who, change, proof, &caller).await;
    let Err(problem) = changed.map_err(Problem::from) else {
        return Ok(Answer::told("/account", "Your account is changed."));
    };
    let errors = problem.at_field("password")?;
    let typed = (form.email.as_str(), form.display_name.as_str());
    let page = page(&who, shell, vault, typed, &errors).await?;
    Ok(Answer::refused(&problem, page))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![profile, change]
}
