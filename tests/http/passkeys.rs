//! Passkeys, as far as a program without one can tell: who may ask, what is refused, and that nothing
//! is taken twice. (What a real one opens: `tests/browser/passkeys.test.js`.)

use serde_json::{Value, json};

use super::answer::Answer;
use super::client::{Client, PASSWORD};
use super::codes::{App, password, proof};
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    a_challenge_needs_the_password_and_the_second_factor,
    a_challenge_can_be_answered_once_and_by_its_owner_only,
    what_is_no_answer_opens_nothing,
    what_is_no_answer_is_no_second_factor,
    guessing_with_passkeys_has_to_wait,
    what_cannot_be_parsed_is_not_logged,
    a_passkey_that_is_not_there_cannot_be_removed,
    an_address_without_a_name_has_no_passkeys,
);

const CHALLENGE: &str = "/api/v1/account/passkeys/challenge";
const PASSKEYS: &str = "/api/v1/account/passkeys";

/// A new passkey that no authenticator made.
fn forged(token: &Value) -> Value {
    let response = json!({ "attestationObject": "AAAA", "clientDataJSON": "AAAA" });
    let credential =
        json!({ "id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": response });
    json!({ "name": "Telephone", "token": token, "credential": credential })
}

/// The answer of a passkey that there is not.
fn shown(token: &Value) -> Value {
    let response = json!({
        "authenticatorData": "AAAA",
        "clientDataJSON": "AAAA",
        "signature": "AAAA",
        "userHandle": "AAAAAAAAAAAAAAAAAAAAAA",
    });
    let credential =
        json!({ "id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": response });
    let prf = data_encoding::BASE64URL_NOPAD.encode(&[7; 32]);
    json!({ "token": token, "credential": credential, "prf": prf })
}

fn sign_in(client: &Client, body: &Value) -> Answer {
    client.post("/login/passkey", body)
}

fn a_challenge_needs_the_password_and_the_second_factor(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    server.anonymous().post(CHALLENGE, &password()).problem(401);
    let wrong = json!({ "password": "not the password at all" });
    ada.post(CHALLENGE, &wrong).problem(403);
    let asked = ada.post(CHALLENGE, &password()).json(200);
    let key = &asked["options"]["publicKey"];
    assert_eq!(key["rp"]["id"], "localhost");
    assert_eq!(key["user"]["name"], "ada");
    assert_eq!(
        key["authenticatorSelection"]["userVerification"],
        "required"
    );
    assert!(
        key["extensions"]["prf"]["eval"]["first"].is_string(),
        "{key}"
    );
    let app = App::set_up(&ada);
    let problem = ada.post(CHALLENGE, &password()).problem(403);
    assert_eq!(problem["type"], "urn:image-vault:factor-wanted");
    ada.post(CHALLENGE, &proof(&app.spare[0])).json(200);
}

fn a_challenge_can_be_answered_once_and_by_its_owner_only(backend: &Backend) {
    let server = Server::start(backend);
    let (ada, bob) = (server.user("ada"), server.user("bob"));
    let token = ada.post(CHALLENGE, &password()).json(200)["token"].clone();
    ada.post(PASSKEYS, &forged(&token))
        .field_error(422, "passkey");
    ada.post(PASSKEYS, &forged(&token)).problem(410);
    let token = ada.post(CHALLENGE, &password()).json(200)["token"].clone();
    bob.post(PASSKEYS, &forged(&token)).problem(410);
    server
        .anonymous()
        .post(PASSKEYS, &forged(&token))
        .problem(401);
    for token in ["", "A", &"A".repeat(64), &"A".repeat(10_000)] {
        ada.post(PASSKEYS, &forged(&json!(token))).problem(410);
    }
    for name in ["", " ", "a\u{7}b", &"x".repeat(65)] {
        let mut body = forged(&token);
        body["name"] = json!(name);
        ada.post(PASSKEYS, &body).field_error(422, "name");
    }
    let passkeys = ada.get("/api/v1/account/factors").json(200)["passkeys"].clone();
    assert_eq!(passkeys, json!([]));
}

