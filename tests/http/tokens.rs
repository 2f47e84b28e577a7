//! API tokens: /api/v1/account/tokens and /account/tokens, and what a token opens.

use serde_json::{Value, json};

use super::answer::Answer;
use super::client::{Client, PASSWORD};
use super::html;
use super::samples;
use super::server::Server;
use super::store::Backend;
use super::uploads::sha256;

on_both_stores!(
    a_program_does_with_its_token_what_its_owner_chose,
    a_token_is_shown_once_and_listed_from_then_on,
    nothing_that_concerns_the_account_takes_a_token,
    a_mistake_is_told_at_its_field_and_makes_no_token,
    a_revoked_token_opens_nothing,
    a_new_password_ends_all_tokens_and_ending_sign_ins_none,
    nobody_elses_token_can_be_revoked,
    a_token_is_made_and_revoked_by_forms,
    a_token_is_no_cookie,
);

pub(super) const TOKENS: &str = "/api/v1/account/tokens";
const NEW_PASSWORD: &str = "seven purple llamas whisper gently";

fn wanted(scopes: &[&str]) -> Value {
    json!({ "name": "Backup", "scopes": scopes, "expires_in_days": 30, "password": PASSWORD })
}

/// A program with a token of the client's for this.
pub(super) fn program(client: &Client, scopes: &[&str]) -> Client {
    let made = client.post(TOKENS, &wanted(scopes)).json(201);
    client.with_token(made["token"].as_str().unwrap())
}

pub(super) fn listed(client: &Client) -> Vec<Value> {
    let list = client.get(TOKENS).json(200);
    let items = list["items"].as_array().unwrap().clone();
    assert_eq!(list["total"], items.len());
    items
}

fn a_program_does_with_its_token_what_its_owner_chose(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let id = client.add("a.jpg", &samples::jpeg(1));
    let [reads, writes, both] =
        [&["read"][..], &["write"], &["read", "write"]].map(|scopes| program(&client, scopes));
    let image = format!("/api/v1/images/{id}");
    let all = json!({ "all": true });
    let known = json!({ "sha256": [sha256(&samples::jpeg(1))] });
    let name = json!({ "name": "b.jpg" });
    let upload = |who: &Client| Answer::to(who.upload_request("new.jpg", &samples::jpeg(2))).status;
    for (who, may_read, may_write) in [
        (&reads, true, false),
        (&writes, false, true),
        (&both, true, true),
    ] {
        let reading = [
            who.get("/api/v1/images").status,
            who.get("/api/v1/timeline").status,
            who.get(&image).status,
            who.get(&format!("{image}/original")).status,
            who.get(&format!("{image}/thumbnail")).status,
            who.get(&format!("{image}/preview")).status,
            who.post("/api/v1/images/known", &known).status,
            who.post("/api/v1/archives", &all).status,
        ];
        for status in reading {
            assert_eq!(status == 403, !may_read, "{reading:?}");
            assert!(may_read || status == 403, "{reading:?}");
        }
        let writing = [
            upload(who),
            who.patch(&image, &name).status,
            who.post(
                "/api/v1/images/favourite",
                &json!({ "ids": [id], "favourite": true }),
            )
            .status,
            who.post("/api/v1/images/delete", &json!({ "ids": [id] }))
                .status,
            who.post("/api/v1/images/restore", &json!({ "ids": [id] }))
                .status,
            who.delete(&format!("{image}?permanent=maybe")).status,
        ];
        for status in writing {
            assert_eq!(status == 403, !may_write, "{writing:?}");
        }
        assert_eq!(
            who.get("/api/v1/session").json(200)["user"]["username"],
            "ada"
        );
    }
    assert_eq!(both.names(""), ["new.jpg", "b.jpg"]);
    let ticket = both.archive(&all);
    both.get(ticket["url"].as_str().unwrap()).expect(200);
    let refused = reads.delete(&image);
    assert!(
        refused
            .header("WWW-Authenticate")
            .contains("scope=\"write\"")
    );
    assert!(
        refused.problem(403)["detail"]
            .as_str()
            .unwrap()
            .contains("`write`")
    );
}

