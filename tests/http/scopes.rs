//! Every route with every kind of API token: whom it lets in, and that what it answers holds no more
//! than the token is for.

use std::collections::BTreeSet;

use reqwest::blocking::multipart;
use serde_json::{Value, json};

use super::answer::Answer;
use super::budgets::routes;
use super::client::{Client, id};
use super::samples;
use super::server::Server;
use super::store::Backend;
use super::tokens::program;
use super::uploads::sha256;

on_both_stores!(
    every_route_lets_in_the_tokens_that_it_is_for_and_no_others,
    no_answer_to_a_token_that_may_only_write_holds_what_a_picture_holds,
    a_token_that_may_only_write_gets_a_receipt,
);

/// What a route is for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum For {
    /// Anybody, signed in or not.
    Anybody,
    /// Any sign-in and any token.
    Holders,
    /// Tokens of this scope.
    Scope(&'static str),
    /// Who has signed in: no token.
    SignedIn,
}

const READ: For = For::Scope("read");
const WRITE: For = For::Scope("write");

/// Every route there is.
const ROUTES: &[(&str, For)] = &[
    ("GET /", For::Anybody),
    ("GET /account", For::SignedIn),
    ("GET /account/delete", For::SignedIn),
    ("GET /account/export", For::SignedIn),
    ("GET /account/import", For::SignedIn),
    ("GET /account/profile", For::SignedIn),
    ("GET /account/security", For::SignedIn),
    ("GET /account/security/factor", For::SignedIn),
    ("GET /account/sessions", For::SignedIn),
    ("GET /account/tokens", For::SignedIn),
    ("GET /favicon.ico", For::Anybody),
    ("GET /health/live", For::Anybody),
    ("GET /health/ready", For::Anybody),
    ("GET /login", For::Anybody),
    ("GET /login/code", For::Anybody),
    ("GET /manifest.webmanifest", For::Anybody),
    ("GET /recover", For::Anybody),
    ("GET /register", For::Anybody),
    ("GET /service-worker.js", For::Anybody),
    ("GET /static/<hash>/<path..>", For::Anybody),
    ("GET /trash", For::SignedIn),
    ("GET /vault", For::SignedIn),
    ("GET /vault/images/<id>", For::SignedIn),
    ("POST /account/delete", For::SignedIn),
    ("POST /account/export", For::SignedIn),
    ("POST /account/import", For::SignedIn),
    ("POST /account/invitations", For::SignedIn),
    ("POST /account/master-key", For::SignedIn),
    ("POST /account/password", For::SignedIn),
    ("POST /account/profile", For::SignedIn),
    ("POST /account/recovery-code", For::SignedIn),
    ("POST /account/recovery-code/test", For::SignedIn),
    ("POST /account/security/factor/app", For::SignedIn),
    ("POST /account/security/factor/codes", For::SignedIn),
    ("POST /account/security/factor/confirm", For::SignedIn),
    ("POST /account/security/factor/off", For::SignedIn),
    ("POST /account/security/factor/passkeys", For::SignedIn),
    (
        "POST /account/security/factor/passkeys/remove",
        For::SignedIn,
    ),
    ("POST /account/sessions", For::SignedIn),
    ("POST /account/tokens", For::SignedIn),
    ("POST /account/tokens/revoke", For::SignedIn),
    ("POST /login", For::Anybody),
    ("POST /login/code", For::Anybody),
    ("POST /login/code/passkey", For::Anybody),
    ("POST /login/passkey", For::Anybody),
    ("POST /login/passkey/challenge", For::Anybody),
    ("POST /logout", For::SignedIn),
    ("POST /recover", For::Anybody),
    ("POST /register", For::Anybody),
    ("POST /share-target", For::Anybody),
    ("POST /theme", For::Anybody),
    ("POST /trash/selection", For::SignedIn),
    ("POST /vault/images/<id>", For::SignedIn),
    ("POST /vault/selection", For::SignedIn),
    ("POST /vault/upload", For::SignedIn),
    ("DELETE /api/v1/account", For::SignedIn),
    ("DELETE /api/v1/account/authenticator", For::SignedIn),
    ("DELETE /api/v1/account/passkeys/<id>", For::SignedIn),
    ("DELETE /api/v1/account/tokens/<id>", For::SignedIn),
    ("DELETE /api/v1/images/<id>", WRITE),
    ("DELETE /api/v1/session", For::SignedIn),
    ("DELETE /api/v1/sessions", For::SignedIn),
    ("DELETE /api/v1/sessions/<id>", For::SignedIn),
    ("GET /api/v1/account/events", For::SignedIn),
    ("GET /api/v1/account/factors", For::SignedIn),
    ("GET /api/v1/account/master-key", For::SignedIn),
    ("GET /api/v1/account/tokens", For::SignedIn),
    ("GET /api/v1/archives/<id>", READ),
    ("GET /api/v1/images", READ),
    ("GET /api/v1/images/<id>", READ),
    ("GET /api/v1/images/<id>/original", READ),
    ("GET /api/v1/images/<id>/preview", READ),
    ("GET /api/v1/images/<id>/thumbnail", READ),
    ("GET /api/v1/session", For::Holders),
    ("GET /api/v1/sessions", For::SignedIn),
    ("GET /api/v1/timeline", READ),
    ("PATCH /api/v1/account", For::SignedIn),
    ("PATCH /api/v1/images/<id>", WRITE),
    ("POST /api/v1/account/authenticator", For::SignedIn),
    ("POST /api/v1/account/authenticator/confirm", For::SignedIn),
    ("POST /api/v1/account/export", For::SignedIn),
    ("POST /api/v1/account/import", For::SignedIn),
    ("POST /api/v1/account/master-key", For::SignedIn),
    ("POST /api/v1/account/passkeys", For::SignedIn),
    ("POST /api/v1/account/passkeys/assertion", For::SignedIn),
    ("POST /api/v1/account/passkeys/challenge", For::SignedIn),
    ("POST /api/v1/account/recovery", For::Anybody),
    ("POST /api/v1/account/recovery-code", For::SignedIn),
    ("POST /api/v1/account/recovery-code/test", For::SignedIn),
    ("POST /api/v1/account/spare-codes", For::SignedIn),
    ("POST /api/v1/account/tokens", For::SignedIn),
    ("POST /api/v1/accounts", For::Anybody),
    ("POST /api/v1/admin/invitations", For::SignedIn),
    ("POST /api/v1/archives", READ),
    ("POST /api/v1/images", WRITE),
    ("POST /api/v1/images/delete", WRITE),
    ("POST /api/v1/images/favourite", WRITE),
    ("POST /api/v1/images/known", READ),
    ("POST /api/v1/images/restore", WRITE),
    ("POST /api/v1/sessions", For::Anybody),
    ("PUT /api/v1/account/password", For::SignedIn),
];

