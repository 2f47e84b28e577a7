//! Heads of requests that are hostile: too large, or of many small parts. They come as bytes over TCP,
//! since no client library sends them, and cost the server next to nothing, whoever sends them.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::client::Client;
use super::memory::growth_kib;
use super::samples;
use super::server::{Server, wait_until};
use super::store::Backend;

on_both_stores!(
    no_header_of_any_size_costs_memory_or_time,
    what_is_too_large_is_refused_with_a_problem,
    what_is_just_small_enough_is_served,
    an_unknown_method_is_no_way_round,
    what_browsers_send_is_untouched,
    half_a_head_holds_little_and_is_given_up,
    what_is_no_address_is_a_bad_request,
    a_request_that_waits_for_its_body_holds_little_whatever_its_cookies,
    another_host_in_the_address_is_refused_as_well,
);

/// Sizes of one header: the largest that is taken, and what hyper takes.
const SIZES: [usize; 4] = [8_000, 32_000, 100_000, 300_000];
/// For several hundred requests, one after the other; the head of 300 kB itself is in memory twice or so.
const MAX_GROWTH_KIB: u64 = 16 << 10;
/// In debug; the quadratic reading of 32 kB alone took a second.
const MAX_PROCESSOR: Duration = Duration::from_secs(8);

/// So much of a header's value, of as many parts as fit.
fn value(part: &str, size: usize) -> String {
    part.repeat(size / part.len())
}

/// Names of headers, and the part of a value that makes its reader work hardest.
const HOSTILE: [(&str, &str); 12] = [
    ("Accept", "a/b,"),
    ("Accept", "text/html;q=0.1,"),
    ("Accept", "\"\\\","),
    ("Cookie", "a=b;"),
    ("Content-Type", "a/b;a=b;"),
    ("X-Forwarded-For", "127.0.0.1,"),
    ("X-Forwarded-For", ","),
    ("Range", "bytes=0-1,"),
    ("If-None-Match", "W/,"),
    ("Authorization", "Bearer "),
    ("User-Agent", "Mozilla/"),
    ("Host", "a.a:"),
];

/// A request as it stands on the line; `Connection: close`, so that the answer has an end.
fn head(server: &Server, request: &str, headers: &str) -> String {
    let host = match headers.contains("Host:") {
        true => String::new(),
        false => format!("Host: {}\r\n", server.host()),
    };
    format!("{request} HTTP/1.1\r\n{host}Connection: close\r\n{headers}\r\n")
}

/// Status and all the rest of the answer.
#[track_caller]
pub(super) fn ask(server: &Server, head: &str) -> (u16, String) {
    let mut link = TcpStream::connect(server.host()).unwrap();
    link.set_read_timeout(Some(Duration::from_secs(120)))
        .unwrap();
    // The server may answer, and hang up, before it has read all.
    drop(link.write_all(head.as_bytes()));
    let mut answer = Vec::new();
    drop(link.read_to_end(&mut answer));
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no answer, but {answer:?}"));
    (status, answer)
}