fn what_is_no_answer_opens_nothing(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    let client = server.anonymous();
    let ask = || {
        client
            .post("/login/passkey/challenge", &json!({}))
            .json(200)["token"]
            .clone()
    };
    sign_in(&client, &shown(&ask())).problem(401);
    let mut without = shown(&ask());
    without["credential"] = json!({});
    sign_in(&client, &without).problem(401);
    let mut short = shown(&ask());
    short["prf"] = json!("AAAA");
    sign_in(&client, &short).problem(401);
    sign_in(&client, &json!({ "token": 7 })).field_error(422, "token");
    // What was asked for another purpose is no challenge to sign in with.
    let other = ada.post(CHALLENGE, &password()).json(200)["token"].clone();
    sign_in(&client, &shown(&other)).problem(401);
    ada.post("/api/v1/account/passkeys/assertion", &json!({}))
        .problem(404);
    let elsewhere = client.request("POST", "/login/passkey/challenge");
    let elsewhere = elsewhere.header("Sec-Fetch-Site", "cross-site");
    Answer::to(elsewhere.json(&json!({}))).problem(403);
}

fn what_is_no_answer_is_no_second_factor(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    App::set_up(&ada);
    let token = ada.post("/login/passkey/challenge", &json!({})).json(200)["token"].clone();
    let long = format!("{{\"token\": \"{}\"}}", "A".repeat(20_000));
    for code in [shown(&token).to_string(), "{".into(), "{}".into(), long] {
        let body = json!({ "login": "ada", "password": PASSWORD, "totp": code });
        let problem = server
            .anonymous()
            .post("/api/v1/sessions", &body)
            .problem(401);
        assert_eq!(problem["type"], "urn:image-vault:factor-wrong");
    }
}

fn guessing_with_passkeys_has_to_wait(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let client = server.anonymous();
    let guess = || sign_in(&client, &shown(&json!("A".repeat(64)))).status;
    let free = (0..40).take_while(|_| guess() == 401).count();
    assert!((30..40).contains(&free), "{free}");
}

fn a_passkey_that_is_not_there_cannot_be_removed(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    for id in ["aaaaaaaaaaaaaaaaaaaaaaaaaa", "nonsense"] {
        let request = ada.request("DELETE", &format!("{PASSKEYS}/{id}"));
        Answer::to(request.json(&password())).problem(404);
    }
}

/// The library quotes it, at any length, where it is heard.
fn what_cannot_be_parsed_is_not_logged(backend: &Backend) {
    for (filter, heard) in [("info", false), ("warn,image_vault=info", true)] {
        let server = Server::with(backend, &[("LOG", filter)]);
        let ada = server.user("ada");
        let asked = ada.post(CHALLENGE, &password()).json(200);
        let client_data = json!({
            "type": "webauthn.create",
            "challenge": asked["options"]["publicKey"]["challenge"],
            "origin": "http://localhost:8000",
        });
        let text = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
        let mut body = forged(&asked["token"]);
        let response = &mut body["credential"]["response"];
        response["clientDataJSON"] = json!(text(client_data.to_string().as_bytes()));
        // CBOR (RFC 8949) that is right but for the authenticator's data, which end too early.
        let attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x44\x01\x02\x03\x04";
        response["attestationObject"] = json!(text(attestation));
        ada.post(PASSKEYS, &body).field_error(422, "passkey");
        assert_eq!(
            server.log().contains("webauthn_rs"),
            heard,
            "{}",
            server.log()
        );
    }
}

/// Browsers bind passkeys to names only.
fn an_address_without_a_name_has_no_passkeys(backend: &Backend) {
    let server = Server::with(backend, &[("PUBLIC_URL", "http://192.0.2.1")]);
    let ada = server.user("ada");
    ada.post(CHALLENGE, &password()).problem(404);
    let page = server.browser().get("/login").expect(200).text();
    assert!(!page.contains("passkey"));
}
