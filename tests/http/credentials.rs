//! The secrets of an account: changing the password, the recovery code, and what is left when a
//! change is interrupted.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::answer::Answer;
use super::client::{Client, PASSWORD};
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    a_new_password_opens_the_same_pictures_and_ends_other_sign_ins,
    a_sign_in_with_the_old_password_does_not_outlive_the_change,
    a_wrong_current_password_changes_nothing,
    a_weak_new_password_is_refused_by_its_field,
    a_password_that_is_being_changed_when_the_server_dies_is_the_old_or_the_new_one,
    the_recovery_code_opens_the_vault_with_a_new_password_and_is_used_up,
    a_wrong_recovery_code_says_no_more_than_a_wrong_login,
    a_mistyped_code_is_told_before_anything_is_tried,
    a_code_can_be_tested_and_renewed,
    what_happened_is_told_to_the_owner_alone,
);

const NEW: &str = "seven purple llamas whisper gently";
const ACCOUNT_PASSWORD: &str = "/api/v1/account/password";
const RECOVERY: &str = "/api/v1/account/recovery";
const CODE: &str = "/api/v1/account/recovery-code";

/// An account, signed in, and its recovery code.
fn ada(server: &Server) -> (Client, String) {
    let anonymous = server.anonymous();
    let made = anonymous
        .register("ada", "ada@example.org", PASSWORD)
        .json(201);
    let code = made["recovery_code"].as_str().unwrap().to_owned();
    (anonymous.signed_in("ada", PASSWORD), code)
}

fn change(current: &str, new: &str) -> Value {
    json!({ "current_password": current, "new_password": new })
}

fn recovery(login: &str, code: &str, password: &str) -> Value {
    json!({ "login": login, "recovery_code": code, "new_password": password })
}

/// R4.6.
fn a_new_password_opens_the_same_pictures_and_ends_other_sign_ins(backend: &Backend) {
    let server = Server::start(backend);
    let (client, _) = ada(&server);
    let other = client.signed_in("ada", PASSWORD);
    let id = client.add("a.jpg", &samples::jpeg(1));
    let answer = client
        .put(ACCOUNT_PASSWORD, &change(PASSWORD, NEW))
        .expect(204);
    assert!(answer.body.is_empty());
    assert_eq!(
        client.original(&id),
        samples::jpeg(1),
        "the asking one stays"
    );
    other.get("/api/v1/session").problem(401);
    server.anonymous().login("ada", PASSWORD).problem(401);
    let again = server.anonymous().signed_in("ada@example.org", NEW);
    assert_eq!(again.original(&id), samples::jpeg(1));
    again.add("b.jpg", &samples::jpeg(2));
    assert!(!server.log().contains("llamas"));
}

/// However long its hash has waited for its turn.
fn a_sign_in_with_the_old_password_does_not_outlive_the_change(backend: &Backend) {
    let server = Server::with(backend, &[("ARGON2_PARALLEL", "1")]);
    let (client, _) = ada(&server);
    let tokens: Vec<Client> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..12)
            .map(|_| {
                let anonymous = server.anonymous();
                scope.spawn(move || {
                    let answer = anonymous.login("ada", PASSWORD);
                    (answer.status == 201).then(|| {
                        let session = answer.json(201);
                        anonymous.with_token(session["token"].as_str().unwrap())
                    })
                })
            })
            .collect();
        let change = scope.spawn(|| client.put(ACCOUNT_PASSWORD, &change(PASSWORD, NEW)).status);
        assert_eq!(change.join().unwrap(), 204);
        let clients = tries.into_iter().filter_map(|one| one.join().unwrap());
        clients.collect()
    });
    for token in tokens {
        token.get("/api/v1/session").problem(401);
    }
    client.get("/api/v1/session").json(200);
}

