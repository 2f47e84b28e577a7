//! Files that must be refused, each with its exact status and a sentence that says what to do.
//! After each refusal nothing is stored.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use image::ImageFormat;
use reqwest::blocking::multipart::Form;
use serde_json::json;

use super::answer::Answer;
use super::client::Client;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    an_empty_file_is_refused,
    what_is_no_picture_is_refused,
    a_truncated_picture_is_refused,
    a_polyglot_is_refused_or_harmless,
    too_many_pixels_are_refused_before_one_is_decoded,
    a_file_over_the_limit_is_refused_before_it_is_sent,
    a_file_over_the_limit_is_refused_without_its_length,
    a_file_of_exactly_the_limit_is_taken,
    a_large_file_in_a_form_is_refused_and_the_others_are_kept,
    an_upload_that_breaks_off_leaves_nothing,
    a_form_that_is_broken_is_refused,
);

/// Nothing was stored: no row and no sealed file.
#[track_caller]
fn assert_nothing_kept(server: &Server, client: &Client) {
    assert_eq!(client.list("")["total"], 0);
    assert_eq!(client.list("state=trashed")["total"], 0);
    assert_eq!(server.store.blob_count(), 0);
}

/// R0.23: 0 bytes are refused.
fn an_empty_file_is_refused(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let problem = client.upload("empty.jpg", b"").problem(422);
    assert!(
        problem["detail"].as_str().unwrap().contains("empty"),
        "{problem}"
    );
    assert_nothing_kept(&server, &client);
}

/// R1.17, R2.29: judged by decoding. SVG and HTML are never served back.
fn what_is_no_picture_is_refused(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
    let cases: [(&str, &[u8]); 7] = [
        ("text.jpg", b"I am only text, renamed."),
        ("drawing.svg", svg),
        ("drawing.png", svg),
        ("page.html", b"<!doctype html><script>alert(1)</script>"),
        ("page.jpg", b"<!doctype html><script>alert(1)</script>"),
        ("paper.pdf", b"%PDF-1.7\n1 0 obj\n"),
        ("zeros.bmp", &[0; 4096]),
    ];
    for (name, bytes) in cases {
        let problem = client.upload(name, bytes).problem(415);
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("JPEG") && detail.contains("PNG"),
            "what is taken: {detail}"
        );
    }
    assert_nothing_kept(&server, &client);
}

fn a_truncated_picture_is_refused(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let picture = samples::picture(3, 200, 160);
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::Gif,
        ImageFormat::WebP,
    ] {
        let whole = samples::encoded(&picture, format);
        for keep in [whole.len() / 2, whole.len() / 5, 40] {
            let problem = client.upload("cut.jpg", &whole[..keep]).problem(422);
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.len() > 20, "{format:?} cut at {keep}: {detail}");
        }
    }
    assert_nothing_kept(&server, &client);
}

/// Refused, or served with our type, `nosniff` and a policy under which nothing runs.
fn a_polyglot_is_refused_or_harmless(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let script = b"GIF89a/*\x00\x00\x00\x00*/=1;alert(document.domain);".to_vec();
    client.upload("script.gif", &script).problem(422);
    let mut both = samples::jpeg(1);
    both.extend(b"PK\x03\x04<html><script>alert(1)</script></html>");
    let comment = samples::commented_png(1, "<script>alert(1)</script>");
    for (name, bytes, kind) in [
        ("a.html", both, "image/jpeg"),
        ("b.html", comment, "image/png"),
    ] {
        let id = client.add(name, &bytes);
        for path in ["original", "original?inline=true"] {
            let answer = client
                .get(&format!("/api/v1/images/{id}/{path}"))
                .expect(200);
            assert_eq!(answer.header("Content-Type"), kind);
            assert_eq!(answer.header("X-Content-Type-Options"), "nosniff");
            let policy = answer.header("Content-Security-Policy");
            assert!(
                policy.contains("default-src 'none'") && policy.contains("sandbox"),
                "{policy}"
            );
        }
        let thumbnail = client
            .get(&format!("/api/v1/images/{id}/thumbnail"))
            .expect(200);
        assert!(!thumbnail.text().contains("alert(1)"));
    }
}

/// 12,000 x 12,000 of one colour, and the same and more only claimed: whoever decoded those first
/// would find them broken, 422.
fn too_many_pixels_are_refused_before_one_is_decoded(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bombs = [
        ("huge.png", samples::HUGE_PNG.clone()),
        ("huge.webp", samples::huge_webp()),
        ("claim.png", samples::boasting_png(12_000)),
        ("boast.png", samples::boasting_png(60_000)),
    ];
    for (name, bytes) in bombs {
        let problem = client.upload(name, &bytes).problem(413);
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("100"),
            "{name}: the limit is not named: {detail}"
        );
    }
    assert_nothing_kept(&server, &client);
}

