//! Health, logs, and what an operator sees of a running server.

use std::collections::BTreeMap;

use reqwest::blocking::RequestBuilder;
use serde_json::json;

use super::answer::Answer;
use super::client::{PASSWORD, original};
use super::samples;
use super::server::{Server, free_port};
use super::store::Backend;

on_both_stores!(
    health_is_open_to_all,
    metrics_count_by_route_on_a_port_of_their_own,
    metrics_come_in_the_format_that_a_scraper_asks_for,
    logs_name_routes_and_statuses_but_nobodys_things,
    a_download_that_nobody_takes_is_given_up,
);

fn health_is_open_to_all(backend: &Backend) {
    let server = Server::start(backend);
    let anonymous = server.anonymous();
    for path in ["/health/live", "/health/ready"] {
        anonymous.get(path).expect(200);
        anonymous.head(path).expect(200);
    }
}

fn metrics_count_by_route_on_a_port_of_their_own(backend: &Backend) {
    let port = free_port();
    let server = Server::with(backend, &[("METRICS_PORT", &port.to_string())]);
    let client = server.user("ada");
    client.add("secretname.jpg", &samples::jpeg(1));
    client.get("/api/v1/images?q=secretquery").json(200);
    server.anonymous().get("/metrics").problem(404);
    let fetched = reqwest::blocking::get(format!("http://127.0.0.1:{port}/metrics")).unwrap();
    assert_eq!(fetched.status(), 200);
    let text = fetched.text().unwrap();
    let line = text.lines().find(|line| {
        line.contains("requests_total") && line.contains("\"POST\",route=\"/api/v1/images\"")
    });
    assert!(line.is_some_and(|line| line.contains("201")), "{text}");
    assert!(!text.contains("secret") && !text.contains("ada"), "{text}");
}

/// Older scrapers, and people, get what every scraper reads (Prometheus, "text-based format", 0.0.4).
fn metrics_come_in_the_format_that_a_scraper_asks_for(backend: &Backend) {
    let port = free_port();
    let server = Server::with(backend, &[("METRICS_PORT", &port.to_string())]);
    server.anonymous().get("/health/live").expect(200);
    let fetched = |accept: &[&str]| {
        let request = super::client::connection().get(format!("http://127.0.0.1:{port}/metrics"));
        let with = |request: RequestBuilder, line: &&str| request.header("Accept", *line);
        let answer = Answer::to(accept.iter().fold(request, with)).expect(200);
        (answer.header("Content-Type").to_owned(), answer.text())
    };
    let long = format!("text/plain;x={},{}", "a".repeat(4_000), "a/b,".repeat(900));
    for accept in [
        &[][..],
        &["*/*"],
        &["text/plain"],
        &[&long],
        &["text/html", "*/*;q=0.1"],
    ] {
        let (kind, text) = fetched(accept);
        assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
        assert!(text.ends_with('\n') && !text.contains("# EOF"), "{text}");
        let types: BTreeMap<_, _> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
            .collect();
        assert_eq!(types["image_vault_requests_total"], "counter");
        // Each sample is of a family whose type is told.
        for line in text.lines().filter(|line| !line.starts_with("# ")) {
            let name = line.split('{').next().unwrap();
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end))
                .unwrap_or(name);
            assert!(types.contains_key(family), "{line}");
        }
    }
    for accept in [
        &["application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"][..],
        &["text/plain;q=0.5", "application/openmetrics-text"],
    ] {
        let (kind, text) = fetched(accept);
        assert_eq!(
            kind,
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        );
        assert!(
            text.contains("# TYPE image_vault_requests counter\n"),
            "{text}"
        );
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}

/// R2.38's half for the vault: no names, tokens, keys or queries.
fn logs_name_routes_and_statuses_but_nobodys_things(backend: &Backend) {
    let server = Server::with(backend, &[("LOG", "debug"), ("LOG_FORMAT", "json")]);
    let account = server
        .anonymous()
        .register("adaname", "adamail@example.org", PASSWORD)
        .json(201);
    let client = server.anonymous().signed_in("adaname", PASSWORD);
    let id = client.add("secretname.jpg", &samples::jpeg(1));
    client
        .get("/api/v1/images?q=secretquery&tag=secrettag")
        .json(200);
    client
        .patch(
            &format!("/api/v1/images/{id}"),
            &json!({ "caption": "secretcaption" }),
        )
        .json(200);
    client.get("/secretpath?token=secretvalue").expect(404);
    client.archive(&json!({ "all": true, "name": "secretzip" }));
    client.login("adaname", "secretpassword").problem(401);
    client.upload("secrettext.jpg", b"secretbytes").problem(415);
    server.signed_in("adaname");
    let log = server.log();
    assert!(
        log.contains("/api/v1/images") && log.contains("201"),
        "{log}"
    );
    for line in log.lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line).is_ok(),
            "not JSON: {line}"
        );
    }
    let code = account["recovery_code"].as_str().unwrap();
    for secret in [
        "secret",
        &client.token,
        PASSWORD,
        code,
        &id,
        "adaname",
        "adamail",
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

/// Security test 22: the window, the keys and the thread behind it are given back.
fn a_download_that_nobody_takes_is_given_up(backend: &Backend) {
    let server = Server::with(backend, &[("SEND_STALL", "1s")]);
    let client = server.user("ada");
    let id = client.add("large.bmp", &samples::large(1));
    // Nothing can be asked meanwhile: the sockets' buffers fill, and then nothing moves. A machine
    // that is busy may need long for that.
    let mut pauses = [4, 15, 60].into_iter();
    let given_up = pauses.any(|seconds| {
        let mut body = client.request("GET", &original(&id)).send().unwrap();
        std::thread::sleep(std::time::Duration::from_secs(seconds));
        std::io::copy(&mut body, &mut std::io::sink()).is_err()
    });
    assert!(given_up, "after a minute all of it still came");
}
