//! A stored file in which one bit has changed: an error or a transfer that fails, never wrong
//! bytes passed off as right (R1.29).

use serde_json::json;

use super::answer::Answer;
use super::client::{Client, original};
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    a_damaged_original_ends_as_a_failed_transfer,
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
