//! Times in answers: RFC 3339 in UTC with three digits of milliseconds, so that they are in order
//! when their texts are.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::answer::Answer;
use super::client::{Client, PASSWORD};
use super::codes::{App, proof};
use super::exporting::{exported, list_in};
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    every_time_has_three_digits_of_milliseconds,
    times_are_in_order_when_their_texts_are,
    a_time_that_is_sent_back_shorter_is_the_same,
);

/// Answers that were walked over: where times were found in them, as `answer.member`.
#[derive(Default)]
struct Walk(BTreeSet<String>);

impl Walk {
    /// Walks over an answer, and gives it back.
    #[track_caller]
    fn over(&mut self, what: &str, answer: Answer) -> Value {
        let body = serde_json::from_slice(&answer.body).unwrap();
        self.look(what, &body);
        body
    }

    #[track_caller]
    fn look(&mut self, place: &str, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.look(place, item)),
            Value::Object(members) => {
                for (name, member) in members {
                    let place = format!("{}.{name}", place.split('.').next().unwrap());
                    self.look(&place, member);
                }
            }
            Value::String(text) if is_a_time(text) => {
                assert!(has_three_digits(text), "{place}: {text}");
                self.0.insert(place.to_owned());
            }
            _ => {}
        }
    }
}

/// `2026-12-01T…` with a zone. A camera's clock has none, and tells no moment.
fn is_a_time(text: &str) -> bool {
    let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    shape(text).starts_with("0000-00-00T") && text.ends_with('Z')
}

fn has_three_digits(text: &str) -> bool {
    let shape = text.replace(|c: char| c.is_ascii_digit(), "0");
    shape == "0000-00-00T00:00:00.000Z"
}

/// Every route that tells a time. One time in ten ends in a zero, and none of a camera's has
/// milliseconds: of some forty times a few were shorter before.
fn every_time_has_three_digits_of_milliseconds(backend: &Backend) {
    let server = Server::start(backend);
    let (mut walk, anonymous) = (Walk::default(), server.anonymous());
    let new = anonymous.register("ada", "ada@example.org", PASSWORD);
    walk.over("register", new.expect(201));
    let started = walk.over("sign-in", anonymous.login("ada", PASSWORD).expect(201));
    let client = anonymous.with_token(started["token"].as_str().unwrap());
    let mut get = |what: &str, path: &str| walk.over(what, client.get(path).expect(200));
    get("session", "/api/v1/session");
    get("sessions", "/api/v1/sessions");
    get("events", "/api/v1/account/events");
    let renamed = client.patch("/api/v1/account", &json!({ "display_name": "Ada" }));
    walk.over("profile", renamed.expect(200));
    let invited = Answer::to(client.request("POST", "/api/v1/admin/invitations"));
    walk.over("invitation", invited.expect(201));
    of_pictures(&mut walk, &client);
    of_tokens(&mut walk, &client);
    of_factors(&mut walk, &client);
    let found: Vec<_> = walk.0.iter().map(String::as_str).collect();
    assert_eq!(
        found,
        [
            "archive.expires_at",
            "duplicate.taken_at",
            "duplicate.uploaded_at",
            "events.at",
            "export.expires_at",
            "factors.authenticator_since",
            "factors.spare_codes_made_at",
            "image.taken_at",
            "image.trashed_at",
            "image.uploaded_at",
            "invitation.expires_at",
            "list.exported_at",
            "list.taken_at",
            "list.trashed_at",
            "list.uploaded_at",
            "new token.created_at",
            "new token.expires_at",
            "page.taken_at",
            "page.uploaded_at",
            "profile.created_at",
            "receipt.uploaded_at",
            "register.created_at",
            "rotation.expires_at",
            "session.created_at",
            "session.expires_at",
            "sessions.created_at",
            "sessions.expires_at",
            "sessions.last_seen_at",
            "sign-in.created_at",
            "sign-in.expires_at",
            "tokens.created_at",
            "tokens.expires_at",
            "tokens.used_at",
            "trashed.trashed_at",
            "upload.taken_at",
            "upload.uploaded_at",
        ]
    );
}

fn of_pictures(walk: &mut Walk, client: &Client) {
    let taken = |seed| samples::taken(seed, "2021:05:12 10:00:00", "A camera");
    let upload = |seed| client.upload("a.jpg", &taken(seed));
    let image = walk.over("upload", upload(1).expect(201));
    walk.over("duplicate", upload(1).expect(200));
    walk.over("page", client.get("/api/v1/images").expect(200));
    let all = json!({ "all": true });
    let archive = client.post("/api/v1/archives", &all).expect(201);
    walk.over("archive", archive);
    let trashed = client.post("/api/v1/images/delete", &all).expect(200);
    walk.over("trashed", trashed);
    let path = format!("/api/v1/images/{}", image["id"].as_str().unwrap());
    walk.over("image", client.get(&path).expect(200));
    let ticket = client.post("/api/v1/account/export", &json!({}));
    walk.over("export", ticket.expect(201));
    walk.look("list", &list_in(&exported(client)));
}

fn of_tokens(walk: &mut Walk, client: &Client) {
    let wanted =
        json!({ "name": "t", "scopes": ["write"], "expires_in_days": 30, "password": PASSWORD });
    let made = client.post("/api/v1/account/tokens", &wanted);
    let made = walk.over("new token", made.expect(201));
    let program = client.with_token(made["token"].as_str().unwrap());
    walk.over("receipt", program.upload("b.jpg", &samples::jpeg(2)));
    let tokens = client.get("/api/v1/account/tokens");
    walk.over("tokens", tokens.expect(200));
}

fn of_factors(walk: &mut Walk, client: &Client) {
    let app = App::set_up(client);
    let factors = client.get("/api/v1/account/factors");
    walk.over("factors", factors.expect(200));
    let rotated = client.post("/api/v1/account/master-key", &proof(&app.fresh()));
    walk.over("rotation", rotated.expect(200));
}

/// As many as a server stores within a second, in which `…:00Z` came behind `…:00.5Z`.
fn times_are_in_order_when_their_texts_are(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for seed in 0..12 {
        client.add("a.jpg", &samples::jpeg(seed));
    }
    let list = client.list("sort=uploaded_at");
    let items = list["items"].as_array().unwrap().iter();
    let times: Vec<_> = items
        .map(|one| one["uploaded_at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(times.iter().all(|time| has_three_digits(time)), "{times:?}");
}

/// Undoing a deletion takes the moment as a client wrote it, who may keep no zeros.
fn a_time_that_is_sent_back_shorter_is_the_same(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for seed in 0..20 {
        let id = client.add("a.jpg", &samples::jpeg(seed));
        let gone = client.post("/api/v1/images/delete", &json!({ "ids": [id] }));
        let at = gone.json(200)["trashed_at"].as_str().unwrap().to_owned();
        let shorter = at.trim_end_matches('Z').trim_end_matches('0');
        let shorter = format!("{}Z", shorter.trim_end_matches('.'));
        let body = json!({ "trashed_at": shorter });
        let restored = client.post("/api/v1/images/restore", &body).json(200);
        assert_eq!(restored["restored"], 1, "{at} as {shorter}");
    }
}