/// A picture whose every fact is a marker.
struct Marked {
    id: String,
    bytes: Vec<u8>,
    markers: Vec<String>,
}

impl Marked {
    fn add(client: &Client) -> Self {
        let bytes = samples::taken(5, "2011:12:13 14:15:16", "Marker Camera 9");
        let added = client.upload("marker-name.jpg", &bytes).json(201);
        client.upload("marker-other-name.jpg", &bytes).json(200);
        let said = json!({ "caption": "marker caption", "tags": ["marker-tag"] });
        let image = client
            .patch(&format!("/api/v1/images/{}", id(&added)), &said)
            .json(200);
        let markers = ["sha256", "thumbhash"].map(|field| image[field].as_str().unwrap());
        let dates = ["2011-12-13", "2011:12:13"];
        let markers = markers.into_iter().chain(dates).map(str::to_lowercase);
        Self {
            id: id(&image),
            bytes,
            markers: markers.chain(["marker".to_owned()]).collect(),
        }
    }

    /// What is told of it in an answer, head or body.
    fn told_in(&self, answer: &Answer) -> Vec<&String> {
        let all = format!("{:?}\n{}", answer.headers, answer.text()).to_lowercase();
        let markers = self.markers.iter();
        markers
            .filter(|marker| all.contains(marker.as_str()))
            .collect()
    }
}

