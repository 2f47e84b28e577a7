//! POST /api/v1/account/import and its page: an export comes back whole, or it is told what does not.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Answer;
use super::client::Client;
use super::exporting::{exported, furnished, list_in};
use super::samples;
use super::server::{Server, wait_until};
use super::store::Backend;

on_both_stores!(
    an_export_comes_back_with_all_that_was_said,
    a_second_import_adds_nothing_and_changes_nothing,
    what_is_here_already_keeps_its_own_words,
    a_truncated_zip_brings_what_it_has_and_names_the_rest,
    a_changed_picture_is_told_and_not_stored,
    a_picture_that_breaks_the_rules_of_this_vault_is_told,
    names_in_a_list_lose_what_acts_on_the_text_around_them,
    what_is_no_export_is_refused_in_words,
    an_import_needs_its_owner_and_a_page_of_ours,
    an_import_ends_with_its_session,
    the_page_takes_an_export_back_and_counts,
    who_claims_a_long_list_and_sends_little_keeps_nobody_from_uploading,
);

/// Sends a zip.
#[track_caller]
pub(super) fn import(client: &Client, zip: &[u8]) -> Answer {
    Answer::to(
        client
            .request("POST", "/api/v1/account/import")
            .header("Content-Type", "application/zip")
            .body(zip.to_vec()),
    )
}

/// What is said about each picture, by its bytes; the trash's date is that of the import.
fn said(client: &Client) -> BTreeMap<String, Value> {
    let states = ["active", "trashed"].map(|state| client.list(&format!("state={state}")));
    let lists = states.iter().map(|list| list["items"].as_array().unwrap());
    let pictures = lists.flatten().map(|picture| {
        let mut picture = picture.clone();
        let fields = picture.as_object_mut().unwrap();
        for other in ["id", "trashed_at"] {
            fields.remove(other);
        }
        (picture["sha256"].as_str().unwrap().to_owned(), picture)
    });
    pictures.collect()
}

/// Where a picture's bytes begin in a zip.
fn place(zip: &[u8], bytes: &[u8]) -> usize {
    let mut windows = zip.windows(bytes.len());
    windows.position(|window| window == bytes).unwrap()
}

/// The zip with another text for one that is as long, in the list, whose checksum is set right.
fn with_list(zip: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut changed = zip.to_vec();
    let len = u32::from_le_bytes(zip[22..26].try_into().unwrap()) as usize;
    let list = &mut changed[46..46 + len];
    let at = place(list, from.as_bytes());
    list[at..at + to.len()].copy_from_slice(to.as_bytes());
    let crc32 = crc32fast::hash(list);
    changed[14..18].copy_from_slice(&crc32.to_le_bytes());
    changed
}

fn an_export_comes_back_with_all_that_was_said(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    furnished(&ada);
    let zip = exported(&ada);
    // Into the other store, where there is one: an export knows none.
    let other = match backend {
        Backend::Embedded => Backend::mongodb().unwrap_or(Backend::Embedded),
        Backend::Mongodb(_) => Backend::Embedded,
    };
    let elsewhere = Server::start(&other);
    let bob = elsewhere.user("bob");
    let report = import(&bob, &zip).json(200);
    let expected = json!({
        "total": 5, "identical": 5, "added": 5, "already_here": 0, "left_out": [], "failed": [],
    });
    assert_eq!(report, expected);
    assert_eq!(said(&bob), said(&ada));
    let trashed = bob.list("state=trashed");
    assert_eq!(trashed["total"], 1);
    let again = list_in(&exported(&bob));
    let pictures = |list: &Value| list["pictures"].as_array().unwrap().len();
    assert_eq!(pictures(&again), 5);
}

fn a_second_import_adds_nothing_and_changes_nothing(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    furnished(&ada);
    let zip = exported(&ada);
    let bob = server.user("bob");
    import(&bob, &zip).json(200);
    let (before, blobs) = (said(&bob), server.store.blob_count());
    let report = import(&bob, &zip).json(200);
    assert_eq!(
        (&report["added"], &report["already_here"]),
        (&json!(0), &json!(5))
    );
    assert_eq!(report["identical"], 5);
    assert_eq!(said(&bob), before);
    assert_eq!(server.store.blob_count(), blobs);
    assert_eq!(
        bob.list("state=trashed")["total"],
        1,
        "it stays in the trash"
    );
}

