//! Two users of one server never see, count or change each other's things.

use serde_json::json;

use super::answer::Answer;
use super::client::Client;
use super::samples;
use super::server::Server;
use super::store::Backend;
use super::uploads::sha256;

on_both_stores!(
    lists_counts_and_searches_are_each_users_own,
    a_foreign_image_answers_like_one_that_never_existed,
    signed_out_nothing_is_served,
);

/// R1.33.
fn lists_counts_and_searches_are_each_users_own(backend: &Backend) {
    let server = Server::start(backend);
    let (ada, bob) = (server.user("ada"), server.user("bob"));
    for n in 0..3 {
        ada.add(&format!("ada {n}"), &samples::jpeg(n));
    }
    bob.add("bob 0", &samples::jpeg(0));
    assert_eq!(ada.list("")["total"], 3);
    assert_eq!(bob.names(""), ["bob 0"]);
    assert_eq!(bob.names("q=ada"), [""; 0]);
    assert_eq!(bob.list("q=ada")["total"], 0);
    let all = json!({ "all": true });
    assert_eq!(
        bob.post("/api/v1/images/delete", &all).json(200)["deleted"],
        1
    );
    assert_eq!(ada.list("")["total"], 3);
    let known = json!({ "sha256": [sha256(&samples::jpeg(2))] });
    let known = bob.post("/api/v1/images/known", &known).json(200);
    assert_eq!(known["known"], json!({}));
}

/// R1.30, R1.46, R0.22: the same status and the same body, byte for byte.
fn a_foreign_image_answers_like_one_that_never_existed(backend: &Backend) {
    let server = Server::start(backend);
    let (ada, bob) = (server.user("ada"), server.user("bob"));
    let bytes = samples::jpeg(1);
    let foreign = ada.add("a.jpg", &bytes);
    let image = ada.image(&foreign);
    let missing = "a".repeat(26);
    let requests: [(&str, &str, Option<serde_json::Value>); 9] = [
        ("GET", "", None),
        ("GET", "/original", None),
        ("HEAD", "/original", None),
        ("GET", "/original?inline=true", None),
        ("GET", "/thumbnail", None),
        ("GET", "/preview", None),
        ("PATCH", "", Some(json!({ "name": "mine now" }))),
        ("DELETE", "", None),
        ("DELETE", "?permanent=true", None),
    ];
    for (method, rest, body) in requests {
        let ask = |client: &Client, id: &str| {
            let request = client.request(method, &format!("/api/v1/images/{id}{rest}"));
            Answer::to(match &body {
                Some(body) => request.json(body),
                None => request,
            })
            .expect(404)
        };
        let (theirs, nobodys) = (ask(&bob, &foreign), ask(&bob, &missing));
        assert_eq!(theirs.text(), nobodys.text(), "{method} {rest}");
        let names = |answer: &Answer| answer.headers.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&theirs), names(&nobodys), "{method} {rest}");
        for malformed in [
            "x",
            "..",
            "%00",
            &foreign.to_uppercase(),
            &"a".repeat(5_000),
        ] {
            ask(&bob, malformed);
        }
    }
    for path in ["images/delete", "images/restore", "archives"] {
        // But for the id itself, which a bulk call names back.
        let ask = |id: &str| {
            let answer = bob.post(&format!("/api/v1/{path}"), &json!({ "ids": [id] }));
            answer.expect(404).text().replace(id, "")
        };
        assert_eq!(ask(&foreign), ask(&missing), "{path}");
    }
    assert_eq!(ada.image(&foreign), image, "something was changed");
    assert_eq!(ada.original(&foreign), bytes);
}

/// R1.20, R1.30, R0.25.
fn signed_out_nothing_is_served(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let id = client.add("a.jpg", &samples::jpeg(1));
    let anonymous = server.anonymous();
    for rest in ["", "/original", "/thumbnail", "/preview"] {
        anonymous
            .get(&format!("/api/v1/images/{id}{rest}"))
            .problem(401);
    }
    let stored = server.store.blob_count();
    anonymous.upload("b.jpg", &samples::jpeg(2)).problem(401);
    assert_eq!(server.store.blob_count(), stored);
    for path in [
        "/static/uploads/a.jpg",
        "/uploads/a.jpg",
        &format!("/static/{id}"),
    ] {
        anonymous.get(path).expect(404);
    }
}
