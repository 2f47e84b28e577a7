//! Names: kept exactly, bounded, and data only.

use reqwest::blocking::multipart::{Form, Part};
use serde_json::{Value, json};

use super::answer::Answer;
use super::client::{Client, id};
use super::samples;
use super::server::Server;
use super::store::{Backend, files_below};

on_both_stores!(
    names_survive_exactly,
    a_name_in_a_form_survives_too,
    a_name_in_a_form_is_read_as_clients_write_it,
    a_name_has_1_to_1024_bytes,
    a_name_is_never_a_path,
    what_acts_on_the_text_around_a_name_is_dropped_from_an_upload,
    what_acts_on_the_text_around_a_name_is_refused_in_an_edit,
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
    "a\u{202e}gpj\u{202c}.exe",
    "zero\u{200b}width\u{200f}and\u{ad}soft",
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

/// Browsers escape three characters; older programs write backslashes, Latin-1, or `filename*`.
fn a_name_in_a_form_is_read_as_clients_write_it(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let written: [(&[u8], &str); 8] = [
        (b"filename=\"a%22b.jpg\"", "a\"b.jpg"),
        (b"filename=\"a%0D%0Ab%2e.jpg\"", "ab%2e.jpg"),
        (b"filename=\"a\\\"b.jpg\"", "a\"b.jpg"),
        (b"filename=\"caf\xe9.jpg\"", "café.jpg"),
        (b"filename*=UTF-8''caf%C3%A9%22.jpg", "café\".jpg"),
        (b"filename*=ISO-8859-1'fr'caf%e9.jpg", "café.jpg"),
        (
            b"filename=\"plain.jpg\"; filename*=UTF-8''other.jpg",
            "plain.jpg",
        ),
        (b"filename=\"\xc3\xa9\"; filename*=x", "é"),
    ];
    for (seed, (parameter, name)) in (0..).zip(written) {
        let item = &sent_by_form(&client, &[(parameter, &samples::jpeg(seed))])["items"][0];
        assert_eq!(
            (&item["status"], &item["name"]),
            (&json!(201), &json!(name))
        );
        assert_eq!(item["image"]["name"], name);
    }
    // Each file for itself, also one whose name cannot be kept.
    let long = format!("filename*=UTF-8''{}", "%e9".repeat(2_000));
    let bytes = [samples::jpeg(20), samples::jpeg(21)];
    let files = [
        (long.as_bytes(), &bytes[0][..]),
        (b"filename*=UTF-8''b.jpg", &bytes[1]),
    ];
    let items = sent_by_form(&client, &files);
    assert_eq!(items["items"][0]["status"], 422);
    assert_eq!(items["items"][1]["image"]["name"], "b.jpg");
}

/// Sends files as a form, each with this parameter in its head.
fn sent_by_form(client: &Client, files: &[(&[u8], &[u8])]) -> Value {
    let mut body = Vec::new();
    for (parameter, bytes) in files {
        body.extend(b"--XX\r\nContent-Disposition: form-data; name=\"file\"; ");
        body.extend([*parameter, b"\r\n\r\n", *bytes, b"\r\n"].concat());
    }
    body.extend(b"--XX--\r\n");
    let request = client.request("POST", "/api/v1/images").body(body);
    let request = request.header("Content-Type", "multipart/form-data; boundary=XX");
    Answer::to(request).json(200)
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

/// Names as they are sent, and what is kept of them.
const ACTING: [(&str, &str); 6] = [
    ("tab\there\u{1}and\u{7f}there\u{85}", "tabhereandthere"),
    ("line\r\nfeed\u{0}.jpg", "linefeed.jpg"),
    ("a\u{202e}gpj.exe", "agpj.exe"),
    ("\u{2067}x\u{2066}y\u{2069}", "x\u{2066}y\u{2069}"),
    ("\u{202c}closed\u{2069} twice", "closed twice"),
    ("\u{2068}\u{202d}z\u{2069}\u{202c}", "\u{2068}z\u{2069}"),
];

/// A file's name is one that its owner may never have looked at.
fn what_acts_on_the_text_around_a_name_is_dropped_from_an_upload(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for (seed, (sent, kept)) in (0..).zip(ACTING) {
        let image = client.upload(sent, &samples::jpeg(seed)).json(201);
        assert_eq!(image["name"], kept, "{sent:?}");
        let again = client.upload("b.jpg", &samples::jpeg(seed)).json(200);
        assert_eq!(again["also_named"], json!(["b.jpg"]));
        let other = format!("{sent}2");
        let again = client.upload(&other, &samples::jpeg(seed)).json(200);
        let also = again["also_named"][1].as_str().unwrap();
        assert!(!also.contains(|c: char| c.is_control()), "{also:?}");
        // In a form, whose heads hold no control characters of ASCII; and in what is said about a
        // file that is not taken.
        let in_form = sent.replace(|c: char| c.is_ascii_control(), "");
        let form = |bytes: Vec<u8>| {
            let part = Part::bytes(bytes).file_name(in_form.clone());
            let request = client.request("POST", "/api/v1/images");
            Answer::to(request.multipart(Form::new().part("file", part))).json(200)
        };
        let taken = form(samples::jpeg(seed + 100));
        assert_eq!(taken["items"][0]["image"]["name"], kept);
        assert_eq!(taken["items"][0]["name"], kept);
        assert_eq!(form(b"no picture".to_vec())["items"][0]["name"], kept);
    }
    let nothing_left = client.upload("\n\u{202e}", &samples::jpeg(50));
    nothing_left.field_error(422, "name");
}

fn what_acts_on_the_text_around_a_name_is_refused_in_an_edit(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let path = format!("/api/v1/images/{}", client.add("a.jpg", &samples::jpeg(1)));
    for (sent, kept) in ACTING {
        let before = client.get(&path).json(200);
        let edit = json!({ "name": sent, "favourite": true, "caption": "\u{202e}\n" });
        let message = client.patch(&path, &edit).field_error(422, "name");
        assert!(message.contains("control characters"), "{message}");
        assert_eq!(client.get(&path).json(200), before);
        let renamed = client.patch(&path, &json!({ "name": kept })).json(200);
        assert_eq!(renamed["name"], kept);
    }
    // The same by the form of the page.
    let mut browser = server.signed_in("ada");
    let page = path.replace("/api/v1", "/vault");
    browser.get(&page).expect(200);
    let fields = [("name", "a\u{202e}gpj.exe"), ("caption", ""), ("tags", "")];
    let refused = browser.submit_signed(&page, &fields).expect(422);
    assert!(refused.text().contains("control characters"));
}
