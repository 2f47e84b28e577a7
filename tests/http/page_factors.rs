//! The second factor as plain forms: the step after the password, and `/account/security/factor`.

use super::browser::Browser;
use super::client::PASSWORD;
use super::codes::{App, wait_for_step};
use super::html;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    an_app_is_set_up_by_forms,
    a_mistake_in_the_first_code_keeps_the_picture,
    signing_in_asks_for_the_code_on_a_page_of_its_own,
    a_wrong_code_leaves_the_sign_in_waiting,
    a_sign_in_that_waits_opens_nothing,
    a_sign_in_that_waits_is_finished_once,
    a_new_password_ends_what_waits,
    a_script_signs_in_in_one_step,
    forms_ask_for_a_code_where_one_is_needed,
    spare_codes_are_renewed_and_the_app_turned_off_by_forms,
);

/// Names and values of a form's fields.
type Typed<'t> = &'t [(&'t str, &'t str)];

const FACTOR: &str = "/account/security/factor";
const NEW: &str = "seven purple llamas whisper gently";

fn secret_on(page: &str) -> String {
    html::inside(page, "id=\"secret\"", "</code>")
        .unwrap()
        .to_owned()
}

fn codes_on(page: &str) -> Vec<String> {
    let codes = html::inside(page, "id=\"spare-codes\"", "</code>").unwrap();
    codes.lines().map(str::to_owned).collect()
}

/// A browser in which Ada is signed in, and her app.
fn with_app(server: &Server) -> (Browser, App) {
    let app = App::set_up(&server.user("ada"));
    let mut browser = server.browser();
    let answer = password_step(&mut browser);
    assert_eq!(answer, "/login/code?next=/vault");
    let done = browser.submit("/login/code", &[("totp", &app.spare[9])]);
    assert_eq!(done.expect(303).header("Location"), "/vault");
    browser.get(FACTOR).expect(200);
    (browser, app)
}

/// The login form; where it leads.
#[track_caller]
fn password_step(browser: &mut Browser) -> String {
    browser.get("/login").expect(200);
    let answer = browser.submit("/login", &[("login", "ada"), ("password", PASSWORD)]);
    answer.expect(303).header("Location").replace("%2F", "/")
}

fn an_app_is_set_up_by_forms(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let mut browser = server.signed_in("ada");
    let security = browser.get("/account/security").expect(200).text();
    assert!(security.contains("Set it up"));
    assert!(
        html::input(&html::shown(&security), "totp").is_none(),
        "nothing is asked for yet"
    );
    browser.get(FACTOR).expect(200);
    let wrong = [("password", "not the password at all")];
    let page = browser
        .submit_signed(&format!("{FACTOR}/app"), &wrong)
        .expect(403)
        .text();
    assert!(page.contains("not your current password"));
    // Without the page's token nothing happens.
    browser
        .submit(&format!("{FACTOR}/app"), &[("password", PASSWORD)])
        .expect(403);

    let page = browser
        .submit_signed(&format!("{FACTOR}/app"), &[("password", PASSWORD)])
        .expect(200)
        .text();
    assert!(page.contains("<svg class=\"qr\""));
    assert!(html::unescaped(&page).contains("href=\"otpauth://totp/Image%20Vault:ada?secret="));
    let app = App::new(&secret_on(&page));
    let page = browser
        .submit_signed(&format!("{FACTOR}/confirm"), &[("totp", &app.code(0))])
        .expect(200)
        .text();
    assert_eq!(codes_on(&page).len(), 10);
    let page = browser.get(FACTOR).expect(200).text();
    assert!(
        page.contains("10 of 10 left") && !page.contains("otpauth:"),
        "shown once only"
    );
    let page = browser.get("/account/security").expect(200).text();
    assert!(page.contains("An authenticator app was set up"));
}

fn a_mistake_in_the_first_code_keeps_the_picture(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let mut browser = server.signed_in("ada");
    browser.get(FACTOR).expect(200);
    let page = browser
        .submit_signed(&format!("{FACTOR}/app"), &[("password", PASSWORD)])
        .expect(200)
        .text();
    let secret = secret_on(&page);
    let wrong = App::new(&secret).wrong();
    let page = browser
        .submit_signed(&format!("{FACTOR}/confirm"), &[("totp", &wrong)])
        .expect(422)
        .text();
    assert_eq!(secret_on(&page), secret);
    assert!(page.contains("not the code that the app shows"));
    assert!(!page.contains(&wrong), "what was typed is repeated");
}

