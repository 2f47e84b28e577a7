//! `/account` and `/recover`, as plain forms.

use super::client::PASSWORD;
use super::html;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    the_account_page_tells_and_reminds_until_the_code_was_typed_back,
    a_mistake_in_typing_the_code_back_keeps_it_on_the_page,
    the_password_is_changed_by_a_form,
    a_refused_change_marks_its_field,
    the_recovery_page_leads_back_to_the_pictures,
    sign_ins_are_ended_by_a_form,
);

const NEW: &str = "seven purple llamas whisper gently";

fn code_on(page: &str) -> String {
    html::inside(page, "id=\"recovery-code\"", "</code>")
        .unwrap()
        .to_owned()
}

/// A browser right after registering, and the code it was shown.
fn registered(server: &Server) -> (super::browser::Browser, String) {
    let mut browser = server.browser();
    browser.get("/register").expect(200);
    let typed = [
        ("username", "ada"),
        ("email", "ada@example.org"),
        ("password", PASSWORD),
    ];
    let page = browser.submit("/register", &typed).expect(200).text();
    (browser, code_on(&page))
}

fn the_account_page_tells_and_reminds_until_the_code_was_typed_back(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, code) = registered(&server);
    let page = browser.get("/account").expect(200).text();
    for word in ["ada@example.org", "Administrator", "0 pictures"] {
        assert!(page.contains(word), "{word}");
    }
    let security = browser.get("/account/security").expect(200).text();
    for word in ["Argon2id with 19 MiB, 2 passes, 1 lane", "never checked"] {
        assert!(security.contains(word), "{word}");
    }
    assert!(page.contains("still have your recovery code"));
    let typed = [("recovery_code", code.as_str())];
    let answer = browser.submit_signed("/account/recovery-code/test", &typed);
    assert_eq!(answer.expect(303).header("Location"), "/account/security");
    let page = browser.get("/account").expect(200).text();
    assert!(!page.contains("still have your recovery code"));
}

fn a_mistake_in_typing_the_code_back_keeps_it_on_the_page(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, code) = registered(&server);
    browser.get("/account").expect(200);
    let typed = [("recovery_code", "ABCD"), ("shown", &code)];
    let page = browser
        .submit_signed("/account/recovery-code/test", &typed)
        .expect(422)
        .text();
    assert_eq!(code_on(&page), code);
    assert!(page.contains("no recovery code"));
}

fn the_password_is_changed_by_a_form(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let mut browser = server.signed_in("ada");
    let before = browser.cookies.clone();
    browser.get("/account/security").expect(200);
    let typed = [("current_password", PASSWORD), ("new_password", NEW)];
    let answer = browser.submit_signed("/account/password", &typed);
    assert_eq!(answer.expect(303).header("Location"), "/account/security");
    assert_ne!(browser.cookies, before, "a new secret");
    browser.get("/account/security").expect(200);
    client.get("/api/v1/session").problem(401);
    let stolen = server.browser();
    let request = stolen.request("GET", "/account").header(
        "Cookie",
        before
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; "),
    );
    assert_ne!(super::answer::Answer::to(request).status, 200);
    server.anonymous().login("ada", NEW).json(201);
}

fn a_refused_change_marks_its_field(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let mut browser = server.signed_in("ada");
    let cases = [
        (["not the password at all", NEW], 403, "current_password"),
        ([PASSWORD, "short"], 422, "new_password"),
    ];
    for ([current, new], status, field) in cases {
        let typed = [("current_password", current), ("new_password", new)];
        let page = browser
            .submit_signed("/account/password", &typed)
            .expect(status)
            .text();
        let marked: Vec<_> = html::tags(&page, "input")
            .into_iter()
            .filter(|input| input.contains_key("aria-invalid"))
            .map(|input| input["name"].clone())
            .collect();
        assert_eq!(marked, [field]);
        assert!(!page.contains(new), "a password is in the page");
    }
    let answer = browser.submit("/account/password", &[("current_password", PASSWORD)]);
    answer.expect(403);
    server.anonymous().login("ada", PASSWORD).json(201);
}

/// R0.6: the login page leads here.
fn the_recovery_page_leads_back_to_the_pictures(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, code) = registered(&server);
    browser.get("/vault").expect(200);
    browser.upload(&[("a.jpg", &samples::jpeg(1))]);
    let mut other = server.browser();
    assert!(
        other
            .get("/login")
            .expect(200)
            .text()
            .contains("href=\"/recover\"")
    );
    other.get("/recover").expect(200);
    let wrong = [
        ("login", "bob"),
        ("recovery_code", code.as_str()),
        ("new_password", NEW),
    ];
    let page = other.submit("/recover", &wrong).expect(401).text();
    assert!(page.contains("do not belong together") && page.contains("value=\"bob\""));
    assert!(!page.contains(&code), "the code is repeated");
    let right = [("login", "ada"), wrong[1], wrong[2]];
    let page = other.submit("/recover", &right).expect(200).text();
    assert_ne!(code_on(&page), code);
    let vault = other.get("/vault").expect(200).text();
    assert!(vault.contains("a.jpg"));
    assert_ne!(
        browser.get("/vault").status,
        200,
        "other sign-ins are ended"
    );
}

fn sign_ins_are_ended_by_a_form(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let mut browser = server.signed_in("ada");
    let page = browser.get("/account/sessions").expect(200).text();
    let end = html::tags(&page, "button")
        .into_iter()
        .find(|button| button.get("name").is_some_and(|name| name == "id"))
        .unwrap();
    browser
        .submit("/account/sessions", &[("id", &end["value"])])
        .expect(403);
    client.get("/api/v1/session").json(200);
    browser
        .submit_signed("/account/sessions", &[("id", &end["value"])])
        .expect(303);
    client.get("/api/v1/session").problem(401);
    let another = server.anonymous().signed_in("ada", PASSWORD);
    browser.submit_signed("/account/sessions", &[]).expect(303);
    another.get("/api/v1/session").problem(401);
    browser.get("/account").expect(200);
}
