//! `/account/security/factor`: the second factor, by plain forms.

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
use super::answer::Answer;
use crate::ids::PasskeyId;
use crate::vault;
use crate::vault::Caller;
use crate::vault::Enrolment;
use crate::vault::Factors;
use crate::vault::FieldErrors;
use crate::vault::KnownPasskey;
use crate::vault::Unlocked;
use crate::vault::Vault;

/// The page's own address.
const HERE: &str = "/account/security/factor";
/// Characters of the secret that stand together.
const GROUP: usize = 4;

#[derive(Serialize)]
struct FactorsPage<'a> {
    factors: FactorsView,
    /// Whether this server's address is one that passkeys can belong to.
    passkeys_possible: bool,
    /// Which of the page's forms was refused.
    form: &'a str,
    errors: &'a FieldErrors,
}

/// The state of the second factor, in words for people.
#[derive(Serialize)]
pub(super) struct FactorsView {
    on: bool,
    /// Whether an authenticator app is one of the factors.
    app: bool,
    passkeys: Vec<PasskeyLine>,
    /// Where a script asks for a challenge to a passkey, if there is one.
    ask_passkey: &'static str,
    /// What a field for a code is called, and what is said beside it.
    code_label: &'static str,
    code_hint: &'static str,
    since_label: String,
    spare_left: usize,
    spare_made_label: String,
}

#[derive(Serialize)]
struct PasskeyLine {
    id: PasskeyId,
    name: String,
    opens: bool,
    added_label: String,
    /// Empty until it was used.
    used_label: String,
}

impl FactorsView {
    /// The view for the page of a sign-in that waits, which asks for a passkey at another address.
    pub(super) fn of_waiting(factors: Factors) -> Self {
        let mut view = Self::from(factors);
        if !view.passkeys.is_empty() {
            view.ask_passkey = "/login/code/passkey";
        }
        view
    }
}

impl From<Factors> for FactorsView {
    fn from(factors: Factors) -> Self {
        let label = |at: Option<_>| at.map(units::moment).unwrap_or_default();
        let on = factors.is_on();
        let line = |passkey: KnownPasskey| PasskeyLine {
            id: passkey.id,
            name: passkey.name,
            opens: passkey.opens,
            added_label: units::moment(passkey.added_at),
            used_label: label(passkey.used_at),
        };
        let passkeys: Vec<_> = factors.passkeys.into_iter().map(line).collect();
        let ask_passkey = match passkeys.is_empty() {
            true => "",
            false => "/api/v1/account/passkeys/assertion",
        };
        let (code_label, code_hint) = match factors.authenticator_since {
            Some(_) => (
                "Code of your authenticator app",
                "Or one of your spare codes.",
            ),
            None => ("Spare code", "Three groups of four characters."),
        };
        Self {
            on,
            code_label,
            code_hint,
            app: factors.authenticator_since.is_some(),
            passkeys,
            ask_passkey,
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
    /// The secret in base32, in groups.
    secret: Zeroizing<String>,
    errors: &'a FieldErrors,
}

#[derive(Serialize)]
struct SpareCodesPage {
    codes: Vec<Zeroizing<String>>,
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
        passkeys_possible: vault.has_passkeys(),
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

/// The answer after a factor was added; after the first one, with the spare codes.
fn added(who: &Unlocked, shell: Shell, codes: Vec<Zeroizing<String>>) -> Answer {
    if codes.is_empty() {
        let words = "It is asked for from now on. Your spare codes stay as they are.";
        return Answer::told(HERE, words);
    }
    codes_page(who, shell, codes)
}

/// The page again, with what was wrong in one of its forms; other failures are pages of their own.
async fn refused(
    problem: Problem,
    form: &str,
    who: &Unlocked,
    shell: Shell,
    vault: &Vault,
) -> Result<Answer, Problem> {
    let errors = problem.at_field("password")?;
    let page = factors_page(who, shell, vault, form, &errors).await?;
    Ok(Answer::refused(&problem, page))
}

#[rocket::post("/account/security/factor/app", data = "<signed>")]
async fn begin(
    signed: Signed<Proof>,
    caller: Caller,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let begun = vault.begin_authenticator(&who, form.into(), &caller).await;
    match begun.map_err(Problem::from) {
        Ok(enrolment) => {
            let page = enrolment_page(&who, shell, enrolment, &FieldErrors::new())?;
            Ok(Answer::Page(page))
        }
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
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let code = Zeroizing::new(form.totp);
    let confirmed = vault.confirm_authenticator(&who, &code, &caller).await;
    match confirmed.map_err(Problem::from) {
        Ok(codes) => Ok(added(&who, shell, codes)),
        Err(problem) if problem.errors().is_empty() => Err(problem),
        Err(problem) => {
            let page = again(&who, shell, vault, problem.errors()).await?;
            Ok(Answer::refused(&problem, page))
        }
    }
}

/// The page that sets the app up, again: it is shown until a code has confirmed the app.
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
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let renewed = vault.renew_spare_codes(&who, form.into(), &caller).await;
    match renewed.map_err(Problem::from) {
        Ok(codes) => Ok(codes_page(&who, shell, codes)),
        Err(problem) => refused(problem, "codes", &who, shell, vault).await,
    }
}

#[rocket::post("/account/security/factor/off", data = "<signed>")]
async fn turn_off(
    signed: Signed<Proof>,
    caller: Caller,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let removed = vault.remove_authenticator(&who, form.into(), &caller).await;
    match removed.map_err(Problem::from) {
        Ok(()) => {
            let words = "The app is turned off: its codes are not asked for any more.";
            Ok(Answer::told(HERE, words))
        }
        Err(problem) => refused(problem, "off", &who, shell, vault).await,
    }
}

#[derive(FromForm)]
struct NewPasskey {
    name: String,
    /// The browser's answer to the challenge, as JSON.
    answer: String,
}

#[rocket::post("/account/security/factor/passkeys", data = "<signed>")]
async fn add_passkey(
    signed: Signed<NewPasskey>,
    caller: Caller,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let Ok(given) = serde_json::from_str(&Zeroizing::new(form.answer)) else {
        let words = "Passkeys need a browser with scripts.";
        let problem = Problem::invalid_field("passkey", words);
        return refused(problem, "passkey", &who, shell, vault).await;
    };
    let made = vault.add_passkey(&who, &form.name, given, &caller).await;
    match made.map_err(Problem::from) {
        Ok(codes) => Ok(added(&who, shell, codes)),
        Err(problem) => refused(problem, "passkey", &who, shell, vault).await,
    }
}

#[derive(FromForm)]
struct Unwanted {
    id: String,
    password: String,
    totp: Option<String>,
}

#[rocket::post("/account/security/factor/passkeys/remove", data = "<signed>")]
async fn remove_passkey(
    signed: Signed<Unwanted>,
    caller: Caller,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let Ok(id) = form.id.parse::<PasskeyId>() else {
        return Err(Problem::not_found());
    };
    let proof = vault::Proof::new(form.password.into(), form.totp.map(Zeroizing::new));
    let removed = vault.remove_passkey(&who, &id, proof, &caller).await;
    match removed.map_err(Problem::from) {
        Ok(()) => {
            let words = "The passkey is removed: it opens nothing here any more.";
            Ok(Answer::told(HERE, words))
        }
        Err(problem) => refused(problem, &form.id, &who, shell, vault).await,
    }
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![
        factors,
        begin,
        confirm,
        renew_codes,
        turn_off,
        add_passkey,
        remove_passkey
    ]
}