fn a_wrong_current_password_changes_nothing(backend: &Backend) {
    let server = Server::start(backend);
    let (client, _) = ada(&server);
    let other = client.signed_in("ada", PASSWORD);
    for wrong in ["", "not the password at all", NEW] {
        client
            .put(ACCOUNT_PASSWORD, &change(wrong, NEW))
            .problem(403);
    }
    other.get("/api/v1/session").json(200);
    server.anonymous().login("ada", PASSWORD).json(201);
    server
        .anonymous()
        .put(ACCOUNT_PASSWORD, &change(PASSWORD, NEW))
        .problem(401);
}

fn a_weak_new_password_is_refused_by_its_field(backend: &Backend) {
    let server = Server::start(backend);
    let (client, _) = ada(&server);
    for weak in ["", "short", "qwertyuiop123", "ada@example.org"] {
        client
            .put(ACCOUNT_PASSWORD, &change(PASSWORD, weak))
            .field_error(422, "new_password");
    }
    server.anonymous().login("ada", PASSWORD).json(201);
}

/// Never neither: ten times, at a moment of its own each time.
fn a_password_that_is_being_changed_when_the_server_dies_is_the_old_or_the_new_one(
    backend: &Backend,
) {
    let mut server = Server::start(backend);
    let (client, code) = ada(&server);
    let id = client.add("a.jpg", &samples::jpeg(1));
    let mut password = PASSWORD.to_owned();
    for round in 0..10 {
        let new = format!("{NEW} {round}");
        let signed_in = server.anonymous().signed_in("ada", &password);
        let other = server.anonymous().signed_in("ada", &password);
        std::thread::scope(|scope| {
            let (body, client) = (change(&password, &new), signed_in.clone());
            scope.spawn(move || {
                let request = client.request("PUT", ACCOUNT_PASSWORD).json(&body);
                // It may or may not be answered.
                let _ = Answer::try_to(request).map(|answer| answer.status);
            });
            std::thread::sleep(random_delay());
            server.kill();
        });
        server.run();
        let changed = wait_for_login(&server, &new);
        if !changed {
            assert!(
                wait_for_login(&server, &password),
                "neither, in round {round}"
            );
        }
        password = if changed { new } else { password };
        // The end of the other sign-ins is part of the change.
        let status = other.get("/api/v1/session").status;
        assert_eq!(status, if changed { 401 } else { 200 }, "in round {round}");
        let opened = server.anonymous().signed_in("ada", &password);
        assert_eq!(opened.original(&id), samples::jpeg(1));
    }
    let body = recovery("ada", &code, PASSWORD);
    server.anonymous().post(RECOVERY, &body).json(200);
    let opened = server.anonymous().signed_in("ada", PASSWORD);
    assert_eq!(opened.original(&id), samples::jpeg(1));
}

/// Whether it opens the account; a server that is busy, or a killed one's transaction, is waited for.
pub(super) fn wait_for_login(server: &Server, password: &str) -> bool {
    loop {
        let answer = server.anonymous().login("ada", password);
        match answer.status {
            201 => return true,
            401 => return false,
            429 | 503 => std::thread::sleep(Duration::from_millis(500)),
            other => panic!("{other}: {}", answer.text()),
        }
    }
}

/// Within the time that two hashes take.
pub(super) fn random_delay() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Duration::from_millis(u64::from(now.subsec_micros() % 120))
}

/// R0.6.
fn the_recovery_code_opens_the_vault_with_a_new_password_and_is_used_up(backend: &Backend) {
    let server = Server::start(backend);
    let (client, code) = ada(&server);
    let id = client.add("a.jpg", &samples::jpeg(1));
    // As people type it: other case, other separators, letters that look alike.
    let typed = code.to_lowercase().replace('-', " ").replace('0', "o");
    let body = recovery("Ada@Example.org", &typed, NEW);
    let answer = server.anonymous().post(RECOVERY, &body).json(200);
    let renewed = answer["recovery_code"].as_str().unwrap();
    assert_ne!(renewed, code);
    client.get("/api/v1/session").problem(401);
    server.anonymous().login("ada", PASSWORD).problem(401);
    let again = server.anonymous().signed_in("ada", NEW);
    assert_eq!(again.original(&id), samples::jpeg(1));
    // Spent; and the new one works.
    let spent = recovery("ada", &code, PASSWORD);
    server.anonymous().post(RECOVERY, &spent).problem(401);
    let body = recovery("ada", renewed, PASSWORD);
    server.anonymous().post(RECOVERY, &body).json(200);
    assert!(!server.log().contains(&code));
}

