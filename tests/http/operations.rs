//! Health, logs, and what an operator sees of a running server.

use serde_json::json;

use super::client::{PASSWORD, original};
use super::samples;
use super::server::{Server, free_port};
use super::store::Backend;

on_both_stores!(
    health_is_open_to_all,
    metrics_count_by_route_on_a_port_of_their_own,
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
