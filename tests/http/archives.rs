//! POST /api/v1/archives and its zip: which files, under which names.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use serde_json::{Value, json};

use super::client::Client;
use super::names::HOSTILE;
use super::samples;
use super::server::Server;
use super::store::Backend;
use super::uploads::sha256;

on_both_stores!(
    a_zip_holds_exactly_the_chosen_files,
    equal_names_are_numbered,
    hostile_names_become_plain_ones,
    the_order_is_that_of_the_ids_else_newest_first,
    all_and_a_query_choose_too,
    a_zip_has_a_name,
    an_archive_of_nothing_or_of_others_is_refused,
    a_hundred_and_twenty_pictures_are_all_there,
    twenty_users_get_only_their_own,
    more_than_five_hundred_tickets_end_the_oldest,
);

/// Name and bytes of each entry, as the `zip` crate reads them; it checks every CRC.
pub(super) fn unzipped(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let read = |at| {
        let mut entry = archive.by_index(at).unwrap();
        assert_eq!(entry.compression(), zip::CompressionMethod::Stored);
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.name().unwrap().into_owned(), content)
    };
    let count = zip::ZipArchive::new(Cursor::new(bytes)).unwrap().len();
    (0..count).map(read).collect()
}

/// Makes an archive and fetches it; its size is what the ticket and the header said.
#[track_caller]
fn fetched(client: &Client, body: &Value) -> Vec<(String, Vec<u8>)> {
    let ticket = client.archive(body);
    let answer = client.get(ticket["url"].as_str().unwrap()).expect(200);
    assert_eq!(answer.header("Content-Type"), "application/zip");
    assert_eq!(answer.header("Content-Length"), ticket["size"].to_string());
    assert_eq!(answer.body.len() as u64, ticket["size"].as_u64().unwrap());
    let entries = unzipped(&answer.body);
    assert_eq!(entries.len() as u64, ticket["entries"].as_u64().unwrap());
    entries
}

