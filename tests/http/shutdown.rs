//! SIGTERM: running downloads finish within the grace, nothing new is taken, the end is clean.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use super::archives::unzipped;
use super::client::original;
use super::samples;
use super::server::{Server, wait_until};
use super::store::Backend;

on_both_stores!(
    a_running_download_finishes_within_the_grace,
    a_download_beyond_the_grace_is_cut_and_seen_as_failed,
    an_idle_server_ends_without_waiting_for_the_grace,
    what_has_ended_leaves_no_log_behind,
);

fn a_running_download_finishes_within_the_grace(backend: &Backend) {
    let server = Server::with(backend, &[("SHUTDOWN_GRACE", "1h")]);
    let client = server.user("ada");
    let pictures = [samples::large(1), samples::large(2)];
    for (name, bytes) in ["one.bmp", "two.bmp"].iter().zip(&pictures) {
        client.add(name, bytes);
    }
    let ticket = client.archive(&json!({ "all": true }));
    let mut running = client
        .request("GET", ticket["url"].as_str().unwrap())
        .send()
        .unwrap();
    let mut zip = vec![0; 100_000];
    running.read_exact(&mut zip).unwrap();
    server.terminate();
    std::thread::sleep(Duration::from_millis(1_500));
    let read = running.read_to_end(&mut zip);
    assert!(read.is_ok(), "{read:?} {}", server.log());
    let refused = || TcpStream::connect(server.host()).is_err();
    wait_until("nothing new is taken", refused);
    assert_eq!(zip.len() as u64, ticket["size"].as_u64().unwrap());
    let entries = unzipped(&zip);
    assert!(entries[0].1 == pictures[1] && entries[1].1 == pictures[0]);
}

fn a_download_beyond_the_grace_is_cut_and_seen_as_failed(backend: &Backend) {
    // Nothing but the grace can end it: its reader may be slow for as long as it likes.
    let settings = [("SHUTDOWN_GRACE", "1s"), ("SEND_STALL", "1h")];
    let mut server = Server::with(backend, &settings);
    let client = server.user("ada");
    let id = client.add("large.bmp", &samples::large(1));
    let mut running = client.request("GET", &original(&id)).send().unwrap();
    running.read_exact(&mut [0; 1_000]).unwrap();
    server.terminate();
    assert!(server.wait().success(), "{}", server.log());
    running
        .read_to_end(&mut Vec::new())
        .expect_err("half a file was passed off as whole");
}

/// An hour is far beyond what `stop` waits for.
fn an_idle_server_ends_without_waiting_for_the_grace(backend: &Backend) {
    let mut server = Server::with(backend, &[("SHUTDOWN_GRACE", "1h")]);
    server.user("ada");
    assert!(server.stop().success(), "{}", server.log());
}

/// The write-ahead log would keep what was deleted or replaced.
fn what_has_ended_leaves_no_log_behind(backend: &Backend) {
    let mut server = Server::start(backend);
    let client = server.user("ada");
    let log = server.store.data_dir().join("vault.db-wal");
    let log_len = || fs::metadata(&log).map_or(0, |log| log.len());
    // At once, so that no batch comes before; and with a download that the end cuts off.
    let id = client.add("large.bmp", &samples::large(1));
    let mut running = client.request("GET", &original(&id)).send().unwrap();
    running.read_exact(&mut [0; 1_000]).unwrap();
    client.add("small.jpg", &samples::jpeg(2));
    drop(running);
    assert!(server.stop().success(), "{}", server.log());
    assert_eq!(log_len(), 0);
    let granted = server.output(&["admin", "quota", "ada", "--images", "5"]);
    assert!(granted.status.success(), "{granted:?}");
    assert_eq!(log_len(), 0);
    server.run();
    assert_eq!(client.original(&id), samples::large(1));
}
