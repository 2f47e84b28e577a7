//! /api/v1/sessions and /api/v1/session: signing in, being signed in, signing out.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::client::PASSWORD;
use super::samples;
use super::server::{Server, wait_until};
use super::store::Backend;

on_both_stores!(
    a_user_signs_in_by_name_or_email_whatever_their_case,
    an_unknown_user_and_a_wrong_password_get_the_same_answer,
    a_session_says_who_is_signed_in,
    a_session_that_ended_opens_nothing,
    forged_tokens_open_nothing,
    a_session_ends_when_it_is_not_used,
    incomplete_sign_ins_are_refused_by_field,
    a_restart_signs_nobody_out,
);

/// R1.4.
fn a_user_signs_in_by_name_or_email_whatever_their_case(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.anonymous();
    client
        .register("Ada", "Ada@Example.org", PASSWORD)
        .json(201);
    let mut tokens = HashSet::new();
    for login in ["Ada", "ada", "ADA", "Ada@Example.org", "ada@example.org"] {
        let session = client.login(login, PASSWORD).json(201);
        assert_eq!(session["user"]["username"], "Ada");
        assert!(
            session["expires_at"].as_str().unwrap().ends_with('Z'),
            "UTC"
        );
        assert!(
            tokens.insert(session["token"].as_str().unwrap().to_owned()),
            "a used token"
        );
    }
}

/// R1.5, R3.16.
fn an_unknown_user_and_a_wrong_password_get_the_same_answer(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.anonymous();
    client
        .register("ada", "ada@example.org", PASSWORD)
        .json(201);
    let wrong = client.login("ada", "not the password at all");
    let headers: Vec<_> = wrong.headers.keys().cloned().collect();
    let wrong = wrong.problem(401);
    for login in ["nobody", "nobody@example.org", "", "\u{0}", "ada@example"] {
        let answer = client.login(login, "not the password at all");
        if login.is_empty() && answer.status == 422 {
            continue; // an empty field may be named
        }
        assert_eq!(answer.headers.keys().cloned().collect::<Vec<_>>(), headers);
        assert_eq!(answer.problem(401), wrong, "{login:?}");
    }
}

fn a_session_says_who_is_signed_in(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let session = client.get("/api/v1/session").json(200);
    let user = session["user"].as_object().unwrap();
    for member in ["id", "username", "email", "role", "created_at"] {
        assert!(user[member].is_string(), "no {member} in {session}");
    }
    assert_eq!(user["username"], "ada");
    assert_eq!(user["role"], "administrator");
    assert!(session["expires_at"].is_string());
    assert!(!session.to_string().contains(&client.token));
}

/// R1.12, R0.7: on the server, not only in the client.
fn a_session_that_ended_opens_nothing(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let other = client.signed_in("ada", PASSWORD);
    let id = client.add("a.jpg", &samples::jpeg(1));
    let answer = client.delete("/api/v1/session").expect(204);
    assert!(answer.body.is_empty());
    for path in [
        "/api/v1/session",
        "/api/v1/images",
        &format!("/api/v1/images/{id}/original"),
    ] {
        client.get(path).problem(401);
    }
    client.upload("b.jpg", &samples::jpeg(2)).problem(401);
    client.delete("/api/v1/session").problem(401);
    // The other one lives, and the picture is still there (R1.8).
    assert_eq!(other.names(""), ["a.jpg"]);
}

/// R1.13, R0.26.
fn forged_tokens_open_nothing(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let token = client.token.clone();
    let flipped = |at: usize| {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let forged = [
        flipped(0),
        flipped(token.len() / 2),
        flipped(token.len() - 2),
        token[..token.len() - 1].to_owned(),
        token[..10].to_owned(),
        format!("{token}A"),
        token.to_lowercase(),
        "A".repeat(token.len()),
        "x".repeat(6_000),
        "%00".into(),
    ];
    for forged in forged {
        client
            .with_token(&forged)
            .get("/api/v1/session")
            .problem(401);
    }
    let anonymous = server.anonymous();
    for header in ["Bearer", "Bearer ", "Basic YTpi", "bogus", ""] {
        anonymous
            .get_with("/api/v1/session", "Authorization", header)
            .problem(401);
    }
    let mut browser = server.signed_in("ada");
    let name = browser
        .cookies
        .keys()
        .find(|name| name.contains("iv"))
        .unwrap()
        .clone();
    for value in ["", "x", &flipped(3)] {
        browser.cookies.insert(name.clone(), value.to_owned());
        let request = browser.bare("GET", "/api/v1/session");
        super::answer::Answer::to(request).problem(401);
    }
    client.get("/api/v1/session").json(200);
}

fn a_session_ends_when_it_is_not_used(backend: &Backend) {
    let settings = [("SESSION_IDLE", "1s"), ("SESSION_ABSOLUTE", "1h")];
    let server = Server::with(backend, &settings);
    let client = server.user("ada");
    // Asking would use it, so this must wait: once, and for longer than the limit.
    std::thread::sleep(std::time::Duration::from_millis(2_200));
    client.get("/api/v1/session").problem(401);
    let brief = Server::with(backend, &[("SESSION_ABSOLUTE", "1s")]);
    let client = brief.user("ada");
    wait_until("the session is over", || {
        client.get("/api/v1/session").status == 401
    });
}

fn incomplete_sign_ins_are_refused_by_field(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.anonymous();
    let cases = [
        ("login", json!({ "password": PASSWORD })),
        ("password", json!({ "login": "ada" })),
    ];
    for (field, body) in cases {
        let message = client
            .post("/api/v1/sessions", &body)
            .field_error(422, field);
        assert!(!message.is_empty());
    }
    for body in [
        json!([]),
        json!("x"),
        Value::Null,
        json!({ "login": 1, "password": {} }),
    ] {
        client.post("/api/v1/sessions", &body).problem(422);
    }
    // No work without a bound for a password that is none.
    let endless = json!({ "login": "ada", "password": "x".repeat(5_000) });
    let status = client.post("/api/v1/sessions", &endless).status;
    assert!([401, 422].contains(&status), "{status}");
}

/// R0.1: a later start leaves everything alone.
fn a_restart_signs_nobody_out(backend: &Backend) {
    let mut server = Server::start(backend);
    let client = server.user("ada");
    let bytes = samples::jpeg(1);
    let id = client.add("a.jpg", &bytes);
    server.restart();
    assert_eq!(
        client.get("/api/v1/session").json(200)["user"]["username"],
        "ada"
    );
    assert_eq!(client.original(&id), bytes);
    assert_eq!(client.names(""), ["a.jpg"]);
}
