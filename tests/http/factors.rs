//! The second factor: setting an authenticator app up, its codes and the spare ones, and all that is
//! asked for them.

use serde_json::{Value, json};

use super::answer::Answer;
use super::client::{Client, PASSWORD};
use super::codes::{App, login, password, proof, spare_codes, wait_for_step};
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    an_app_is_asked_for_once_a_code_has_confirmed_it,
    an_app_that_was_begun_and_not_confirmed_is_not_asked_for,
    a_wrong_password_says_nothing_of_a_second_factor,
    a_wrong_or_expired_code_opens_nothing,
    a_code_works_once,
    a_spare_code_works_once_however_it_is_typed,
    of_many_who_come_with_one_code_one_gets_in,
    codes_cannot_be_guessed,
    a_right_password_does_not_clear_the_count_of_wrong_codes,
    a_code_is_asked_for_whatever_changes_the_account,
    new_spare_codes_end_the_old_ones,
    turning_it_off_takes_password_and_code,
    the_recovery_code_turns_it_off,
    a_second_app_needs_the_first_one_to_be_turned_off,
    what_happened_to_the_factor_is_told_to_the_owner,
    neither_secret_nor_code_is_stored_or_logged,
);

const NEW: &str = "seven purple llamas whisper gently";
const FACTORS: &str = "/api/v1/account/factors";
const APP: &str = "/api/v1/account/authenticator";
const SPARE: &str = "/api/v1/account/spare-codes";
const WANTED: &str = "urn:image-vault:factor-wanted";
const WRONG: &str = "urn:image-vault:factor-wrong";

fn delete(client: &Client, path: &str, body: &Value) -> Answer {
    Answer::to(client.request("DELETE", path).json(body))
}

#[track_caller]
fn refused(answer: Answer, status: u16, kind: &str) {
    let problem = answer.problem(status);
    assert_eq!(problem["type"], kind, "{problem}");
    assert!(problem["errors"]["totp"].is_string(), "{problem}");
}

fn an_app_is_asked_for_once_a_code_has_confirmed_it(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let id = ada.add("a.jpg", &samples::jpeg(1));
    assert_eq!(ada.get(FACTORS).json(200)["spare_codes_left"], 0);
    let begun = ada.post(APP, &password()).json(201);
    let url = begun["otpauth_url"].as_str().unwrap();
    assert!(
        url.starts_with("otpauth://totp/Image%20Vault:ada?secret="),
        "{url}"
    );
    assert_eq!(begun["secret"].as_str().unwrap().len(), 32, "160 bits");

    let app = App::set_up(&ada);
    assert_eq!(app.spare.len(), 10);
    let factors = ada.get(FACTORS).json(200);
    assert_eq!(factors["spare_codes_left"], 10);
    assert!(factors["authenticator_since"].is_string());
    // The password alone is not enough any more, and the answer says what is missing.
    let answer = server.anonymous().login("ada", PASSWORD);
    assert!(!answer.header("WWW-Authenticate").is_empty());
    refused(answer, 401, WANTED);
    refused(login(&server.anonymous(), " "), 401, WANTED);
    let started = login(&server.anonymous(), &app.fresh()).json(201);
    let again = server
        .anonymous()
        .with_token(started["token"].as_str().unwrap());
    assert_eq!(again.original(&id), samples::jpeg(1));
    // Those who were in stay in.
    ada.get("/api/v1/session").json(200);
}

