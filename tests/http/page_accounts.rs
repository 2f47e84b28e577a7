//! The pages of people who come and go: register, sign in, sign out. As plain forms.

use super::client::PASSWORD;
use super::html;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    registering_shows_the_recovery_code_once_and_leads_to_the_vault,
    a_refused_registration_marks_the_fields_and_keeps_what_was_typed,
    a_failed_sign_in_says_so_and_keeps_the_name,
    the_first_page_depends_on_who_asks,
    signing_out_is_a_post_and_back_shows_nothing,
    the_login_leads_nowhere_else,
    the_session_cookie_is_out_of_reach_of_scripts,
    forms_in_a_wrong_shape_are_refused,
);

/// R1.1.
fn registering_shows_the_recovery_code_once_and_leads_to_the_vault(backend: &Backend) {
    let server = Server::start(backend);
    let mut browser = server.browser();
    let form = browser.get("/register").expect(200).text();
    let fields: Vec<_> = html::tags(&form, "input")
        .into_iter()
        .map(|i| i["name"].clone())
        .collect();
    for field in ["username", "email", "password"] {
        assert!(fields.contains(&field.to_owned()), "{fields:?}");
    }
    let typed = [
        ("username", "ada"),
        ("email", "ada@example.org"),
        ("display_name", ""),
        ("password", PASSWORD),
    ];
    let answer = browser.submit("/register", &typed);
    assert!([200, 201].contains(&answer.status), "{}", answer.text());
    let page = answer.text();
    let code = html::inside(&page, "id=\"recovery-code\"", "</code>")
        .unwrap()
        .to_owned();
    assert!(code.len() >= 52, "256 bits: {code}");
    assert!(page.contains("href=\"/vault\""));
    // Signed in already, and the code is on no other page.
    let vault = browser.get("/vault").expect(200).text();
    assert!(vault.contains("ada"), "R1.9: who is signed in");
    assert!(!vault.contains(&code));
    assert!(!server.log().contains(&code));
    server.anonymous().login("ada", PASSWORD).json(201);
}

/// R1.3, R0.3, R4.1: a message by the field, 422 or 409.
fn a_refused_registration_marks_the_fields_and_keeps_what_was_typed(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let mut browser = server.browser();
    browser.get("/register").expect(200);
    let weak = "qwertyuiop123";
    let cases = [
        (["new", "not-an-email", PASSWORD], 422, "email"),
        (["new", "new@example.org", weak], 422, "password"),
        (["", "new@example.org", PASSWORD], 422, "username"),
        (["Ada", "new@example.org", PASSWORD], 409, "username"),
        (["new", "ADA@example.org", PASSWORD], 409, "email"),
    ];
    for ([username, email, password], status, field) in cases {
        let typed = [
            ("username", username),
            ("email", email),
            ("password", password),
        ];
        let page = browser.submit("/register", &typed).expect(status).text();
        let marked: Vec<_> = html::tags(&page, "input")
            .into_iter()
            .filter(|input| input.contains_key("aria-invalid"))
            .map(|input| input["name"].clone())
            .collect();
        assert_eq!(marked, [field], "{typed:?}");
        let message = html::inside(&page, &format!("id=\"{field}-error\""), "</p>").unwrap();
        assert!(message.len() > 10, "{message}");
        assert_eq!(html::input(&page, "username").unwrap(), username);
        assert_eq!(html::input(&page, "email").unwrap(), email);
        assert!(!page.contains(password), "the password came back");
    }
    assert!(
        browser.cookies.keys().all(|name| !name.starts_with("iv")),
        "signed in"
    );
}

/// R0.4, R1.5, R3.16: one wording for both, and a way to sign up.
fn a_failed_sign_in_says_so_and_keeps_the_name(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let mut browser = server.browser();
    let message = |page: &str| {
        html::inside(page, "role=\"alert\"", "</p>")
            .unwrap()
            .to_owned()
    };
    let mut messages = Vec::new();
    for login in ["ada", "nobody"] {
        let fields = [
            ("login", login),
            ("password", "wrong wrong wrong"),
            ("next", "/trash"),
        ];
        let page = browser.submit("/login", &fields).expect(401).text();
        assert_eq!(html::input(&page, "login").unwrap(), login);
        assert_eq!(html::input(&page, "next").unwrap(), "/trash");
        assert!(!page.contains("wrong wrong"));
        assert!(page.contains("href=\"/register\""));
        messages.push(message(&page));
    }
    assert_eq!(messages[0], messages[1]);
}

