//! What a cookie alone may not do: every call that changes something, from another site.

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::blocking::RequestBuilder;
use serde_json::{Value, json};

use super::answer::Answer;
use super::browser::Browser;
use super::client::{Client, PASSWORD};
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    a_cookie_alone_changes_nothing,
    a_page_of_ours_may_change_things,
    a_method_in_a_form_is_not_a_way_round,
    a_foreign_page_signs_nobody_in_or_up,
    reading_needs_no_token,
    a_token_belongs_to_its_session,
);

const NEW_PASSWORD: &str = "seven purple llamas whisper gently";

/// What a page that wants to do harm can vary.
struct Forgery {
    what: &'static str,
    token: fn(&Browser) -> Option<String>,
    headers: &'static [(&'static str, &'static str)],
}

const OWN: fn(&Browser) -> Option<String> = |browser| Some(browser.csrf.clone());

const FORGERIES: [Forgery; 7] = [
    Forgery {
        what: "no token",
        token: |_| None,
        headers: &[("Sec-Fetch-Site", "same-origin")],
    },
    Forgery {
        what: "a wrong token",
        token: |browser| Some(browser.csrf.chars().rev().collect()),
        headers: &[("Sec-Fetch-Site", "same-origin")],
    },
    Forgery {
        what: "an empty token",
        token: |_| Some(String::new()),
        headers: &[("Sec-Fetch-Site", "same-origin")],
    },
    Forgery {
        what: "another origin",
        token: OWN,
        headers: &[("Origin", "https://evil.example")],
    },
    Forgery {
        what: "a null origin",
        token: OWN,
        headers: &[("Origin", "null")],
    },
    Forgery {
        what: "cross-site",
        token: OWN,
        headers: &[("Sec-Fetch-Site", "cross-site")],
    },
    Forgery {
        what: "same-site",
        token: OWN,
        headers: &[("Sec-Fetch-Site", "same-site")],
    },
];

/// Every call of the API that changes something, with a body that would succeed.
fn api_calls(id: &str, browser: &Browser) -> Vec<(String, RequestBuilder)> {
    let call = |method: &str, path: &str, body: Option<Value>| {
        let request = browser.bare(method, path);
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        (format!("{method} {path}"), request)
    };
    let image = format!("/api/v1/images/{id}");
    let ids = json!({ "ids": [id] });
    let upload = browser
        .bare("POST", "/api/v1/images?name=new.jpg")
        .body(samples::jpeg(77));
    let form = || {
        let part = reqwest::blocking::multipart::Part::bytes(samples::jpeg(78)).file_name("f.jpg");
        reqwest::blocking::multipart::Form::new().part("file", part)
    };
    vec![
        call("PATCH", &image, Some(json!({ "name": "forged" }))),
        call("DELETE", &image, None),
        call("DELETE", &format!("{image}?permanent=true"), None),
        call("POST", "/api/v1/images/delete", Some(ids.clone())),
        call(
            "POST",
            "/api/v1/images/restore",
            Some(json!({ "all": true })),
        ),
        call("POST", "/api/v1/archives", Some(ids)),
        call("DELETE", "/api/v1/session", None),
        (
            "POST /api/v1/images".into(),
            upload.header("Content-Type", "image/jpeg"),
        ),
        (
            "multipart /api/v1/images".into(),
            browser.bare("POST", "/api/v1/images").multipart(form()),
        ),
    ]
}

/// The same for the account itself, where one success is the end of the others.
fn account_calls(browser: &Browser) -> Vec<(String, RequestBuilder)> {
    let proof = json!({ "password": PASSWORD });
    let changed = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    let token = json!({ "name": "Backup", "scopes": ["read"], "password": PASSWORD });
    let calls = [
        ("DELETE", "/api/v1/sessions", json!({})),
        ("PUT", "/api/v1/account/password", changed),
        ("POST", "/api/v1/account/recovery-code", proof.clone()),
        ("POST", "/api/v1/admin/invitations", json!({})),
        ("POST", "/api/v1/account/tokens", token),
        (
            "PATCH",
            "/api/v1/account",
            json!({ "display_name": "forged" }),
        ),
        ("POST", "/api/v1/account/master-key", proof.clone()),
        ("DELETE", "/api/v1/account", proof),
    ];
    let call = |(method, path, body): (&str, &str, Value)| {
        (
            format!("{method} {path}"),
            browser.bare(method, path).json(&body),
        )
    };
    calls.into_iter().map(call).collect()
}

