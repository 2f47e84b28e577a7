//! The pages: plain forms over the same vault as the API. They work without scripts.

pub(super) mod sign_in;

mod account;
mod answer;
mod factors;
mod keys;
mod moving;
mod passkeys;
mod picture;
mod profile;
mod recover;
mod register;
mod selection;
mod sessions;
mod sign_in_code;
mod theme;
mod tiles;
mod tokens;
mod trash;
mod vault;

use rocket::response::Redirect;

use super::budgets::Visitor;
use super::guards::Reader;

#[rocket::get("/")]
fn home(_visitor: Visitor, reader: Option<Reader>) -> Redirect {
    Redirect::to(if reader.is_some() { "/vault" } else { "/login" })
}

/// The routes of all pages.
pub(super) fn routes() -> Vec<rocket::Route> {
    [
        rocket::routes![home],
        sign_in::routes(),
        sign_in_code::routes(),
        passkeys::routes(),
        theme::routes(),
        register::routes(),
        recover::routes(),
        account::routes(),
        profile::routes(),
        keys::routes(),
        sessions::routes(),
        tokens::routes(),
        moving::routes(),
        factors::routes(),
        vault::routes(),
        picture::routes(),
        trash::routes(),
        selection::routes(),
    ]
    .concat()
}
