//! PATCH /api/v1/images/{id}.

use serde_json::{Value, json};

use super::client::id;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    each_field_is_changed_alone,
    what_is_wrong_is_named_and_nothing_is_changed,
    ten_writers_lose_nothing,
    an_edit_survives_a_restart,
);

fn each_field_is_changed_alone(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let path = format!("/api/v1/images/{}", client.add("a.jpg", &samples::jpeg(1)));
    let mut expected = client.get(&path).json(200);
    let edits = [
        ("name", json!("новое имя 🎉.jpg")),
        ("caption", json!("Two\nlines, \"quoted\" <b>")),
        ("tags", json!(["sea", "Été"])),
        ("favourite", json!(true)),
        ("tags", json!([])),
        ("favourite", json!(false)),
    ];
    for (field, value) in edits {
        let answer = client
            .patch(&path, &json!({ field: value.clone() }))
            .json(200);
        expected[field] = value;
        assert_eq!(answer, expected);
        assert_eq!(client.get(&path).json(200), expected);
    }
    let all = json!({ "name": "b", "caption": "c", "tags": ["t"], "favourite": true });
    let answer = client.patch(&path, &all).json(200);
    assert_eq!(answer["tags"], json!(["t"]));
    assert_eq!(client.patch(&path, &json!({})).json(200), answer);
    // Emptied again.
    let emptied = client.patch(&path, &json!({ "caption": "" })).json(200);
    assert!(
        emptied["caption"] == "" || emptied["caption"] == Value::Null,
        "{emptied}"
    );
}

fn what_is_wrong_is_named_and_nothing_is_changed(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let path = format!("/api/v1/images/{}", client.add("a.jpg", &samples::jpeg(1)));
    let before = client.get(&path).json(200);
    let cases = [
        ("name", json!("")),
        ("name", json!("x".repeat(1_025))),
        ("caption", json!("x".repeat(1 << 20))),
        (
            "tags",
            json!((0..10_000).map(|n| n.to_string()).collect::<Vec<_>>()),
        ),
        ("tags", json!(["x".repeat(100_000)])),
    ];
    for (field, value) in cases {
        let body = json!({ field: value, "favourite": true });
        let answer = client.patch(&path, &body);
        // A body over the limit for JSON never reaches the field.
        match answer.status {
            413 => drop(answer.problem(413)),
            _ => drop(answer.field_error(422, field)),
        }
        assert_eq!(client.get(&path).json(200), before);
    }
    for body in [
        json!([]),
        json!("x"),
        json!({ "favourite": "yes" }),
        json!({ "name": null, "tags": 5 }),
    ] {
        client.patch(&path, &body).problem(422);
    }
    let read_only = json!({ "sha256": "0", "state": "trashed", "id": "x", "size": 1 });
    let answer = client.patch(&path, &read_only);
    assert!([200, 422].contains(&answer.status), "{}", answer.text());
    assert_eq!(client.get(&path).json(200), before);
    let missing = format!("/api/v1/images/{}", "a".repeat(26));
    client.patch(&missing, &json!({ "name": "x" })).problem(404);
}

/// A change is compare-and-swap on the record: different fields, changed at once, all survive.
fn ten_writers_lose_nothing(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let path = format!("/api/v1/images/{}", client.add("a.jpg", &samples::jpeg(1)));
    for round in 0..3 {
        let edits = [
            json!({ "name": format!("name {round}") }),
            json!({ "caption": format!("caption {round}") }),
            json!({ "tags": [format!("tag {round}")] }),
            json!({ "favourite": round % 2 == 0 }),
        ];
        std::thread::scope(|scope| {
            for n in 0..10 {
                let (client, path, edit) = (client.clone(), &path, &edits[n % 4]);
                scope.spawn(move || client.patch(path, edit).json(200));
            }
        });
        let image = client.get(&path).json(200);
        for edit in &edits {
            let (field, value) = edit.as_object().unwrap().iter().next().unwrap();
            assert_eq!(&image[field], value, "{image}");
        }
    }
}

fn an_edit_survives_a_restart(backend: &Backend) {
    let mut server = Server::start(backend);
    let client = server.user("ada");
    let image = client.upload("a.jpg", &samples::jpeg(1)).json(201);
    let path = format!("/api/v1/images/{}", id(&image));
    let edit = json!({ "name": "b.jpg", "tags": ["kept"], "favourite": true });
    let edited = client.patch(&path, &edit).json(200);
    server.restart();
    assert_eq!(client.get(&path).json(200), edited);
    assert_eq!(client.names("q=kept"), ["b.jpg"]);
}