fn an_app_that_was_begun_and_not_confirmed_is_not_asked_for(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    ada.post(APP, &json!({ "password": "not the password at all" }))
        .problem(403);
    let first = App::new(
        ada.post(APP, &password()).json(201)["secret"]
            .as_str()
            .unwrap(),
    );
    for code in [first.wrong().as_str(), "", "abcdef", &"1".repeat(5_000)] {
        ada.post(&format!("{APP}/confirm"), &json!({ "totp": code }))
            .field_error(422, "totp");
    }
    server.anonymous().login("ada", PASSWORD).json(201);
    // Begun once more, the first secret is forgotten.
    let second = App::new(
        ada.post(APP, &password()).json(201)["secret"]
            .as_str()
            .unwrap(),
    );
    ada.post(&format!("{APP}/confirm"), &json!({ "totp": first.code(0) }))
        .field_error(422, "totp");
    ada.post(
        &format!("{APP}/confirm"),
        &json!({ "totp": second.code(0) }),
    )
    .json(200);
    // And a confirmed one cannot be confirmed again.
    ada.post(
        &format!("{APP}/confirm"),
        &json!({ "totp": second.fresh() }),
    )
    .problem(410);
}

/// In words, status and headers it is as for an account that is not there.
fn a_wrong_password_says_nothing_of_a_second_factor(backend: &Backend) {
    let server = Server::start(backend);
    let app = App::set_up(&server.user("ada"));
    let client = server.anonymous();
    let ask = |login: &str, code: Option<&str>| {
        let body = json!({ "login": login, "password": "not the password at all", "totp": code });
        client.post("/api/v1/sessions", &body).problem(401)
    };
    let unknown = ask("nobody", None);
    assert_eq!(ask("ada", None), unknown);
    assert_eq!(ask("ada", Some(&app.code(0))), unknown);
    assert_eq!(ask("ada", Some(&app.spare[0])), unknown);
    assert!(unknown["errors"].is_null());
}

fn a_wrong_or_expired_code_opens_nothing(backend: &Backend) {
    let server = Server::start(backend);
    let app = App::set_up(&server.user("ada"));
    wait_for_step(10);
    for code in [app.wrong(), app.code(-3), app.code(3), "12345".into()] {
        refused(login(&server.anonymous(), &code), 401, WRONG);
    }
    login(&server.anonymous(), &app.fresh()).json(201);
}

fn a_code_works_once(backend: &Backend) {
    let mut server = Server::start(backend);
    let ada = server.user("ada");
    let app = App::set_up(&ada);
    wait_for_step(20);
    let code = app.fresh();
    login(&server.anonymous(), &code).json(201);
    refused(login(&server.anonymous(), &code), 401, WRONG);
    // One from before the last is over as well, and another process knows that, too.
    server.restart();
    for used in [&code, &app.code(0)] {
        refused(login(&server.anonymous(), used), 401, WRONG);
        refused(ada.post(SPARE, &proof(used)), 403, WRONG);
    }
}

fn a_spare_code_works_once_however_it_is_typed(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let app = App::set_up(&ada);
    let typed = app.spare[0]
        .to_lowercase()
        .replace('-', " ")
        .replace('0', "o");
    login(&server.anonymous(), &typed).json(201);
    assert_eq!(ada.get(FACTORS).json(200)["spare_codes_left"], 9);
    refused(login(&server.anonymous(), &app.spare[0]), 401, WRONG);
    refused(ada.post(SPARE, &proof(&app.spare[0])), 403, WRONG);
    login(&server.anonymous(), &app.spare[9]).json(201);
    assert_eq!(ada.get(FACTORS).json(200)["spare_codes_left"], 8);
}

fn of_many_who_come_with_one_code_one_gets_in(backend: &Backend) {
    let server = Server::start(backend);
    let app = App::set_up(&server.user("ada"));
    wait_for_step(20);
    for code in [app.fresh(), app.spare[3].clone()] {
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..8)
                .map(|_| {
                    let (client, code) = (server.anonymous(), code.clone());
                    scope.spawn(move || login(&client, &code).status)
                })
                .collect();
            tries.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let inside = statuses.iter().filter(|status| **status == 201).count();
        assert!(inside <= 1, "{statuses:?}");
        // All may have met a throttle that the others' tries had set; then it still works, once.
        if inside == 0 {
            wait_for_login(&server, &code);
        }
        assert_ne!(login(&server.anonymous(), &code).status, 201);
        wait_for_login(&server, &app.spare[4 + usize::from(code.len() > 6)]);
    }
}