fn a_token_is_shown_once_and_listed_from_then_on(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    assert_eq!(listed(&client), Vec::<Value>::new());
    let made = client.post(TOKENS, &wanted(&["share", "read"])).json(201);
    let secret = made["token"].as_str().unwrap();
    assert!(secret.starts_with("ivt_") && secret.len() == 68, "{secret}");
    let list = client.get(TOKENS).expect(200).text();
    assert!(!list.contains(secret) && !server.log().contains(secret));
    let token = listed(&client).remove(0);
    assert_eq!(token["name"], "Backup");
    assert_eq!(token["scopes"], json!(["read", "share"]));
    assert_eq!(token["id"], made["id"]);
    assert_eq!(token["used_at"], Value::Null);
    assert!(token["expires_at"].is_string() && token["created_at"].is_string());
    let session = client.with_token(secret).get("/api/v1/session").json(200);
    assert_eq!(session["scopes"], json!(["read", "share"]));
    assert!(listed(&client)[0]["used_at"].is_string(), "at once");
    assert_eq!(client.get("/api/v1/session").json(200).get("scopes"), None);
    assert_eq!(
        client.get("/api/v1/sessions").json(200)["total"],
        1,
        "it is no sign-in"
    );
    let events = client.get("/api/v1/account/events").json(200);
    assert_eq!(events["items"][0]["kind"], "token_made");
}

/// Whatever it may do: else a token that leaked could make itself at home.
fn nothing_that_concerns_the_account_takes_a_token(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let token = program(&client, &["read", "write", "share"]);
    let change = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    let proof = json!({ "password": PASSWORD });
    let refused = [
        token.get("/api/v1/sessions"),
        token.delete("/api/v1/sessions"),
        token.delete("/api/v1/session"),
        token.delete(&format!("/api/v1/sessions/{}", "a".repeat(26))),
        token.put("/api/v1/account/password", &change),
        token.post("/api/v1/account/recovery-code", &proof),
        token.post(
            "/api/v1/account/recovery-code/test",
            &json!({ "recovery_code": "x" }),
        ),
        token.get("/api/v1/account/events"),
        token.patch("/api/v1/account", &json!({ "display_name": "x" })),
        token.get("/api/v1/account/factors"),
        token.post("/api/v1/account/authenticator", &proof),
        token.post("/api/v1/account/export", &json!({})),
        token.get("/api/v1/account/master-key"),
        token.post("/api/v1/account/master-key", &proof),
        token.post("/api/v1/admin/invitations", &json!({})),
        token.get(TOKENS),
        token.post(TOKENS, &wanted(&["read"])),
        token.delete(&format!(
            "{TOKENS}/{}",
            listed(&client)[0]["id"].as_str().unwrap()
        )),
        Answer::to(token.request("DELETE", "/api/v1/account").json(&proof)),
    ];
    for answer in refused {
        let detail = answer.problem(403)["detail"].to_string();
        assert!(detail.contains("No API token can do this"), "{detail}");
    }
    for page in [
        "/account",
        "/account/security",
        "/account/sessions",
        "/account/tokens",
        "/account/delete",
    ] {
        assert_eq!(token.get(page).status, 403, "{page}");
    }
    client.get("/api/v1/session").json(200);
    assert_eq!(listed(&client).len(), 1);
}

fn a_mistake_is_told_at_its_field_and_makes_no_token(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let with = |field: &str, value: Value| {
        let mut body = wanted(&["read"]);
        body[field] = value;
        client.post(TOKENS, &body)
    };
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("n".repeat(65))),
        ("name", json!("two\nlines")),
        ("scopes", json!([])),
        ("scopes", json!(["everything"])),
        ("expires_in_days", json!(0)),
        ("expires_in_days", json!(367)),
    ] {
        with(field, value).field_error(422, field);
    }
    with("expires_in_days", json!(-1)).problem(422);
    with("scopes", json!("read")).problem(422);
    with("password", json!("not the password at all")).problem(403);
    server
        .anonymous()
        .post(TOKENS, &wanted(&["read"]))
        .problem(401);
    assert_eq!(listed(&client), Vec::<Value>::new());
}

