//! A stored file in which one bit has changed: an error or a transfer that fails, never wrong
//! bytes passed off as right (R1.29).

use serde_json::json;

use super::answer::Answer;
use super::client::{Client, original};
use super::samples;
use super::server::{Server, wait_until};
use super::store::Backend;

on_both_stores!(
    a_damaged_original_ends_as_a_failed_transfer,
    an_original_that_is_broken_from_its_start_is_a_problem_that_says_so,
    a_range_is_a_problem_where_its_own_start_is_broken,
    a_damaged_file_in_a_zip_ends_as_a_failed_transfer,
    a_damaged_thumbnail_is_never_shown,
);

/// Fails somewhere: with a problem, or midway. What came before is right as far as it goes.
#[track_caller]
fn assert_fails(client: &Client, path: &str, right: &[u8]) {
    let Ok(mut response) = client.request("GET", path).send() else {
        return;
    };
    if response.status() != 200 {
        assert_eq!(response.status(), 500);
        let problem = Answer::to(client.request("GET", path)).problem(500);
        return assert_ne!(problem["type"], "about:blank", "it has a type of its own");
    }
    let mut got = Vec::new();
    let ended = std::io::Read::read_to_end(&mut response, &mut got);
    assert!(right.starts_with(&got), "wrong bytes were sent");
    ended.expect_err("a damaged file ended as a complete transfer");
}

fn a_damaged_original_ends_as_a_failed_transfer(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bytes = samples::bmp(b"0123456789", 600, 400);
    let id = client.add("a.bmp", &bytes);
    let other = client.add("b.jpg", &samples::jpeg(1));
    server.store.damage_largest_blob();
    assert_fails(&client, &original(&id), &bytes);
    // What lies before the damage can still be had, what holds it cannot.
    let start = client
        .get_with(&original(&id), "Range", "bytes=0-999")
        .expect(206);
    assert_eq!(start.body, bytes[..1_000]);
    let rest = client
        .request("GET", &original(&id))
        .header("Range", "bytes=400000-");
    if let Ok(answer) = Answer::try_to(rest) {
        assert_eq!(answer.status, 500);
    }
    assert_eq!(client.original(&other), samples::jpeg(1));
}

/// Before a byte of the head is sent, so a program can read why, and a person too.
fn an_original_that_is_broken_from_its_start_is_a_problem_that_says_so(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    // One file that is a single segment, and one of several pieces.
    for (name, bytes) in [
        ("a.bmp", samples::bmp(b"0123456789", 64, 32)),
        ("b.bmp", samples::bmp(b"0123456789", 600, 400)),
    ] {
        let path = original(&client.add(name, &bytes));
        let whole = client.get(&path).expect(200);
        let tag = whole.header("ETag").to_owned();
        server.store.damage_largest_blob_at(5);
        for path in [path.clone(), format!("{path}?inline=true")] {
            let answer = client.get(&path);
            for name in ["ETag", "Content-Disposition", "Accept-Ranges"] {
                assert_eq!(answer.header(name), "", "{name}");
            }
            let problem = answer.problem(500);
            assert_eq!(problem["type"], "urn:image-vault:damaged");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("checksum"), "{detail}");
        }
        client.get_with(&path, "Range", "bytes=0-9").problem(500);
        let page = client.get_with(&path, "Accept", "text/html").expect(500);
        assert!(page.text().contains("checksum"), "{}", page.text());
        // What needs no byte of the picture is answered without one.
        let head = client.head(&path).expect(200);
        assert_eq!(head.header("Content-Length"), bytes.len().to_string());
        assert_eq!(head.header("ETag"), tag);
        client.get_with(&path, "If-None-Match", &tag).expect(304);
        client
            .get_with(&path, "Range", "bytes=9999999-")
            .problem(416);
    }
    let log = server.log();
    assert!(log.contains("stored data is damaged"), "{log}");
    assert!(!log.contains("broken off"), "nothing was: {log}");
}

fn a_range_is_a_problem_where_its_own_start_is_broken(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bytes = samples::bmp(b"0123456789", 600, 400);
    let path = original(&client.add("a.bmp", &bytes));
    // In the ninth segment of eleven.
    server.store.damage_largest_blob();
    let range = |range: &str| client.get_with(&path, "Range", range);
    let damaged = range("bytes=540000-540010").problem(500);
    assert_eq!(damaged["type"], "urn:image-vault:damaged");
    range("bytes=-190000").problem(500);
    // Behind the damage, and before it.
    assert_eq!(
        range("bytes=-100").expect(206).body,
        bytes[bytes.len() - 100..]
    );
    assert_eq!(range("bytes=5-9").expect(206).body, bytes[5..10]);
    // Where it begins well, it can only break off.
    let request = client.request("GET", &path);
    let response = request.header("Range", "bytes=0-").send().unwrap();
    assert_eq!(response.status(), 206);
    assert!(response.bytes().is_err());
    wait_until("that is in the log", || {
        server.log().contains("a download was broken off")
    });
}

fn a_damaged_file_in_a_zip_ends_as_a_failed_transfer(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let first = client.add("first.jpg", &samples::jpeg(1));
    let damaged = client.add("damaged.bmp", &samples::bmp(b"0123456789", 600, 400));
    let last = client.add("last.jpg", &samples::jpeg(2));
    let body = json!({ "ids": [first, damaged, last] });
    let url = client.archive(&body)["url"].as_str().unwrap().to_owned();
    let whole = client.get(&url).expect(200).body;
    server.store.damage_largest_blob();
    assert_fails(&client, &url, &whole);
    // Without the damaged one the rest can be saved.
    let rest = client.archive(&json!({ "ids": [first, last] }));
    client.get(rest["url"].as_str().unwrap()).expect(200);
}

fn a_damaged_thumbnail_is_never_shown(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    // The thumbnail of a JPEG of lowest quality is the larger of the two blobs.
    let grain = image::RgbImage::from_fn(400, 400, |x, y| {
        image::Rgb([((x * 7919 + y * 104_729) ^ (x * y)) as u8; 3])
    });
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 3);
    grain.write_with_encoder(encoder).unwrap();
    let id = client.add("a.jpg", &bytes);
    let thumbnail = client
        .get(&format!("/api/v1/images/{id}/thumbnail"))
        .expect(200)
        .body;
    server.store.damage_largest_blob();
    assert_eq!(
        client.original(&id),
        bytes,
        "the test damaged the wrong blob"
    );
    assert_fails(
        &client,
        &format!("/api/v1/images/{id}/thumbnail"),
        &thumbnail,
    );
}