/// R3.16.
fn a_wrong_recovery_code_says_no_more_than_a_wrong_login(backend: &Backend) {
    let server = Server::start(backend);
    let (_, code) = ada(&server);
    let bob = server
        .anonymous()
        .register("bob", "bob@example.org", PASSWORD)
        .json(201);
    let bobs = bob["recovery_code"].as_str().unwrap();
    let ask = |login: &str, code: &str, password: &str| {
        let body = recovery(login, code, password);
        server.anonymous().post(RECOVERY, &body).problem(401)
    };
    let wrong = ask("ada", bobs, NEW);
    assert_eq!(ask("nobody", bobs, NEW), wrong);
    assert_eq!(ask("nobody", &code, NEW), wrong);
    // Nor does what is wrong with a password.
    assert_eq!(ask("ada", bobs, "short"), wrong);
    server.anonymous().login("ada", PASSWORD).json(201);
}

fn a_mistyped_code_is_told_before_anything_is_tried(backend: &Backend) {
    let server = Server::start(backend);
    let (client, code) = ada(&server);
    let swapped = if code.ends_with('A') { "C" } else { "A" };
    let mistyped = format!("{}{swapped}", &code[..code.len() - 1]);
    // More often than failed tries are free.
    for _ in 0..8 {
        for typed in ["", "ABCD", &mistyped, &"A".repeat(5_000)] {
            let body = recovery("ada", typed, NEW);
            server
                .anonymous()
                .post(RECOVERY, &body)
                .field_error(422, "recovery_code");
        }
    }
    client
        .post(
            &format!("{CODE}/test"),
            &json!({ "recovery_code": mistyped }),
        )
        .field_error(422, "recovery_code");
    let body = recovery("ada", &code, NEW);
    server.anonymous().post(RECOVERY, &body).json(200);
}

fn a_code_can_be_tested_and_renewed(backend: &Backend) {
    let server = Server::start(backend);
    let (client, code) = ada(&server);
    let test = |code: &str| client.post(&format!("{CODE}/test"), &json!({ "recovery_code": code }));
    test(&code).expect(204);
    client
        .post(CODE, &json!({ "password": "not the password at all" }))
        .problem(403);
    let answer = client
        .post(CODE, &json!({ "password": PASSWORD }))
        .json(200);
    let renewed = answer["recovery_code"].as_str().unwrap().to_owned();
    test(&code).field_error(422, "recovery_code");
    test(&renewed).expect(204);
    let old = recovery("ada", &code, NEW);
    server.anonymous().post(RECOVERY, &old).problem(401);
    let body = recovery("ada", &renewed, NEW);
    server.anonymous().post(RECOVERY, &body).json(200);
}

fn what_happened_is_told_to_the_owner_alone(backend: &Backend) {
    let server = Server::start(backend);
    let (client, code) = ada(&server);
    server.user("bob");
    client
        .put(ACCOUNT_PASSWORD, &change(PASSWORD, NEW))
        .expect(204);
    client.post(CODE, &json!({ "password": NEW })).json(200);
    while server
        .anonymous()
        .login("ada", "not the password at all")
        .status
        == 401
    {}
    let events = client.get("/api/v1/account/events").json(200);
    let kinds: Vec<&str> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "guessing",
            "recovery_renewed",
            "password_changed",
            "registered"
        ]
    );
    assert_eq!(events["items"][0]["address"], "127.0.0.1");
    assert!(!events.to_string().contains(&code));
    server
        .anonymous()
        .get("/api/v1/account/events")
        .problem(401);
}
