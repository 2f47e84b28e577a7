//! `/account/tokens`: what programs may do with the vault, and ending that.

use rocket::{FromForm, State};
use rocket_dyn_templates::Template;
use serde::Serialize;
use zeroize::Zeroizing;

use super::super::forms::Signed;
use super::super::guards::Reader;
use super::super::problem::Problem;
use super::super::shell::Shell;
use super::super::units;
use super::answer::Answer;
use super::factors::FactorsView;
use crate::ids::SessionId;
use crate::vault::ApiToken;
use crate::vault::Caller;
use crate::vault::FieldErrors;
use crate::vault::NewToken;
use crate::vault::Proof;
use crate::vault::Scope;
use crate::vault::Unlocked;
use crate::vault::Vault;

/// The lifetimes that this page offers for a token, in days, and the one it proposes.
const DAYS: [u32; 5] = [7, 30, 90, 180, 366];
const PROPOSED_DAYS: u32 = 90;

#[derive(Serialize)]
struct TokensPage<'a> {
    tokens: Vec<TokenLine>,
    scopes: Vec<ScopeChoice>,
    days: [u32; 5],
    /// What was typed, where it has to be corrected.
    typed: Typed,
    /// The secret of a token that has just been made, shown once.
    made: Option<Zeroizing<String>>,
    factors: FactorsView,
    errors: &'a FieldErrors,
}

#[derive(Serialize)]
struct TokenLine {
    id: SessionId,
    name: String,
    may: String,
    created_label: String,
    /// Empty where the token was never used.
    used_label: String,
    ends_label: String,
}

impl From<ApiToken> for TokenLine {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            may: token.scopes.names().join(", "),
            created_label: units::moment(token.created_at),
            used_label: token.used_at.map(units::moment).unwrap_or_default(),
            ends_label: units::moment(token.expires_at),
        }
    }
}

#[derive(Serialize)]
struct ScopeChoice {
    name: &'static str,
    words: &'static str,
}

fn words(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "look at pictures and download them",
        Scope::Write => "add, change and delete pictures",
        Scope::Share => "make and end shares",
    }
}

#[derive(Serialize)]
struct Typed {
    name: String,
    scopes: Vec<String>,
    days: u32,
}

impl Default for Typed {
    fn default() -> Self {
        Self {
            name: String::new(),
            scopes: vec![Scope::Read.name().into()],
            days: PROPOSED_DAYS,
        }
    }
}

async fn page(
    who: &Unlocked,
    shell: Shell,
    vault: &Vault,
    typed: Typed,
    made: Option<Zeroizing<String>>,
    errors: &FieldErrors,
) -> Result<Template, Problem> {
    let choice = |scope: Scope| ScopeChoice {
        name: scope.name(),
        words: words(scope),
    };
    let tokens = vault.tokens(who).await?;
    let page = TokensPage {
        tokens: tokens.into_iter().map(TokenLine::from).collect(),
        scopes: Scope::ALL.into_iter().map(choice).collect(),
        days: DAYS,
        typed,
        made,
        factors: vault.factors(who).await?.into(),
        errors,
    };
    let shell = shell.signed_in(who);
    Ok(Template::render("pages/account_tokens", shell.with(page)))
}

#[rocket::get("/account/tokens")]
async fn tokens(reader: Reader, shell: Shell, vault: &State<Vault>) -> Result<Template, Problem> {
    let none = FieldErrors::new();
    page(&reader.who, shell, vault, Typed::default(), None, &none).await
}

#[derive(FromForm)]
struct Wanted {
    name: String,
    scopes: Vec<String>,
    expires_in_days: u32,
    password: String,
    totp: Option<String>,
}

#[rocket::post("/account/tokens", data = "<signed>")]
async fn make(
    signed: Signed<Wanted>,
    caller: Caller,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let typed = Typed {
        name: form.name.clone(),
        scopes: form.scopes.clone(),
        days: form.expires_in_days,
    };
    let new = NewToken {
        name: form.name,
        scopes: form.scopes,
        days: Some(form.expires_in_days),
    };
    let code = form.totp.map(Zeroizing::new);
    let proof = Proof::new(form.password.into(), code);
    let made = vault.make_token(&who, new, proof, &caller);
    match made.await.map_err(Problem::from) {
        Ok(made) => {
            let secret = Some(made.secret);
            let none = FieldErrors::new();
            let page = page(&who, shell, vault, Typed::default(), secret, &none);
            Ok(Answer::Page(page.await?))
        }
        Err(problem) => {
            let errors = problem.at_field("password")?;
            let page = page(&who, shell, vault, typed, None, &errors).await?;
            Ok(Answer::refused(&problem, page))
        }
    }
}

#[derive(FromForm)]
struct Ending {
    id: String,
}

#[rocket::post("/account/tokens/revoke", data = "<signed>")]
async fn revoke(
    signed: Signed<Ending>,
    caller: Caller,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    vault.revoke_token(&who, &form.id.parse()?, &caller).await?;
    let words = "Revoked: it opens nothing any more.";
    Ok(Answer::told("/account/tokens", words))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![tokens, make, revoke]
}
