//! Clients that take their time: half a head, a byte now and then, a body that stops coming. Each is
//! given up, and until then the others do not notice.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::bad_uploads::{head, read_head};
use super::client::{Client, PASSWORD};
use super::memory::resident_kib;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    slow_clients_disturb_nobody_and_stalled_uploads_are_given_up,
    dripped_uploads_keep_nobody_waiting_and_are_given_up,
    idle_connections_beyond_what_systems_give_by_themselves_keep_nobody_out,
    one_address_takes_a_quarter_of_the_connections,
);

/// Connections beyond what the server is started with.
const IDLE: usize = 600;

const HEADS: usize = 500;
const BODIES: usize = 100;
/// The least that may be set. The bodies fit in, all at once, and leave room for a small picture.
const UPLOAD_MEMORY: usize = 16 << 20;
const BODY_LEN: usize = 100 << 10;
/// A hundred bodies of 100 KiB, and some tens of KiB for each of six hundred connections.
const MAX_GROWTH_KIB: u64 = 64 << 10;

/// Both stores at once would need more descriptors than the 1024 that many systems allow.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Security test 29.
fn slow_clients_disturb_nobody_and_stalled_uploads_are_given_up(backend: &Backend) {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let settings = [
        ("RECEIVE_STALL", "5s"),
        ("UPLOAD_MEMORY", "16 MiB"),
        ("MAX_FILE", "16 MiB"),
    ];
    let server = Server::with(backend, &settings);
    let (slow, ada) = (server.user("slow"), server.user("ada"));
    assert_served(&ada, 0);
    let before = resident_kib(server.process());

    let heads: Vec<_> = (0..HEADS).map(|n| half_a_request(&server, n)).collect();
    let mut bodies: Vec<_> = (0..BODIES)
        .map(|_| stalled_upload(&server, &slow))
        .collect();
    std::thread::scope(|scope| {
        let (_dropped_at_the_end, end) = channel();
        let heads = &heads;
        scope.spawn(move || drip(heads, &end));
        for seed in 1..4 {
            assert_served(&ada, seed);
        }
        // Before a password is hashed, which takes memory of its own.
        let growth = resident_kib(server.process()).saturating_sub(before);
        ada.login("ada", PASSWORD).json(201);
        assert!(growth < MAX_GROWTH_KIB, "{growth} KiB");
    });

    for link in &mut bodies {
        let answer = read_head(link);
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    // It gets in only where every one of them has given its memory back.
    let mut largest = samples::jpeg(100);
    largest.resize(UPLOAD_MEMORY, 0);
    ada.add("largest.jpg", &largest);
    assert_eq!(slow.list("")["total"], 0);
    drop(heads);
}

/// A byte now and then is not nothing, and yet no upload: it ends as well, and while it lasts one
/// account has no more than half of the memory.
fn dripped_uploads_keep_nobody_waiting_and_are_given_up(backend: &Backend) {
    let settings = [
        ("RECEIVE_STALL", "4s"),
        ("UPLOAD_MEMORY", "16 MiB"),
        ("MAX_FILE", "16 MiB"),
    ];
    let server = Server::with(backend, &settings);
    let (slow, ada) = (server.user("slow"), server.user("ada"));
    let mut bodies: Vec<_> = (0..6)
        .map(|_| {
            let mut link = connection(&server);
            let head = head(&server, &slow, &format!("Content-Length: {}", 4 << 20));
            link.write_all(head.as_bytes()).unwrap();
            link.write_all(&samples::jpeg(1)[..600]).unwrap();
            link
        })
        .collect();
    let dripping: Vec<_> = bodies
        .iter()
        .map(|link| link.try_clone().unwrap())
        .collect();
    std::thread::scope(|scope| {
        let (_dropped_at_the_end, end) = channel();
        scope.spawn(move || drip_all(&dripping, &end));
        // Half of all the memory in one file, beside what drips.
        let mut large = samples::jpeg(100);
        large.resize(UPLOAD_MEMORY / 2, 0);
        ada.add("large.jpg", &large);
        for link in &mut bodies {
            let answer = read_head(link);
            let given_up = answer.starts_with("HTTP/1.1 408");
            // Those beyond the account's half may have waited in vain.
            assert!(given_up || answer.starts_with("HTTP/1.1 503"), "{answer}");
        }
    });
    assert_eq!(slow.list("")["total"], 0);
}

/// As where a service manager gives 1,024 open files, and more to who asks.
fn idle_connections_beyond_what_systems_give_by_themselves_keep_nobody_out(backend: &Backend) {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut server = Server::prepared(backend, &[]);
    server.shell_sets = Some("ulimit -Sn 256");
    server.run();
    let ada = server.user("ada");
    let idle: Vec<_> = (0..IDLE).map(|_| connection(&server)).collect();
    for seed in 0..3 {
        assert_served(&ada, seed);
    }
    server.anonymous().signed_in("ada", PASSWORD);
    drop(idle);
}

/// The others find theirs; and a proxy, through which everybody comes, may take them all.
fn one_address_takes_a_quarter_of_the_connections(backend: &Backend) {
    const CONNECTIONS: usize = 64;
    for (proxies, expected) in [("", CONNECTIONS / 4), ("127.0.0.2", CONNECTIONS)] {
        let settings = [("CONNECTIONS", "64"), ("TRUSTED_PROXIES", proxies)];
        let server = Server::with(backend, &settings);
        let links: Vec<_> = (0..2 * CONNECTIONS)
            .map(|_| from_elsewhere(&server))
            .collect();
        let served: Vec<_> = links.into_iter().filter_map(asked).collect();
        let count = served.len();
        // A proxy's leave some for whoever asked whether the server is ready.
        assert!(
            (expected - 4..=expected).contains(&count),
            "{count} of {expected}"
        );
        if proxies.is_empty() {
            server.anonymous().get("/health/live").expect(200);
            assert!(server.log().contains("connections are refused"));
        }
    }
}

/// A connection from another address of this machine.
pub(super) fn from_elsewhere(server: &Server) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let from: SocketAddr = "127.0.0.2:0".parse().unwrap();
    socket.bind(&from.into()).unwrap();
    let to: SocketAddr = server.host().parse().unwrap();
    socket.connect(&to.into()).unwrap();
    let link = TcpStream::from(socket);
    link.set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    link
}

