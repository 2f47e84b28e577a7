//! New passwords: who is told what is wrong with one, and that hostile ones cost little, wherever a
//! password is chosen.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Answer;
use super::client::{Client, PASSWORD};
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    who_does_not_know_the_password_makes_the_server_judge_none,
    strangers_make_the_server_judge_little,
    whom_the_server_does_not_take_makes_it_judge_nothing,
    a_weak_password_is_told_to_the_owner_only_and_is_no_failed_try,
    a_weak_password_leaves_the_recovery_code_good,
);

/// Calls of each kind.
const CALLS: usize = 60;
/// What so many of them may take of a processor: twice two of the cheapest hashes for each, in a
/// debug build on a slow machine. Judged in full, each hostile password takes 0.8 s and more.
const MOST: Duration = Duration::from_secs(15);
const WRONG: &str = "not the password at all";
const CHANGE: &str = "/api/v1/account/password";
const RECOVERY: &str = "/api/v1/account/recovery";

/// A hundred characters that can all be read as letters, in thousands of ways: zxcvbn's worst.
fn hostile(number: usize) -> String {
    let start = format!("{number}x");
    start + &"4@8({[<3691!|70$5+%2".repeat(5)[..96]
}

fn change(current: &str, new: &str) -> Value {
    json!({ "current_password": current, "new_password": new })
}

/// Asks so often, and checks what it cost.
#[track_caller]
fn costs_little(server: &Server, what: &str, ask: impl Fn(usize) -> Answer) {
    let before = server.processor_time();
    for number in 0..CALLS {
        let answer = ask(number);
        assert!(answer.status < 500, "{what}: {}", answer.text());
    }
    let took = server.processor_time() - before;
    eprintln!("{what}: {took:?} for {CALLS} calls");
    assert!(took < MOST, "{what}: {took:?} for {CALLS} calls");
}

fn who_does_not_know_the_password_makes_the_server_judge_none(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    costs_little(&server, "a change with a wrong password", |number| {
        ada.put(CHANGE, &change(WRONG, &hostile(number)))
    });
    let mut browser = server.signed_in("ada");
    browser.get("/account/security").expect(200);
    let csrf = browser.csrf.clone();
    costs_little(&server, "the form with a wrong password", |number| {
        let fields = [
            ("csrf_token", csrf.as_str()),
            ("current_password", WRONG),
            ("new_password", &hostile(number)),
        ];
        Answer::to(browser.request("POST", "/account/password").form(&fields))
    });
    let ben = server
        .anonymous()
        .register("ben", "ben@example.org", PASSWORD);
    let code = ben.json(201)["recovery_code"].clone();
    costs_little(&server, "a recovery with a wrong code", |number| {
        let new = hostile(number);
        let body = json!({ "login": "ada", "recovery_code": code, "new_password": new });
        server.anonymous().post(RECOVERY, &body)
    });
}

fn strangers_make_the_server_judge_little(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.anonymous();
    let register = |number: usize| {
        let name = format!("user{number}");
        client.register(&name, &format!("{name}@example.org"), &hostile(number))
    };
    costs_little(&server, "a registration", |number| {
        register(number).expect(201)
    });
    // The owner may choose badly as often as calls are allowed: each costs a hash besides.
    let ada = server.user("ada");
    let weak = "1234567890".repeat(9);
    costs_little(&server, "a weak choice of the owner", |_| {
        ada.put(CHANGE, &change(PASSWORD, &weak)).expect(422)
    });
}

fn whom_the_server_does_not_take_makes_it_judge_nothing(backend: &Backend) {
    for registration in ["closed", "invitation"] {
        let server = Server::with(backend, &[("REGISTRATION", registration)]);
        server.user("ada");
        let client = server.anonymous();
        costs_little(&server, registration, |number| {
            let body = json!({
                "username": "ben", "email": "ben@example.org", "password": hostile(number),
                "invitation": "A".repeat(43),
            });
            client.post("/api/v1/accounts", &body).expect(403)
        });
    }
}

fn a_weak_password_is_told_to_the_owner_only_and_is_no_failed_try(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let try_it = |current: &str, new: &str| ada.put(CHANGE, &change(current, new));
    for _ in 0..8 {
        try_it(PASSWORD, "qwertyuiop123").field_error(422, "new_password");
    }
    for new in ["short", "qwertyuiop123", PASSWORD] {
        try_it(WRONG, new).problem(403);
    }
    // Each of them was counted, whatever the new one was.
    let refused = (0..9).find(|_| try_it(WRONG, "short").status == 429);
    assert!(refused.is_some_and(|more| more <= 3), "{refused:?}");
    try_it(PASSWORD, "short").problem(429);
}

fn a_weak_password_leaves_the_recovery_code_good(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.anonymous();
    let made = client
        .register("ada", "ada@example.org", PASSWORD)
        .json(201);
    let recover = |client: &Client, login: &str, new: &str| {
        let code = &made["recovery_code"];
        let body = json!({ "login": login, "recovery_code": code, "new_password": new });
        client.post(RECOVERY, &body)
    };
    for weak in ["short", "qwertyuiop123", "ada@example.org"] {
        recover(&client, "ada", weak).field_error(422, "new_password");
        recover(&client, "nobody", weak).problem(401);
    }
    client.login("ada", PASSWORD).json(201);
    recover(&client, "ada", "seven purple llamas whisper").json(200);
    recover(&client, "ada", "seven purple llamas whisper").problem(401);
}
