//! What holds for every answer: who may ask, in which form it fails, and its headers.

use super::answer::Answer;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    without_credentials_the_api_says_401,
    without_credentials_a_page_leads_to_the_login_and_back,
    a_wrong_method_is_405_with_allow,
    unknown_paths_are_404_in_the_askers_form,
    every_answer_has_the_security_headers,
    assets_may_be_kept,
    errors_of_a_browser_are_pages,
);

const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Every route that needs somebody.
fn private() -> Vec<(&'static str, String)> {
    let routes = [
        ("GET", "/api/v1/session"),
        ("DELETE", "/api/v1/session"),
        ("PATCH", "/api/v1/account"),
        ("GET", "/api/v1/account/tokens"),
        ("GET", "/api/v1/account/master-key"),
        ("POST", "/api/v1/account/master-key"),
        ("POST", "/api/v1/account/tokens"),
        ("DELETE", "/api/v1/account/tokens/ID"),
        ("POST", "/api/v1/images?name=x.jpg"),
        ("GET", "/api/v1/images"),
        ("GET", "/api/v1/images/ID"),
        ("PATCH", "/api/v1/images/ID"),
        ("DELETE", "/api/v1/images/ID"),
        ("GET", "/api/v1/images/ID/original"),
        ("HEAD", "/api/v1/images/ID/original"),
        ("GET", "/api/v1/images/ID/thumbnail"),
        ("GET", "/api/v1/images/ID/preview"),
        ("POST", "/api/v1/images/known"),
        ("POST", "/api/v1/images/delete"),
        ("POST", "/api/v1/images/restore"),
        ("POST", "/api/v1/archives"),
        ("GET", "/api/v1/archives/ID"),
    ];
    routes
        .map(|(method, path)| (method, path.replace("ID", ID)))
        .to_vec()
}

/// R1.20, R3.23: with a challenge, and as a problem.
fn without_credentials_the_api_says_401(backend: &Backend) {
    let server = Server::start(backend);
    let anonymous = server.anonymous();
    for (method, path) in private() {
        let request = anonymous.request(method, &path);
        let answer = Answer::to(if method == "GET" || method == "HEAD" {
            request
        } else {
            request
                .header("Content-Type", "application/json")
                .body("{\"all\":true}")
        });
        assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text());
        assert!(
            !answer.header("WWW-Authenticate").is_empty(),
            "RFC 9110, 11.6.1: {method} {path}"
        );
        if method != "HEAD" {
            answer.problem(401);
        }
    }
}

/// R0.8: with a notice, and back to the page that was asked for.
fn without_credentials_a_page_leads_to_the_login_and_back(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let mut browser = server.browser();
    for path in [
        "/vault",
        "/trash",
        "/vault?q=a%26b&sort=name",
        &format!("/vault/images/{ID}"),
    ] {
        let answer = browser.get(path);
        let to = answer.expect(303).header("Location").to_owned();
        assert!(to.starts_with("/login?next="), "{to}");
        assert!(
            browser
                .get(&to)
                .expect(200)
                .text()
                .contains("role=\"status\""),
            "no notice"
        );
    }
    let to = browser.get("/trash").header("Location").to_owned();
    let page = browser.get(&to).text();
    let next = super::html::input(&page, "next").unwrap();
    assert_eq!(next, "/trash");
    let fields = [
        ("login", "ada"),
        ("password", super::client::PASSWORD),
        ("next", &next),
    ];
    assert_eq!(
        browser
            .submit("/login", &fields)
            .expect(303)
            .header("Location"),
        "/trash"
    );
}

/// R1.52.
fn a_wrong_method_is_405_with_allow(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let cases = [
        ("PUT", "/api/v1/images/ID", "DELETE, GET, HEAD, PATCH"),
        ("POST", "/api/v1/images/ID", "DELETE, GET, HEAD, PATCH"),
        ("DELETE", "/api/v1/images", "GET, HEAD, POST"),
        ("POST", "/api/v1/images/ID/original", "GET, HEAD"),
        ("GET", "/api/v1/archives", "POST"),
        ("POST", "/api/v1/archives/ID", "GET, HEAD"),
        ("PUT", "/api/v1/session", "DELETE, GET, HEAD"),
        ("GET", "/api/v1/accounts", "POST"),
        ("DELETE", "/health/live", "GET, HEAD"),
        ("GET", "/logout", "POST"),
        ("GET", "/vault/selection", "POST"),
        ("DELETE", "/login", "GET, HEAD, POST"),
        ("OPTIONS", "/api/v1/images", "GET, HEAD, POST"),
        ("PROPFIND", "/api/v1/archives", "POST"),
    ];
    for (method, path, allowed) in cases {
        let answer = Answer::to(client.request(method, &path.replace("ID", ID)));
        assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text());
        let mut allow: Vec<_> = answer.header("Allow").split(", ").collect();
        allow.sort_unstable();
        assert_eq!(allow.join(", "), allowed, "{method} {path}");
        answer.problem(405);
    }
}

