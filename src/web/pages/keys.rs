//! What protects the account's keys, as `/account/security` shows it, and replacing the master key.

use rocket::State;
use rocket::http::CookieJar;
use serde::Serialize;

use super::super::forms::Signed;
use super::super::problem::Problem;
use super::super::shell::Shell;
use super::super::site::Site;
use super::super::units;
use super::account::{Proof, refused, totals};
use super::answer::Answer;
use super::register::welcome;
use crate::store::ImageState;
use crate::vault::Caller;
use crate::vault::Factors;
use crate::vault::Unlocked;
use crate::vault::Vault;

/// What protects the account's keys.
#[derive(Serialize)]
pub(super) struct Health {
    hash_label: String,
    sessions_label: String,
    keys_label: String,
    generation: u32,
    /// How far a rotation that is under way has come.
    rotating: Option<Rotating>,
}

#[derive(Serialize)]
struct Rotating {
    done: u64,
    all: u64,
    left_label: String,
}

pub(super) async fn health(
    who: &Unlocked,
    factors: &Factors,
    vault: &Vault,
) -> Result<Health, Problem> {
    let kdf = &who.account.kdf;
    let states = [ImageState::Active, ImageState::Trashed];
    let (pictures, _) = totals(vault, who, &states).await?;
    let sessions = vault.devices(who).await?.len();
    let tokens = vault.tokens(who).await?.len();
    let opening = factors.passkeys.iter().filter(|passkey| passkey.opens);
    let of_factors = usize::from(factors.authenticator_since.is_some())
        + usize::from(factors.spare_codes_made_at.is_some())
        + opening.count();
    // Four: the master key is wrapped by password and recovery code, and wraps two keys itself.
    let of_account = 4 + usize::from(who.account.retired_wrap.is_some());
    Ok(Health {
        hash_label: format!(
            "Argon2id with {}, {} passes, {} lane{}",
            units::bytes(u64::from(kdf.memory_kib) << 10),
            kdf.passes,
            kdf.lanes,
            if kdf.lanes == 1 { "" } else { "s" },
        ),
        sessions_label: units::count(sessions),
        keys_label: units::count(pictures + sessions + tokens + of_factors + of_account),
        generation: who.account.mk_generation,
        rotating: vault.rotation_left(who).await?.map(|left| Rotating {
            done: (pictures as u64).saturating_sub(left),
            all: pictures as u64,
            left_label: units::pictures(usize::try_from(left).unwrap_or(usize::MAX)),
        }),
    })
}

#[rocket::post("/account/master-key", data = "<signed>")]
async fn rotate(
    signed: Signed<Proof>,
    caller: Caller,
    shell: Shell,
    jar: &CookieJar<'_>,
    site: &State<Site>,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let rotated = vault.rotate_master_key(&who, form.into(), &caller);
    match rotated.await.map_err(Problem::from) {
        Ok(opened) => {
            let page = welcome(opened, &caller, shell, jar, site, vault).await;
            Ok(Answer::Page(page))
        }
        Err(problem) => refused(problem, "rotation_password", &who, shell, vault).await,
    }
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![rotate]
}
