//! PATCH /api/v1/account and /account/profile: the address to sign in with, and the name to show.

use serde_json::json;

use super::client::PASSWORD;
use super::codes::App;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    another_address_signs_in_from_then_on,
    another_address_needs_the_password_and_a_name_does_not,
    an_address_that_is_taken_or_none_changes_nothing,
    of_two_who_want_one_address_one_gets_it,
    an_account_with_a_second_factor_asks_for_it,
    the_form_changes_both,
);

const ACCOUNT: &str = "/api/v1/account";

fn another_address_signs_in_from_then_on(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let change = json!({ "email": " Ada@Example.com ", "password": PASSWORD });
    let user = ada.patch(ACCOUNT, &change).json(200);
    assert_eq!(user["email"], "Ada@Example.com");
    assert_eq!(user["display_name"], "ada");
    server
        .anonymous()
        .login("ada@example.com", PASSWORD)
        .json(201);
    server.anonymous().login("ada", PASSWORD).json(201);
    server
        .anonymous()
        .login("ada@example.org", PASSWORD)
        .problem(401);
    let events = ada.get("/api/v1/account/events").json(200);
    let kinds = events["items"].as_array().unwrap().iter();
    assert!(kinds.clone().any(|event| event["kind"] == "email_changed"));
    // The same again is no change, and asks for nothing.
    ada.patch(ACCOUNT, &json!({ "email": "Ada@Example.com" }))
        .json(200);
}

fn another_address_needs_the_password_and_a_name_does_not(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let user = ada
        .patch(ACCOUNT, &json!({ "display_name": "Ada L." }))
        .json(200);
    assert_eq!(user["display_name"], "Ada L.");
    let user = ada
        .patch(ACCOUNT, &json!({ "display_name": " " }))
        .json(200);
    assert_eq!(
        user["display_name"], "ada",
        "the user name, where it is empty"
    );
    for proof in [json!({}), json!({ "password": "not the password at all" })] {
        let mut change = proof;
        change["email"] = json!("ada@example.com");
        ada.patch(ACCOUNT, &change).problem(403);
    }
    assert_eq!(
        ada.get("/api/v1/session").json(200)["user"]["email"],
        "ada@example.org"
    );
    server.anonymous().patch(ACCOUNT, &json!({})).problem(401);
}

fn an_address_that_is_taken_or_none_changes_nothing(backend: &Backend) {
    let server = Server::start(backend);
    let (ada, _) = (server.user("ada"), server.user("bob"));
    let email = |email: &str| json!({ "email": email, "password": PASSWORD });
    for taken in ["bob@example.org", "BOB@Example.ORG"] {
        ada.patch(ACCOUNT, &email(taken)).field_error(409, "email");
    }
    for none in ["", "ada", "ada@localhost", "a@b.c\nd", &"a".repeat(300)] {
        ada.patch(ACCOUNT, &email(none)).field_error(422, "email");
    }
    let long = json!({ "display_name": "n".repeat(65) });
    ada.patch(ACCOUNT, &long).field_error(422, "display_name");
    assert_eq!(
        ada.get("/api/v1/session").json(200)["user"]["email"],
        "ada@example.org"
    );
    server
        .anonymous()
        .login("bob@example.org", PASSWORD)
        .json(201);
}

fn of_two_who_want_one_address_one_gets_it(backend: &Backend) {
    let server = Server::start(backend);
    let both = [server.user("ada"), server.user("bob")];
    let wanted = json!({ "email": "star@example.org", "password": PASSWORD });
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asks = both
            .each_ref()
            .map(|who| scope.spawn(|| who.patch(ACCOUNT, &wanted).status));
        asks.into_iter().map(|ask| ask.join().unwrap()).collect()
    });
    let mut sorted = statuses.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [200, 409], "{statuses:?}");
}

fn an_account_with_a_second_factor_asks_for_it(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let app = App::set_up(&ada);
    let mut change = json!({ "email": "ada@example.com", "password": PASSWORD });
    let refused = ada.patch(ACCOUNT, &change).problem(403);
    assert_eq!(refused["type"], "urn:image-vault:factor-wanted");
    change["totp"] = json!(app.fresh());
    ada.patch(ACCOUNT, &change).json(200);
}

fn the_form_changes_both(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let mut browser = server.signed_in("ada");
    let page = browser.get("/account/profile").expect(200).text();
    assert!(page.contains("value=\"ada@example.org\""), "{page}");
    let with = |email: &'static str, password: &'static str| {
        [
            ("display_name", "Ada & Co"),
            ("email", email),
            ("password", password),
        ]
    };
    let page = browser.submit_signed("/account/profile", &with("ada@example.com", "wrong"));
    assert!(page.expect(403).text().contains("id=\"password-error\""));
    let page = browser.submit_signed("/account/profile", &with("no address", PASSWORD));
    assert!(
        page.expect(422).text().contains("Ada &amp; Co"),
        "what was typed is kept"
    );
    let answer = browser.submit_signed("/account/profile", &with("ada@example.com", PASSWORD));
    assert_eq!(answer.expect(303).header("Location"), "/account");
    let user = client.get("/api/v1/session").json(200)["user"].clone();
    assert_eq!(
        (&user["email"], &user["display_name"]),
        (&json!("ada@example.com"), &json!("Ada & Co"))
    );
}
