//! Light and dark (R4.8): a choice of the browser's, known to the server before the first byte.

use super::answer::Answer;
use super::browser::Browser;
use super::html;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    a_page_follows_the_system_until_a_theme_is_chosen,
    the_switch_leads_back_to_the_page_it_was_on,
    the_switch_leads_to_no_foreign_page,
    a_page_that_came_by_a_form_has_somewhere_to_go_back_to,
    a_theme_we_do_not_know_is_none,
    a_foreign_page_does_not_switch,
);

/// What the page says of its theme, where it says anything.
fn theme(page: &str) -> Option<String> {
    html::tags(page, "html")[0].get("data-theme").cloned()
}

#[track_caller]
fn choose(browser: &mut Browser, theme: &str, back: &str) -> Answer {
    browser.submit("/theme", &[("theme", theme), ("back", back)])
}

/// On pages with and without an account, and on those that no handler made.
fn a_page_follows_the_system_until_a_theme_is_chosen(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let pages = [("/vault", 200), ("/trash", 200), ("/nothing", 404)];
    let mut browser = server.browser();
    assert_eq!(theme(&browser.get("/login").text()), None);
    choose(&mut browser, "dark", "/login").expect(303);
    for path in ["/login", "/register"] {
        assert_eq!(theme(&browser.get(path).text()).as_deref(), Some("dark"));
    }
    browser.sign_in("ada");
    for chosen in ["dark", "light"] {
        choose(&mut browser, chosen, "/vault").expect(303);
        for (path, status) in pages {
            let page = browser.get(path).expect(status).text();
            assert_eq!(theme(&page).as_deref(), Some(chosen), "{path}");
        }
    }
    choose(&mut browser, "system", "/vault").expect(303);
    for (path, status) in pages {
        let page = browser.get(path).expect(status).text();
        assert_eq!(theme(&page), None, "{path}");
    }
}

fn the_switch_leads_back_to_the_page_it_was_on(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let mut browser = server.signed_in("ada");
    for path in [
        "/vault?q=a%26b%20%3Cc&sort=name",
        "/trash",
        "/nothing/here?",
    ] {
        let page = browser.get(path).text();
        let back = html::input(&page, "back").unwrap();
        let answer = choose(&mut browser, "dark", &back).expect(303);
        assert_eq!(answer.header("Location"), path);
    }
    let cookie = choose(&mut browser, "light", "/")
        .header("Set-Cookie")
        .to_owned();
    for part in ["theme=light", "SameSite=Lax", "Path=/", "Max-Age=31536000"] {
        assert!(cookie.contains(part), "{part} is not in {cookie}");
    }
}

fn the_switch_leads_to_no_foreign_page(backend: &Backend) {
    let server = Server::start(backend);
    let mut browser = server.browser();
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "/\t/evil.example/",
        "javascript:alert(1)",
        "vault",
        "",
        "/a b",
        "/\u{fc}\u{0}",
    ] {
        let answer = choose(&mut browser, "dark", next).expect(303);
        assert_eq!(answer.header("Location"), "/vault", "{next}");
    }
    let without = browser.submit("/theme", &[("theme", "dark")]).expect(303);
    assert_eq!(without.header("Location"), "/vault");
}

/// A page that answers a form cannot be asked for again by its own address.
fn a_page_that_came_by_a_form_has_somewhere_to_go_back_to(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let id = client.add("a.jpg", &samples::jpeg(1));
    let mut browser = server.signed_in("ada");
    let question = browser.submit_signed("/vault/selection", &[("ids", &id), ("action", "delete")]);
    let refused = browser.submit_signed(&format!("/vault/images/{id}"), &[("name", "")]);
    let shown = [
        (question.expect(200), "/"),
        (refused, &*format!("/vault/images/{id}")),
    ];
    for (page, expected) in shown {
        let back = html::input(&page.text(), "back").unwrap();
        assert_eq!(back, expected);
        let answer = choose(&mut browser, "dark", &back);
        let mut to = browser.follow(answer);
        if to.status == 303 {
            to = browser.follow(to);
        }
        to.expect(200);
    }
}

fn a_theme_we_do_not_know_is_none(backend: &Backend) {
    let server = Server::start(backend);
    let mut browser = server.browser();
    for unknown in ["blue", "", "darker", "\"><script>"] {
        browser.cookies.insert("theme".into(), unknown.into());
        let page = browser.get("/login").expect(200).text();
        assert_eq!(theme(&page), None, "{unknown}");
        assert!(!page.contains("\"><script>"));
    }
    let answer = choose(&mut browser, "blue", "/login").expect(422);
    assert!(answer.headers.get("Set-Cookie").is_none());
}

fn a_foreign_page_does_not_switch(backend: &Backend) {
    let server = Server::start(backend);
    let browser = server.browser();
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
    ] {
        let request = browser.bare("POST", "/theme").header(name, value);
        let answer = Answer::to(request.form(&[("theme", "dark")])).expect(403);
        assert!(answer.headers.get("Set-Cookie").is_none());
    }
}
