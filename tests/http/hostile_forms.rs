//! Bodies that are made to be large where nobody looks: what they cost the server, in memory and in
//! processor time.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;

use super::answer::Answer;
use super::client::{Client, PASSWORD};
use super::memory::growth_kib;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    a_form_without_a_part_in_it_is_not_kept,
    long_file_names_are_neither_kept_nor_repeated,
    a_form_of_a_million_parts_ends_early,
    a_boundary_of_thousands_of_bytes_is_refused,
    many_forms_of_one_account_stay_within_the_memory_for_uploads,
    many_small_bodies_stay_within_their_memory,
    a_body_of_many_tiny_values_is_refused,
    the_answer_to_a_form_has_a_longest_length,
);

const FORM: &str = "multipart/form-data; boundary=XX";
/// Where a form with files may be sent.
const FORMS: [&str; 3] = ["/api/v1/images", "/vault/upload", "/account/import"];
/// What a refusal may cost, the connection's own buffers of half a MiB included.
const MAX_GROWTH_KIB: u64 = 16 << 10;
const MAX_PROCESSOR: Duration = Duration::from_secs(3);
/// Much more than is let in, so that it would be seen if it were kept.
const ENDLESS: usize = 100 << 20;

/// What one request costs: memory at most, and processor time.
fn cost(server: &Server, doing: impl FnOnce()) -> (u64, Duration) {
    let before = server.processor_time();
    let growth = growth_kib(server, doing);
    (growth, server.processor_time() - before)
}

#[track_caller]
fn assert_cheap(what: &str, (growth, processor): (u64, Duration)) {
    assert!(growth < MAX_GROWTH_KIB, "{what}: {growth} KiB");
    assert!(processor < MAX_PROCESSOR, "{what}: {processor:?}");
}

/// A request of this client whose body has begun.
fn begun(server: &Server, client: &Client, path: &str, kind: &str, length: usize) -> TcpStream {
    let mut link = TcpStream::connect(server.host()).unwrap();
    link.set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let authority = match client.token.as_str() {
        "" => String::new(),
        token => format!("Authorization: Bearer {token}\r\n"),
    };
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\n{authority}Content-Type: {kind}\r\n\
         Content-Length: {length}\r\n\r\n",
        server.host()
    );
    link.write_all(head.as_bytes()).unwrap();
    link
}

