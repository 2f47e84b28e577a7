//! How many calls somebody may make: every route counts its caller, or has a reason not to.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::json;

use super::answer::Answer;
use super::client::{Client, PASSWORD};
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    every_route_counts_strangers_by_their_network,
    every_route_counts_an_account_wherever_it_comes_from,
    what_no_route_takes_is_counted_and_keeps_nobody_from_signing_in,
    thumbnails_have_a_budget_of_their_own,
    a_page_whose_session_has_ended_leaves_enough_to_sign_in_again,
    registering_is_counted_by_network,
    who_waits_as_long_as_told_is_served,
    a_network_of_ipv6_is_one_caller,
    the_defaults_let_people_work,
);

/// What costs nothing, is fetched by the dozen, or asked by a machine that watches the server.
const COUNTED_BY_NOBODY: [&str; 7] = [
    "GET /static/<hash>/<path..>",
    "GET /favicon.ico",
    "GET /manifest.webmanifest",
    "GET /service-worker.js",
    "GET /health/live",
    "GET /health/ready",
    "POST /theme",
];
/// Served on a port of its own, to this machine only.
const ELSEWHERE: &str = "GET /metrics";
const OPEN_TO_STRANGERS: [&str; 17] = [
    "GET /",
    "GET /login",
    "POST /login",
    "GET /login/code",
    "POST /login/code",
    "POST /login/code/passkey",
    "POST /login/passkey",
    "POST /login/passkey/challenge",
    "GET /register",
    "POST /register",
    "GET /recover",
    "POST /recover",
    "POST /share-target",
    "POST /api/v1/accounts",
    "POST /api/v1/sessions",
    "POST /api/v1/account/recovery",
    "GET /api/v1/images/<id>/thumbnail",
];
const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A server that believes who callers say they are, with these budgets.
fn server(backend: &Backend, budgets: &[(&str, &str)]) -> Server {
    let believed = [("TRUSTED_PROXIES", "127.0.0.1")];
    Server::with(backend, &[&believed, budgets].concat())
}

/// Every route there is, as the source names them: `GET /api/v1/images/<id>`.
pub(super) fn routes() -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web");
    for file in super::store::files_below(&web) {
        let mount = match file.strip_prefix(&web).unwrap() {
            path if path.ends_with("health.rs") => "/health",
            path if path.starts_with("api") => "/api/v1",
            _ => "",
        };
        let source = fs::read_to_string(&file).unwrap();
        for attribute in source.split("#[rocket::").skip(1) {
            let Some((method, rest)) = attribute.split_once("(\"") else {
                continue;
            };
            if let method @ ("get" | "post" | "put" | "patch" | "delete") = method {
                let path = rest.split(['"', '?']).next().unwrap();
                routes.insert(format!("{} {mount}{path}", method.to_uppercase()));
            }
        }
    }
    assert!(routes.len() > 50, "{routes:#?}");
    assert!(routes.remove(ELSEWHERE));
    routes
}

fn counted_routes() -> Vec<String> {
    let mut routes = routes();
    for free in COUNTED_BY_NOBODY {
        assert!(routes.remove(free), "there is no {free} any more");
    }
    for open in OPEN_TO_STRANGERS {
        assert!(routes.contains(open), "there is no {open} any more");
    }
    routes.into_iter().collect()
}

/// Asks a route, with a body that it would read.
fn ask(client: &Client, route: &str, from: &str) -> Answer {
    let (method, path) = route.split_once(' ').unwrap();
    let path = path
        .replace("<id>", ID)
        .replace("<hash>/<path..>", "x/favicon.svg");
    let kind = match path.starts_with("/api/") {
        true => "application/json",
        false => "application/x-www-form-urlencoded",
    };
    let request = client
        .request(method, &path)
        .header("X-Forwarded-For", from);
    Answer::to(match method {
        "GET" => request,
        _ => request.header("Content-Type", kind).body("{}"),
    })
}

