//! GET /api/v1/images/{id}/original: the exact bytes, whole or in part, and the headers around them.

use super::answer::Answer;
use super::client::{Client, original};
use super::samples;
use super::server::Server;
use super::store::Backend;
use super::uploads::sha256;

on_both_stores!(
    an_original_is_byte_identical,
    the_headers_keep_it_from_running_or_being_kept,
    a_range_is_served_exactly,
    a_range_that_cannot_be_served_is_416,
    if_range_guards_against_another_file,
    a_broken_download_is_resumed,
    head_tells_without_sending,
    what_a_client_has_already_is_not_sent_and_has_no_length,
    a_trashed_original_is_still_the_owners,
);

/// Nine segments of 64 KiB and a bit, which is more than twice what is opened together.
fn bytes() -> Vec<u8> {
    samples::bmp(&samples::jpeg(1), 500, 400)
}

#[track_caller]
fn range(client: &Client, id: &str, range: &str) -> Answer {
    client.get_with(&original(id), "Range", range)
}

/// R0.23, R1.37.
fn an_original_is_byte_identical(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for (name, bytes) in [
        ("a.bmp", bytes()),
        ("b.jpg", samples::jpeg(2)),
        ("c.png", samples::png(3)),
    ] {
        let id = client.add(name, &bytes);
        let answer = client.get(&original(&id)).expect(200);
        assert_eq!(sha256(&answer.body), sha256(&bytes));
        assert_eq!(answer.header("Content-Length"), bytes.len().to_string());
        assert_eq!(answer.header("Accept-Ranges"), "bytes");
    }
}

fn the_headers_keep_it_from_running_or_being_kept(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let id = client.add("my cat 图.png", &samples::png(1));
    let answer = client.get(&original(&id)).expect(200);
    assert_eq!(answer.header("Content-Type"), "image/png");
    assert_eq!(answer.header("X-Content-Type-Options"), "nosniff");
    assert_eq!(answer.header("Cross-Origin-Resource-Policy"), "same-origin");
    let policy = answer.header("Content-Security-Policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("sandbox"),
        "{policy}"
    );
    let cache = answer.header("Cache-Control");
    assert!(
        cache.contains("no-store") || cache.contains("private"),
        "{cache}"
    );
    let disposition = answer.header("Content-Disposition");
    assert!(disposition.starts_with("attachment"), "{disposition}");
    let encoded = "filename*=UTF-8''my%20cat%20%E5%9B%BE.png";
    assert!(disposition.contains(encoded), "{disposition}");
    let inline = client
        .get(&format!("{}?inline=true", original(&id)))
        .expect(200);
    assert!(inline.header("Content-Disposition").starts_with("inline"));
    assert_eq!(inline.header("X-Content-Type-Options"), "nosniff");
    let etag = answer.header("ETag");
    assert!(
        etag.starts_with('"') && etag.ends_with('"'),
        "strong: {etag}"
    );
    // A tag of the content's own digest would tell whoever sees headers what the file is.
    assert_eq!(inline.header("ETag"), etag);
}

fn a_range_is_served_exactly(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bytes = bytes();
    let id = client.add("a.bmp", &bytes);
    let end = bytes.len();
    let cases = [
        ("bytes=0-0".to_owned(), 0..1),
        ("bytes=0-65535".into(), 0..65_536),
        ("bytes=65535-65536".into(), 65_535..65_537),
        ("bytes=65536-131072".into(), 65_536..131_073),
        ("bytes=262143-262144".into(), 262_143..262_145),
        ("bytes=0-262143".into(), 0..262_144),
        ("bytes=65535-327680".into(), 65_535..327_681),
        ("bytes=200000-589824".into(), 200_000..589_825),
        ("bytes=131073-".into(), 131_073..end),
        (format!("bytes={}-", end - 1), end - 1..end),
        ("bytes=-1".into(), end - 1..end),
        ("bytes=-70000".into(), end - 70_000..end),
        (format!("bytes=-{}", end * 2), 0..end),
        (format!("bytes=100-{}", end * 2), 100..end),
    ];
    for (header, expected) in cases {
        let answer = range(&client, &id, &header).expect(206);
        assert_eq!(answer.body, bytes[expected.clone()], "{header}");
        let content_range = format!("bytes {}-{}/{end}", expected.start, expected.end - 1);
        assert_eq!(answer.header("Content-Range"), content_range);
        assert_eq!(answer.header("Content-Length"), expected.len().to_string());
    }
    // What is no range of bytes is as if it were not there (RFC 9110, 14.2).
    for header in ["items=0-5", "bytes=5-3", "bytes=a-b", "nonsense", "bytes="] {
        let answer = range(&client, &id, header);
        assert!(
            [200, 416].contains(&answer.status),
            "{header}: {}",
            answer.status
        );
        if answer.status == 200 {
            assert_eq!(answer.body, bytes, "{header}");
        }
    }
    let several = range(&client, &id, "bytes=0-1,5-6").expect(200);
    assert_eq!(several.body, bytes);
}