/// What is sent to a route: bodies that it does something about, each with whether it selects by what
/// pictures hold, and so wants `read` besides.
fn bodies(route: &str, marked: &Marked) -> Vec<(Value, bool)> {
    let ids = json!([marked.id]);
    let query =
        json!({ "query": "marker", "count": 1, "favourite": true, "favourite_only": false });
    let by = |field: &str, value: Value| (json!({ field: value, "favourite": true }), false);
    let selections = vec![
        by("ids", ids),
        by("ids", json!(["a".repeat(26)])),
        by("all", json!(true)),
        by("trashed_at", json!("2026-01-02T03:04:05.678Z")),
        (query.clone(), true),
        (
            json!({ "query": "nothing", "state": "trashed", "favourite": true }),
            true,
        ),
    ];
    match route {
        "POST /api/v1/images/delete" | "POST /api/v1/images/favourite" => selections,
        "POST /api/v1/images/restore" => selections,
        "POST /api/v1/archives" => vec![(json!({ "all": true }), false), (query, false)],
        "POST /api/v1/images/known" => {
            vec![(json!({ "sha256": [sha256(&marked.bytes)] }), false)]
        }
        "PATCH /api/v1/images/<id>" => [json!({}), json!({ "favourite": false })]
            .map(|body| (body, false))
            .to_vec(),
        _ => vec![(json!({}), false)],
    }
}

/// Every answer of a route to this program, and whether its question selects by what pictures hold.
fn ask(client: &Client, route: &str, marked: &Marked) -> Vec<(Answer, bool)> {
    let (method, path) = route.split_once(' ').unwrap();
    let path = path
        .replace("<id>", &marked.id)
        .replace("<hash>/<path..>", "x/favicon.svg");
    if route == "POST /api/v1/images" {
        let part = multipart::Part::bytes(marked.bytes.clone()).file_name("sent.jpg");
        let form = multipart::Form::new().part("file", part);
        let requests = [
            client.upload_request("sent.jpg", &marked.bytes),
            client.upload_request("sent.jpg", b"no picture"),
            client.request(method, &path).multipart(form),
        ];
        return requests.map(|request| (Answer::to(request), false)).into();
    }
    let bodies = bodies(route, marked).into_iter().map(|(body, by_content)| {
        let request = client.request(method, &path);
        let request = match () {
            () if method == "GET" => request,
            () if path.starts_with("/api/") => request.json(&body),
            () => request.form(&[("login", "ada"), ("theme", "dark")]),
        };
        (Answer::to(request), by_content)
    });
    bodies.collect()
}

/// As it was: what is allowed has changed it.
fn put_back(owner: &Client, marked: &Marked) {
    let one = json!({ "ids": [marked.id] });
    owner.post("/api/v1/images/restore", &one).json(200);
}

fn every_route_lets_in_the_tokens_that_it_is_for_and_no_others(backend: &Backend) {
    let known: BTreeSet<String> = ROUTES
        .iter()
        .map(|(route, _)| (*route).to_owned())
        .collect();
    let there = routes();
    let differ: Vec<_> = known.symmetric_difference(&there).collect();
    assert!(
        differ.is_empty(),
        "not in both the table and the source: {differ:#?}"
    );
    let server = Server::start(backend);
    let owner = server.user("ada");
    let marked = Marked::add(&owner);
    let all: [&[&str]; 4] = [
        &["read"],
        &["write"],
        &["share"],
        &["read", "write", "share"],
    ];
    for scopes in all {
        let token = program(&owner, scopes);
        for &(route, is_for) in ROUTES {
            for (answer, by_content) in ask(&token, route, &marked) {
                let lacks = |scope: &str| !scopes.contains(&scope);
                let refused = match is_for {
                    For::Anybody | For::Holders => None,
                    For::SignedIn => Some("Bearer error=\"insufficient_scope\"".to_owned()),
                    For::Scope(scope) if lacks(scope) => Some(scope_challenge(scope)),
                    For::Scope(_) if by_content && lacks("read") => Some(scope_challenge("read")),
                    For::Scope(_) => None,
                };
                let challenge = answer.header("WWW-Authenticate").to_owned();
                let what = format!("{route} with {scopes:?}: {} {challenge}", answer.status);
                match refused {
                    Some(expected) => {
                        assert_eq!(challenge, expected, "{what}");
                        let told = marked.told_in(&answer);
                        assert_eq!(told, Vec::<&String>::new(), "{what}");
                        answer.expect(403);
                    }
                    None => assert!(!challenge.contains("insufficient"), "{what}"),
                }
            }
            put_back(&owner, &marked);
        }
    }
}