/// Every form that changes something of who is signed in.
fn forms(id: &str) -> Vec<(String, Vec<(&'static str, String)>)> {
    let selection = |action: &str| vec![("ids", id.to_owned()), ("action", action.to_owned())];
    vec![
        ("/logout".into(), vec![]),
        ("/account/sessions".into(), vec![]),
        ("/account/invitations".into(), vec![]),
        (
            "/account/profile".into(),
            vec![
                ("email", "forged@example.org".into()),
                ("display_name", "forged".into()),
                ("password", PASSWORD.into()),
            ],
        ),
        (
            "/account/tokens".into(),
            vec![
                ("name", "forged".into()),
                ("scopes", "read".into()),
                ("expires_in_days", "9".into()),
                ("password", PASSWORD.into()),
            ],
        ),
        (
            "/account/recovery-code".into(),
            vec![("password", PASSWORD.into())],
        ),
        (
            "/account/master-key".into(),
            vec![("password", PASSWORD.into())],
        ),
        (
            "/account/delete".into(),
            vec![("password", PASSWORD.into())],
        ),
        (
            "/account/password".into(),
            vec![
                ("current_password", PASSWORD.into()),
                ("new_password", NEW_PASSWORD.into()),
            ],
        ),
        ("/vault/selection".into(), selection("delete")),
        ("/vault/selection".into(), selection("delete-confirmed")),
        ("/vault/selection".into(), selection("favourite")),
        ("/vault/selection".into(), selection("download")),
        ("/trash/selection".into(), selection("restore")),
        ("/trash/selection".into(), selection("delete-confirmed")),
        (
            format!("/vault/images/{id}"),
            vec![("name", "forged".into()), ("tags", "x".into())],
        ),
    ]
}

fn with(mut request: RequestBuilder, headers: &[(&str, &str)]) -> RequestBuilder {
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
}

/// A browser that is signed in, a program of the same user, and one image.
fn signed_in(server: &Server) -> (Browser, Client, String) {
    let client = server.user("ada");
    let id = client.add("a.jpg", &samples::jpeg(1));
    (server.signed_in("ada"), client, id)
}

/// R1.52, R3.17: 403, and nothing is changed.
fn a_cookie_alone_changes_nothing(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, client, id) = signed_in(&server);
    let before = (
        client.list(""),
        client.list("state=trashed"),
        server.store.blob_count(),
    );
    for forgery in &FORGERIES {
        let token = (forgery.token)(&browser);
        let calls = api_calls(&id, &browser).into_iter();
        for (what, request) in calls.chain(account_calls(&browser)) {
            let mut request = with(request, forgery.headers);
            if let Some(token) = &token {
                request = request.header("X-CSRF-Token", token);
            }
            let answer = Answer::to(request);
            assert_eq!(
                answer.status,
                403,
                "{what} with {}: {}",
                forgery.what,
                answer.text()
            );
            answer.problem(403);
        }
        for (path, mut fields) in forms(&id) {
            fields.extend(token.clone().map(|token| ("csrf_token", token)));
            let answer =
                Answer::to(with(browser.bare("POST", &path), forgery.headers).form(&fields));
            assert_eq!(
                answer.status,
                403,
                "{path} with {}: {}",
                forgery.what,
                answer.text()
            );
        }
        let mut form = reqwest::blocking::multipart::Form::new();
        if let Some(token) = token {
            form = form.text("csrf_token", token);
        }
        let part = reqwest::blocking::multipart::Part::bytes(samples::jpeg(5)).file_name("f.jpg");
        let request = with(browser.bare("POST", "/vault/upload"), forgery.headers);
        let answer = Answer::to(request.multipart(form.part("file", part)));
        assert_eq!(answer.status, 403, "/vault/upload with {}", forgery.what);
    }
    let after = (
        client.list(""),
        client.list("state=trashed"),
        server.store.blob_count(),
    );
    assert_eq!(after, before);
    browser.get("/vault").expect(200);
    server.anonymous().login("ada", PASSWORD).json(201);
}

