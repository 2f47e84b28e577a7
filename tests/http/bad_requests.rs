//! Bodies that are not what the call takes: nothing a client sends makes a 500.

use serde_json::Value;

use super::answer::Answer;
use super::client::Client;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    broken_json_is_400,
    another_content_type_is_415,
    a_body_without_end_is_413,
    deep_nesting_and_odd_numbers_are_refused,
    unknown_fields_do_no_harm,
    hostile_headers_are_survived,
);

/// Every call that takes JSON.
fn calls(id: &str) -> [(&'static str, String); 7] {
    [
        ("POST", "/api/v1/accounts".into()),
        ("POST", "/api/v1/sessions".into()),
        ("POST", "/api/v1/images/known".into()),
        ("POST", "/api/v1/images/delete".into()),
        ("POST", "/api/v1/images/restore".into()),
        ("POST", "/api/v1/archives".into()),
        ("PATCH", format!("/api/v1/images/{id}")),
    ]
}

#[track_caller]
fn send(client: &Client, (method, path): &(&str, String), kind: &str, body: &[u8]) -> Answer {
    let request = client.request(method, path).header("Content-Type", kind);
    Answer::to(request.body(body.to_vec()))
}

fn broken_json_is_400(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let id = client.add("a.jpg", &samples::jpeg(1));
    let broken: [&[u8]; 5] = [b"{", b"", b"{\"x\" 1}", b"not json", b"\xff\xfe"];
    for call in calls(&id) {
        for body in broken {
            let problem = send(&client, &call, "application/json", body).problem(400);
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("JSON"), "{call:?}: {detail}");
        }
    }
    let call = ("POST", "/api/v1/images/delete".to_owned());
    send(
        &client,
        &call,
        "application/json",
        b"{\"all\":true} trailing",
    )
    .problem(400);
    assert_eq!(client.names(""), ["a.jpg"]);
}

fn another_content_type_is_415(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let id = client.add("a.jpg", &samples::jpeg(1));
    for call in calls(&id) {
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/xml",
            "x",
        ] {
            let problem = send(&client, &call, kind, b"{\"all\":true}").problem(415);
            let detail = problem["detail"].as_str().unwrap();
            assert!(
                detail.contains("JSON") || detail.contains("json"),
                "{call:?}: {detail}"
            );
        }
        // With a parameter it is still JSON: whatever is refused is refused for another reason.
        let answer = send(&client, &call, "application/json; charset=utf-8", b"[]");
        assert_eq!(answer.status, 422, "{call:?}: {}", answer.text());
    }
    assert_eq!(client.names(""), ["a.jpg"]);
}

fn a_body_without_end_is_413(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let id = client.add("a.jpg", &samples::jpeg(1));
    // Little more than is read: a client that still writes when the answer comes may miss it.
    let endless = format!("{{\"x\":\"{}\"}}", "a".repeat(3 << 19));
    for call in calls(&id) {
        send(&client, &call, "application/json", endless.as_bytes()).problem(413);
    }
    let mut browser = server.signed_in("ada");
    let long = "x".repeat(3 << 19);
    browser
        .submit_signed("/vault/selection", &[("ids", &long), ("action", "delete")])
        .expect(413);
}

fn deep_nesting_and_odd_numbers_are_refused(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let id = client.add("a.jpg", &samples::jpeg(1));
    let deep = "[".repeat(10_000);
    let odd = [
        "1e400",
        "-0",
        "{\"ids\":[1e999]}",
        "{\"all\":1}",
        "\"\\ud800\"",
        "null",
        "[[]]",
    ];
    for call in calls(&id) {
        for body in odd.iter().copied().chain([deep.as_str()]) {
            // To a change of some fields, others are unknown: they do no harm.
            if call.0 == "PATCH" && body.starts_with('{') {
                continue;
            }
            let answer = send(&client, &call, "application/json", body.as_bytes());
            assert!(
                [400, 422].contains(&answer.status),
                "{call:?}: {}",
                answer.text()
            );
            let status = answer.status;
            answer.problem(status);
        }
    }
}

fn unknown_fields_do_no_harm(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let id = client.add("a.jpg", &samples::jpeg(1));
    let before = client.image(&id);
    let answer = client.patch(
        &format!("/api/v1/images/{id}"),
        &serde_json::json!({ "favorite": true, "__proto__": {}, "owner": "bob" }),
    );
    // Ignored, or refused by name.
    match answer.status {
        200 => assert_eq!(answer.json(200), before),
        _ => assert_ne!(answer.problem(422)["detail"], Value::Null),
    }
    assert_eq!(client.image(&id), before);
}

fn hostile_headers_are_survived(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let id = client.add("a.jpg", &samples::jpeg(1));
    let path = format!("/api/v1/images/{id}/original");
    let long = "x".repeat(4_000);
    let headers = [
        ("Accept", "\u{7f}"),
        ("Accept", "text/html;q=9999999"),
        ("Accept", "a/b/c;;;,,,"),
        ("Accept", long.as_str()),
        ("Cookie", "a=b; =; ;;; iv=\"x"),
        ("Content-Type", "///"),
        ("If-Range", "W/"),
        ("Range", "bytes=-"),
        ("Range", "bytes=18446744073709551615-18446744073709551616"),
        ("X-Real-IP", "not an address"),
        ("Accept-Encoding", "gzip, br"),
    ];
    for (name, value) in headers {
        let Ok(value) = reqwest::header::HeaderValue::from_bytes(value.as_bytes()) else {
            continue;
        };
        for path in [path.as_str(), "/nothing", "/login"] {
            let status = Answer::to(client.request("GET", path).header(name, value.clone())).status;
            assert!(status < 500, "{path} with {name}: {status}");
        }
    }
}