fn signing_in_asks_for_the_code_on_a_page_of_its_own(backend: &Backend) {
    let server = Server::start(backend);
    let app = App::set_up(&server.user("ada"));
    let mut browser = server.browser();
    browser.get("/login?next=/trash").expect(200);
    let typed = [
        ("login", "ada"),
        ("password", PASSWORD),
        ("next", "/trash"),
        ("keep", "on"),
    ];
    let answer = browser.submit("/login", &typed);
    let cookies = answer.header("Set-Cookie").to_owned();
    assert!(
        cookies.contains("-step=") && cookies.contains("HttpOnly"),
        "{cookies}"
    );
    assert!(cookies.contains("Max-Age=300"), "{cookies}");
    let page = browser.follow(answer).expect(200).text();
    assert!(!page.contains(PASSWORD), "the password is in the page");
    assert_eq!(html::input(&page, "next").unwrap(), "/trash");
    wait_for_step(10);
    let typed = [("totp", app.fresh()), ("next", "/trash".into())];
    let typed = typed
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let answer = browser.submit("/login/code", &typed);
    let mut kept = answer.headers.get_all("Set-Cookie").iter();
    let session = kept.find_map(|cookie| {
        let cookie = cookie.to_str().unwrap();
        (!cookie.contains("-step=")).then_some(cookie)
    });
    let session = session.unwrap();
    assert!(
        !session.contains("Max-Age=43200"),
        "it was asked to last: {session}"
    );
    assert_eq!(answer.expect(303).header("Location"), "/trash");
    browser.get("/trash").expect(200);
    assert!(browser.cookies.keys().all(|name| !name.ends_with("-step")));
}

fn a_wrong_code_leaves_the_sign_in_waiting(backend: &Backend) {
    let server = Server::start(backend);
    let app = App::set_up(&server.user("ada"));
    let mut browser = server.browser();
    password_step(&mut browser);
    let page = browser
        .submit("/login/code", &[("totp", &app.wrong())])
        .expect(401)
        .text();
    assert!(page.contains("too old, or was used already"));
    let page = browser
        .submit("/login/code", &[("totp", "")])
        .expect(401)
        .text();
    assert!(page.contains("Enter the code"));
    let answer = browser.submit("/login/code", &[("totp", &app.spare[0])]);
    assert_eq!(answer.expect(303).header("Location"), "/vault");
    browser.get("/vault").expect(200);
}

/// The cookie of the first step is none of a session.
fn a_sign_in_that_waits_opens_nothing(backend: &Backend) {
    let server = Server::start(backend);
    let app = App::set_up(&server.user("ada"));
    let mut browser = server.browser();
    password_step(&mut browser);
    assert_eq!(
        browser.get("/vault").expect(303).header("Location"),
        "/login?next=%2Fvault"
    );
    let (name, value) = browser.cookies.iter().next().unwrap();
    let session = name.trim_end_matches("-step");
    for cookie in [format!("{session}={value}"), format!("{name}={value}")] {
        let request = server.anonymous().request("GET", "/api/v1/session");
        super::answer::Answer::to(request.header("Cookie", cookie)).problem(401);
    }
    server
        .anonymous()
        .with_token(value)
        .get("/api/v1/session")
        .problem(401);
    // Nor does the code without it.
    let mut other = server.browser();
    other.get("/login").expect(200);
    let answer = other.submit("/login/code", &[("totp", &app.spare[0])]);
    assert_eq!(answer.expect(303).header("Location"), "/login");
    assert_eq!(
        other.get("/login/code").expect(303).header("Location"),
        "/login"
    );
}

fn a_sign_in_that_waits_is_finished_once(backend: &Backend) {
    let server = Server::start(backend);
    let app = App::set_up(&server.user("ada"));
    let mut browser = server.browser();
    password_step(&mut browser);
    let step = browser.cookies.clone();
    browser
        .submit("/login/code", &[("totp", &app.spare[0])])
        .expect(303);
    browser.get("/vault").expect(200);
    let mut copied = server.browser();
    copied.cookies = step;
    let answer = copied.submit("/login/code", &[("totp", &app.spare[1])]);
    assert_eq!(answer.expect(303).header("Location"), "/login");
    assert_eq!(copied.get("/vault").status, 303);
}

