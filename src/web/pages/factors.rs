//! `/account/security/factor`: the second factor, by plain forms.

use rocket::http::Status;
use rocket::response::{Flash, Redirect, Responder};
use rocket::{FromForm, State};
use rocket_dyn_templates::Template;
use serde::Serialize;
use zeroize::Zeroizing;

use super::super::forms::Signed;
use super::super::guards::Reader;
use super::super::problem::Problem;
use super::super::qr::Qr;
use super::super::shell::Shell;
use super::super::units;
use super::account::Proof;
use crate::vault::Caller;
use crate::vault::Enrolment;
use crate::vault::Factors;
use crate::vault::FieldErrors;
use crate::vault::Unlocked;
use crate::vault::Vault;

/// The page's own address.
const HERE: &str = "/account/security/factor";
/// Characters of the secret that stand together.
const GROUP: usize = 4;

#[derive(Serialize)]
struct FactorsPage<'a> {
    factors: FactorsView,
    /// Which of the page's forms was refused.
    form: &'a str,
    errors: &'a FieldErrors,
}

/// The state of the second factor, in words for people.
#[derive(Serialize)]
pub(super) struct FactorsView {
    on: bool,
    since_label: String,
    spare_left: usize,
    spare_made_label: String,
}

impl From<Factors> for FactorsView {
    fn from(factors: Factors) -> Self {
        let label = |at: Option<_>| at.map(units::moment).unwrap_or_default();
        Self {
            on: factors.authenticator_since.is_some(),
            since_label: label(factors.authenticator_since),
            spare_left: factors.spare_codes_left,
            spare_made_label: label(factors.spare_codes_made_at),
        }
    }
}

#[derive(Serialize)]
struct EnrolmentPage<'a> {
    qr: Qr,
    url: Zeroizing<String>,
    /// In groups.
    secret: Zeroizing<String>,
    errors: &'a FieldErrors,
}

#[derive(Serialize)]
struct SpareCodesPage {
    codes: Vec<Zeroizing<String>>,
}

#[derive(Responder)]
enum Answer {
    Page(Template),
    Refused((Status, Template)),
    Done(Flash<Redirect>),
    Problem(Problem),
}

#[rocket::get("/account/security/factor")]
async fn factors(reader: Reader, shell: Shell, vault: &State<Vault>) -> Result<Template, Problem> {
    factors_page(&reader.who, shell, vault, "", &FieldErrors::new()).await
}

async fn factors_page(
    who: &Unlocked,
    shell: Shell,
    vault: &Vault,
    form: &str,
    errors: &FieldErrors,
) -> Result<Template, Problem> {
    let page = FactorsPage {
        factors: vault.factors(who).await?.into(),
        form,
        errors,
    };
    let shell = shell.signed_in(who);
    Ok(Template::render("pages/account_factor", shell.with(page)))
}

fn enrolment_page(
    who: &Unlocked,
    shell: Shell,
    enrolment: Enrolment,
    errors: &FieldErrors,
) -> Result<Template, Problem> {
    let mut secret = Zeroizing::new(String::with_capacity(2 * enrolment.secret.len()));
    for (i, char) in enrolment.secret.chars().enumerate() {
        if i > 0 && i % GROUP == 0 {
            secret.push(' ');
        }
        secret.push(char);
    }
    let page = EnrolmentPage {
        qr: Qr::of(&enrolment.url)?,
        url: enrolment.url,
        secret,
        errors,
    };
    let shell = shell.signed_in(who);
    Ok(Template::render(
        "pages/account_factor_app",
        shell.with(page),
    ))
}

fn codes_page(who: &Unlocked, shell: Shell, codes: Vec<Zeroizing<String>>) -> Answer {
    let page = SpareCodesPage { codes };
    let shell = shell.signed_in(who);
    Answer::Page(Template::render("pages/spare_codes", shell.with(page)))
}

fn answer(page: Result<Template, Problem>) -> Answer {
    page.map_or_else(Answer::Problem, Answer::Page)
}

/// The page again, with what was wrong in one of its forms; other failures are pages of their own.
async fn refused(
    problem: Problem,
    form: &str,
    who: &Unlocked,
    shell: Shell,
    vault: &Vault,
) -> Answer {
    let mut errors = problem.errors().clone();
    if errors.is_empty() && matches!(problem.status().code, 403 | 429) {
        errors.insert("password".into(), problem.detail().to_owned());
    }
    if errors.is_empty() {
        return Answer::Problem(problem);
    }
    match factors_page(who, shell, vault, form, &errors).await {
        Ok(page) => Answer::Refused((problem.status(), page)),
        Err(problem) => Answer::Problem(problem),
    }
}

#[rocket::post("/account/security/factor/app", data = "<signed>")]
async fn begin(
    signed: Signed<Proof>,
    caller: Caller,
    shell: Shell,
    vault: &State<Vault>,
) -> Answer {
    let Signed { who, form } = signed;
    let begun = vault.begin_authenticator(&who, form.into(), &caller).await;
    match begun.map_err(Problem::from) {
        Ok(enrolment) => answer(enrolment_page(&who, shell, enrolment, &FieldErrors::new())),
        Err(problem) => refused(problem, "app", &who, shell, vault).await,
    }
}

#[derive(FromForm)]
struct Code {
    totp: String,
}

#[rocket::post("/account/security/factor/confirm", data = "<signed>")]
async fn confirm(
    signed: Signed<Code>,
    caller: Caller,
    shell: Shell,
    vault: &State<Vault>,
) -> Answer {
    let Signed { who, form } = signed;
    let code = Zeroizing::new(form.totp);
    let confirmed = vault.confirm_authenticator(&who, &code, &caller).await;
    match confirmed.map_err(Problem::from) {
        Ok(codes) => codes_page(&who, shell, codes),
        Err(problem) if problem.errors().is_empty() => Answer::Problem(problem),
        Err(problem) => match again(&who, shell, vault, problem.errors()).await {
            Ok(page) => Answer::Refused((problem.status(), page)),
            Err(problem) => Answer::Problem(problem),
        },
    }
}

/// What the app needs is shown until a code has confirmed it.
async fn again(
    who: &Unlocked,
    shell: Shell,
    vault: &Vault,
    errors: &FieldErrors,
) -> Result<Template, Problem> {
    let enrolment = vault.waiting_authenticator(who).await?;
    enrolment_page(who, shell, enrolment, errors)
}

#[rocket::post("/account/security/factor/codes", data = "<signed>")]
async fn renew_codes(
    signed: Signed<Proof>,
    caller: Caller,
    shell: Shell,
    vault: &State<Vault>,
) -> Answer {
    let Signed { who, form } = signed;
    let renewed = vault.renew_spare_codes(&who, form.into(), &caller).await;
    match renewed.map_err(Problem::from) {
        Ok(codes) => codes_page(&who, shell, codes),
        Err(problem) => refused(problem, "codes", &who, shell, vault).await,
    }
}

#[rocket::post("/account/security/factor/off", data = "<signed>")]
async fn turn_off(
    signed: Signed<Proof>,
    caller: Caller,
    shell: Shell,
    vault: &State<Vault>,
) -> Answer {
    let Signed { who, form } = signed;
    let removed = vault.remove_authenticator(&who, form.into(), &caller).await;
    match removed.map_err(Problem::from) {
        Ok(()) => {
            let words = "The second factor is off: your password alone opens your vault.";
            Answer::Done(Flash::success(Redirect::to(HERE), words))
        }
        Err(problem) => refused(problem, "off", &who, shell, vault).await,
    }
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![factors, begin, confirm, renew_codes, turn_off]
}