/// The counter-check: with token and origin of our own the same calls pass. And by bearer without.
fn a_page_of_ours_may_change_things(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    static SEED: AtomicU32 = AtomicU32::new(1_000);
    let fresh = || {
        client.add(
            "a.jpg",
            &samples::jpeg(SEED.fetch_add(1, Ordering::Relaxed)),
        )
    };
    let calls = api_calls(&fresh(), &server.signed_in("ada")).len();
    for n in 0..calls {
        let browser = server.signed_in("ada");
        let (what, request) = api_calls(&fresh(), &browser).swap_remove(n);
        let request = request.header("Sec-Fetch-Site", "same-origin");
        let answer = Answer::to(request.header("X-CSRF-Token", &browser.csrf));
        assert!(
            (200..300).contains(&answer.status),
            "{what}: {}",
            answer.text()
        );
    }
    let browser = server.signed_in("ada");
    let origin = format!("http://{}", server.host());
    let request = browser.bare("DELETE", &format!("/api/v1/images/{}", fresh()));
    let request = request
        .header("Origin", origin)
        .header("X-CSRF-Token", &browser.csrf);
    Answer::to(request).expect(204);
    client
        .delete(&format!("/api/v1/images/{}", fresh()))
        .expect(204);
}

/// Rocket takes `_method` from a form for the method itself.
fn a_method_in_a_form_is_not_a_way_round(backend: &Backend) {
    let server = Server::start(backend);
    let (browser, client, id) = signed_in(&server);
    let image = format!("/api/v1/images/{id}");
    for (path, method) in [
        (image.as_str(), "delete"),
        (&image, "patch"),
        ("/api/v1/session", "delete"),
    ] {
        for site in ["cross-site", "same-origin"] {
            let request = browser.bare("POST", path).header("Sec-Fetch-Site", site);
            let answer = Answer::to(request.form(&[("_method", method), ("name", "forged")]));
            assert!(
                [403, 405, 415].contains(&answer.status),
                "{path} {method}: {}",
                answer.status
            );
        }
    }
    assert_eq!(client.names(""), ["a.jpg"]);
    client.get("/api/v1/session").json(200);
    Answer::to(browser.bare("GET", "/api/v1/session")).json(200);
}

/// Forms of people who are not signed in have no token; their origin is looked at.
fn a_foreign_page_signs_nobody_in_or_up(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let browser = server.browser();
    let sign_in = [("login", "ada"), ("password", PASSWORD)];
    let register = [
        ("username", "eve"),
        ("email", "eve@example.org"),
        ("password", PASSWORD),
    ];
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        for (path, fields) in [("/login", &sign_in[..]), ("/register", &register[..])] {
            let request = browser.bare("POST", path).header(name, value);
            let answer = Answer::to(request.form(fields));
            assert_eq!(answer.status, 403, "{path} with {name}: {value}");
            assert!(answer.headers.get("Set-Cookie").is_none());
        }
    }
    client.login("eve", PASSWORD).problem(401);
}

fn reading_needs_no_token(backend: &Backend) {
    let server = Server::start(backend);
    let (browser, _, id) = signed_in(&server);
    for path in [
        "/api/v1/images",
        "/api/v1/session",
        &format!("/api/v1/images/{id}/original"),
    ] {
        Answer::to(browser.bare("GET", path)).expect(200);
    }
}

fn a_token_belongs_to_its_session(backend: &Backend) {
    let server = Server::start(backend);
    let (browser, _, id) = signed_in(&server);
    let other = server.signed_in("ada");
    assert_ne!(browser.csrf, other.csrf);
    let request = browser.bare("DELETE", &format!("/api/v1/images/{id}"));
    let request = request.header("Sec-Fetch-Site", "same-origin");
    Answer::to(request.header("X-CSRF-Token", &other.csrf)).problem(403);
}