/// R1.23: with the limit named. Only the head of the request is sent.
fn a_file_over_the_limit_is_refused_before_it_is_sent(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let length = 101u64 << 20;
    let mut link = TcpStream::connect(server.host()).unwrap();
    link.set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let head = head(&server, &client, &format!("Content-Length: {length}"));
    link.write_all(head.as_bytes()).unwrap();
    let answer = read_head(&mut link);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let length = answer.lines().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("content-length: ")?
            .parse()
            .ok()
    });
    let mut body = vec![0; length.unwrap()];
    link.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains("100 MiB"), "the limit is not named: {body}");
    assert_nothing_kept(&server, &client);
}

fn a_file_over_the_limit_is_refused_without_its_length(backend: &Backend) {
    let server = Server::with(backend, &[("MAX_FILE", "1 MiB")]);
    let client = server.user("ada");
    let mut link = TcpStream::connect(server.host()).unwrap();
    link.set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    link.write_all(head(&server, &client, "Transfer-Encoding: chunked").as_bytes())
        .unwrap();
    let chunk = vec![0xff; 64 << 10];
    let mut sent = 0usize;
    while sent < 16 << 20 {
        let piece = [format!("{:x}\r\n", chunk.len()).as_bytes(), &chunk, b"\r\n"].concat();
        if link.write_all(&piece).is_err() {
            break; // it has answered and hung up
        }
        sent += chunk.len();
    }
    let answer = read_head(&mut link);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_nothing_kept(&server, &client);
}

fn a_file_of_exactly_the_limit_is_taken(backend: &Backend) {
    let server = Server::with(backend, &[("MAX_FILE", "1 MiB")]);
    let client = server.user("ada");
    let mut bytes = samples::jpeg(1);
    bytes.resize(1 << 20, 0);
    let id = client.add("padded.jpg", &bytes);
    assert_eq!(client.original(&id), bytes);
    bytes.push(0);
    let problem = client.upload("one more.jpg", &bytes).problem(413);
    assert!(
        problem["detail"].as_str().unwrap().contains("1"),
        "{problem}"
    );
}

fn a_large_file_in_a_form_is_refused_and_the_others_are_kept(backend: &Backend) {
    let server = Server::with(backend, &[("MAX_FILE", "1 MiB")]);
    let client = server.user("ada");
    let part = |name: &'static str, bytes| {
        reqwest::blocking::multipart::Part::bytes(bytes).file_name(name)
    };
    let mut large = samples::jpeg(9);
    large.resize((1 << 20) + 1, 0);
    let form = Form::new()
        .part("file", part("one.jpg", samples::jpeg(1)))
        .part("file", part("large.jpg", large))
        .part("file", part("two.jpg", samples::jpeg(2)));
    let request = client.request("POST", "/api/v1/images").multipart(form);
    let answer = Answer::to(request).json(200);
    let statuses: Vec<_> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["status"].clone())
        .collect();
    assert_eq!(statuses, [201, 413, 201], "{answer}");
}

/// A body shorter than announced is never taken for a picture, even where it would decode.
fn an_upload_that_breaks_off_leaves_nothing(backend: &Backend) {
    let server = Server::with(backend, &[("RECEIVE_STALL", "1s")]);
    let client = server.user("ada");
    let bytes = samples::jpeg(1);
    let announced = head(
        &server,
        &client,
        &format!("Content-Length: {}", bytes.len() + 1000),
    );
    let mut gone = TcpStream::connect(server.host()).unwrap();
    gone.write_all(announced.as_bytes()).unwrap();
    gone.write_all(&bytes).unwrap();
    drop(gone);
    let mut stalled = TcpStream::connect(server.host()).unwrap();
    stalled
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stalled.write_all(announced.as_bytes()).unwrap();
    stalled.write_all(&bytes).unwrap();
    let answer = read_head(&mut stalled);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_nothing_kept(&server, &client);
}

fn a_form_that_is_broken_is_refused(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let request = |kind: &str, body: &'static [u8]| {
        let request = client
            .request("POST", "/api/v1/images")
            .header("Content-Type", kind);
        Answer::to(request.body(body))
    };
    request("multipart/form-data", b"--x\r\n\r\n").problem(415);
    request("multipart/form-data; boundary=x", b"no boundary at all").problem(400);
    let cut = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\nab";
    request("multipart/form-data; boundary=x", cut).problem(400);
    // R1.19: nothing chosen.
    let none = Answer::to(
        client
            .request("POST", "/api/v1/images")
            .multipart(Form::new().text("csrf_token", "x")),
    );
    none.problem(422);
    let name = client.post("/api/v1/images", &json!({ "name": "x" }));
    assert!([415, 422].contains(&name.status), "{}", name.text());
    assert_nothing_kept(&server, &client);
}

/// The head of an upload by this client, with a header that says how long its body is.
pub(super) fn head(server: &Server, client: &Client, length: &str) -> String {
    format!(
        "POST /api/v1/images?name=x.jpg HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: image/jpeg\r\n{length}\r\n\r\n",
        server.host(),
        client.token
    )
}

/// What the server says, up to the empty line.
pub(super) fn read_head(link: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        match link.read(&mut byte) {
            Ok(1) => answer.push(byte[0]),
            other => panic!("{other:?} after {:?}", String::from_utf8_lossy(&answer)),
        }
    }
    String::from_utf8(answer).unwrap()
}
