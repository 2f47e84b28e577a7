//! `/account`: what there is to know about the own account, its secrets, and leaving.

use rocket::http::CookieJar;
use rocket::http::uri::Host;
use rocket::{FromForm, State};
use rocket_dyn_templates::Template;
use serde::Serialize;
use zeroize::Zeroizing;

use super::super::api::account::renew_cookie;
use super::super::forms::Signed;
use super::super::guards::{Reader, administrator};
use super::super::problem::Problem;
use super::super::quota::QuotaView;
use super::super::shell::Shell;
use super::super::site::Site;
use super::super::units;
use super::answer::Answer;
use super::factors::FactorsView;
use super::keys::{Health, health};
use super::register::{code_page, code_page_again};
use super::sign_in::NoFields;
use crate::store::ImageState;
use crate::vault;
use crate::vault::Caller;
use crate::vault::Event;
use crate::vault::FieldErrors;
use crate::vault::Filter;
use crate::vault::INVITATION_TTL;
use crate::vault::ListRequest;
use crate::vault::Unlocked;
use crate::vault::Vault;

#[derive(Serialize)]
struct OverviewPage {
    email: String,
    created_label: String,
    pictures_label: String,
    bytes_label: String,
    room: QuotaView,
    code_proven: bool,
    /// The link of an invitation, right after it was made.
    invitation_url: Option<String>,
}

#[derive(Serialize)]
struct SecurityPage<'a> {
    password_set_label: String,
    code_made_label: String,
    /// Empty until the owner has proved to have the code.
    code_proven_label: String,
    factors: FactorsView,
    events: Vec<EventLine>,
    health: Health,
    errors: &'a FieldErrors,
}

#[derive(Serialize)]
struct EventLine {
    words: &'static str,
    at_label: String,
    device: String,
    address: String,
}

/// How many pictures there are in these states, and the bytes of their originals.
pub(super) async fn totals(
    vault: &Vault,
    who: &Unlocked,
    states: &[ImageState],
) -> Result<(usize, u64), Problem> {
    let mut all = (0, 0);
    for state in states {
        let request = ListRequest {
            filter: Filter {
                state: Some(*state),
                ..Filter::default()
            },
            limit: 1,
            ..ListRequest::default()
        };
        let list = vault.list(who, request).await?;
        all = (all.0 + list.total, all.1 + list.total_bytes);
    }
    Ok(all)
}

#[rocket::get("/account")]
async fn overview(reader: Reader, shell: Shell, vault: &State<Vault>) -> Result<Template, Problem> {
    overview_page(&reader.who, shell, vault, None).await
}

async fn overview_page(
    who: &Unlocked,
    shell: Shell,
    vault: &Vault,
    invitation_url: Option<String>,
) -> Result<Template, Problem> {
    let (pictures, bytes) = totals(vault, who, &[ImageState::Active]).await?;
    let page = OverviewPage {
        email: who.account.email.clone(),
        created_label: units::moment(who.account.created_at),
        pictures_label: units::pictures(pictures),
        bytes_label: units::bytes(bytes),
        room: QuotaView::from(&vault.usage(who).await?),
        code_proven: who.account.recovery_proven_at.is_some(),
        invitation_url,
    };
    let shell = shell.signed_in(who);
    Ok(Template::render("pages/account", shell.with(page)))
}