fn what_is_here_already_keeps_its_own_words(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    furnished(&ada);
    let zip = exported(&ada);
    let bob = server.user("bob");
    let sea = bob.add("my own name.jpg", &samples::jpeg(1));
    let path = format!("/api/v1/images/{sea}");
    bob.patch(&path, &json!({ "caption": "mine" })).expect(200);
    let twin = bob.add("twin.jpg", &samples::jpeg(2));
    bob.delete(&format!("/api/v1/images/{twin}")).expect(204);
    import(&bob, &zip).json(200);
    let sea = bob.image(&sea);
    assert_eq!(sea["name"], "my own name.jpg");
    assert_eq!(sea["also_named"], json!(["sea.jpg", "sea again.jpg"]));
    assert_eq!(sea["caption"], "mine");
    assert_eq!(sea["tags"], json!(["Öl & Salz", "sea"]), "there were none");
    assert_eq!(sea["favourite"], true);
    assert_eq!(
        bob.image(&twin)["state"],
        "active",
        "as when it is uploaded again"
    );
}

fn a_truncated_zip_brings_what_it_has_and_names_the_rest(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    furnished(&ada);
    let zip = exported(&ada);
    let list = list_in(&zip);
    let cut = place(&zip, &samples::png(3)) + 100;
    let bob = server.user("bob");
    let report = import(&bob, &zip[..cut]).json(200);
    let whole = list["pictures"].as_array().unwrap();
    let there = whole
        .iter()
        .position(|one| one["size"] == samples::png(3).len());
    assert_eq!(report["total"], 5);
    assert_eq!(report["identical"], there.unwrap());
    let failed = report["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 5 - there.unwrap());
    assert!(failed[0]["reason"].as_str().unwrap().contains("zip ends"));
    // The rest comes with the whole one.
    let report = import(&bob, &zip).json(200);
    assert_eq!(report["identical"], 5);
    assert_eq!(report["already_here"], there.unwrap());
    for len in [0, 3, 20, 60, 200] {
        import(&bob, &zip[..len]).field_error(422, "file");
    }
}

fn a_changed_picture_is_told_and_not_stored(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    furnished(&ada);
    let zip = exported(&ada);
    let mut flipped = zip.clone();
    let at = place(&zip, &samples::jpeg(2));
    flipped[at + samples::jpeg(2).len() / 2] ^= 1;
    let report = import(&server.user("bob"), &flipped).json(200);
    assert_eq!(report["identical"], 4);
    assert_eq!(report["failed"][0]["name"], "SEA.jpg");
    assert!(
        report["failed"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("SHA-256")
    );
    let bob = server.anonymous().signed_in("bob", super::client::PASSWORD);
    assert_eq!(bob.list("")["total"], 3);
    // A list that lies about a picture is believed no more than a picture that differs.
    let sum = super::uploads::sha256(&samples::jpeg(2));
    let lie = format!(
        "{}{}",
        &sum[..62],
        if sum.ends_with("00") { "01" } else { "00" }
    );
    let carl = server.user("carl");
    let report = import(&carl, &with_list(&zip, &sum, &lie)).json(200);
    assert_eq!(
        (&report["identical"], carl.list("")["total"].as_u64()),
        (&json!(4), Some(3))
    );
    // A list that was damaged itself is not believed at all.
    let mut damaged = zip.clone();
    damaged[90] ^= 1;
    import(&carl, &damaged).field_error(422, "file");
    // A header of another length than the list's takes nothing from the pictures behind it.
    let size = samples::png(3).len();
    let lying = with_list(
        &zip,
        &format!("\"size\":{size},"),
        &format!("\"size\":{},", size + 1),
    );
    let report = import(&server.user("dora"), &lying).json(200);
    assert_eq!(report["identical"], 4);
    assert!(
        report["failed"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("length")
    );
}

fn a_picture_that_breaks_the_rules_of_this_vault_is_told(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    ada.add("small.jpg", &samples::jpeg(1));
    ada.add("large.bmp", &samples::bmp(b"0123456789", 600, 400));
    let zip = exported(&ada);
    let elsewhere = Server::with(backend, &[("MAX_FILE", "100 KiB")]);
    let bob = elsewhere.user("bob");
    let report = import(&bob, &zip).json(200);
    assert_eq!(
        (&report["identical"], &report["total"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(report["failed"][0]["name"], "large.bmp");
    assert!(
        report["failed"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("larger")
    );
    assert_eq!(bob.names(""), ["small.jpg"]);
}

/// Exports of before may hold such names, and so may what others write.
fn names_in_a_list_lose_what_acts_on_the_text_around_them(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    furnished(&ada);
    let zip = exported(&ada);
    let zip = with_list(&zip, "\"name\":\"sea.jpg\"", "\"name\":\"\\u202ea\"");
    let zip = with_list(&zip, "\"sea again.jpg\"", "\"b\\u0007\\u2066\"");
    let bob = server.user("bob");
    let report = import(&bob, &zip).json(200);
    assert_eq!(report["identical"], 5, "{report}");
    let list = bob.list("q=lines");
    let sea = &list["items"][0];
    assert_eq!(
        (&sea["name"], &sea["also_named"]),
        (&json!("a"), &json!(["b"]))
    );
}

fn what_is_no_export_is_refused_in_words(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    ada.add("a.jpg", &samples::jpeg(1));
    let ticket = ada.archive(&json!({ "all": true }));
    let selection = ada.get(ticket["url"].as_str().unwrap()).expect(200).body;
    let zip = exported(&ada);
    let newer = with_list(&zip, "\"version\": 1", "\"version\": 9");
    let cases = [
        (selection, "no export"),
        (samples::jpeg(1), "no export"),
        (b"PK\x05\x06".to_vec(), "no export"),
        (
            with_list(&zip, "image-vault-export", "image-vault-expert"),
            "no export",
        ),
        (newer, "newer"),
        (with_list(&zip, "{", "}"), "no export"),
    ];
    let bob = server.user("bob");
    for (bytes, words) in cases {
        let told = import(&bob, &bytes).field_error(422, "file");
        assert!(told.contains(words), "{told}");
    }
    // Packed again by a program that compresses, or that puts lengths behind the files.
    let mut packed = zip.clone();
    packed[8] = 8;
    import(&bob, &packed).field_error(422, "file");
    assert_eq!(bob.list("")["total"], 0);
}

fn an_import_needs_its_owner_and_a_page_of_ours(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    ada.add("a.jpg", &samples::jpeg(1));
    let zip = exported(&ada);
    import(&server.anonymous(), &zip).problem(401);
    server.user("bob");
    let browser = server.signed_in("bob");
    let bare = browser
        .bare("POST", "/api/v1/account/import")
        .body(zip.clone());
    Answer::to(bare).expect(403);
    let form = reqwest::blocking::multipart::Form::new();
    let part = reqwest::blocking::multipart::Part::bytes(zip).file_name("e.zip");
    let form = form
        .part("file", part)
        .text("csrf_token", browser.csrf.clone());
    let late = browser.request("POST", "/account/import").multipart(form);
    Answer::to(late).expect(403);
    let bob = server.anonymous().signed_in("bob", super::client::PASSWORD);
    assert_eq!(
        bob.list("")["total"],
        0,
        "a token that comes after the file is too late"
    );
}

fn an_import_ends_with_its_session(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    for n in 0..3 {
        ada.add(&format!("{n}.jpg"), &samples::jpeg(n));
    }
    let zip = exported(&ada);
    let bob = server.user("bob");
    let watcher = bob.signed_in("bob", super::client::PASSWORD);
    // The first picture comes; then its owner signs out, and only then the others.
    let (list, first) = (list_in(&zip), 3 - 1);
    assert_eq!(list["pictures"][0]["name"], "2.jpg");
    let cut = place(&zip, &samples::jpeg(first)) + samples::jpeg(first).len();
    let (sender, pieces) = std::sync::mpsc::channel::<Vec<u8>>();
    let body = reqwest::blocking::Body::sized(Pieces::new(pieces), zip.len() as u64);
    let request = bob.request("POST", "/api/v1/account/import").body(body);
    let sent = std::thread::spawn(move || Answer::try_to(request));
    sender.send(zip[..cut].to_vec()).unwrap();
    wait_until("the first one is there", || watcher.list("")["total"] == 1);
    bob.delete("/api/v1/session").expect(204);
    // It looks every two seconds, though nothing comes.
    std::thread::sleep(std::time::Duration::from_secs(3));
    sender.send(zip[cut..].to_vec()).unwrap();
    drop(sender);
    // By now it has answered and hung up: who sends on meets the one or the other.
    if let Ok(answer) = sent.join().unwrap() {
        answer.problem(401);
    }
    assert!(watcher.list("")["total"].as_u64().unwrap() < 3);
    let report = import(&watcher, &zip).json(200);
    assert_eq!(report["identical"], 3);
}

/// A body that comes when the test says so.
struct Pieces {
    pieces: std::sync::mpsc::Receiver<Vec<u8>>,
    present: std::io::Cursor<Vec<u8>>,
}

impl Pieces {
    fn new(pieces: std::sync::mpsc::Receiver<Vec<u8>>) -> Self {
        let present = std::io::Cursor::default();
        Self { pieces, present }
    }
}

impl std::io::Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.present.read(into)? {
                0 => match self.pieces.recv() {
                    Ok(next) => self.present = std::io::Cursor::new(next),
                    Err(_) => return Ok(0),
                },
                read => return Ok(read),
            }
        }
    }
}

fn the_page_takes_an_export_back_and_counts(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    furnished(&ada);
    let zip = exported(&ada);
    let bob = server.user("bob");
    let mut browser = server.signed_in("bob");
    browser.get("/account/import").expect(200);
    let mut send = |name: &str, bytes: &[u8]| {
        let part = reqwest::blocking::multipart::Part::bytes(bytes.to_vec());
        let form = reqwest::blocking::multipart::Form::new()
            .text("csrf_token", browser.csrf.clone())
            .part("file", part.file_name(name.to_owned()));
        let answer = Answer::to(browser.request("POST", "/account/import").multipart(form));
        browser.get("/account/import").expect(200);
        answer
    };
    let page = send("export.zip", &zip).expect(200).text();
    assert!(page.contains("5 of 5 identical") && page.contains("5 pictures added"));
    let page = send("export.zip", &zip).expect(200).text();
    assert!(page.contains("5 of 5 identical") && page.contains("0 pictures added"));
    assert_eq!(said(&bob), said(&ada));
    let page = send("other.zip", b"something else").expect(422).text();
    assert!(page.contains("no export of an Image Vault"));
    let page = send("", b"").expect(422).text();
    assert!(page.contains("No file was chosen"));
    let mut flipped = zip.clone();
    let at = place(&zip, &samples::png(3));
    flipped[at + 60] ^= 1;
    // Names are shown as text.
    server.user("carl");
    let mut browser = server.signed_in("carl");
    browser.get("/account/import").expect(200);
    let part = reqwest::blocking::multipart::Part::bytes(flipped).file_name("e.zip");
    let form = reqwest::blocking::multipart::Form::new()
        .text("csrf_token", browser.csrf.clone())
        .part("file", part);
    let page = Answer::to(browser.request("POST", "/account/import").multipart(form));
    let page = page.expect(200).text();
    assert!(page.contains("4 of 5 identical") && page.contains("SHA-256"));
    assert!(page.contains("&lt;b&gt;pass") && !page.contains("<b>pass"));
}

/// Two of them, whose lists alone would take more than all the memory there is.
fn who_claims_a_long_list_and_sends_little_keeps_nobody_from_uploading(backend: &Backend) {
    let settings = [("UPLOAD_MEMORY", "16 MiB"), ("MAX_FILE", "8 MiB")];
    let server = Server::with(backend, &settings);
    let ada = server.user("ada");
    ada.add("1.jpg", &samples::jpeg(1));
    let mut begun = exported(&ada);
    // Both lengths in the first file's header (APPNOTE 4.3.7).
    let claimed = (200_u32 << 20).to_le_bytes();
    begun[18..22].copy_from_slice(&claimed);
    begun[22..26].copy_from_slice(&claimed);
    begun.truncate(200);
    let _links: Vec<_> = ["ben", "cleo"]
        .map(|name| {
            let client = server.user(name);
            let head = format!(
                "POST /api/v1/account/import HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
                 Content-Type: application/zip\r\nContent-Length: 300000000\r\n\r\n",
                server.host(),
                client.token
            );
            let mut link = TcpStream::connect(server.host()).unwrap();
            link.write_all(&[head.as_bytes(), &begun].concat()).unwrap();
            link
        })
        .into();
    std::thread::sleep(Duration::from_millis(500));
    let mut large = samples::jpeg(2);
    large.resize(6 << 20, 0);
    ada.add("2.jpg", &large);
}