fn a_revoked_token_opens_nothing(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let token = program(&client, &["read"]);
    let id = listed(&client)[0]["id"].as_str().unwrap().to_owned();
    client.delete(&format!("{TOKENS}/{id}")).expect(204);
    token.get("/api/v1/images").problem(401);
    client.delete(&format!("{TOKENS}/{id}")).problem(404);
    assert_eq!(listed(&client), Vec::<Value>::new());
    let events = client.get("/api/v1/account/events").json(200);
    assert_eq!(events["items"][0]["kind"], "token_revoked");
}

fn a_new_password_ends_all_tokens_and_ending_sign_ins_none(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let token = program(&client, &["read"]);
    client.delete("/api/v1/sessions").expect(204);
    token.get("/api/v1/images").json(200);
    let change = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    client.put("/api/v1/account/password", &change).expect(204);
    token.get("/api/v1/images").problem(401);
    client.get("/api/v1/images").json(200);
}

fn nobody_elses_token_can_be_revoked(backend: &Backend) {
    let server = Server::start(backend);
    let (ada, bob) = (server.user("ada"), server.user("bob"));
    let token = program(&ada, &["read"]);
    let id = listed(&ada)[0]["id"].as_str().unwrap().to_owned();
    bob.delete(&format!("{TOKENS}/{id}")).problem(404);
    bob.delete(&format!("{TOKENS}/x")).problem(404);
    // Nor is a sign-in revoked as a token.
    let session = ada.get("/api/v1/sessions").json(200)["items"][0]["id"].clone();
    ada.delete(&format!("{TOKENS}/{}", session.as_str().unwrap()))
        .problem(404);
    token.get("/api/v1/images").json(200);
}

fn a_token_is_made_and_revoked_by_forms(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let mut browser = server.signed_in("ada");
    assert!(
        browser
            .get("/account/tokens")
            .expect(200)
            .text()
            .contains("None so far.")
    );
    let wrong = [
        ("name", "<b>Backup</b>"),
        ("scopes", "read"),
        ("scopes", "write"),
        ("expires_in_days", "30"),
        ("password", "not the password at all"),
    ];
    let page = browser
        .submit_signed("/account/tokens", &wrong)
        .expect(403)
        .text();
    assert!(
        page.contains("&lt;b&gt;Backup&lt;&#x2F;b&gt;"),
        "what was typed is kept: {page}"
    );
    let none = [
        ("name", ""),
        ("expires_in_days", "30"),
        ("password", PASSWORD),
    ];
    let page = browser
        .submit_signed("/account/tokens", &none)
        .expect(422)
        .text();
    assert!(page.contains("Choose what the token may do"));
    let mut right = wrong;
    right[4].1 = PASSWORD;
    let page = browser
        .submit_signed("/account/tokens", &right)
        .expect(200)
        .text();
    let secret = html::inside(&page, "id=\"token\"", "</code>")
        .unwrap()
        .to_owned();
    let program = client.with_token(&secret);
    program.get("/api/v1/images").json(200);
    let page = browser.get("/account/tokens").expect(200).text();
    assert!(!page.contains(&secret) && page.contains("may read, write"));
    let id = listed(&client)[0]["id"].as_str().unwrap().to_owned();
    let answer = browser.submit_signed("/account/tokens/revoke", &[("id", &id)]);
    assert_eq!(answer.expect(303).header("Location"), "/account/tokens");
    program.get("/api/v1/images").problem(401);
}

/// A browser is signed in by people, not by what they gave to a program.
fn a_token_is_no_cookie(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let token = program(&client, &["read", "write"]);
    let mut browser = server.signed_in("ada");
    let name = browser
        .cookies
        .keys()
        .find(|name| name.starts_with("iv-"))
        .unwrap()
        .clone();
    browser.cookies.insert(name, token.token.clone());
    assert_eq!(browser.get("/vault").status, 303, "to the login");
    assert_eq!(
        Answer::to(browser.request("GET", "/api/v1/images")).status,
        401
    );
}
