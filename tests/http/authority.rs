//! What runs on a session's authority ends with it, however it ends and whoever is slow: downloads,
//! forms, imports, and what waits for its turn.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::answer::Answer;
use super::bad_uploads::read_head;
use super::client::{Client, PASSWORD, id, original};
use super::exporting::exported;
use super::samples;
use super::server::{Server, wait_until};
use super::store::Backend;
use super::tokens::{TOKENS, listed, program};

on_both_stores!(
    whatever_runs_ends_with_its_session_however_that_ends,
    whatever_runs_ends_when_the_time_of_its_session_is_over,
    what_waits_for_its_turn_ends_with_its_session,
);

/// Most that still arrives of 24 MB: what fits into the buffers between two sockets, and into ours.
const MOST: u64 = 14 << 20;
/// How long a reader takes a KiB a second, once the session has ended.
const SLOW_SECS: u32 = 3;
/// Long enough to begin a few things.
const LIFETIME: Duration = Duration::from_secs(10);
const BOUNDARY: &str = "x-x-x";

/// What is left to be seen of something that was begun.
type Rest = Box<dyn FnOnce() + Send>;

/// How a session ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    SignedOut,
    TokenRevoked,
    OthersEnded,
    PasswordChanged,
    AccountDeleted,
}

impl End {
    /// Somebody with the session that will end.
    fn worker(self, owner: &Client, name: &str) -> Client {
        match self {
            Self::TokenRevoked => program(owner, &["read", "write"]),
            _ => owner.signed_in(name, PASSWORD),
        }
    }

    fn come(self, owner: &Client, worker: &Client) {
        let proof = json!({ "password": PASSWORD });
        let changed = json!({
            "current_password": PASSWORD, "new_password": "seven purple llamas whisper gently",
        });
        let answer = match self {
            Self::SignedOut => worker.delete("/api/v1/session"),
            Self::TokenRevoked => owner.delete(&format!("{TOKENS}/{}", id(&listed(owner)[0]))),
            Self::OthersEnded => owner.delete("/api/v1/sessions"),
            Self::PasswordChanged => owner.put("/api/v1/account/password", &changed),
            Self::AccountDeleted => {
                Answer::to(owner.request("DELETE", "/api/v1/account").json(&proof))
            }
        };
        answer.expect(204);
    }
}

fn whatever_runs_ends_with_its_session_however_that_ends(backend: &Backend) {
    let server = Server::start(backend);
    let zips = [zip_of(&server, "eve", 10), zip_of(&server, "eva", 20)];
    let (server, zips) = (&server, &zips);
    thread::scope(|scope| {
        let ends = [End::SignedOut, End::TokenRevoked, End::PasswordChanged];
        scope.spawn(move || work_until(server, "ada", zips, &ends));
        let ends = [End::OthersEnded, End::AccountDeleted];
        scope.spawn(move || work_until(server, "bob", zips, &ends));
    });
}

/// Begins everything with a session of its own for each of these ends.
fn work_until(server: &Server, name: &str, zips: &[Zip; 2], ends: &[End]) {
    let owner = server.user(name);
    let large = owner.add("large.bmp", &samples::large(1));
    for (seed, end) in (30..).step_by(10).zip(ends) {
        let worker = end.worker(&owner, name);
        let mut begun = downloads(&worker, &large);
        begun.extend(uploads(server, &owner, &worker, seed));
        if *end != End::TokenRevoked {
            begun.push(export(&worker));
        }
        // What has come once does not come anew.
        if matches!(end, End::SignedOut | End::AccountDeleted) {
            begun.extend(imports(server, &owner, &worker, zips));
        }
        let stored = total(&owner);
        end.come(&owner, &worker);
        end_all(begun);
        if *end != End::AccountDeleted {
            assert_eq!(total(&owner), stored, "{end:?}");
        }
    }
}