fn a_range_that_cannot_be_served_is_416(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bytes = samples::jpeg(1);
    let id = client.add("a.jpg", &bytes);
    let past = format!("bytes={}-", bytes.len());
    for header in [past.as_str(), "bytes=99999999999-", "bytes=-0"] {
        let answer = range(&client, &id, header);
        assert_eq!(
            answer.header("Content-Range"),
            format!("bytes */{}", bytes.len())
        );
        answer.problem(416);
    }
}

fn if_range_guards_against_another_file(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bytes = samples::jpeg(1);
    let id = client.add("a.jpg", &bytes);
    let etag = client.get(&original(&id)).header("ETag").to_owned();
    let ask = |condition: &str| {
        let request = client
            .request("GET", &original(&id))
            .header("Range", "bytes=5-9");
        super::answer::Answer::to(request.header("If-Range", condition))
    };
    assert_eq!(ask(&etag).expect(206).body, bytes[5..10]);
    assert_eq!(ask("\"another\"").expect(200).body, bytes);
    assert_eq!(ask(&format!("W/{etag}")).expect(200).body, bytes);
}

fn a_broken_download_is_resumed(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bytes = bytes();
    let id = client.add("a.bmp", &bytes);
    let mut got = Vec::new();
    while got.len() < bytes.len() {
        let to = got.len() + 50_001;
        got.extend(
            range(&client, &id, &format!("bytes={}-{to}", got.len()))
                .expect(206)
                .body,
        );
    }
    assert_eq!(sha256(&got), sha256(&bytes));
}

fn head_tells_without_sending(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bytes = samples::jpeg(1);
    let id = client.add("a.jpg", &bytes);
    let got = client.get(&original(&id));
    let head = client.head(&original(&id)).expect(200);
    assert!(head.body.is_empty());
    for name in [
        "Content-Length",
        "Content-Type",
        "ETag",
        "Content-Disposition",
        "Accept-Ranges",
    ] {
        assert_eq!(head.header(name), got.header(name), "{name}");
    }
    client.head(&original(&"a".repeat(26))).expect(404);
}

/// The length of a 304 would be that of the file (RFC 9110, section 8.6), or none.
fn what_a_client_has_already_is_not_sent_and_has_no_length(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let path = original(&client.add("a.bmp", &bytes()));
    let tag = client.get(&path).expect(200).header("ETag").to_owned();
    let request = client.request("GET", &path).header("If-None-Match", &tag);
    let answer = Answer::to(request).expect(304);
    assert_eq!(answer.header("ETag"), tag);
    assert_eq!(answer.header("Content-Length"), "");
    assert!(answer.body.is_empty());
}

/// The trash shows what it holds.
fn a_trashed_original_is_still_the_owners(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bytes = samples::jpeg(1);
    let id = client.add("a.jpg", &bytes);
    client.delete(&format!("/api/v1/images/{id}")).expect(204);
    assert_eq!(client.image(&id)["state"], "trashed");
    assert_eq!(client.original(&id), bytes);
    client
        .get(&format!("/api/v1/images/{id}/thumbnail"))
        .expect(200);
}