fn scope_challenge(scope: &str) -> String {
    format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"")
}

fn no_answer_to_a_token_that_may_only_write_holds_what_a_picture_holds(backend: &Backend) {
    let server = Server::start(backend);
    let owner = server.user("ada");
    let marked = Marked::add(&owner);
    let seen = owner.get(&format!("/api/v1/images/{}", marked.id));
    assert_eq!(marked.told_in(&seen).len(), 4, "{}", seen.text());
    let token = program(&owner, &["write", "share"]);
    let mut allowed = 0;
    for &(route, _) in ROUTES {
        for (answer, _) in ask(&token, route, &marked) {
            let told = marked.told_in(&answer);
            assert_eq!(told, Vec::<&String>::new(), "{route}: {}", answer.text());
            allowed += usize::from(answer.status < 300);
        }
        put_back(&owner, &marked);
    }
    assert!(allowed > 10, "{allowed} calls were allowed");
}

fn a_token_that_may_only_write_gets_a_receipt(backend: &Backend) {
    let server = Server::start(backend);
    let owner = server.user("ada");
    let marked = Marked::add(&owner);
    let token = program(&owner, &["write"]);
    let fields = |image: &Value| {
        let fields = image.as_object().unwrap().keys().cloned();
        fields.collect::<Vec<_>>().join(" ")
    };
    let receipt = "id state trashed_at uploaded_at";
    let sorted = |text: &str| {
        let mut words: Vec<_> = text.split(' ').collect();
        words.sort_unstable();
        words.join(" ")
    };
    let added = token.upload("mine.jpg", &samples::jpeg(1)).json(201);
    assert_eq!(sorted(&fields(&added)), sorted(&format!("{receipt} name")));
    assert_eq!(
        (&added["name"], &added["state"]),
        (&json!("mine.jpg"), &json!("active"))
    );
    let path = format!("/api/v1/images/{}", id(&added));
    let said = json!({ "caption": "a caption", "tags": ["one"], "favourite": true });
    let edited = token.patch(&path, &said).json(200);
    let set = sorted(&format!("{receipt} caption tags favourite"));
    assert_eq!(sorted(&fields(&edited)), set);
    assert_eq!(
        (&edited["caption"], &edited["tags"]),
        (&said["caption"], &said["tags"])
    );
    let known = token.upload("sent.jpg", &marked.bytes).json(200);
    assert_eq!(
        sorted(&fields(&known)),
        sorted(&format!("{receipt} duplicate"))
    );
    assert_eq!(
        (&known["id"], &known["duplicate"]),
        (&json!(marked.id), &json!(true))
    );
    // Undoing what one did needs no reading.
    let deleted = token
        .post("/api/v1/images/delete", &json!({ "ids": [marked.id] }))
        .json(200);
    let undo = json!({ "trashed_at": deleted["trashed_at"] });
    let restored = token.post("/api/v1/images/restore", &undo).json(200);
    assert_eq!(restored, json!({ "restored": 1 }));
    // Who may do both sees all of it.
    let both = program(&owner, &["read", "write"]);
    assert_eq!(
        both.patch(&path, &json!({})).json(200),
        owner.image(&id(&added))
    );
}