fn a_new_password_ends_what_waits(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let app = App::set_up(&ada);
    let mut browser = server.browser();
    password_step(&mut browser);
    let change = serde_json::json!({
        "current_password": PASSWORD, "new_password": NEW, "totp": app.spare[0],
    });
    ada.put("/api/v1/account/password", &change).expect(204);
    let answer = browser.submit("/login/code", &[("totp", &app.spare[1])]);
    assert_eq!(answer.expect(303).header("Location"), "/login");
}

/// As `sign-in-again.js` does, with a field for the code from the beginning.
fn a_script_signs_in_in_one_step(backend: &Backend) {
    let server = Server::start(backend);
    let app = App::set_up(&server.user("ada"));
    let browser = server.browser();
    let send = |password: &str, code: &str| {
        let form = [("login", "ada"), ("password", password), ("totp", code)];
        let request = browser
            .bare("POST", "/login")
            .header("Sec-Fetch-Site", "same-origin");
        let request = request.header("Accept", "application/json").form(&form);
        super::answer::Answer::to(request)
    };
    let wanted = send(PASSWORD, "").problem(401);
    assert_eq!(wanted["type"], "urn:image-vault:factor-wanted");
    let wrong = send("not the password at all", "").problem(401);
    assert_eq!(wrong["type"], "about:blank");
    assert_eq!(
        send(PASSWORD, &app.spare[0]).expect(303).header("Location"),
        "/vault"
    );
}

fn forms_ask_for_a_code_where_one_is_needed(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, app) = with_app(&server);
    let page = browser.get("/account/security").expect(200).text();
    let fields = html::tags(&page, "input").into_iter();
    let codes: Vec<_> = fields
        .filter(|input| input.get("name").is_some_and(|name| name == "totp"))
        .map(|input| input["id"].clone())
        .filter(|id| id != "again-code")
        .collect();
    assert_eq!(
        codes,
        [
            "totp_current_password",
            "totp_password",
            "totp_rotation_password"
        ]
    );

    let wrong = app.wrong();
    let cases: [(&str, Typed, &str); 3] = [
        (
            "/account/password",
            &[("current_password", PASSWORD), ("new_password", NEW)],
            "totp_current_password",
        ),
        (
            "/account/recovery-code",
            &[("password", PASSWORD)],
            "totp_password",
        ),
        ("/account/delete", &[("password", PASSWORD)], "totp"),
    ];
    for (path, fields, id) in cases {
        let with_wrong = [fields, &[("totp", wrong.as_str())]].concat();
        for typed in [fields, &with_wrong] {
            let page = browser.submit_signed(path, typed).expect(403).text();
            let marked: Vec<_> = html::tags(&page, "input")
                .into_iter()
                .filter(|input| input.contains_key("aria-invalid"))
                .map(|input| input["id"].clone())
                .collect();
            assert_eq!(marked, [id], "{path}");
        }
    }
    let typed = [
        ("current_password", PASSWORD),
        ("new_password", NEW),
        ("totp", app.spare[0].as_str()),
    ];
    browser
        .submit_signed("/account/password", &typed)
        .expect(303);
    browser.get("/account/delete").expect(200);
    let typed = [("password", NEW), ("totp", app.spare[1].as_str())];
    let answer = browser.submit_signed("/account/delete", &typed);
    assert_eq!(answer.expect(303).header("Location"), "/login");
}

fn spare_codes_are_renewed_and_the_app_turned_off_by_forms(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, app) = with_app(&server);
    let page = browser.get(FACTOR).expect(200).text();
    assert!(page.contains("9 of 10 left"));
    let typed = [("password", PASSWORD), ("totp", app.spare[0].as_str())];
    let page = browser
        .submit_signed(&format!("{FACTOR}/codes"), &typed)
        .expect(200)
        .text();
    let renewed = codes_on(&page);
    assert_eq!(renewed.len(), 10);
    browser.get(FACTOR).expect(200);
    let spent = [("password", PASSWORD), ("totp", app.spare[1].as_str())];
    let page = browser
        .submit_signed(&format!("{FACTOR}/off"), &spent)
        .expect(403)
        .text();
    assert!(page.contains("was used already"));
    let typed = [("password", PASSWORD), ("totp", renewed[0].as_str())];
    let answer = browser.submit_signed(&format!("{FACTOR}/off"), &typed);
    let page = browser.follow(answer).expect(200).text();
    assert!(page.contains("The app is turned off"));
    assert_eq!(password_step(&mut server.browser()), "/vault");
}
