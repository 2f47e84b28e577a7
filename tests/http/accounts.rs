//! POST /api/v1/accounts.

use std::collections::HashSet;
use std::thread;

use serde_json::{Value, json};

use super::client::{Client, PASSWORD};
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    the_first_account_is_the_administrator_and_the_second_is_not,
    a_display_name_is_kept_and_defaults_to_the_user_name,
    a_taken_name_or_email_is_refused_whatever_its_case,
    of_twenty_registrations_of_one_name_one_succeeds,
    every_field_is_required_and_bounded,
    what_is_no_email_address_is_refused,
    a_weak_password_is_refused_with_advice,
    equal_passwords_are_stored_differently_and_survive_a_restart,
    nobody_makes_himself_administrator,
);

fn body(username: &str, email: &str, password: &str) -> Value {
    json!({ "username": username, "email": email, "password": password })
}

/// Answers to a registration that must be refused for one field.
#[track_caller]
fn refused(client: &Client, status: u16, field: &str, body: &Value) -> String {
    client
        .post("/api/v1/accounts", body)
        .field_error(status, field)
}

/// R0.1: the first start makes what it needs. R1.1.
fn the_first_account_is_the_administrator_and_the_second_is_not(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.anonymous();
    let first = client
        .register("Ada", "ada@example.org", PASSWORD)
        .json(201);
    let members: HashSet<_> = first
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "id",
        "username",
        "display_name",
        "email",
        "role",
        "recovery_code",
    ];
    assert!(members.is_superset(&HashSet::from(expected)), "{members:?}");
    assert_eq!(first["username"], "Ada");
    assert_eq!(first["email"], "ada@example.org");
    assert_eq!(first["role"], "administrator");
    let second = client
        .register("bob", "bob@example.org", PASSWORD)
        .json(201);
    assert_eq!(second["role"], "user");
    assert_ne!(first["id"], second["id"]);
    assert_ne!(first["recovery_code"], second["recovery_code"]);
    assert!(
        first["recovery_code"].as_str().unwrap().len() >= 52,
        "256 bits"
    );
}

/// R1.1, R1.9: who is signed in has a name to show.
fn a_display_name_is_kept_and_defaults_to_the_user_name(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.anonymous();
    let mut named = body("ada", "ada@example.org", PASSWORD);
    named["display_name"] = json!("Ada Lovelace 🎩");
    let account = client.post("/api/v1/accounts", &named).json(201);
    assert_eq!(account["display_name"], "Ada Lovelace 🎩");
    let account = client
        .register("bob", "bob@example.org", PASSWORD)
        .json(201);
    assert_eq!(account["display_name"], "bob");
}

/// R1.2, R3.14: refused with a message by the field, and the first account is untouched.
fn a_taken_name_or_email_is_refused_whatever_its_case(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.anonymous();
    client
        .register("Zoë", "Zoe@Example.org", PASSWORD)
        .json(201);
    let other = "another excellent passphrase";
    for name in ["Zoë", "zoë", "ZOË"] {
        let taken = body(name, "new@example.org", other);
        refused(&client, 409, "username", &taken);
    }
    for email in ["Zoe@Example.org", "zoe@example.org", "ZOE@EXAMPLE.ORG"] {
        refused(&client, 409, "email", &body("newcomer", email, other));
    }
    let both = client
        .register("zoë", "zoe@example.org", other)
        .problem(409);
    assert!(both["errors"]["username"].is_string() && both["errors"]["email"].is_string());
    client.login("Zoë", PASSWORD).json(201);
    client.login("Zoë", other).problem(401);
}

/// R0.3.
fn of_twenty_registrations_of_one_name_one_succeeds(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.anonymous();
    let statuses: Vec<u16> = thread::scope(|scope| {
        let register = |n: usize| {
            let client = client.clone();
            let name = if n.is_multiple_of(2) {
                "racer"
            } else {
                "Racer"
            };
            scope.spawn(move || {
                client
                    .register(name, &format!("r{n}@example.org"), PASSWORD)
                    .status
            })
        };
        let all: Vec<_> = (0..20).map(register).collect();
        all.into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let count = |status| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(201), count(409)), (1, 19), "{statuses:?}");
    client.login("racer", PASSWORD).json(201);
}

