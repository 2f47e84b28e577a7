//! POST /api/v1/account/export and its zip: everything, as it is, and what was said about it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::archives::unzipped;
use super::client::Client;
use super::samples;
use super::server::Server;
use super::store::Backend;
use super::uploads::sha256;

on_both_stores!(
    an_export_holds_everything_and_a_list_of_it,
    an_export_resumes_anywhere_with_the_same_bytes,
    the_list_comes_first_and_nothing_of_it_is_stored_in_the_clear,
    an_account_without_pictures_has_nothing_to_export,
    a_damaged_picture_can_be_left_out_and_is_named,
    nobody_else_gets_an_export,
    the_page_says_what_it_holds_and_leads_to_the_zip,
);

/// The zip of everything.
#[track_caller]
pub(super) fn exported(client: &Client) -> Vec<u8> {
    let ticket = client.post("/api/v1/account/export", &json!({})).json(201);
    let answer = client.get(ticket["url"].as_str().unwrap()).expect(200);
    assert_eq!(answer.body.len() as u64, ticket["size"].as_u64().unwrap());
    answer.body
}

/// The list in a zip.
pub(super) fn list_in(zip: &[u8]) -> Value {
    let (name, bytes) = unzipped(zip).swap_remove(0);
    assert_eq!(name, "image-vault.json");
    serde_json::from_slice(&bytes).unwrap()
}

/// Five pictures about which much is said: one in the trash, two of one name, one with EXIF.
pub(super) fn furnished(client: &Client) -> Vec<String> {
    let edit = |id: &str, body: &Value| {
        client
            .patch(&format!("/api/v1/images/{id}"), body)
            .expect(200);
    };
    let sea = client.add("sea.jpg", &samples::jpeg(1));
    let about =
        json!({ "tags": ["Öl & Salz", "sea"], "caption": "„Two\nlines“ 🌊", "favourite": true });
    edit(&sea, &about);
    client.upload("sea again.jpg", &samples::jpeg(1)).json(200);
    let twin = client.add("SEA.jpg", &samples::jpeg(2));
    let hostile = client.add("../../etc/<b>pass\u{202e}wd\n.png", &samples::png(3));
    let gone = client.add("gone.jpg", &samples::jpeg(4));
    edit(&gone, &json!({ "tags": ["old"] }));
    client.delete(&format!("/api/v1/images/{gone}")).expect(204);
    let turned = client.add("turned.jpg", &samples::sideways());
    vec![sea, twin, hostile, gone, turned]
}

fn an_export_holds_everything_and_a_list_of_it(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids = furnished(&client);
    let zip = exported(&client);
    let list = list_in(&zip);
    assert_eq!(list["format"], "image-vault-export");
    assert_eq!(list["version"], 1);
    assert_eq!(list["damaged"], json!([]));
    let files: BTreeMap<_, _> = unzipped(&zip).into_iter().collect();
    assert!(String::from_utf8_lossy(&files["README.txt"]).contains("sha256sum"));
    let pictures = list["pictures"].as_array().unwrap();
    assert_eq!(pictures.len(), 5);
    assert_eq!(files.len(), 7, "the list, a few words, five pictures");
    for id in &ids {
        let image = client.image(id);
        let listed = pictures.iter().find(|one| one["sha256"] == image["sha256"]);
        let listed = listed.unwrap();
        for field in [
            "name",
            "also_named",
            "size",
            "content_type",
            "uploaded_at",
            "trashed_at",
            "taken_at",
            "camera",
            "tags",
            "caption",
            "favourite",
        ] {
            assert_eq!(listed[field], image[field], "{field}");
        }
        let path = listed["path"].as_str().unwrap();
        let folder = match image["trashed_at"].is_null() {
            true => "originals/",
            false => "trash/",
        };
        assert!(path.starts_with(folder), "{path}");
        assert!(!path.contains(".."), "{path}");
        assert_eq!(sha256(&files[path]), image["sha256"].as_str().unwrap());
    }
}

