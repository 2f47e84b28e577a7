//! DELETE /api/v1/account and its page: afterwards nothing is left, and nobody else has lost anything.

use serde_json::json;

use super::client::PASSWORD;
use super::codes::{App, proof};
use super::samples;
use super::server::Server;
use super::store::{Backend, Store};

on_both_stores!(
    nothing_of_a_deleted_account_is_left,
    the_operator_can_remove_an_account_that_nobody_can_open,
    deleting_asks_for_the_password_again,
    the_page_names_the_numbers_and_signs_out,
    a_session_that_was_asked_to_last_outlives_a_day_without_use,
);

const ACCOUNT: &str = "/api/v1/account";

/// Where any of these texts is found in what is stored.
fn found(store: &Store, texts: &[&str]) -> Vec<String> {
    let places = store.everything().into_iter();
    let holds = |bytes: &[u8], text: &&str| {
        let text = text.as_bytes();
        bytes.windows(text.len()).any(|window| window == text)
    };
    places
        .filter(|(_, bytes)| texts.iter().any(|text| holds(bytes, text)))
        .map(|(place, _)| place)
        .collect()
}

/// R1.10.
fn nothing_of_a_deleted_account_is_left(backend: &Backend) {
    let server = Server::start(backend);
    let bob = server.user("bob");
    let kept = bob.add("kept.jpg", &samples::jpeg(1));
    let blobs = server.store.blob_count();

    let ada = server.user("wilhelmina-2847");
    let other = ada.signed_in("wilhelmina-2847", PASSWORD);
    let ids: Vec<_> = (0..4)
        .map(|n| ada.add(&format!("{n}.jpg"), &samples::jpeg(n)))
        .collect();
    ada.get(&format!("/api/v1/images/{}/preview", ids[0]))
        .expect(200);
    ada.delete(&format!("/api/v1/images/{}", ids[1]))
        .expect(204);
    ada.delete(&format!("/api/v1/images/{}?permanent=true", ids[2]))
        .expect(204);
    ada.post("/api/v1/archives", &json!({ "all": true }))
        .json(201);
    server
        .anonymous()
        .login("wilhelmina-2847", "not the password at all");
    // A second factor, and a sign-in that waits for it.
    let app = App::set_up(&ada);
    let mut browser = server.browser();
    browser.get("/login").expect(200);
    let typed = [("login", "wilhelmina-2847"), ("password", PASSWORD)];
    let waits = browser.submit("/login", &typed).expect(303);
    assert!(waits.header("Location").starts_with("/login/code"));
    let texts = ["wilhelmina-2847"];
    assert!(
        !found(&server.store, &texts).is_empty(),
        "the search finds nothing"
    );

    let body = proof(&app.spare[0]);
    super::answer::Answer::to(ada.request("DELETE", ACCOUNT).json(&body)).expect(204);
    let late = browser.submit("/login/code", &[("totp", &app.spare[1])]);
    assert_eq!(late.expect(303).header("Location"), "/login");
    for client in [&ada, &other] {
        client.get("/api/v1/session").problem(401);
    }
    server
        .anonymous()
        .login("wilhelmina-2847", PASSWORD)
        .problem(401);
    assert_eq!(found(&server.store, &texts), [""; 0]);
    assert_eq!(server.store.blob_count(), blobs);
    assert_eq!(bob.original(&kept), samples::jpeg(1));
    // The name is free again, for an account that has nothing to do with the old one.
    let again = server.user("wilhelmina-2847");
    assert_eq!(again.list("")["total"], 0);
}

fn the_operator_can_remove_an_account_that_nobody_can_open(backend: &Backend) {
    let server = Server::start(backend);
    let bob = server.user("bob");
    let ada = server.user("ada");
    ada.add("a.jpg", &samples::jpeg(1));
    assert!(!server.output(&["admin", "remove", "ada"]).status.success());
    assert!(
        !server
            .output(&["admin", "remove", "nobody", "--yes"])
            .status
            .success()
    );
    assert_eq!(ada.list("")["total"], 1);
    assert!(
        server
            .output(&["admin", "remove", "ADA@example.org", "--yes"])
            .status
            .success()
    );
    ada.get("/api/v1/session").problem(401);
    assert_eq!(server.store.blob_count(), 0);
    assert_eq!(server.user("ada").list("")["total"], 0);
    bob.get("/api/v1/session").json(200);
}

/// R1.11.
fn deleting_asks_for_the_password_again(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let id = ada.add("a.jpg", &samples::jpeg(1));
    for body in [json!({}), json!({ "password": "not the password at all" })] {
        super::answer::Answer::to(ada.request("DELETE", ACCOUNT).json(&body)).problem(403);
    }
    let mut browser = server.signed_in("ada");
    browser.get("/account/delete").expect(200);
    browser
        .submit("/account/delete", &[("password", PASSWORD)])
        .expect(403);
    assert_eq!(ada.original(&id), samples::jpeg(1));
}

fn the_page_names_the_numbers_and_signs_out(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    for n in 0..3 {
        ada.add(&format!("{n}.jpg"), &samples::jpeg(n));
    }
    let trashed = ada.add("t.jpg", &samples::jpeg(9));
    ada.delete(&format!("/api/v1/images/{trashed}")).expect(204);
    let mut browser = server.signed_in("ada");
    let page = browser.get("/account/delete").expect(200).text();
    assert!(page.contains("4 pictures"), "those in the trash too");
    let wrong = [("password", "not the password at all")];
    let page = browser
        .submit_signed("/account/delete", &wrong)
        .expect(403)
        .text();
    assert!(page.contains("not your current password"));
    let answer = browser
        .submit_signed("/account/delete", &[("password", PASSWORD)])
        .expect(303);
    assert_eq!(answer.header("Location"), "/login");
    assert!(answer.header("Clear-Site-Data").contains("storage"));
    let page = browser.get("/login").expect(200).text();
    assert!(page.contains("nothing of it is left"));
    assert_eq!(server.store.blob_count(), 0);
}

fn a_session_that_was_asked_to_last_outlives_a_day_without_use(backend: &Backend) {
    let settings = [("SESSION_IDLE", "1s"), ("SESSION_ABSOLUTE", "2s")];
    let server = Server::with(backend, &settings);
    let client = server.anonymous();
    client
        .register("ada", "ada@example.org", PASSWORD)
        .json(201);
    let signed_in = |keep: bool| {
        let body = json!({ "login": "ada", "password": PASSWORD, "keep": keep });
        let session = client.post("/api/v1/sessions", &body).json(201);
        client.with_token(session["token"].as_str().unwrap())
    };
    let (kept, other) = (signed_in(true), signed_in(false));
    std::thread::sleep(std::time::Duration::from_secs(3));
    other.get("/api/v1/session").problem(401);
    kept.get("/api/v1/session").json(200);
    let mut browser = server.browser();
    browser.get("/login").expect(200);
    let typed = [("login", "ada"), ("password", PASSWORD), ("keep", "on")];
    let answer = browser.submit("/login", &typed).expect(303);
    let cookie = answer.header("Set-Cookie");
    assert!(cookie.contains("Max-Age=2592000"), "thirty days: {cookie}");
}
