//! What a download costs the server.

use std::fs;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(a_zip_takes_a_small_window_of_memory_however_large_it_is);

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
    let before = resident_kib(server.process());
    let (done, most) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                most.fetch_max(resident_kib(server.process()), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let request = client.request("GET", ticket["url"].as_str().unwrap());
        let mut body = request.send().unwrap();
        let (mut buffer, mut read) = (vec![0; 1 << 20], 0);
        loop {
            match body.read(&mut buffer).unwrap() {
                0 => break,
                n => read += n as u64,
            }
        }
        done.store(true, Ordering::Relaxed);
        assert_eq!(read, size);
    });
    let growth = most.into_inner().saturating_sub(before);
    assert!(
        growth < MAX_GROWTH_KIB,
        "{growth} KiB for a zip of {size} bytes"
    );
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