#[rocket::post("/account/invitations", data = "<signed>")]
async fn invite(
    signed: Signed<NoFields>,
    host: &Host<'_>,
    shell: Shell,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<Template, Problem> {
    let administrator = administrator(&signed.who)?;
    let invitation = vault.invite(&administrator, INVITATION_TTL).await?;
    let url = site.invitation_url(&invitation.token, host);
    overview_page(&signed.who, shell, vault, Some(url)).await
}

#[rocket::get("/account/security")]
async fn security(reader: Reader, shell: Shell, vault: &State<Vault>) -> Result<Template, Problem> {
    security_page(&reader.who, shell, vault, &FieldErrors::new()).await
}

async fn security_page(
    who: &Unlocked,
    shell: Shell,
    vault: &Vault,
    errors: &FieldErrors,
) -> Result<Template, Problem> {
    let line = |event: Event| EventLine {
        words: event.words,
        at_label: units::moment(event.at),
        device: event.device,
        address: event.address,
    };
    let account = &who.account;
    let factors = vault.factors(who).await?;
    let page = SecurityPage {
        password_set_label: units::moment(account.password_set_at),
        code_made_label: units::moment(account.recovery_made_at),
        code_proven_label: account
            .recovery_proven_at
            .map(units::moment)
            .unwrap_or_default(),
        events: vault.events(who).await?.into_iter().map(line).collect(),
        health: health(who, &factors, vault).await?,
        factors: factors.into(),
        errors,
    };
    let shell = shell.signed_in(who);
    Ok(Template::render("pages/account_security", shell.with(page)))
}

/// The page again, with what was wrong at the field; other failures are pages of their own.
pub(super) async fn refused(
    problem: Problem,
    field: &'static str,
    who: &Unlocked,
    shell: Shell,
    vault: &Vault,
) -> Result<Answer, Problem> {
    let mut errors = problem.at_field(field)?;
    // The page has a field for a code in more than one form.
    if let Some(words) = errors.remove("totp") {
        errors.insert(format!("totp_{field}").into(), words);
    }
    let page = security_page(who, shell, vault, &errors).await?;
    Ok(Answer::refused(&problem, page))
}

#[derive(FromForm)]
struct NewPassword {
    current_password: String,
    new_password: String,
    totp: Option<String>,
}

#[rocket::post("/account/password", data = "<signed>")]
async fn change_password(
    signed: Signed<NewPassword>,
    caller: Caller,
    shell: Shell,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let code = form.totp.map(Zeroizing::new);
    let current = vault::Proof::new(form.current_password.into(), code);
    let changed = vault.change_password(&who, current, form.new_password.into(), &caller);
    match changed.await.map_err(Problem::from) {
        Ok(()) => {
            renew_cookie(&who, &caller, jar, site, vault).await;
            Ok(done(
                "Your password is changed, and all other sign-ins are ended.",
            ))
        }
        Err(problem) => refused(problem, "current_password", &who, shell, vault).await,
    }
}

/// The proof that it is the owner who asks.
#[derive(FromForm)]
pub(super) struct Proof {
    password: String,
    totp: Option<String>,
}

impl From<Proof> for vault::Proof {
    fn from(proof: Proof) -> Self {
        Self::new(proof.password.into(), proof.totp.map(Zeroizing::new))
    }
}

#[rocket::post("/account/recovery-code", data = "<signed>")]
async fn renew_code(
    signed: Signed<Proof>,
    caller: Caller,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let renewed = vault.renew_recovery_code(&who, form.into(), &caller);
    match renewed.await.map_err(Problem::from) {
        Ok(code) => Ok(Answer::Page(code_page(code, shell.signed_in(&who)))),
        Err(problem) => refused(problem, "password", &who, shell, vault).await,
    }
}

#[derive(FromForm)]
struct Typed {
    recovery_code: String,
    /// The code, where the page that shows it has sent the form: it is shown again after a mistake.
    shown: Option<String>,
}

#[rocket::post("/account/recovery-code/test", data = "<signed>")]
async fn test_code(
    signed: Signed<Typed>,
    caller: Caller,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let (code, shown) = (
        Zeroizing::new(form.recovery_code),
        form.shown.map(Zeroizing::new),
    );
    let tested = vault.prove_recovery_code(&who, &code, &caller).await;
    match (tested.map_err(Problem::from), shown) {
        (Ok(()), _) => Ok(done("This code opens your vault. Keep it safe.")),
        // Whatever was wrong, that page comes again: the code is shown nowhere else.
        (Err(problem), Some(shown)) => {
            let mut errors = problem.errors().clone();
            errors
                .entry("recovery_code".into())
                .or_insert_with(|| problem.detail().to_owned());
            let page = code_page_again(shown, shell.signed_in(&who), &errors);
            Ok(Answer::refused(&problem, page))
        }
        (Err(problem), _) => refused(problem, "recovery_code", &who, shell, vault).await,
    }
}

fn done(words: &str) -> Answer {
    Answer::told("/account/security", words)
}

#[derive(Serialize)]
struct DeletePage<'a> {
    pictures_label: String,
    bytes_label: String,
    factors: FactorsView,
    errors: &'a FieldErrors,
}

async fn delete_page(
    who: &Unlocked,
    shell: Shell,
    vault: &Vault,
    errors: &FieldErrors,
) -> Result<Template, Problem> {
    let states = [ImageState::Active, ImageState::Trashed];
    let (pictures, bytes) = totals(vault, who, &states).await?;
    let page = DeletePage {
        pictures_label: units::pictures(pictures),
        bytes_label: units::bytes(bytes),
        factors: vault.factors(who).await?.into(),
        errors,
    };
    let shell = shell.signed_in(who);
    Ok(Template::render("pages/account_delete", shell.with(page)))
}

#[rocket::get("/account/delete")]
async fn ask_to_delete(
    reader: Reader,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Template, Problem> {
    delete_page(&reader.who, shell, vault, &FieldErrors::new()).await
}

#[rocket::post("/account/delete", data = "<signed>")]
async fn delete(
    signed: Signed<Proof>,
    caller: Caller,
    shell: Shell,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let deleted = vault.delete_account(&who, form.into(), &caller);
    let Err(problem) = deleted.await.map_err(Problem::from) else {
        jar.add(site.removal_cookie());
        return Ok(Answer::signed_out(
            "Your account is deleted, and nothing of it is left.",
        ));
    };
    let errors = problem.at_field("password")?;
    let page = delete_page(&who, shell, vault, &errors).await?;
    Ok(Answer::refused(&problem, page))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![
        overview,
        invite,
        security,
        change_password,
        renew_code,
        test_code,
        ask_to_delete,
        delete
    ]
}
