//! POST /api/v1/images/delete and /restore: many at once, or nothing.

use serde_json::{Value, json};

use super::client::{Client, names};
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    chosen_images_go_and_come_back,
    all_means_every_active_image,
    restoring_all_means_every_trashed_one,
    a_query_chooses_what_the_list_shows,
    a_foreign_id_changes_nothing,
    the_ids_that_are_missing_are_named,
    a_repeated_id_counts_once,
    permanent_skips_the_trash,
    empty_and_endless_choices_are_refused,
    an_unclear_choice_is_refused,
);

const DELETE: &str = "/api/v1/images/delete";
const RESTORE: &str = "/api/v1/images/restore";

/// Five images, `0` to `4`.
fn five(client: &Client) -> Vec<String> {
    (0..5)
        .map(|n| client.add(&format!("{n}"), &samples::jpeg(n)))
        .collect()
}

#[track_caller]
fn deleted(client: &Client, body: Value) -> Value {
    client.post(DELETE, &body).json(200)["deleted"].clone()
}

#[track_caller]
fn restored(client: &Client, body: Value) -> Value {
    client.post(RESTORE, &body).json(200)["restored"].clone()
}

/// R1.45.
fn chosen_images_go_and_come_back(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids = five(&client);
    assert_eq!(deleted(&client, json!({ "ids": [ids[1], ids[3]] })), 2);
    assert_eq!(client.names(""), ["4", "2", "0"]);
    assert_eq!(restored(&client, json!({ "ids": [ids[3]] })), 1);
    assert_eq!(client.names("sort=uploaded_at"), ["0", "2", "3", "4"]);
    assert_eq!(client.names("state=trashed"), ["1"]);
}

/// R1.32: all of them, not one page.
fn all_means_every_active_image(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for n in 0..120 {
        client.add(&format!("{n}"), &samples::jpeg(n));
    }
    assert_eq!(names(&client.list("")).len(), 100, "a page");
    assert_eq!(deleted(&client, json!({ "all": true })), 120);
    assert_eq!(client.list("")["total"], 0);
    assert_eq!(client.list("state=trashed")["total"], 120);
    assert_eq!(restored(&client, json!({ "all": true })), 120);
    assert_eq!(client.list("")["total"], 120);
}

fn restoring_all_means_every_trashed_one(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids = five(&client);
    assert_eq!(deleted(&client, json!({ "ids": ids[..2] })), 2);
    assert_eq!(
        deleted(&client, json!({ "all": true })),
        3,
        "those in the trash stay there"
    );
    assert_eq!(client.list("state=trashed")["total"], 5);
    assert_eq!(restored(&client, json!({ "all": true })), 5);
    assert_eq!(restored(&client, json!({ "all": true })), 0);
}

fn a_query_chooses_what_the_list_shows(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let mut ids = Vec::new();
    for (seed, name) in (0..).zip(["Zoë 1", "zoe 2", "ZOE 3", "other"]) {
        ids.push(client.add(name, &samples::jpeg(seed)));
    }
    let body = json!({ "query": "zoe", "except": [ids[1]] });
    assert_eq!(deleted(&client, body), 2);
    assert_eq!(client.names("sort=name"), ["other", "zoe 2"]);
    assert_eq!(deleted(&client, json!({ "query": "nothing like it" })), 0);
    let foreign = server.user("bob").add("zoe", &samples::jpeg(9));
    client
        .post(DELETE, &json!({ "query": "zoe", "except": [foreign] }))
        .problem(404);
    assert_eq!(client.names("q=zoe"), ["zoe 2"]);
}

/// R1.42, R1.46.
fn a_foreign_id_changes_nothing(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids = five(&client);
    let foreign = server.user("bob").add("b", &samples::jpeg(1));
    for bad in [foreign.as_str(), &"a".repeat(26), "not an id"] {
        let body = json!({ "ids": [ids[0], bad, ids[1]] });
        client.post(DELETE, &body).problem(404);
        assert_eq!(client.list("")["total"], 5);
        assert_eq!(deleted(&client, json!({ "ids": [ids[0]] })), 1);
        client.post(RESTORE, &body).problem(404);
        assert_eq!(client.list("state=trashed")["total"], 1);
        assert_eq!(restored(&client, json!({ "ids": [ids[0]] })), 1);
    }
}

/// So that a client can go on with what is left.
fn the_ids_that_are_missing_are_named(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids = five(&client);
    let foreign = server.user("bob").add("b", &samples::jpeg(1));
    client
        .delete(&format!("/api/v1/images/{}?permanent=true", ids[1]))
        .expect(204);
    let body = json!({ "ids": [ids[0], ids[1], foreign] });
    for path in [DELETE, RESTORE, "/api/v1/archives"] {
        let problem = client.post(path, &body).problem(404);
        assert_eq!(problem["missing"], json!([ids[1], foreign]));
    }
    let body = json!({ "query": "", "except": [ids[1]], "count": 4 });
    let problem = client.post(DELETE, &body).problem(404);
    assert_eq!(problem["missing"], json!([ids[1]]));
    assert_eq!(client.list("")["total"], 4);
}

fn a_repeated_id_counts_once(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids = five(&client);
    assert_eq!(
        deleted(&client, json!({ "ids": [ids[0], ids[0], ids[1], ids[0]] })),
        2
    );
    assert_eq!(
        client.list("state=trashed")["total"],
        2,
        "once, not twice and so for good"
    );
    assert_eq!(restored(&client, json!({ "ids": [ids[0], ids[0]] })), 1);
}

fn permanent_skips_the_trash(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids = five(&client);
    assert_eq!(
        deleted(&client, json!({ "ids": ids[..2], "permanent": true })),
        2
    );
    assert_eq!(client.list("state=trashed")["total"], 0);
    client
        .get(&format!("/api/v1/images/{}", ids[0]))
        .problem(404);
    client.get(&format!("/api/v1/images/{}", ids[2])).json(200);
}

/// The limits: 1 to 10,000 ids.
fn empty_and_endless_choices_are_refused(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    five(&client);
    let unknown: Vec<String> = (0..10_001u32).map(unknown_id).collect();
    for path in [DELETE, RESTORE, "/api/v1/archives"] {
        let empty = client
            .post(path, &json!({ "ids": [] }))
            .field_error(422, "ids");
        assert!(!empty.is_empty());
        let message = client
            .post(path, &json!({ "ids": unknown }))
            .field_error(422, "ids");
        assert!(
            message.contains("10,000") || message.contains("10000"),
            "{message}"
        );
        client
            .post(path, &json!({ "ids": unknown[..10_000] }))
            .problem(404);
    }
    assert_eq!(client.list("")["total"], 5);
}

fn an_unclear_choice_is_refused(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids = five(&client);
    let unclear = [
        json!({}),
        json!({ "all": false }),
        json!({ "ids": ids[..1], "all": true }),
        json!({ "ids": "x" }),
        json!({ "ids": [1] }),
        json!({ "all": "yes" }),
        json!({ "except": ids[..1] }),
        json!([ids[0]]),
        Value::Null,
    ];
    for body in unclear {
        for path in [DELETE, RESTORE, "/api/v1/archives"] {
            client.post(path, &body).problem(422);
        }
    }
    assert_eq!(client.list("")["total"], 5);
}

/// An id in the right form that nobody has: base32 of a number.
fn unknown_id(number: u32) -> String {
    let bytes = [&[0xa5; 12][..], &number.to_be_bytes()].concat();
    data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase()
}
