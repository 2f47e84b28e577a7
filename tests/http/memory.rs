//! What a download costs the server, and what is sent to it without need.

use std::fs;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use super::answer::Answer;
use super::client::{Client, PASSWORD};
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    a_zip_takes_a_small_window_of_memory_however_large_it_is,
    two_hundred_sign_ins_at_once_take_the_memory_of_two,
    an_import_of_what_is_here_takes_a_small_window_of_memory,
);

const SIGN_INS: usize = 200;
const MOST_FOR_SIGN_INS_KIB: u64 = 300 << 10;
const FILES: u8 = 3;
/// A window of half a MiB, what the store reads ahead, and what an allocator keeps.
const MAX_GROWTH_KIB: u64 = 16 << 10;

/// R1.44: no picture, and no archive, is ever whole in memory.
fn a_zip_takes_a_small_window_of_memory_however_large_it_is(backend: &Backend) {
    let mut server = Server::start(backend);
    let client = server.user("ada");
    for seed in 0..FILES {
        client.add(&format!("{seed}.bmp"), &samples::large(seed));
    }
    // What uploading took is not what this is about.
    server.restart();
    let ticket = client.archive(&json!({ "all": true }));
    let size = ticket["size"].as_u64().unwrap();
    assert!(size > u64::from(FILES) * (20 << 20), "{size}");
    let growth = growth_kib(&server, || {
        let request = client.request("GET", ticket["url"].as_str().unwrap());
        let mut body = request.send().unwrap();
        let (mut buffer, mut read) = (vec![0; 1 << 20], 0);
        loop {
            match body.read(&mut buffer).unwrap() {
                0 => break,
                n => read += n as u64,
            }
        }
        assert_eq!(read, size);
    });
    assert!(
        growth < MAX_GROWTH_KIB,
        "{growth} KiB for a zip of {size} bytes"
    );
}

/// At the cost that servers have by default. Who finds the queue full is told when to come again.
fn two_hundred_sign_ins_at_once_take_the_memory_of_two(backend: &Backend) {
    let default_cost = [
        ("ARGON2_MEMORY", "64 MiB"),
        ("ARGON2_PASSES", "3"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let server = Server::with(backend, &default_cost);
    let ada = server.user("ada");
    let (done, most) = (AtomicBool::new(false), AtomicU64::new(0));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                most.fetch_max(resident_kib(server.process()), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let tries: Vec<_> = (0..SIGN_INS)
            .map(|n| {
                let client = server.anonymous();
                // From as many places, or failed tries would make them wait before they cost much.
                scope.spawn(move || wrong_sign_in(&client, n))
            })
            .collect();
        let statuses = tries.into_iter().map(|one| one.join().unwrap()).collect();
        done.store(true, Ordering::Relaxed);
        statuses
    });
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!(count(401) + count(503), SIGN_INS, "{statuses:?}");
    // Two by default, but a core is left for others.
    let cores = std::thread::available_parallelism().unwrap().get();
    let at_once = (cores - 1).clamp(1, 2);
    assert!(
        count(401) >= at_once + 64,
        "{at_once} at once, and the queue: {statuses:?}"
    );
    assert!(count(503) > 0, "the queue has no end: {statuses:?}");
    let most = most.into_inner();
    assert!(most < MOST_FOR_SIGN_INS_KIB, "{most} KiB");
    ada.login("ada", PASSWORD).json(201);
}

fn wrong_sign_in(client: &Client, n: usize) -> u16 {
    let body = json!({ "login": format!("user{n}"), "password": "not the password at all" });
    let request = client
        .request("POST", "/api/v1/sessions")
        .header("X-Forwarded-For", format!("198.51.100.{n}"));
    let answer = Answer::to(request.json(&body));
    assert_eq!(
        answer.status == 503,
        !answer.header("Retry-After").is_empty()
    );
    answer.status
}

/// What the account holds is passed over in the zip, and read back, piece by piece.
fn an_import_of_what_is_here_takes_a_small_window_of_memory(backend: &Backend) {
    let mut server = Server::start(backend);
    let client = server.user("ada");
    for seed in 0..FILES {
        client.add(&format!("{seed}.bmp"), &samples::large(seed));
    }
    let zip = super::exporting::exported(&client);
    server.restart();
    let growth = growth_kib(&server, || {
        let report = super::importing::import(&client, &zip).json(200);
        assert_eq!(report["already_here"], FILES);
    });
    let size = zip.len();
    // What comes in has a window, and what is read back has one.
    assert!(
        growth < 2 * MAX_GROWTH_KIB,
        "{growth} KiB for a zip of {size} bytes"
    );
}

/// How much more memory a server ever has while this is done.
pub(super) fn growth_kib(server: &Server, doing: impl FnOnce()) -> u64 {
    let before = resident_kib(server.process());
    let (done, most) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                most.fetch_max(resident_kib(server.process()), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        // Also when it fails, or the scope would wait for ever.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(doing));
        done.store(true, Ordering::Relaxed);
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    most.into_inner().saturating_sub(before)
}

/// `VmRSS` of a process, as Linux tells it.
pub(super) fn resident_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