/// What there is to ask for: nothing, what needs a sign-in, a page, and a picture of somebody signed in.
fn requests(ada: &Client, id: &str) -> [(&'static str, String, String); 4] {
    let bearer = format!("Authorization: Bearer {}\r\n", ada.token);
    let original = format!("GET /api/v1/images/{id}/original");
    [
        ("404", "GET /nowhere".into(), String::new()),
        ("401", "GET /api/v1/images".into(), String::new()),
        ("200", "GET /login".into(), String::new()),
        ("200", original, bearer),
    ]
}

fn no_header_of_any_size_costs_memory_or_time(backend: &Backend) {
    let server = Server::with(backend, &[("TRUSTED_PROXIES", "127.0.0.1")]);
    let ada = server.user("ada");
    let id = ada.add("a.jpg", &samples::jpeg(1));
    let requests = requests(&ada, &id);
    for (_, request, headers) in &requests {
        ask(&server, &head(&server, request, headers));
    }
    let before = server.processor_time();
    let growth = growth_kib(&server, || {
        // Twice as well: where there is a second line, Rocket reads the first at once.
        let copies = HOSTILE.iter().flat_map(|header| [(header, 1), (header, 2)]);
        for ((name, part), copies) in copies {
            for size in SIZES {
                let header = format!("{name}: {}\r\n", value(part, size)).repeat(copies);
                for (_, request, headers) in &requests {
                    let (status, answer) = ask(
                        &server,
                        &head(&server, request, &(header.clone() + headers)),
                    );
                    assert!(status < 500, "{name} of {size}: {answer}");
                    if size > 8_192 {
                        assert_eq!(status, 431, "{name} of {size}: {answer}");
                    }
                }
            }
        }
    });
    let took = server.processor_time() - before;
    assert!(growth < MAX_GROWTH_KIB, "{growth} KiB");
    assert!(took < MAX_PROCESSOR, "{took:?}");
}

fn what_is_too_large_is_refused_with_a_problem(backend: &Backend) {
    let server = Server::start(backend);
    let one = format!("X-Long: {}\r\n", value("x", 8_200));
    let many: String = (0..90)
        .map(|n| format!("X-{n}: {}\r\n", value("x", 400)))
        .collect();
    let long = format!("GET /{}", value("x", 9_000));
    let query = format!("GET /login?next={}", value("x", 9_000));
    let cases = [
        ("GET /login", &*one, 431),
        ("GET /api/v1/session", &*one, 431),
        ("POST /login", &*one, 431),
        ("GET /health/live", &*many, 431),
        (&*long, "", 414),
        (&*query, "", 414),
    ];
    for (request, headers, expected) in cases {
        let (status, answer) = ask(&server, &head(&server, request, headers));
        assert_eq!(status, expected, "{answer}");
        let (head_of_it, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head_of_it.contains("application/problem+json"), "{answer}");
        assert!(body.contains("KiB") && !answer.contains("xxxx"), "{answer}");
        let headers = format!("{headers}Accept: text/html\r\n");
        let (status, page) = ask(&server, &head(&server, request, &headers));
        assert_eq!(status, expected, "{page}");
        assert!(page.contains("<h1") && !page.contains("xxxx"), "{page}");
        assert!(page.contains("default-src 'none'"), "{page}");
    }
    let (status, answer) = ask(&server, &head(&server, "HEAD /login", &one));
    assert_eq!(status, 431);
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

fn what_is_just_small_enough_is_served(backend: &Backend) {
    let server = Server::start(backend);
    let just = |name: &str| format!("{name}: {}\r\n", value("x", 8_192 - name.len()));
    let three = just("X-1") + &just("X-2") + &just("Cookie");
    let (status, answer) = ask(&server, &head(&server, "GET /login", &three));
    assert_eq!(status, 200, "{answer}");
    let four = three + &just("X-4");
    let (status, answer) = ask(&server, &head(&server, "GET /login", &four));
    assert_eq!(status, 431, "{answer}");
    let query = format!("GET /login?x={}", value("x", 8_192 - "/loginx=".len()));
    let (status, answer) = ask(&server, &head(&server, &query, ""));
    assert_eq!(status, 200, "{answer}");
}

fn an_unknown_method_is_no_way_round(backend: &Backend) {
    let server = Server::start(backend);
    let accept = format!("Accept: {}\r\n", value("a/b,", 300_000));
    let growth = growth_kib(&server, || {
        let (status, answer) = ask(&server, &head(&server, "BREW /login", &accept));
        assert_eq!(status, 431, "{answer}");
    });
    assert!(growth < MAX_GROWTH_KIB, "{growth} KiB");
    let (status, answer) = ask(
        &server,
        &head(&server, "BREW /login", "Host: evil.example\r\n"),
    );
    assert_eq!(status, 421, "{answer}");
    let (status, answer) = ask(&server, &head(&server, "BREW /login", ""));
    assert_eq!(status, 405, "{answer}");
    assert!(answer.contains("default-src 'none'"), "{answer}");
}

fn what_browsers_send_is_untouched(backend: &Backend) {
    let server = Server::start(backend);
    let chromium = "sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\"\r\n\
        sec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n\
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
        Chrome/140.0.0.0 Safari/537.36\r\nAccept: text/html,application/xhtml+xml,\
        application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,\
        application/signed-exchange;v=b3;q=0.7\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n\
        Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n";
    let cookies = format!(
        "Cookie: {}theme=dark\r\n",
        value("other=0123456789abcdef; ", 6_000)
    );
    let headers = format!("{chromium}{cookies}");
    let (status, page) = ask(&server, &head(&server, "GET /login", &headers));
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("data-theme=\"dark\""), "{page}");
    let (status, page) = ask(&server, &head(&server, "GET /nowhere", &headers));
    assert_eq!(status, 404, "{page}");
    assert!(page.contains("<h1"), "{page}");
    let (status, page) = ask(&server, &head(&server, "GET /vault?q=a", &headers));
    assert_eq!(status, 303, "{page}");
    assert!(page.contains("ocation: /login?next="), "{page}");
    let (status, document) = ask(&server, &head(&server, "GET /nowhere", "Accept: */*\r\n"));
    assert_eq!(status, 404);
    assert!(document.contains("application/problem+json"), "{document}");
}

fn half_a_head_holds_little_and_is_given_up(backend: &Backend) {
    const LINKS: usize = 200;
    const STALL: &str = "4s";
    let server = Server::with(backend, &[("RECEIVE_STALL", STALL)]);
    let begun = format!("GET /login HTTP/1.1\r\nX-Long: {}", value("x", 60_000));
    let mut links = Vec::new();
    let growth = growth_kib(&server, || {
        for n in 0..LINKS {
            let mut link = TcpStream::connect(server.host()).unwrap();
            let begun = [&begun, "GET", ""][n % 3];
            link.write_all(begun.as_bytes()).unwrap();
            links.push(link);
        }
        server.anonymous().get("/health/live").expect(200);
    });
    assert!(growth < MAX_GROWTH_KIB, "{growth} KiB");
    // A byte now and then is no head either.
    let mut dripping = TcpStream::connect(server.host()).unwrap();
    wait_until("a dripping head is given up", || {
        std::thread::sleep(Duration::from_millis(200));
        dripping.write_all(b"x").is_err()
    });
    for mut link in links {
        link.set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let mut rest = Vec::new();
        let ended = link.read_to_end(&mut rest);
        let stalled = ended
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        assert!(!stalled && rest.len() < 1_000, "{ended:?}");
    }
}

fn what_is_no_address_is_a_bad_request(backend: &Backend) {
    let server = Server::start(backend);
    for request in ["OPTIONS *", "CONNECT localhost:80", "GET nowhere", "GET"] {
        let (status, answer) = ask(&server, &head(&server, request, ""));
        assert_eq!(status, 400, "{request}: {answer}");
    }
    let whole = format!("GET http://{}/health/live", server.host());
    let (status, answer) = ask(&server, &head(&server, &whole, ""));
    assert_eq!(status, 200, "{answer}");
}

fn a_request_that_waits_for_its_body_holds_little_whatever_its_cookies(backend: &Backend) {
    const LINKS: usize = 60;
    let server = Server::start(backend);
    let names: Vec<String> = (0..8_000).map(|n| format!("{n:x}=;")).collect();
    let cookies: String = names
        .chunks(1_600)
        .map(|line| format!("Cookie: {}\r\n", line.concat()))
        .collect();
    let head = format!(
        "POST /api/v1/sessions HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         {cookies}Content-Length: 100\r\n\r\n",
        server.host()
    );
    assert!(head.len() > 30_000, "{}", head.len());
    let mut links = Vec::new();
    let growth = growth_kib(&server, || {
        for _ in 0..LINKS {
            let mut link = TcpStream::connect(server.host()).unwrap();
            link.write_all(head.as_bytes()).unwrap();
            links.push(link);
        }
        std::thread::sleep(Duration::from_secs(2));
    });
    // More than a MiB each where all of them are kept.
    assert!(growth < MAX_GROWTH_KIB, "{growth} KiB");
}

/// Where an address names a host, that is the one that is meant (RFC 9112, section 3.2.2).
fn another_host_in_the_address_is_refused_as_well(backend: &Backend) {
    let server = Server::start(backend);
    let (status, answer) = ask(&server, &head(&server, "GET http://evil.example/login", ""));
    assert_eq!(status, 421, "{answer}");
}
