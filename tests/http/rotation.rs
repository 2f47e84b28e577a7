//! /api/v1/account/master-key: a new master key, a new recovery code, and the pictures as they were.

use std::sync::mpsc;

use serde_json::{Value, json};

use super::answer::Answer;
use super::client::{Client, PASSWORD};
use super::credentials::{random_delay, wait_for_login};
use super::html;
use super::samples;
use super::server::{Server, wait_until};
use super::store::Backend;
use super::tokens;

on_both_stores!(
    a_new_master_key_keeps_the_pictures_and_ends_whatever_had_the_old_one,
    a_wrong_password_replaces_nothing,
    the_form_replaces_the_key_and_shows_the_new_code,
    a_server_that_dies_in_a_rotation_loses_nothing,
);

const MASTER_KEY: &str = "/api/v1/account/master-key";

fn proof() -> Value {
    json!({ "password": PASSWORD })
}

fn is_finished(client: &Client) -> bool {
    client.get(MASTER_KEY).json(200)["left"].is_null()
}

fn a_new_master_key_keeps_the_pictures_and_ends_whatever_had_the_old_one(backend: &Backend) {
    let server = Server::start(backend);
    let anonymous = server.anonymous();
    let made = anonymous
        .register("ada", "ada@example.org", PASSWORD)
        .json(201);
    let client = anonymous.signed_in("ada", PASSWORD);
    let other = anonymous.signed_in("ada", PASSWORD);
    let program = tokens::program(&client, &["read"]);
    let ids: Vec<String> = (0..4)
        .map(|seed| client.add(&format!("{seed}.jpg"), &samples::jpeg(seed)))
        .collect();
    let ticket = client.archive(&json!({ "all": true }));
    assert_eq!(
        client.get(MASTER_KEY).json(200),
        json!({ "generation": 1, "left": null })
    );

    let rotated = client.post(MASTER_KEY, &proof()).json(200);
    for old in [&client, &other, &program] {
        old.get("/api/v1/images").problem(401);
    }
    let client = anonymous.with_token(rotated["token"].as_str().unwrap());
    wait_until("all keys are moved", || is_finished(&client));
    assert_eq!(client.get(MASTER_KEY).json(200)["generation"], 2);
    for (id, seed) in ids.iter().zip(0..) {
        assert_eq!(client.original(id), samples::jpeg(seed));
    }
    client.get(ticket["url"].as_str().unwrap()).problem(404);
    // The same file is still known.
    let again = Answer::to(client.upload_request("0.jpg", &samples::jpeg(0)));
    assert_eq!(again.status, 200, "{}", again.text());
    let recover = |code: &Value| {
        let body = json!({ "login": "ada", "recovery_code": code, "new_password": PASSWORD });
        anonymous.post("/api/v1/account/recovery", &body).status
    };
    assert_eq!(recover(&made["recovery_code"]), 401);
    assert_eq!(recover(&rotated["recovery_code"]), 200);
    let client = anonymous.signed_in("ada", PASSWORD);
    assert_eq!(client.original(&ids[0]), samples::jpeg(0));
    let events = client.get("/api/v1/account/events").json(200);
    let kinds: Vec<_> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["kind"])
        .collect();
    assert!(kinds.contains(&&json!("key_rotated")), "{kinds:?}");
}

fn a_wrong_password_replaces_nothing(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    client
        .post(MASTER_KEY, &json!({ "password": "not it at all" }))
        .problem(403);
    client.post(MASTER_KEY, &json!({})).problem(403);
    assert_eq!(client.get(MASTER_KEY).json(200)["generation"], 1);
}

fn the_form_replaces_the_key_and_shows_the_new_code(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    client.add("a.jpg", &samples::jpeg(1));
    let mut browser = server.signed_in("ada");
    let wrong = [("password", "not it at all")];
    let page = browser
        .submit_signed("/account/master-key", &wrong)
        .expect(403)
        .text();
    assert!(page.contains("id=\"rotation_password-error\""), "{page}");
    let right = [("password", PASSWORD)];
    let page = browser
        .submit_signed("/account/master-key", &right)
        .expect(200)
        .text();
    let code = html::inside(&page, "id=\"recovery-code\"", "</code>")
        .unwrap()
        .to_owned();
    // The browser was given a new sign-in, whose form this is.
    let typed = [("recovery_code", code.as_str())];
    browser.csrf = html::input(&page, "csrf_token").unwrap();
    browser
        .submit_signed("/account/recovery-code/test", &typed)
        .expect(303);
    wait_until("the page tells that it is done", || {
        let page = browser.get("/account/security").expect(200).text();
        page.contains("replaced 1 time<") && !page.contains("<progress")
    });
    client.get("/api/v1/session").problem(401);
}

/// At a moment of its own each time; the password stays the same all along.
fn a_server_that_dies_in_a_rotation_loses_nothing(backend: &Backend) {
    let mut server = Server::start(backend);
    let client = server.user("ada");
    let ids: Vec<String> = (0..20)
        .map(|seed| client.add(&format!("{seed}.jpg"), &samples::jpeg(seed)))
        .collect();
    let mut generation = 1;
    for round in 0..8 {
        let client = server.anonymous().signed_in("ada", PASSWORD);
        let (answered, answer) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let request = client.request("POST", MASTER_KEY).json(&proof());
                // It may or may not be answered; what comes next begins to re-wrap.
                if let Ok(answer) = Answer::try_to(request)
                    && answer.status == 200
                {
                    let _ = answered.send(());
                    let token = answer.json(200)["token"].as_str().unwrap().to_owned();
                    let next = client.with_token(&token).request("GET", MASTER_KEY);
                    let _ = Answer::try_to(next).map(|answer| answer.status);
                }
            });
            // Half of the kills come while keys are re-wrapped, however slow the machine is.
            match round % 2 {
                0 => std::thread::sleep(random_delay() * 2),
                _ => {
                    let _ = answer.recv();
                    std::thread::sleep(random_delay());
                }
            }
            server.kill();
        });
        server.run();
        assert!(wait_for_login(&server, PASSWORD), "in round {round}");
        let client = server.anonymous().signed_in("ada", PASSWORD);
        for (id, seed) in ids.iter().zip(0..) {
            assert_eq!(client.original(id), samples::jpeg(seed), "in round {round}");
        }
        wait_until("what was left is re-wrapped", || is_finished(&client));
        let now = client.get(MASTER_KEY).json(200)["generation"]
            .as_u64()
            .unwrap();
        assert!(now == generation || now == generation + 1);
        generation = now;
    }
    assert!(generation > 1, "no rotation was begun before the kill");
    let client = server.anonymous().signed_in("ada", PASSWORD);
    for (id, seed) in ids.iter().zip(0..) {
        assert_eq!(client.original(id), samples::jpeg(seed));
    }
}