/// The connection, which stays, if it is answered.
fn asked(mut link: TcpStream) -> Option<TcpStream> {
    let request = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    link.write_all(request).ok()?;
    let mut status = [0; 12];
    link.read_exact(&mut status).ok()?;
    assert_eq!(&status, b"HTTP/1.1 200");
    Some(link)
}

/// What everybody needs: readiness, taking in, listing, giving back.
#[track_caller]
fn assert_served(client: &Client, seed: u32) {
    client.get("/health/ready").expect(200);
    let bytes = samples::jpeg(seed);
    let id = client.add("small.jpg", &bytes);
    assert_eq!(client.list("")["total"], seed + 1);
    assert_eq!(client.original(&id), bytes);
}

fn connection(server: &Server) -> TcpStream {
    let link = TcpStream::connect(server.host()).unwrap();
    link.set_read_timeout(Some(Duration::from_secs(120)))
        .unwrap();
    link
}

/// Half a head; or a whole one and the beginning of a body.
fn half_a_request(server: &Server, n: usize) -> TcpStream {
    let mut link = connection(server);
    let begun: &[u8] = match n % 4 {
        0 | 1 => b"GET /login HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        2 => b"",
        _ => b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nlogin",
    };
    link.write_all(begun).unwrap();
    link
}

/// A signed-in upload that stops after its first bytes.
fn stalled_upload(server: &Server, client: &Client) -> TcpStream {
    let mut link = connection(server);
    let head = head(server, client, &format!("Content-Length: {BODY_LEN}"));
    link.write_all(head.as_bytes()).unwrap();
    link.write_all(&samples::jpeg(1)[..100]).unwrap();
    link
}

/// Sends a byte on every connection, and again, and again.
fn drip_all(links: &[TcpStream], end: &Receiver<()>) {
    for mut link in links.iter().cycle() {
        if end.recv_timeout(Duration::from_millis(20)) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        // Those that were given up take no more.
        drop(link.write(b"x"));
    }
}

/// Sends a byte on every other connection, and again, and again; the rest say nothing more.
fn drip(links: &[TcpStream], end: &Receiver<()>) {
    for mut link in links.iter().step_by(2).cycle() {
        if end.recv_timeout(Duration::from_millis(5)) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        // The server may end them if it likes.
        drop(link.write(b"x"));
    }
}