fn an_export_resumes_anywhere_with_the_same_bytes(backend: &Backend) {
    let mut server = Server::start(backend);
    let client = server.user("ada");
    furnished(&client);
    let ticket = client.post("/api/v1/account/export", &json!({})).json(201);
    let url = ticket["url"].as_str().unwrap();
    let whole = client.get(url).expect(200).body;
    // What is said afterwards is not in it, also after a restart.
    let id = client.list("")["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    client
        .patch(
            &format!("/api/v1/images/{id}"),
            &json!({ "caption": "later" }),
        )
        .expect(200);
    server.restart();
    for from in [1, 40, 60, 700, whole.len() / 2, whole.len() - 30] {
        let range = format!("bytes={from}-");
        let rest = client.get_with(url, "Range", &range).expect(206).body;
        assert!(rest == whole[from..], "from {from}");
        let range = format!("bytes={}-{from}", from / 2);
        let part = client.get_with(url, "Range", &range).expect(206).body;
        assert!(part == whole[from / 2..=from], "to {from}");
    }
}

fn the_list_comes_first_and_nothing_of_it_is_stored_in_the_clear(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let id = client.add("wilhelmina-8843.jpg", &samples::jpeg(1));
    let said = json!({ "caption": "wilhelmina-8843 laughs", "tags": ["wilhelmina-8843"] });
    client
        .patch(&format!("/api/v1/images/{id}"), &said)
        .expect(200);
    let zip = exported(&client);
    let holds = |bytes: &[u8]| bytes.windows(15).any(|window| window == b"wilhelmina-8843");
    assert!(holds(&zip), "the search finds nothing");
    assert_eq!(zip[..4], *b"PK\x03\x04");
    assert_eq!(zip[30..46], *b"image-vault.json");
    for (place, bytes) in server.store.everything() {
        assert!(!holds(&bytes), "in {place}");
    }
    assert!(!holds(server.log().as_bytes()), "in the log");
}

fn an_account_without_pictures_has_nothing_to_export(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let stored = server.store.blob_count();
    client
        .post("/api/v1/account/export", &json!({}))
        .field_error(422, "pictures");
    assert_eq!(server.store.blob_count(), stored);
    let mut browser = server.signed_in("ada");
    let page = browser.get("/account/export").expect(200).text();
    assert!(page.contains("nothing to take along"));
}

fn a_damaged_picture_can_be_left_out_and_is_named(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    client.add("first.jpg", &samples::jpeg(1));
    client.add("broken.bmp", &samples::bmp(b"0123456789", 600, 400));
    client.add("last.jpg", &samples::jpeg(2));
    server.store.damage_largest_blob();
    let careful = json!({ "leave_out_damaged": true });
    let ticket = client.post("/api/v1/account/export", &careful).json(201);
    let zip = client.get(ticket["url"].as_str().unwrap()).expect(200).body;
    let list = list_in(&zip);
    assert_eq!(list["damaged"][0]["name"], "broken.bmp");
    assert_eq!(list["pictures"].as_array().unwrap().len(), 2);
    assert_eq!(unzipped(&zip).len(), 4);
    // Who does not ask for that sees a transfer that fails, and never wrong bytes.
    let ticket = client.post("/api/v1/account/export", &json!({})).json(201);
    let request = client.request("GET", ticket["url"].as_str().unwrap());
    assert!(super::answer::Answer::try_to(request).is_err());
}

fn nobody_else_gets_an_export(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    ada.add("a.jpg", &samples::jpeg(1));
    let ticket = ada.post("/api/v1/account/export", &json!({})).json(201);
    let url = ticket["url"].as_str().unwrap();
    server.user("bob").get(url).problem(404);
    server.anonymous().get(url).problem(401);
    server
        .anonymous()
        .post("/api/v1/account/export", &json!({}))
        .problem(401);
    server
        .signed_in("ada")
        .submit("/account/export", &[])
        .expect(403);
}

fn the_page_says_what_it_holds_and_leads_to_the_zip(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    furnished(&client);
    let mut browser = server.signed_in("ada");
    for page in ["/account", "/account/delete"] {
        let page = browser.get(page).expect(200).text();
        assert!(page.contains("href=\"/account/export\""));
    }
    let page = browser.get("/account/export").expect(200).text();
    assert!(page.contains("5 pictures") && page.contains("those in the trash"));
    for fields in [&[][..], &[("check", "on")]] {
        let answer = browser.submit_signed("/account/export", fields);
        let zip = browser.follow(answer).expect(200);
        assert!(
            zip.header("Content-Disposition")
                .contains("image-vault-export-")
        );
        assert_eq!(unzipped(&zip.body).len(), 7);
        browser.get("/account/export").expect(200);
    }
}