fn unknown_paths_are_404_in_the_askers_form(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for path in [
        "/api/v1/nothing",
        "/api/v9/images",
        "/nothing",
        "/api/v1/images/ID/nothing",
    ] {
        client.get(path).problem(404);
        client
            .get_with(path, "Accept", "application/json")
            .problem(404);
        let page = client.get_with(path, "Accept", "text/html").expect(404);
        assert!(
            page.header("Content-Type").starts_with("text/html"),
            "{path}"
        );
    }
    client.get("/%00").expect(404);
    client.get(&format!("/{}", "a/".repeat(2_000))).expect(404);
}

/// On pages, files, errors of routes, errors of guards and errors of Rocket itself.
fn every_answer_has_the_security_headers(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let id = client.add("a.jpg", &samples::jpeg(1));
    let mut browser = server.signed_in("ada");
    let anonymous = server.anonymous();
    let as_page = |path| anonymous.get_with(path, "Accept", "text/html");
    let answers = [
        ("a page", browser.get("/vault").expect(200)),
        ("the login", anonymous.get("/login").expect(200)),
        ("a redirect", as_page("/vault").expect(303)),
        ("a list", client.get("/api/v1/images").expect(200)),
        (
            "a picture",
            client
                .get(&format!("/api/v1/images/{id}/thumbnail"))
                .expect(200),
        ),
        (
            "a file",
            client
                .get(&format!("/api/v1/images/{id}/original"))
                .expect(200),
        ),
        ("health", anonymous.get("/health/live").expect(200)),
        ("401", anonymous.get("/api/v1/session").expect(401)),
        (
            "403",
            Answer::to(browser.bare("DELETE", "/api/v1/session")).expect(403),
        ),
        ("404", anonymous.get("/nothing").expect(404)),
        ("404 page", as_page("/nothing").expect(404)),
        ("405", anonymous.delete("/login").expect(405)),
        ("415", client.upload("a", b"text").expect(415)),
        ("422", client.upload("a", b"").expect(422)),
        (
            "no content",
            client.delete(&format!("/api/v1/images/{id}")).expect(204),
        ),
    ];
    for (what, answer) in answers {
        assert_eq!(answer.header("X-Content-Type-Options"), "nosniff", "{what}");
        let policy = answer.header("Content-Security-Policy");
        assert!(policy.contains("default-src 'none'"), "{what}: {policy}");
        assert!(!policy.contains("unsafe"), "{what}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'") || policy.contains("sandbox"),
            "{what}"
        );
        let referrer = answer.header("Referrer-Policy");
        assert!(
            ["same-origin", "no-referrer"].contains(&referrer),
            "{what}: {referrer}"
        );
        assert!(answer.headers.get("Server").is_none(), "{what}");
        let cache = answer.header("Cache-Control");
        assert!(cache.contains("no-store"), "{what}: {cache}");
    }
}

/// R1.36: our own, addressed by their content, and nothing of other people's servers.
fn assets_may_be_kept(backend: &Backend) {
    let server = Server::start(backend);
    let anonymous = server.anonymous();
    let page = anonymous.get("/login").expect(200).text();
    let sheets = super::html::tags(&page, "link")
        .into_iter()
        // Its address is the app's name to the phone, so it stays (http/app.rs).
        .filter(|link| link["rel"] != "manifest")
        .map(|link| link["href"].clone());
    let scripts = super::html::tags(&page, "script")
        .into_iter()
        .map(|script| script["src"].clone());
    let all: Vec<_> = sheets.chain(scripts).collect();
    assert!(all.len() > 3, "{all:?}");
    for path in all {
        assert!(path.starts_with("/static/"), "{path}");
        let answer = anonymous.get(&path).expect(200);
        assert!(
            answer.header("Cache-Control").contains("immutable"),
            "{path}"
        );
        assert_eq!(answer.header("X-Content-Type-Options"), "nosniff");
        let kind = answer.header("Content-Type");
        let expected = if path.ends_with(".css") {
            "text/css"
        } else {
            ""
        };
        assert!(kind.starts_with(expected), "{path}: {kind}");
    }
    let base = "/static/x";
    for path in [
        "../Cargo.toml",
        "..%2fCargo.toml",
        "%2e%2e/Cargo.toml",
        "//etc/passwd",
        "",
    ] {
        let answer = anonymous.get(&format!("{base}/{path}"));
        assert_eq!(answer.status, 404, "{path}");
    }
}

/// R0.27: styled alike, with the same facts, and a way on.
fn errors_of_a_browser_are_pages(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let mut browser = server.signed_in("ada");
    for (path, status) in [("/nothing", 404), (&*format!("/vault/images/{ID}"), 404)] {
        let page = browser.get(path).expect(status);
        assert!(page.header("Content-Type").starts_with("text/html"));
        let text = page.text();
        assert!(
            text.contains(&status.to_string()) && text.contains("href=\"/"),
            "{text}"
        );
        assert!(text.contains(".css"), "not styled");
    }
    let refused = browser
        .submit("/vault/selection", &[("action", "delete")])
        .expect(403);
    assert!(refused.header("Content-Type").starts_with("text/html"));
}