fn every_route_counts_strangers_by_their_network(backend: &Backend) {
    let one = [
        ("ANONYMOUS_CALLS_PER_MINUTE", "1"),
        ("THUMBNAIL_CALLS_PER_MINUTE", "1"),
    ];
    let server = server(backend, &one);
    let stranger = server.anonymous();
    let somebody = stranger.with_token("not.a.token");
    for (at, route) in counted_routes().iter().enumerate() {
        for (client, net) in [(&stranger, 1), (&somebody, 2)] {
            // Networks share buckets: of so many, two meet in one now and then.
            let mut froms = (0..3).map(|spare| format!("198.{net}.{spare}.{at}"));
            let from = froms.find(|from| ask(client, route, from).status != 429);
            let from = from.unwrap_or_else(|| panic!("{route}: one call is allowed"));
            let second = ask(client, route, &from);
            assert!(!second.header("Retry-After").is_empty(), "{route}");
            let detail = second.problem(429)["detail"].to_string();
            assert!(detail.contains("Wait"), "{route}: {detail}");
        }
    }
    for free in COUNTED_BY_NOBODY {
        for _ in 0..5 {
            assert_ne!(ask(&stranger, free, "198.3.0.1").status, 429, "{free}");
        }
    }
}

/// Wrong addresses and methods, and what is turned away before a route is looked for.
fn what_no_route_takes_is_counted_and_keeps_nobody_from_signing_in(backend: &Backend) {
    let server = server(backend, &[("ANONYMOUS_CALLS_PER_MINUTE", "3")]);
    let ada = server.user("ada");
    let stranger = server.anonymous();
    let long = "x".repeat(9_000);
    let cases = [
        ("GET", "/nowhere", None, 404),
        ("POST", "/nowhere/at/all", None, 404),
        ("HEAD", "/nowhere", None, 404),
        ("DELETE", "/login", None, 405),
        ("BREW", "/login", None, 405),
        ("GET", "/login", Some(("X-Long", &*long)), 431),
        ("GET", &*format!("/{long}"), None, 414),
        ("GET", "/login", Some(("Host", "evil.example")), 421),
    ];
    for (at, (method, path, header, expected)) in cases.into_iter().enumerate() {
        for (client, net) in [(&stranger, 1), (&ada, 2)] {
            let ask = || {
                let from = format!("198.18.{net}.{at}");
                let request = client.request(method, path);
                let request = request.header("X-Forwarded-For", from);
                Answer::to(match header {
                    Some((name, value)) => request.header(name, value),
                    None => request,
                })
            };
            for _ in 0..3 {
                ask().expect(expected);
            }
            let refused = ask().expect(429);
            assert!(!refused.header("Retry-After").is_empty(), "{method} {path}");
        }
    }
    // What asked in vain was from where its owner signs in, and has used up nothing that needs.
    let body = json!({ "login": "ada", "password": PASSWORD });
    let request = stranger.request("POST", "/api/v1/sessions");
    let request = request.header("X-Forwarded-For", "198.18.1.0");
    Answer::to(request.json(&body)).json(201);
    for _ in 0..20 {
        stranger.get("/static/x/nothing.css").expect(404);
    }
}

fn every_route_counts_an_account_wherever_it_comes_from(backend: &Backend) {
    let few = [
        ("ACCOUNT_CALLS_PER_MINUTE", "1"),
        ("THUMBNAIL_CALLS_PER_MINUTE", "1"),
    ];
    let server = server(backend, &few);
    let mut ada = server.user("ada");
    let private = counted_routes()
        .into_iter()
        .filter(|route| !OPEN_TO_STRANGERS.contains(&&**route) || route.ends_with("thumbnail"));
    for (at, route) in private.enumerate() {
        // A call that has come back in a slow minute may have signed out.
        if ada.get("/api/v1/session").status == 401 {
            ada = server.anonymous().signed_in("ada", PASSWORD);
        }
        // One may be left or have come back; never two in so short a time.
        let from = |n: usize| format!("198.51.{at}.{n}");
        let statuses = [1, 2].map(|n| ask(&ada, &route, &from(n)).status);
        assert!(statuses.contains(&429), "{route}: {statuses:?}");
    }
    let ben = server.user("ben");
    ben.get("/api/v1/session").expect(200);
}

fn thumbnails_have_a_budget_of_their_own(backend: &Backend) {
    let few = [
        ("ACCOUNT_CALLS_PER_MINUTE", "2"),
        ("THUMBNAIL_CALLS_PER_MINUTE", "30"),
    ];
    let server = server(backend, &few);
    let ada = server.user("ada");
    let id = ada.add("a.jpg", &samples::jpeg(1));
    let thumbnail = || ada.get(&format!("/api/v1/images/{id}/thumbnail")).status;
    for _ in 0..30 {
        assert_eq!(thumbnail(), 200);
    }
    ada.get("/api/v1/images").expect(200);
    let refused = (0..5).map(|_| thumbnail()).filter(|status| *status == 429);
    assert!(refused.count() > 0);
}