/// Signs in as soon as the throttle lets it.
fn wait_for_login(server: &Server, code: &str) {
    loop {
        let answer = login(&server.anonymous(), code);
        if answer.status != 429 {
            answer.json(201);
            return;
        }
        let secs = answer.header("Retry-After").parse().unwrap();
        std::thread::sleep(std::time::Duration::from_secs(secs));
    }
}

fn codes_cannot_be_guessed(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let app = App::set_up(&ada);
    let wrong = app.wrong();
    let tries: [&dyn Fn() -> Answer; 2] = [&|| login(&server.anonymous(), &wrong), &|| {
        ada.post(SPARE, &proof(&wrong))
    }];
    for guess in tries {
        let mut free = 0;
        let waits = loop {
            let answer = guess();
            if answer.status == 429 {
                break answer;
            }
            free += 1;
            assert!(free < 12, "nobody has to wait");
        };
        assert!(free >= 5, "{free}");
        assert!(!waits.header("Retry-After").is_empty());
    }
    let events = ada.get("/api/v1/account/events").json(200);
    assert!(events.to_string().contains("guessing"), "{events}");
}

/// Who has the password must not get a new row of tries by it.
fn a_right_password_does_not_clear_the_count_of_wrong_codes(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let app = App::set_up(&ada);
    let client = server.anonymous();
    let weak = json!({ "current_password": PASSWORD, "new_password": "short" });
    let mut guesses = 0;
    while login(&client, &app.wrong()).status == 401 {
        guesses += 1;
        assert!(guesses < 12, "guessing at the sign-in costs no wait");
        refused_or_wait(client.login("ada", PASSWORD), 401);
    }
    let mut guesses = 0;
    while ada.post(SPARE, &proof(&app.wrong())).status == 403 {
        guesses += 1;
        assert!(guesses < 12, "guessing at a change costs no wait");
        refused_or_wait(ada.put("/api/v1/account/password", &weak), 422);
        refused_or_wait(ada.post(SPARE, &password()), 403);
    }
}

#[track_caller]
fn refused_or_wait(answer: Answer, status: u16) {
    assert!([status, 429].contains(&answer.status), "{}", answer.text());
}

fn a_code_is_asked_for_whatever_changes_the_account(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let app = App::set_up(&ada);
    let with = |mut body: Value, code: Option<&str>| {
        body["totp"] = json!(code);
        body
    };
    let change = json!({ "current_password": PASSWORD, "new_password": NEW });
    let calls: [(&str, &str, Value); 5] = [
        ("PUT", "/api/v1/account/password", change.clone()),
        ("POST", "/api/v1/account/recovery-code", password()),
        ("POST", SPARE, password()),
        ("DELETE", APP, password()),
        ("DELETE", "/api/v1/account", password()),
    ];
    let send =
        |method: &str, path: &str, body: &Value| Answer::to(ada.request(method, path).json(body));
    for (method, path, body) in &calls {
        refused(send(method, path, body), 403, WANTED);
    }
    let wrong = app.wrong();
    for (method, path, body) in calls.iter().take(4) {
        refused(
            send(method, path, &with(body.clone(), Some(&wrong))),
            403,
            WRONG,
        );
    }
    // A weak password uses no code up.
    let weak = json!({ "current_password": PASSWORD, "new_password": "short" });
    let code = app.spare[0].as_str();
    ada.put("/api/v1/account/password", &with(weak, Some(code)))
        .field_error(422, "new_password");
    ada.put("/api/v1/account/password", &with(change, Some(code)))
        .expect(204);
    let body = json!({ "password": NEW, "totp": app.spare[1] });
    ada.post("/api/v1/account/recovery-code", &body).json(200);
    let body = json!({ "password": NEW, "totp": app.spare[2] });
    delete(&ada, "/api/v1/account", &body).expect(204);
    server.anonymous().login("ada", NEW).problem(401);
}