fn whatever_runs_ends_when_the_time_of_its_session_is_over(backend: &Backend) {
    let lifetime = format!("{}s", LIFETIME.as_secs());
    let server = Server::with(backend, &[("SESSION_ABSOLUTE", &lifetime)]);
    server.user("ada");
    // One that lasts.
    let login = json!({ "login": "ada", "password": PASSWORD, "keep": true });
    let kept = server
        .anonymous()
        .post("/api/v1/sessions", &login)
        .json(201);
    let owner = server
        .anonymous()
        .with_token(kept["token"].as_str().unwrap());
    let large = owner.add("large.bmp", &samples::large(1));
    let since = Instant::now();
    let worker = owner.signed_in("ada", PASSWORD);
    let begun = vec![
        form(&server, &owner, &worker, 30, false),
        form(&server, &owner, &worker, 32, true),
        download(&worker, &original(&large), None),
    ];
    let stored = total(&owner);
    thread::sleep(LIFETIME.saturating_sub(since.elapsed()) + Duration::from_secs(1));
    end_all(begun);
    assert_eq!(total(&owner), stored);
}

/// A preview and an upload that wait for memory, all of which another upload of the account has.
fn what_waits_for_its_turn_ends_with_its_session(backend: &Backend) {
    let settings = [("UPLOAD_MEMORY", "32 MiB"), ("MAX_FILE", "16 MiB")];
    let server = Server::with(backend, &settings);
    let ada = server.user("ada");
    let picture = ada.add("small.jpg", &samples::jpeg(1));
    let worker = ada.signed_in("ada", PASSWORD);
    let mut whole = samples::jpeg(2);
    whole.resize(16 << 20, 0);
    let holds_all = send(&server, &ada, "/api/v1/images?name=x.jpg", whole, 100);
    thread::sleep(Duration::from_millis(500));
    let small = samples::jpeg(3);
    let upload = send(&server, &worker, "/api/v1/images?name=x.jpg", small, 100);
    let preview = worker.request("GET", &format!("/api/v1/images/{picture}/preview"));
    let preview = thread::spawn(|| Answer::to(preview));
    thread::sleep(Duration::from_millis(500));
    assert!(!preview.is_finished(), "it did not wait");
    worker.delete("/api/v1/session").expect(204);
    preview.join().unwrap().problem(401);
    upload(false);
    drop(holds_all);
}

fn total(client: &Client) -> u64 {
    client.list("")["total"].as_u64().unwrap()
}

/// Sees how all of it ends.
fn end_all(begun: Vec<Rest>) {
    let ends: Vec<_> = begun.into_iter().map(thread::spawn).collect();
    let failed = ends.into_iter().filter_map(|end| end.join().err()).count();
    assert_eq!(failed, 0, "of what was begun did not end as it should");
}

fn downloads(worker: &Client, large: &str) -> Vec<Rest> {
    let zip = worker.archive(&json!({ "all": true }));
    let zip = zip["url"].as_str().unwrap();
    vec![
        download(worker, &original(large), None),
        download(worker, &original(large), Some("bytes=1000000-")),
        download(worker, zip, None),
        download(worker, zip, Some("bytes=1000000-")),
    ]
}

fn export(worker: &Client) -> Rest {
    let ticket = worker.post("/api/v1/account/export", &json!({})).json(201);
    download(worker, ticket["url"].as_str().unwrap(), None)
}

/// Its first part comes; what follows ends early, and as failed.
fn download(worker: &Client, path: &str, range: Option<&str>) -> Rest {
    let mut request = worker.request("GET", path);
    if let Some(range) = range {
        request = request.header("Range", range);
    }
    let mut running = request.send().unwrap();
    assert!(running.status().is_success(), "{path}");
    assert!(running.content_length().unwrap() > 20 << 20);
    let mut piece = vec![0; 64 << 10];
    running.read_exact(&mut piece).unwrap();
    let what = format!("{path} {range:?}");
    Box::new(move || {
        let (mut got, mut turn) = (piece.len() as u64, 0);
        loop {
            turn += 1;
            let at_once = if turn <= SLOW_SECS { 1 << 10 } else { 64 << 10 };
            match running.read(&mut piece[..at_once]) {
                Ok(0) => panic!("{what} ended as complete"),
                Ok(read) => got += read as u64,
                Err(_) => break,
            }
            if turn <= SLOW_SECS {
                thread::sleep(Duration::from_secs(1));
            }
        }
        assert!(got < MOST, "{what}: {got} bytes came");
    })
}

