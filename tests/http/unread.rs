//! Answers that nobody reads, or hardly: what they may hold of the server's memory, and for how long.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use super::answer::Answer;
use super::bad_uploads::read_head;
use super::client::{Client, original};
use super::memory::{growth_kib, resident_kib};
use super::samples;
use super::server::{Server, wait_until};
use super::slow::from_elsewhere;
use super::store::Backend;

on_both_stores!(
    lists_that_nobody_reads_have_a_part_of_the_memory_and_are_given_up,
    no_kind_of_answer_is_kept_for_who_does_not_read_it,
    who_reads_a_byte_now_and_then_is_given_up,
    who_reads_slowly_gets_every_byte,
    a_large_answer_has_its_length_and_head_has_it_too,
    many_accounts_in_one_place_leave_memory_to_who_is_elsewhere,
);

/// With it, one account or network has 16 MiB.
const MEMORY: &str = "64 MiB";
const STALL: Duration = Duration::from_secs(2);
const PICTURES: u32 = 150;
const CONNECTIONS: usize = 80;
/// Requests on each, one behind the other: the buffers of two sockets take megabytes, and nothing
/// has to wait before they are full.
const IN_A_ROW: usize = 8;
/// The part, as much for what is being made, and what an allocator keeps.
const MAX_GROWTH_KIB: u64 = 64 << 10;
/// What the connections themselves hold, and what an allocator keeps.
const MAX_LEFT_KIB: u64 = 24 << 10;

fn server(backend: &Backend) -> Server {
    let settings = [("SEND_STALL", "2s"), ("ANSWER_MEMORY", MEMORY)];
    Server::with(backend, &settings)
}

/// Somebody with pictures that have much said about them.
fn talkative(server: &Server) -> Client {
    let client = server.user("ada");
    let tags: Vec<String> = (0..40).map(|n| format!("{n} {}", "t".repeat(90))).collect();
    let edit = json!({ "caption": "words ".repeat(680), "tags": tags });
    std::thread::scope(|scope| {
        for part in 0..4 {
            let (client, edit) = (&client, &edit);
            scope.spawn(move || {
                for seed in (part..PICTURES).step_by(4) {
                    let id = client.add(&format!("{seed}"), &samples::jpeg(seed));
                    let path = format!("/api/v1/images/{id}");
                    client.patch(&path, edit).json(200);
                }
            });
        }
    });
    client
}

/// A connection on which this is asked for so many times in a row.
fn asking(server: &Server, client: &Client, path: &str, times: usize) -> TcpStream {
    let link = TcpStream::connect(server.host()).unwrap();
    asking_on(link, server, client, path, times)
}

fn asking_on(
    mut link: TcpStream,
    server: &Server,
    client: &Client,
    path: &str,
    times: usize,
) -> TcpStream {
    let credentials = match client.token.as_str() {
        "" => String::new(),
        token => format!("Authorization: Bearer {token}\r\n"),
    };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\n{credentials}\r\n",
        server.host()
    );
    link.write_all(request.repeat(times).as_bytes()).unwrap();
    link.set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    link
}

/// Many of them, on which nothing is ever read.
fn unread(server: &Server, client: &Client, path: &str) -> Vec<TcpStream> {
    (0..CONNECTIONS)
        .map(|_| asking(server, client, path, IN_A_ROW))
        .collect()
}

fn lists_that_nobody_reads_have_a_part_of_the_memory_and_are_given_up(backend: &Backend) {
    let server = server(backend);
    let (ada, ben) = (talkative(&server), server.user("ben"));
    let list = "/api/v1/images?limit=500";
    let len = ada.get(list).expect(200).body.len();
    assert!(len > 512 << 10, "{len}");
    let picture = samples::jpeg(1);
    let id = ben.add("mine.jpg", &picture);
    let before = resident_kib(server.process());
    let (mut links, mut refused) = (Vec::new(), ada.get(list));
    let growth = growth_kib(&server, || {
        links = unread(&server, &ada, list);
        wait_until("its part is used up", || {
            refused = ada.get(list);
            assert_eq!(ben.list("")["total"], 1);
            assert_eq!(ben.original(&id), picture);
            server.anonymous().get("/login").expect(200);
            refused.status == 503
        });
    });
    assert!(
        growth < MAX_GROWTH_KIB,
        "{growth} KiB for lists of {len} bytes"
    );
    assert!(!refused.header("Retry-After").is_empty());
    let problem = refused.problem(503);
    assert!(
        problem["detail"].as_str().unwrap().contains("read"),
        "{problem}"
    );
    wait_until("what nobody reads has gone", || {
        resident_kib(server.process()) < before + MAX_LEFT_KIB
    });
    drop(links);
    wait_until("the account is served again", || {
        ada.get(list).status == 200
    });
}