fn new_spare_codes_end_the_old_ones(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    ada.post(SPARE, &password()).problem(404);
    let app = App::set_up(&ada);
    let renewed = spare_codes(&ada.post(SPARE, &proof(&app.spare[0])).json(200));
    assert_eq!(renewed.len(), 10);
    assert!(renewed.iter().all(|code| !app.spare.contains(code)));
    refused(login(&server.anonymous(), &app.spare[1]), 401, WRONG);
    login(&server.anonymous(), &renewed[1]).json(201);
}

fn turning_it_off_takes_password_and_code(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    delete(&ada, APP, &password()).problem(404);
    let app = App::set_up(&ada);
    let body = json!({ "password": "not the password at all", "totp": app.fresh() });
    assert_eq!(delete(&ada, APP, &body).problem(403)["type"], "about:blank");
    delete(&ada, APP, &proof(&app.spare[0])).expect(204);
    assert!(ada.get(FACTORS).json(200)["authenticator_since"].is_null());
    server.anonymous().login("ada", PASSWORD).json(201);
    delete(&ada, APP, &password()).problem(404);
}

/// Who has lost the telephone and the spare codes needs a way back, and this code has 256 bits.
fn the_recovery_code_turns_it_off(backend: &Backend) {
    let server = Server::start(backend);
    let made = server
        .anonymous()
        .register("ada", "ada@example.org", PASSWORD)
        .json(201);
    let app = App::set_up(&server.anonymous().signed_in("ada", PASSWORD));
    let body = json!({
        "login": "ada",
        "recovery_code": made["recovery_code"],
        "new_password": NEW,
    });
    server
        .anonymous()
        .post("/api/v1/account/recovery", &body)
        .json(200);
    let ada = server.anonymous().signed_in("ada", NEW);
    let events = ada.get("/api/v1/account/events").json(200).to_string();
    assert!(
        events.contains("recovered") && events.contains("factor_removed"),
        "{events}"
    );
    // A new app is not the old one.
    let begun = ada.post(APP, &json!({ "password": NEW })).json(201);
    let second = App::new(begun["secret"].as_str().unwrap());
    assert_ne!(second.code(0), app.code(0));
}

fn a_second_app_needs_the_first_one_to_be_turned_off(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let app = App::set_up(&ada);
    refused(ada.post(APP, &password()), 403, WANTED);
    ada.post(APP, &proof(&app.spare[0]))
        .field_error(409, "authenticator");
    login(&server.anonymous(), &app.fresh()).json(201);
}

fn what_happened_to_the_factor_is_told_to_the_owner(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let app = App::set_up(&ada);
    let renewed = spare_codes(&ada.post(SPARE, &proof(&app.fresh())).json(200));
    delete(&ada, APP, &proof(&renewed[0])).expect(204);
    let events = ada.get("/api/v1/account/events").json(200);
    let items = events["items"].as_array().unwrap().iter();
    let kinds: Vec<&str> = items.map(|event| event["kind"].as_str().unwrap()).collect();
    for kind in [
        "factor_added",
        "spare_codes_renewed",
        "spare_code_used",
        "factor_removed",
    ] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
}

fn neither_secret_nor_code_is_stored_or_logged(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let begun = ada.post(APP, &password()).json(201);
    let secret = begun["secret"].as_str().unwrap();
    let app = App::new(secret);
    let confirmed = ada.post(&format!("{APP}/confirm"), &json!({ "totp": app.code(0) }));
    let spare = spare_codes(&confirmed.json(200));
    login(&server.anonymous(), &spare[0]).json(201);
    let raw = data_encoding::BASE32_NOPAD
        .decode(secret.as_bytes())
        .unwrap();
    let mut secrets = vec![secret.as_bytes().to_vec(), raw];
    for code in &spare {
        secrets.push(code.as_bytes().to_vec());
        secrets.push(code.replace('-', "").into_bytes());
    }
    let mut places = server.store.everything();
    places.push(("the log".into(), server.log().into_bytes()));
    for (place, bytes) in places {
        for secret in &secrets {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_slice());
            assert!(!found, "{place}");
        }
    }
}