#[track_caller]
fn entry_names(client: &Client, body: &Value) -> Vec<String> {
    fetched(client, body)
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

/// R1.38, R1.40: byte for byte, and nothing else.
fn a_zip_holds_exactly_the_chosen_files(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let files = [
        ("a.jpg", samples::jpeg(1)),
        ("b.bmp", samples::bmp(b"xyz", 300, 250)),
        ("c.png", samples::png(2)),
        ("d.jpg", samples::jpeg(3)),
    ];
    let ids: Vec<_> = files
        .iter()
        .map(|(name, bytes)| client.add(name, bytes))
        .collect();
    let entries = fetched(&client, &json!({ "ids": [ids[0], ids[1], ids[2]] }));
    let digests = |files: &[(String, Vec<u8>)]| -> BTreeMap<String, String> {
        files
            .iter()
            .map(|(name, bytes)| (name.clone(), sha256(bytes)))
            .collect()
    };
    let chosen: Vec<_> = files[..3]
        .iter()
        .map(|(n, b)| (n.to_string(), b.clone()))
        .collect();
    assert_eq!(digests(&entries), digests(&chosen));
    let one = fetched(&client, &json!({ "ids": [ids[3]] }));
    assert_eq!(one, [("d.jpg".to_owned(), files[3].1.clone())]);
}

/// R1.41: unique, also where only the case differs.
fn equal_names_are_numbered(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let names = ["x.jpg", "x.jpg", "X.JPG", "x (2).jpg", "x.jpg"];
    let add = |(seed, name): (u32, &&str)| client.add(name, &samples::jpeg(seed));
    let ids: Vec<_> = (0..).zip(&names).map(add).collect();
    let entries = fetched(&client, &json!({ "ids": ids }));
    assert_eq!(entries[0].0, "x.jpg");
    for (seed, (_, bytes)) in (0..).zip(&entries) {
        assert_eq!(*bytes, samples::jpeg(seed));
    }
    let two = entry_names(&client, &json!({ "ids": ids[..2] }));
    assert_eq!(two, ["x.jpg", "x (2).jpg"]);
    let mut unique: Vec<_> = entries
        .iter()
        .map(|(name, _)| name.to_lowercase())
        .collect();
    unique.sort();
    unique.dedup();
    assert_eq!(
        unique.len(),
        5,
        "{entries:?}",
        entries = entries.iter().map(|e| &e.0).collect::<Vec<_>>()
    );
}

/// R1.41: no path, no control character, no name that Windows reserves; unpacked, all plain files.
fn hostile_names_become_plain_ones(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for (seed, name) in (0..).zip(HOSTILE) {
        client.add(name, &samples::jpeg(seed));
    }
    let names = entry_names(&client, &json!({ "all": true }));
    assert_eq!(names.len(), HOSTILE.len());
    for name in &names {
        assert!(!name.is_empty() && name != "." && name != "..", "{name:?}");
        let bad = |c: char| c.is_control() || "/\\:<>\"|?*\u{202e}\u{200f}".contains(c);
        assert!(!name.contains(bad), "{name:?}");
        assert!(!name.ends_with(['.', ' ']), "{name:?}");
        let stem = name.split('.').next().unwrap().to_ascii_uppercase();
        assert!(
            !["CON", "NUL", "AUX", "PRN"].contains(&stem.as_str()),
            "{name:?}"
        );
    }
    assert!(names.contains(&"图片.png".to_owned()) && names.contains(&"my cat.png".to_owned()));
    assert!(names.iter().any(|name| name.contains("🏖️")), "{names:?}");
}

fn the_order_is_that_of_the_ids_else_newest_first(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids: Vec<_> = (0..4)
        .map(|n| client.add(&format!("{n}"), &samples::jpeg(n)))
        .collect();
    let chosen = json!({ "ids": [ids[2], ids[0], ids[3], ids[2]] });
    assert_eq!(
        entry_names(&client, &chosen),
        ["2", "0", "3"],
        "a repeated id counts once"
    );
    assert_eq!(
        entry_names(&client, &json!({ "all": true })),
        ["3", "2", "1", "0"]
    );
    assert_eq!(
        entry_names(&client, &json!({ "query": "" , "except": [ids[1]] })),
        ["3", "2", "0"]
    );
}

/// R1.39: all means every active one.
fn all_and_a_query_choose_too(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let names = ["zoe 1", "Zoë 2", "zoe 3", "other"];
    let add = |(seed, name): (u32, &&str)| client.add(name, &samples::jpeg(seed));
    let ids: Vec<_> = (0..).zip(&names).map(add).collect();
    let query = json!({ "query": "zoe", "except": [ids[2]] });
    assert_eq!(entry_names(&client, &query), ["Zoë 2", "zoe 1"]);
    client
        .delete(&format!("/api/v1/images/{}", ids[3]))
        .expect(204);
    assert_eq!(entry_names(&client, &json!({ "all": true })).len(), 3);
    client
        .post("/api/v1/archives", &json!({ "query": "nothing" }))
        .problem(422);
}

/// R1.40.
fn a_zip_has_a_name(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    client.add("a", &samples::jpeg(1));
    let ticket = client.archive(&json!({ "all": true }));
    for member in ["url", "filename", "size", "entries", "expires_at"] {
        assert!(!ticket[member].is_null(), "no {member} in {ticket}");
    }
    assert_eq!(ticket["filename"], "pictures.zip");
    let answer = client.get(ticket["url"].as_str().unwrap()).expect(200);
    let disposition = answer.header("Content-Disposition");
    assert!(disposition.starts_with("attachment"), "{disposition}");
    assert!(disposition.contains("pictures.zip"), "{disposition}");
    let named = client.archive(&json!({ "all": true, "name": "Urlaub 2024.zip" }));
    assert_eq!(named["filename"], "Urlaub 2024.zip");
    let answer = client.get(named["url"].as_str().unwrap()).expect(200);
    assert!(answer.header("Content-Disposition").contains("Urlaub"));
    let bare = client.archive(&json!({ "all": true, "name": "Urlaub" }));
    assert_eq!(bare["filename"], "Urlaub.zip");
    let evil = client.post(
        "/api/v1/archives",
        &json!({ "all": true, "name": "../a\r\nb.zip" }),
    );
    if evil.status == 201 {
        let filename = evil.json(201)["filename"].as_str().unwrap().to_owned();
        assert!(!filename.contains(['/', '\r', '\n']), "{filename:?}");
    } else {
        evil.field_error(422, "name");
    }
}

/// R1.42: never an empty zip with 200.
fn an_archive_of_nothing_or_of_others_is_refused(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for body in [
        json!({ "all": true }),
        json!({ "ids": [] }),
        json!({ "query": "x" }),
    ] {
        client.post("/api/v1/archives", &body).problem(422);
    }
    let own = client.add("a", &samples::jpeg(1));
    let foreign = server.user("bob").add("b", &samples::jpeg(1));
    client
        .post("/api/v1/archives", &json!({ "ids": [own, foreign] }))
        .problem(404);
    let stored = server.store.blob_count();
    let except = json!({ "query": "a", "except": [own] });
    client.post("/api/v1/archives", &except).problem(422);
    assert_eq!(server.store.blob_count(), stored);
}

/// R1.39: beyond one page of the list.
fn a_hundred_and_twenty_pictures_are_all_there(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for n in 0..120 {
        client.add(&format!("{n}.jpg"), &samples::jpeg(n));
    }
    let mut entries = fetched(&client, &json!({ "all": true }));
    entries.reverse();
    assert_eq!(entries.len(), 120);
    for (n, (name, bytes)) in (0..).zip(&entries) {
        assert_eq!((name, bytes), (&format!("{n}.jpg"), &samples::jpeg(n)));
    }
}

/// R1.43.
fn twenty_users_get_only_their_own(backend: &Backend) {
    let server = Server::start(backend);
    let users: Vec<_> = (0..20).map(|n| server.user(&format!("user{n}"))).collect();
    std::thread::scope(|scope| {
        for (n, client) in (0..).zip(&users) {
            scope.spawn(move || {
                for picture in 0..3 {
                    client.add("same.jpg", &samples::jpeg(n * 3 + picture));
                }
                let entries = fetched(client, &json!({ "all": true }));
                let contents: Vec<_> = entries.into_iter().map(|(_, bytes)| bytes).collect();
                let own: Vec<_> = (0..3).rev().map(|p| samples::jpeg(n * 3 + p)).collect();
                assert!(contents == own, "user{n} got something else");
            });
        }
    });
}

/// Tickets take room that no quota counts.
fn more_than_five_hundred_tickets_end_the_oldest(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let id = client.add("a.jpg", &samples::jpeg(1));
    let tickets: Vec<Value> = (0..502)
        .map(|_| client.archive(&json!({ "ids": [id] })))
        .collect();
    let status = |ticket: &Value| client.get(ticket["url"].as_str().unwrap()).status;
    assert_eq!([0, 1].map(|at| status(&tickets[at])), [404, 404]);
    assert_eq!([2, 501].map(|at| status(&tickets[at])), [200, 200]);
}