fn no_kind_of_answer_is_kept_for_who_does_not_read_it(backend: &Backend) {
    let server = server(backend);
    let (ada, nobody) = (talkative(&server), server.anonymous());
    let id = ada.add("large.bmp", &samples::large(1));
    let zip = ada.archive(&json!({ "all": true }));
    let kinds = [
        (&ada, "/vault".to_owned()),
        (&ada, format!("/api/v1/images/{id}/thumbnail")),
        (&ada, format!("/api/v1/images/{id}/preview")),
        (&ada, original(&id)),
        (&ada, zip["url"].as_str().unwrap().to_owned()),
        (&nobody, "/login".to_owned()),
        (&nobody, "/static/any/icons.svg".to_owned()),
    ];
    for (client, path) in kinds {
        client.get(&path).expect(200);
        let before = resident_kib(server.process());
        let mut links = Vec::new();
        let growth = growth_kib(&server, || {
            links = unread(&server, client, &path);
            std::thread::sleep(STALL);
        });
        assert!(growth < MAX_GROWTH_KIB, "{growth} KiB for {path}");
        wait_until("what nobody reads has gone", || {
            resident_kib(server.process()) < before + MAX_LEFT_KIB
        });
        drop(links);
        wait_until("it is served again", || client.get(&path).status == 200);
    }
}

/// How many bytes still come, until the connection ends.
fn rest(link: &mut TcpStream) -> usize {
    let (mut read, mut buffer) = (0, vec![0; 1 << 20]);
    loop {
        match link.read(&mut buffer) {
            Ok(0) => return read,
            Ok(more) => read += more,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return read,
            Err(error) => panic!("it does not end: {error}"),
        }
    }
}

fn who_reads_a_byte_now_and_then_is_given_up(backend: &Backend) {
    let server = server(backend);
    let ada = talkative(&server);
    let picture = samples::large(1);
    let id = ada.add("large.bmp", &picture);
    let list = "/api/v1/images?limit=500";
    let len = ada.get(list).expect(200).body.len();
    let mut dripping = [
        (asking(&server, &ada, &original(&id), 1), picture.len()),
        (
            asking(&server, &ada, list, 2 * IN_A_ROW),
            2 * IN_A_ROW * len,
        ),
    ];
    wait_until("both are given up", || {
        for (link, _) in &mut dripping {
            link.read_exact(&mut [0]).unwrap();
        }
        std::thread::sleep(STALL / 8);
        server.log().matches("was given up").count() == dripping.len()
    });
    for (mut link, whole) in dripping {
        let read = rest(&mut link);
        assert!(read < whole, "{read} of {whole}");
    }
}

/// More than twice of what would be too little.
fn who_reads_slowly_gets_every_byte(backend: &Backend) {
    const AT_A_TIME: usize = (300 << 10) / 20;
    let server = server(backend);
    let client = server.user("ada");
    let picture = samples::large(1);
    let id = client.add("large.bmp", &picture);
    let mut link = asking(&server, &client, &original(&id), 1);
    let head = read_head(&mut link);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let (mut read, mut piece) = (Vec::new(), vec![0; AT_A_TIME]);
    let began = Instant::now();
    while began.elapsed() < 4 * STALL {
        link.read_exact(&mut piece).unwrap();
        read.extend_from_slice(&piece);
        std::thread::sleep(STALL / 20);
    }
    let slowly = read.len();
    read.resize(picture.len(), 0);
    link.read_exact(&mut read[slowly..]).unwrap();
    assert!(read == picture);
}

fn a_large_answer_has_its_length_and_head_has_it_too(backend: &Backend) {
    let server = server(backend);
    let ada = talkative(&server);
    for path in ["/api/v1/images?limit=500", "/vault"] {
        let whole = ada.get(path).expect(200);
        assert!(whole.body.len() > 64 << 10, "{}", whole.body.len());
        assert_eq!(whole.header("Content-Length"), whole.body.len().to_string());
        let head = Answer::to(ada.request("HEAD", path)).expect(200);
        assert_eq!(
            head.header("Content-Length"),
            whole.header("Content-Length")
        );
        assert!(head.body.is_empty());
    }
}

/// Three of them have all three quarters between them, if nothing else counts.
fn many_accounts_in_one_place_leave_memory_to_who_is_elsewhere(backend: &Backend) {
    let settings = [("ANSWER_MEMORY", MEMORY), ("SEND_STALL", "1h")];
    let server = Server::with(backend, &settings);
    let picture = samples::large(1);
    let clients = ["ada", "ben", "cleo", "dan"].map(|name| {
        let client = server.user(name);
        let path = original(&client.add("large.bmp", &picture));
        (client, path)
    });
    let many = clients.iter().flat_map(|one| std::iter::repeat_n(one, 8));
    let links: Vec<_> = many
        .map(|(client, path)| asking(&server, client, path, 1))
        .collect();
    let eve = server.user("eve");
    wait_until("the half of this place is used up", || {
        eve.get("/api/v1/session").status == 503
    });
    let mut elsewhere = asking_on(from_elsewhere(&server), &server, &eve, "/api/v1/session", 1);
    let head = read_head(&mut elsewhere);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    // Whoever is at the place itself may still change what is theirs, and leave.
    let own = format!("/api/v1/images/{}", eve.add("mine.jpg", &samples::jpeg(1)));
    eve.patch(&own, &json!({ "caption": "kept" })).json(200);
    Answer::to(eve.request("DELETE", "/api/v1/session")).expect(204);
    drop(links);
}