/// Two forms, and a file that does not come whole.
fn uploads(server: &Server, owner: &Client, worker: &Client, seed: u32) -> Vec<Rest> {
    let file = samples::jpeg(seed + 4);
    let file = send(server, worker, "/api/v1/images?name=x.jpg", file, 100);
    vec![
        form(server, owner, worker, seed, true),
        form(server, owner, worker, seed + 2, false),
        Box::new(move || file(false)),
    ]
}

/// A form of two files, of which the first is stored before the end. The second comes at once after
/// it, or never.
fn form(server: &Server, owner: &Client, worker: &Client, seed: u32, hasty: bool) -> Rest {
    let part = |n: u32| (format!("{n}.jpg"), samples::jpeg(n));
    let (first, second) = (part(seed), part(seed + 1));
    let begun = [open(&first.0), first.1, b"\r\n".to_vec(), open(&second.0)].concat();
    let cut = begun.len();
    let whole = [begun, second.1, close()].concat();
    let stored = total(owner);
    let sent = send(server, worker, "/api/v1/images", whole, cut);
    wait_until("the first file is stored", || total(owner) == stored + 1);
    Box::new(move || sent(hasty))
}

/// An import as a body and one as a form, of which the first picture is stored before the end.
fn imports(server: &Server, owner: &Client, worker: &Client, zips: &[Zip; 2]) -> Vec<Rest> {
    let import = |path: &str, before: Vec<u8>, zip: &Zip, after: Vec<u8>| -> Rest {
        let cut = before.len() + zip.cut;
        let body = [before, zip.bytes.clone(), after].concat();
        let stored = total(owner);
        let sent = send(server, worker, path, body, cut);
        wait_until("the first picture is stored", || total(owner) == stored + 1);
        Box::new(move || sent(false))
    };
    vec![
        import("/api/v1/account/import", Vec::new(), &zips[0], Vec::new()),
        import("/account/import", open("a.zip"), &zips[1], close()),
    ]
}

/// An export of three pictures.
struct Zip {
    bytes: Vec<u8>,
    /// Where the first picture ends.
    cut: usize,
}

fn zip_of(server: &Server, name: &str, seed: u32) -> Zip {
    let owner = server.user(name);
    for n in seed..seed + 3 {
        owner.add(&format!("{n}.jpg"), &samples::jpeg(n));
    }
    let bytes = exported(&owner);
    let newest = samples::jpeg(seed + 2);
    let mut places = bytes.windows(newest.len());
    let at = places.position(|window| window == newest).unwrap();
    let cut = at + newest.len();
    Zip { bytes, cut }
}

fn open(filename: &str) -> Vec<u8> {
    format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; \
         filename=\"{filename}\"\r\n\r\n"
    )
    .into_bytes()
}

fn close() -> Vec<u8> {
    format!("\r\n--{BOUNDARY}--\r\n").into_bytes()
}

/// Sends a body up to `cut`. What is returned sends the rest, if it is told so, and sees that the
/// answer is 401.
fn send(
    server: &Server,
    worker: &Client,
    path: &str,
    body: Vec<u8>,
    cut: usize,
) -> impl FnOnce(bool) + Send + use<> {
    let kind = match body.starts_with(format!("--{BOUNDARY}").as_bytes()) {
        true => format!("multipart/form-data; boundary={BOUNDARY}"),
        false => "application/octet-stream".to_owned(),
    };
    let mut link = TcpStream::connect(server.host()).unwrap();
    let patience = Some(Duration::from_secs(60));
    link.set_read_timeout(patience).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        server.host(),
        worker.token,
        body.len(),
    );
    link.write_all(head.as_bytes()).unwrap();
    link.write_all(&body[..cut]).unwrap();
    let path = path.to_owned();
    move |all| {
        if all {
            // It may have hung up already.
            drop(link.write_all(&body[cut..]));
        }
        let answer = read_head(&mut link);
        assert!(answer.starts_with("HTTP/1.1 401"), "{path}: {answer}");
    }
}