fn a_page_whose_session_has_ended_leaves_enough_to_sign_in_again(backend: &Backend) {
    let few = [
        ("ANONYMOUS_CALLS_PER_MINUTE", "5"),
        ("THUMBNAIL_CALLS_PER_MINUTE", "20"),
    ];
    let server = server(backend, &few);
    let ada = server.user("ada");
    ada.delete("/api/v1/session").expect(204);
    let thumbnail = format!("/api/v1/images/{ID}/thumbnail");
    let statuses: Vec<u16> = (0..40).map(|_| ada.get(&thumbnail).status).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
    ada.login("ada", PASSWORD).json(201);
}

fn registering_is_counted_by_network(backend: &Backend) {
    let server = server(backend, &[("REGISTRATIONS_PER_HOUR", "2")]);
    let client = server.anonymous();
    let register = |name: &str, from: &str| {
        let body = json!({
            "username": name, "email": format!("{name}@example.org"), "password": PASSWORD,
        });
        let request = client.request("POST", "/api/v1/accounts");
        Answer::to(request.header("X-Forwarded-For", from).json(&body))
    };
    register("ada", "198.51.100.1").json(201);
    register("ada", "198.51.100.1").problem(409);
    let refused = register("ben", "198.51.100.1");
    let secs: u64 = refused.header("Retry-After").parse().unwrap();
    assert!((1..=1_801).contains(&secs), "{secs}");
    refused.problem(429);
    register("ben", "198.51.100.2").json(201);
    let form = client
        .request("POST", "/register")
        .header("X-Forwarded-For", "198.51.100.1")
        .header("Accept", "text/html")
        .form(&[("username", "cleo")]);
    let page = Answer::to(form).expect(429).text();
    assert!(page.contains("Too many accounts"), "{page}");
    client.login("ada", PASSWORD).json(201);
}

fn who_waits_as_long_as_told_is_served(backend: &Backend) {
    let server = server(backend, &[("ACCOUNT_CALLS_PER_MINUTE", "60")]);
    let ada = server.user("ada");
    let list = || ada.get("/api/v1/images");
    let refused = (0..600).map(|_| list()).find(|answer| answer.status != 200);
    let refused = refused.unwrap();
    let secs = refused.header("Retry-After").parse().unwrap();
    refused.problem(429);
    std::thread::sleep(std::time::Duration::from_secs(secs));
    list().expect(200);
}

fn a_network_of_ipv6_is_one_caller(backend: &Backend) {
    let server = server(backend, &[("ANONYMOUS_CALLS_PER_MINUTE", "3")]);
    let client = server.anonymous();
    let from = |address: &str| ask(&client, "GET /login", address).status;
    let statuses: Vec<u16> = (0..5).map(|n| from(&format!("2001:db8::{n}"))).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(from("2001:db8:0:1::1"), 200);
}

/// A page of six hundred, a batch of hundreds, and the pages before somebody has signed in.
fn the_defaults_let_people_work(backend: &Backend) {
    let defaults = [
        ("ANONYMOUS_CALLS_PER_MINUTE", "120"),
        ("ACCOUNT_CALLS_PER_MINUTE", "6000"),
        ("THUMBNAIL_CALLS_PER_MINUTE", "12000"),
        ("REGISTRATIONS_PER_HOUR", "20"),
    ];
    let server = server(backend, &defaults);
    let explained = server.command(&["config", "table"]).output().unwrap();
    let table = String::from_utf8(explained.stdout).unwrap();
    for (key, default) in defaults {
        let row = format!("| `{}` | `{default}` |", key.to_lowercase());
        assert!(table.contains(&row), "no longer the default: {row}");
    }
    let ada = server.user("ada");
    for _ in 0..50 {
        server.anonymous().get("/login").expect(200);
    }
    let id = ada.add("a.jpg", &samples::jpeg(1));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..200 {
                    ada.get(&format!("/api/v1/images/{id}/thumbnail"))
                        .expect(200);
                }
            });
        }
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..100 {
                    ada.upload("a.jpg", &samples::jpeg(1)).expect(200);
                }
            });
        }
    });
}