/// R1.3.
fn every_field_is_required_and_bounded(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.anonymous();
    let good = body("ada", "ada@example.org", PASSWORD);
    for field in ["username", "email", "password"] {
        let long = "x".repeat(2_000);
        for value in [json!(""), json!("   "), json!(long)] {
            let mut bad = good.clone();
            bad[field] = value;
            refused(&client, 422, field, &bad);
        }
        for value in [Value::Null, json!(7), json!(["a"])] {
            let mut bad = good.clone();
            bad[field] = value;
            client.post("/api/v1/accounts", &bad).problem(422);
        }
        let mut missing = good.clone();
        missing.as_object_mut().unwrap().remove(field);
        refused(&client, 422, field, &missing);
    }
    for name in ["a\u{0}b", "a\nb", "evil\u{202e}name", "a@b"] {
        refused(
            &client,
            422,
            "username",
            &body(name, "ada@example.org", PASSWORD),
        );
    }
    let mut long = good.clone();
    long["display_name"] = json!("x".repeat(2_000));
    refused(&client, 422, "display_name", &long);
    client.post("/api/v1/accounts", &good).json(201);
}

/// R0.2.
fn what_is_no_email_address_is_refused(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.anonymous();
    for email in [
        "not-an-email",
        "@example.org",
        "ada@",
        "a b@example.org",
        "a@b@c",
        "ada@ex\nample",
    ] {
        let message = refused(&client, 422, "email", &body("ada", email, PASSWORD));
        assert!(
            message.contains('@') || message.contains("mail"),
            "{message}"
        );
    }
}

/// At least ten characters and a zxcvbn score of 3; what is in the form itself does not count.
fn a_weak_password_is_refused_with_advice(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.anonymous();
    let short = refused(
        &client,
        422,
        "password",
        &body("ada", "a@example.org", "Xk9#vQz2!"),
    );
    assert!(short.contains("10"), "{short}");
    for weak in [
        "password123",
        "1234567890",
        "aaaaaaaaaaaaaaaa",
        "qwertyuiop[]",
        "adalovelace1",
    ] {
        let body = body("adalovelace", "a@example.org", weak);
        let message = refused(&client, 422, "password", &body);
        assert!(!message.contains(weak), "the message repeats the password");
    }
}

/// R0.5, R1.7, R3.15: no password, and not its bare hash, is stored.
fn equal_passwords_are_stored_differently_and_survive_a_restart(backend: &Backend) {
    let mut server = Server::start(backend);
    let client = server.anonymous();
    client
        .register("ada", "ada@example.org", PASSWORD)
        .json(201);
    client
        .register("bob", "bob@example.org", PASSWORD)
        .json(201);
    let stored = server.store.account_secrets();
    assert_eq!(stored.len(), 2);
    assert!(stored.iter().all(|secrets| !secrets.is_empty()));
    // Compared piece by piece: a salt of 16 bytes in an otherwise different record would show.
    let pieces = |secrets: &[Vec<u8>]| -> HashSet<Vec<u8>> {
        secrets
            .iter()
            .flat_map(|s| s.windows(16).map(<[u8]>::to_vec))
            .collect()
    };
    let both = pieces(&stored[0]).intersection(&pieces(&stored[1])).count();
    assert_eq!(both, 0, "two accounts with one password share 16 bytes");
    server.restart();
    client.login("ada", PASSWORD).json(201);
    client.login("bob", PASSWORD).json(201);
}

/// R4.7's half that registration could break.
fn nobody_makes_himself_administrator(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.anonymous();
    client
        .register("ada", "ada@example.org", PASSWORD)
        .json(201);
    let mut bold = body("bob", "bob@example.org", PASSWORD);
    bold["role"] = json!("administrator");
    // Refused or not looked at: both are sensible.
    let answer = client.post("/api/v1/accounts", &bold);
    if answer.status == 201 {
        assert_eq!(answer.json(201)["role"], "user");
    } else {
        answer.problem(422);
    }
}