/// R1.6.
fn the_first_page_depends_on_who_asks(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let mut stranger = server.browser();
    assert_eq!(stranger.get("/").expect(303).header("Location"), "/login");
    let mut browser = server.signed_in("ada");
    for path in ["/", "/login", "/register"] {
        assert_eq!(
            browser.get(path).expect(303).header("Location"),
            "/vault",
            "{path}"
        );
    }
}

/// R0.7, R1.8, R3.17.
fn signing_out_is_a_post_and_back_shows_nothing(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let mut browser = server.signed_in("ada");
    let vault = browser.get("/vault").expect(200);
    assert!(
        vault.header("Cache-Control").contains("no-store"),
        "Back could show it"
    );
    assert!(vault.text().contains("action=\"/logout\""));
    let cookies = browser.cookies.clone();
    browser.get("/logout").expect(405);
    browser.get("/vault").expect(200);
    let answer = browser.submit_signed("/logout", &[]);
    assert!(answer.header("Cache-Control").contains("no-store"));
    let page = browser.follow(answer).expect(200).text();
    assert!(page.contains("signed out"), "no confirmation");
    assert!(
        browser
            .get("/vault")
            .expect(303)
            .header("Location")
            .starts_with("/login?next=")
    );
    // The old cookie, kept by somebody, is worth nothing (R1.12).
    browser.cookies = cookies;
    browser.get("/vault").expect(303);
}

/// An open redirect would lend our name to others.
fn the_login_leads_nowhere_else(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let foreign = [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        " //evil.example",
        "evil",
        "",
    ];
    for next in foreign {
        let mut browser = server.browser();
        let fields = [("login", "ada"), ("password", PASSWORD), ("next", next)];
        let to = browser
            .submit("/login", &fields)
            .expect(303)
            .header("Location")
            .to_owned();
        assert_eq!(to, "/vault", "{next:?}");
    }
    let mut browser = server.browser();
    let page = browser
        .get("/login?next=\"><script>alert(1)</script>")
        .expect(200)
        .text();
    assert!(!page.contains("<script>alert"), "{page}");
}

/// security.md 2.4.
fn the_session_cookie_is_out_of_reach_of_scripts(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let mut browser = server.browser();
    let fields = [("login", "ada"), ("password", PASSWORD)];
    let answer = browser.submit("/login", &fields).expect(303);
    let cookie = answer.header("Set-Cookie");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }
    assert!(
        !cookie.contains("Secure") && !cookie.contains("Domain"),
        "{cookie}"
    );
    let https = [("PUBLIC_URL", "https://pictures.example.org")];
    let server = Server::with(backend, &https);
    server.user("ada");
    let request = server.browser().bare("POST", "/login");
    let request = request
        .header("Origin", "https://pictures.example.org")
        .form(&fields);
    let answer = super::answer::Answer::to(request).expect(303);
    let cookie = answer.header("Set-Cookie");
    assert!(
        cookie.starts_with("__Host-iv=") && cookie.contains("Secure"),
        "{cookie}"
    );
    assert!(
        answer
            .header("Strict-Transport-Security")
            .contains("max-age=")
    );
}

fn forms_in_a_wrong_shape_are_refused(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let mut browser = server.browser();
    for path in ["/login", "/register"] {
        browser.submit(path, &[("unknown", "x")]).expect(422);
        browser.submit(path, &[]).expect(422);
        let request = browser
            .request("POST", path)
            .header("Content-Type", "text/plain");
        let status = super::answer::Answer::to(request.body("login=ada")).status;
        assert!([415, 422].contains(&status), "{path}: {status}");
        let request = browser.request("POST", path);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let status =
            super::answer::Answer::to(request.body(&b"login=%ff&password=\xff"[..])).status;
        assert!([400, 401, 422].contains(&status), "{path}: {status}");
    }
}
