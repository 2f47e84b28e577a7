//! Failed tries cost the next one a wait: per login, per address, and nobody can choose whose.

use serde_json::json;

use super::answer::Answer;
use super::client::{Client, PASSWORD};
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    the_sixth_wrong_password_in_a_row_has_to_wait,
    waiting_says_nothing_about_whether_an_account_exists,
    a_right_password_clears_the_count,
    tries_at_the_same_moment_are_all_counted,
    failures_are_remembered_by_every_process,
    an_address_is_counted_too_and_cannot_be_made_up,
    behind_a_trusted_proxy_each_visitor_counts_apart,
    wrong_current_passwords_count_as_tries,
);

const WRONG: &str = "not the password at all";

fn wrong(client: &Client, login: &str) -> u16 {
    client.login(login, WRONG).status
}

/// R2.27, R3.16: 429 with `Retry-After`; the right password has to wait, too.
fn the_sixth_wrong_password_in_a_row_has_to_wait(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let client = server.anonymous();
    let statuses: Vec<_> = (0..5).map(|_| wrong(&client, "ada")).collect();
    assert_eq!(statuses, [401; 5]);
    let answer = client.login("ada", PASSWORD);
    let secs: u64 = answer.header("Retry-After").parse().unwrap();
    assert!((1..=2).contains(&secs), "{secs}");
    answer.problem(429);
    std::thread::sleep(std::time::Duration::from_secs(secs));
    client.login("ada", PASSWORD).json(201);
}

fn waiting_says_nothing_about_whether_an_account_exists(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let client = server.anonymous();
    let of = |login: &str| -> Vec<u16> { (0..7).map(|_| wrong(&client, login)).collect() };
    assert_eq!(of("ada"), of("nobody"));
}

fn a_right_password_clears_the_count(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let client = server.anonymous();
    for _ in 0..4 {
        for _ in 0..4 {
            assert_eq!(wrong(&client, "ada"), 401);
        }
        client.login("ADA", PASSWORD).json(201);
    }
}

fn tries_at_the_same_moment_are_all_counted(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..20)
            .map(|_| {
                let client = server.anonymous();
                scope.spawn(move || wrong(&client, "ada"))
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let admitted = statuses.iter().filter(|status| **status == 401).count();
    assert!(admitted <= 6, "{statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
}

fn failures_are_remembered_by_every_process(backend: &Backend) {
    let mut server = Server::start(backend);
    server.user("ada");
    let client = server.anonymous();
    // After eight the next one has to wait for eight seconds: longer than a restart takes.
    let mut failed = 0;
    while failed < 8 {
        let answer = client.login("ada", WRONG);
        if answer.status == 429 {
            let secs = answer.header("Retry-After").parse().unwrap();
            std::thread::sleep(std::time::Duration::from_secs(secs));
        } else {
            answer.problem(401);
            failed += 1;
        }
    }
    server.restart();
    server.anonymous().login("ada", PASSWORD).problem(429);
}

/// `X-Real-IP` and `X-Forwarded-For` are anybody's to send.
fn an_address_is_counted_too_and_cannot_be_made_up(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let client = server.anonymous();
    let mut statuses = Vec::new();
    for n in 0..31 {
        let body = json!({ "login": format!("user{n}"), "password": WRONG });
        let request = client
            .request("POST", "/api/v1/sessions")
            .header("X-Real-IP", format!("198.51.100.{n}"))
            .header("X-Forwarded-For", format!("198.51.100.{n}"))
            .json(&body);
        statuses.push(Answer::to(request).status);
    }
    assert_eq!(statuses[..30], [401; 30]);
    assert_eq!(statuses[30], 429);
}

fn behind_a_trusted_proxy_each_visitor_counts_apart(backend: &Backend) {
    let server = Server::with(backend, &[("TRUSTED_PROXIES", "127.0.0.0/8, ::1")]);
    server.user("ada");
    let client = server.anonymous();
    let from = |forwarded: &str, n: u32| {
        let body = json!({ "login": format!("user{n}"), "password": WRONG });
        let request = client
            .request("POST", "/api/v1/sessions")
            .header("X-Forwarded-For", forwarded)
            .json(&body);
        Answer::to(request).status
    };
    for n in 0..31 {
        // What a visitor puts before it changes nothing: the proxy's own word is the last one.
        let forwarded = format!("203.0.113.{n}, 198.51.100.1");
        let expected = if n < 30 { 401 } else { 429 };
        assert_eq!(from(&forwarded, n), expected, "{n}");
    }
    assert_eq!(from("198.51.100.2", 40), 401);
}

fn wrong_current_passwords_count_as_tries(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let body = json!({ "current_password": WRONG, "new_password": "seven purple llamas whisper" });
    let statuses: Vec<_> = (0..6)
        .map(|_| client.put("/api/v1/account/password", &body).status)
        .collect();
    assert_eq!(statuses, [403, 403, 403, 403, 403, 429]);
}
