//! The contract, version 1: one file per noun.

pub(super) mod account;
mod accounts;
mod archives;
mod bulk;
mod factors;
pub(super) mod health;
mod images;
mod list_query;
mod moving;
pub(super) mod passkeys;
mod sessions;
mod timeline;
mod tokens;
mod uploads;

pub(super) use archives::address as archive_address;

/// The routes below `/api/v1`.
pub(super) fn routes() -> Vec<rocket::Route> {
    [
        accounts::routes(),
        account::routes(),
        factors::routes(),
        passkeys::routes(),
        sessions::routes(),
        tokens::routes(),
        images::routes(),
        timeline::routes(),
        uploads::routes(),
        bulk::routes(),
        archives::routes(),
        moving::routes(),
    ]
    .concat()
}
