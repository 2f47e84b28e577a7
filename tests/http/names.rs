//! Names: kept exactly, bounded, and data only.

use reqwest::blocking::multipart::{Form, Part};

use super::answer::Answer;
use super::client::id;
use super::samples;
use super::server::Server;
use super::store::{Backend, files_below};

on_both_stores!(
    names_survive_exactly,
    a_name_in_a_form_survives_too,
    a_name_has_1_to_1024_bytes,
    a_name_is_never_a_path,
);

/// Names that other systems have mangled, and why they are hostile.
pub(super) const HOSTILE: [&str; 16] = [
    "my cat.png",
    "图片.png",
    "ÄÖÜ ß é.jpg",
    "A\u{308} decomposed.jpg",
    "🏖️👩‍👩‍👧.gif",
    "../x",
    "../../../etc/passwd",
    "/etc/passwd",
    "C:\\Windows\\x.jpg",
    "a\u{202e}gpj.exe",
    "tab\there\u{1}and\u{7f}there",
    "quote\" ; filename=\"evil.exe",
    "CON.jpg",
    "<script>alert(1)</script>.jpg",
    "trailing dot. ",
    "%2e%2e%2f&name=x#y?z",
];

/// R1.21, R2.28, R0.19: byte for byte in the answer, the list and the header.
fn names_survive_exactly(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let long = format!("{}.jpg", "é".repeat(148));
    assert_eq!(long.len(), 300);
    let names = HOSTILE.iter().copied().chain([long.as_str()]);
    for (seed, name) in (0..).zip(names) {
        let image = client.upload(name, &samples::jpeg(seed)).json(201);
        assert_eq!(image["name"], name);
        assert_eq!(client.image(&id(&image))["name"], name);
        let answer = client
            .get(&super::client::original(&id(&image)))
            .expect(200);
        let header = answer.headers["Content-Disposition"].as_bytes();
        assert!(header.starts_with(b"attachment"), "{header:?}");
        assert!(
            header.iter().all(|byte| (0x20..0x7f).contains(byte)),
            "{header:?}"
        );
        assert_eq!(
            header.iter().filter(|byte| **byte == b'"').count() % 2,
            0,
            "{header:?}"
        );
    }
    assert_eq!(client.list("")["total"], 17);
}

fn a_name_in_a_form_survives_too(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for (seed, name) in (0..).zip(["my cat.png", "图片.png", "🏖️.gif", "../x", "a;b.jpg"]) {
        let part = Part::bytes(samples::jpeg(seed)).file_name(name);
        let request = client.request("POST", "/api/v1/images");
        let answer = Answer::to(request.multipart(Form::new().part("file", part))).json(200);
        assert_eq!(answer["items"][0]["image"]["name"], name);
    }
}

/// R1.3's kind of fault: required and bounded, in bytes.
fn a_name_has_1_to_1024_bytes(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let longest = "é".repeat(512);
    let image = client.upload(&longest, &samples::jpeg(1)).json(201);
    assert_eq!(image["name"], longest);
    for name in [format!("{longest}x"), "x".repeat(1_025)] {
        let message = client
            .upload(&name, &samples::jpeg(2))
            .field_error(422, "name");
        assert!(
            message.contains("1,024") || message.contains("1024"),
            "{message}"
        );
    }
    client
        .upload("", &samples::jpeg(2))
        .field_error(422, "name");
    let missing = client
        .request("POST", "/api/v1/images")
        .body(samples::jpeg(2));
    Answer::to(missing.header("Content-Type", "image/jpeg")).field_error(422, "name");
    let not_utf8 = client
        .request("POST", "/api/v1/images?name=%ff%fe")
        .body(samples::jpeg(2));
    Answer::to(not_utf8.header("Content-Type", "image/jpeg")).problem(422);
    assert_eq!(client.list("")["total"], 1);
}

/// R0.25, R2.28: a name is not part of any path on disk, whatever it holds.
fn a_name_is_never_a_path(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for (seed, name) in (0..).zip(["../escaped", "../../escaped", "/tmp/escaped-vault-test"]) {
        client.upload(name, &samples::jpeg(seed)).json(201);
    }
    assert!(!std::path::Path::new("/tmp/escaped-vault-test").exists());
    let above = server.store.data_dir();
    let found = files_below(above.parent().unwrap());
    assert!(
        found
            .iter()
            .all(|path| !path.display().to_string().contains("escaped")),
        "{found:?}"
    );
    for path in [
        "/api/v1/images/../../etc/passwd",
        "/api/v1/images/..%2f..%2fetc/original",
    ] {
        client.get(path).problem(404);
    }
}
