//! GET of an archive's URL: resumed, conditional, and for its owner only.

use std::io::Read;

use serde_json::json;

use super::client::Client;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    any_range_gives_the_same_bytes,
    a_ticket_survives_renaming_and_a_restart,
    a_ticket_serves_its_owner_only,
    images_that_went_to_the_trash_still_come,
    once_an_image_is_gone_the_ticket_is_too,
    a_running_transfer_breaks_off_when_an_image_is_gone,
    head_tells_the_size,
);

/// A ticket for all images: its URL and size.
#[track_caller]
fn ticket(client: &Client) -> (String, usize) {
    let ticket = client.archive(&json!({ "all": true }));
    let size = ticket["size"].as_u64().unwrap();
    (
        ticket["url"].as_str().unwrap().to_owned(),
        usize::try_from(size).unwrap(),
    )
}

fn three(client: &Client) -> Vec<String> {
    let files = [
        samples::jpeg(1),
        samples::bmp(&samples::jpeg(4), 500, 400),
        samples::png(2),
    ];
    (0..)
        .zip(files)
        .map(|(n, bytes): (u32, _)| client.add(&format!("{n} é"), &bytes))
        .collect()
}

/// Resume at whatever byte a download broke off.
fn any_range_gives_the_same_bytes(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    three(&client);
    let (url, size) = ticket(&client);
    let answer = client.get(&url).expect(200);
    let (whole, etag) = (answer.body.clone(), answer.header("ETag").to_owned());
    assert_eq!(whole.len(), size);
    assert_eq!(answer.header("Accept-Ranges"), "bytes");
    let random: Vec<usize> = (0..12u64)
        .map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as usize % size)
        .collect();
    let edges = [0, 1, 29, 30, size - 22, size - 1, 65_536, 262_000, 327_700];
    for from in edges.into_iter().chain(random) {
        let rest = client
            .get_with(&url, "Range", &format!("bytes={from}-"))
            .expect(206);
        assert!(rest.body == whole[from..], "from {from}");
        assert_eq!(
            rest.header("Content-Range"),
            format!("bytes {from}-{}/{size}", size - 1)
        );
        let to = (from + 1_000).min(size - 1);
        let piece = client
            .get_with(&url, "Range", &format!("bytes={from}-{to}"))
            .expect(206);
        assert!(piece.body == whole[from..=to], "{from} to {to}");
    }
    // Over what is read and opened at a time, 256 KiB, from within a file that is larger.
    for (from, to) in [
        (1_000, 599_999),
        (100_000, 100_000 + 300_000),
        (5_000, 5_000 + 262_144),
    ] {
        let piece = client
            .get_with(&url, "Range", &format!("bytes={from}-{to}"))
            .expect(206);
        assert!(piece.body == whole[from..=to], "{from} to {to}");
    }
    let tail = client.get_with(&url, "Range", "bytes=-22").expect(206);
    assert_eq!(tail.body, whole[size - 22..]);
    client
        .get_with(&url, "Range", &format!("bytes={size}-"))
        .problem(416);
    assert!(!etag.is_empty(), "without an ETag no browser resumes");
    let request = client.request("GET", &url).header("Range", "bytes=5-");
    let resumed = super::answer::Answer::to(request.header("If-Range", etag)).expect(206);
    assert!(resumed.body == whole[5..]);
}

fn a_ticket_survives_renaming_and_a_restart(backend: &Backend) {
    let mut server = Server::start(backend);
    let client = server.user("ada");
    let ids = three(&client);
    let (url, _) = ticket(&client);
    let before = client.get(&url).expect(200).body;
    client
        .patch(
            &format!("/api/v1/images/{}", ids[0]),
            &json!({ "name": "renamed" }),
        )
        .json(200);
    client.add("one more", &samples::jpeg(9));
    server.restart();
    assert!(
        client.get(&url).expect(200).body == before,
        "the plan was not frozen"
    );
}

fn a_ticket_serves_its_owner_only(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    three(&client);
    let (url, _) = ticket(&client);
    let (bob, anonymous) = (server.user("bob"), server.anonymous());
    let never = url.replace(url.rsplit('/').next().unwrap(), &"a".repeat(26));
    let (foreign, missing) = (bob.get(&url), bob.get(&never));
    assert_eq!(foreign.text(), missing.text());
    foreign.problem(404);
    missing.problem(404);
    anonymous.get(&url).problem(401);
    client.get(&url).expect(200);
}

fn images_that_went_to_the_trash_still_come(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids = three(&client);
    let (url, _) = ticket(&client);
    let before = client.get(&url).expect(200).body;
    client
        .post("/api/v1/images/delete", &json!({ "ids": ids }))
        .json(200);
    assert!(client.get(&url).expect(200).body == before);
}

fn once_an_image_is_gone_the_ticket_is_too(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids = three(&client);
    let (url, _) = ticket(&client);
    client
        .delete(&format!("/api/v1/images/{}?permanent=true", ids[1]))
        .expect(204);
    let problem = client.get(&url).problem(410);
    assert!(problem["detail"].as_str().unwrap().len() > 20, "{problem}");
    client.head(&url).expect(410);
    client.get_with(&url, "Range", "bytes=0-5").problem(410);
    // A new one, of what is left, works.
    let (url, _) = ticket(&client);
    client.get(&url).expect(200);
}

/// The transfer ends as failed, and short of what was announced.
fn a_running_transfer_breaks_off_when_an_image_is_gone(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let first = client.add("first", &samples::large(1));
    let second = client.add("second", &samples::large(2));
    let body = json!({ "ids": [first, second] });
    let url = client.archive(&body)["url"].as_str().unwrap().to_owned();
    let mut running = client.request("GET", &url).send().unwrap();
    assert_eq!(running.status(), 200);
    let mut start = vec![0; 1_000];
    running.read_exact(&mut start).unwrap();
    client
        .delete(&format!("/api/v1/images/{second}?permanent=true"))
        .expect(204);
    running
        .read_to_end(&mut start)
        .expect_err("a transfer that lacks a file ended as complete");
}

fn head_tells_the_size(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    three(&client);
    let (url, size) = ticket(&client);
    let head = client.head(&url).expect(200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("Content-Length"), size.to_string());
    assert_eq!(head.header("Content-Type"), "application/zip");
}