/// Sends a body until the server has had enough, and gives the status of its answer; nothing where
/// the connection broke before it was read.
fn sent(mut link: TcpStream, body: impl Iterator<Item = Vec<u8>>) -> Option<u16> {
    for piece in body {
        if link.write_all(&piece).is_err() {
            break;
        }
    }
    drop(link.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    drop(link.read_to_end(&mut answer));
    let line = String::from_utf8_lossy(&answer);
    line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

fn endless(begin: &str, filler: u8) -> impl Iterator<Item = Vec<u8>> {
    let begin = std::iter::once(begin.as_bytes().to_vec());
    let piece = vec![filler; 64 << 10];
    begin.chain(std::iter::repeat_n(piece, ENDLESS >> 16))
}

fn file_head(name: &str) -> String {
    format!("--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n")
}

/// Neither words before the first part, nor a head without an end, nor blanks behind a boundary.
fn a_form_without_a_part_in_it_is_not_kept(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let beginnings = [
        ("", b'x'),
        ("--XX\r\nContent-Disposition: form-data; name=\"", b'x'),
        ("--XX\r\nX-Part: ", b'\n'),
        ("--XX", b' '),
        (
            "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--XX\r\n",
            b'\r',
        ),
    ];
    for path in FORMS {
        for (begin, filler) in beginnings {
            let spent = cost(&server, || {
                let link = begun(&server, &client, path, FORM, ENDLESS + begin.len());
                let status = sent(link, endless(begin, filler));
                assert!(matches!(status, None | Some(413)), "{status:?}");
            });
            assert_cheap(&format!("{path}: {begin}"), spent);
        }
    }
    assert_eq!(client.list("")["total"], 0);
}

fn long_file_names_are_neither_kept_nor_repeated(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let part = |len: usize| (file_head(&"n".repeat(len)) + "x\r\n").into_bytes();
    let spent = cost(&server, || {
        let long = part(1 << 20);
        let link = begun(&server, &client, FORMS[0], FORM, 400 * long.len());
        let status = sent(link, std::iter::repeat_n(long, 400));
        assert!(matches!(status, None | Some(413)), "{status:?}");
    });
    assert_cheap("names of a MiB", spent);
    // What fits into a part's head is that part's own mistake.
    let body = [
        part(7 << 10),
        file_head("a.jpg").into_bytes(),
        samples::jpeg(1),
    ]
    .concat();
    let request = client
        .request("POST", FORMS[0])
        .header("Content-Type", FORM);
    let body = [&body[..], b"\r\n--XX--\r\n"].concat();
    let items = Answer::to(request.body(body)).json(200)["items"].clone();
    assert_eq!(items[0]["status"], 422, "{items}");
    assert_eq!(items[0]["name"].as_str().unwrap().len(), 1_024);
    assert_eq!(items[1]["status"], 201, "{items}");
}

fn a_form_of_a_million_parts_ends_early(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let field = "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n".to_owned();
    for part in [field, file_head("a.jpg") + "\r\n"] {
        let spent = cost(&server, || {
            let thousand = part.repeat(1_000).into_bytes();
            let link = begun(&server, &client, FORMS[0], FORM, 1_000 * thousand.len());
            let status = sent(link, std::iter::repeat_n(thousand, 1_000));
            assert!(matches!(status, None | Some(413)), "{status:?}");
        });
        assert_cheap(&part, spent);
    }
}

fn a_boundary_of_thousands_of_bytes_is_refused(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let boundary = "b".repeat(7_000);
    let part = file_head("a.png").replace("XX", &boundary);
    let end = format!("\r\n--{boundary}--\r\n");
    let body = [part.as_bytes(), &samples::png(1), end.as_bytes()].concat();
    let kind = format!("multipart/form-data; boundary={boundary}");
    for path in FORMS {
        let request = client.request("POST", path).header("Content-Type", &kind);
        let answer = Answer::to(request.body(body.clone())).expect(400);
        assert!(answer.text().contains("boundary"), "{}", answer.text());
    }
    assert_eq!(client.list("")["total"], 0);
}

/// However many connections there are, and whichever way in.
fn many_forms_of_one_account_stay_within_the_memory_for_uploads(backend: &Backend) {
    const LINKS: usize = 60;
    const LENGTH: usize = 4 << 20;
    let settings = [("UPLOAD_MEMORY", "16 MiB"), ("MAX_FILE", "16 MiB")];
    let server = Server::with(backend, &settings);
    let client = server.user("ada");
    let bodies = [
        (FORMS[0], file_head("a.bmp")),
        (FORMS[2], file_head("a.zip")),
        (FORMS[2], String::new()),
        ("/api/v1/account/import", String::new()),
    ];
    for (path, begin) in bodies {
        let growth = growth_kib(&server, || {
            let links: Vec<_> = (0..LINKS)
                .map(|_| begun(&server, &client, path, FORM, LENGTH + begin.len() + 1))
                .collect();
            let body = [begin.as_bytes(), &vec![b'P'; LENGTH]].concat();
            pour(&links, &body, Duration::from_secs(2));
        });
        // Beside the memory that is set aside, what connections read ahead.
        let most = (16 << 10) + LINKS as u64 * 64 + MAX_GROWTH_KIB;
        assert!(growth < most, "{path}: {growth} KiB");
    }
}

/// Sends as much of a body on each link as is taken within so long.
fn pour(links: &[TcpStream], body: &[u8], time: Duration) {
    let end = Instant::now() + time;
    let mut done = vec![0; links.len()];
    for link in links {
        link.set_nonblocking(true).unwrap();
    }
    while Instant::now() < end {
        for (mut link, done) in links.iter().zip(&mut done) {
            match link.write(&body[*done..]) {
                Ok(sent) => *done += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Answered, and ended.
                Err(_) => *done = body.len(),
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Of somebody who is signed in, and of anybody; and somebody else signs in meanwhile.
fn many_small_bodies_stay_within_their_memory(backend: &Backend) {
    const LINKS: usize = 150;
    let server = Server::with(backend, &[("UPLOAD_MEMORY", "16 MiB")]);
    let ada = server.user("ada");
    let calls = [
        (&ada, "/api/v1/images/delete", "application/json"),
        (
            &ada,
            "/vault/selection",
            "application/x-www-form-urlencoded",
        ),
        (&server.anonymous(), "/api/v1/sessions", "application/json"),
        (
            &server.anonymous(),
            "/login",
            "application/x-www-form-urlencoded",
        ),
    ];
    ada.login("ada", PASSWORD).json(201);
    for (client, path, kind) in calls {
        let growth = growth_kib(&server, || {
            let links: Vec<_> = (0..LINKS)
                .map(|_| begun(&server, client, path, kind, 1 << 20))
                .collect();
            pour(&links, &vec![b' '; (1 << 20) - 1], Duration::from_secs(2));
            ada.get("/api/v1/images").expect(200);
            ada.login("ada", PASSWORD).json(201);
        });
        // A sign-in hashes in 19 MiB.
        let most = LINKS as u64 * 64 + (19 << 10) + MAX_GROWTH_KIB;
        assert!(growth < most, "{path}: {growth} KiB");
    }
}

fn a_body_of_many_tiny_values_is_refused(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let json = "application/json";
    let form = "application/x-www-form-urlencoded";
    let filled = |begin: &str, piece: &str, end: &str| {
        format!(
            "{begin}{}{end}",
            piece.repeat((1_000_000 - begin.len()) / piece.len())
        )
    };
    let cases = [
        (
            "/api/v1/images/delete",
            json,
            filled("{\"ids\":[", "\"\",", "\"\"]}"),
            413,
        ),
        (
            "/api/v1/images/delete",
            json,
            filled("{\"a\":[", "{},", "{}]}"),
            413,
        ),
        (
            "/vault/selection",
            form,
            filled("action=x", "&ids=", ""),
            413,
        ),
        ("/vault/selection", form, filled("", "a=&", "a="), 413),
        // Deep and long names of fields: none of ours, however they are read.
        ("/vault/selection", form, filled("", "a.", "=b"), 422),
        ("/vault/selection", form, filled("", "a[b]", "=b"), 422),
        (
            "/vault/selection",
            form,
            filled("csrf_token", "[b]", "=b"),
            422,
        ),
    ];
    for (path, kind, body, status) in cases {
        let spent = cost(&server, || {
            let request = client.request("POST", path).header("Content-Type", kind);
            let answer = Answer::to(request.body(body.clone()));
            assert_eq!(
                answer.status,
                status,
                "{path} {}: {}",
                &body[..20],
                answer.text()
            );
        });
        assert_cheap(&body[..20], spent);
    }
}

/// A picture's own words can be longer than the picture.
fn the_answer_to_a_form_has_a_longest_length(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let picture = samples::png(1);
    let id = client.add("a.png", &picture);
    let tags: Vec<_> = (0..50)
        .map(|n| format!("{n:02}{}", "t".repeat(90)))
        .collect();
    let said = json!({ "caption": "c".repeat(2_000), "tags": tags });
    client
        .patch(&format!("/api/v1/images/{id}"), &said)
        .json(200);
    let part = [file_head("a.png").as_bytes(), &picture, b"\r\n"].concat();
    let send = |count: usize| {
        let request = client
            .request("POST", FORMS[0])
            .header("Content-Type", FORM);
        Answer::to(request.body([&part.repeat(count)[..], b"--XX--\r\n"].concat()))
    };
    assert_eq!(send(5).json(200)["items"].as_array().unwrap().len(), 5);
    let problem = send(400).problem(413);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("were looked at"), "{detail}");
}
