//! DELETE /api/v1/images/{id}: to the trash, then gone.

use super::client::original;
use super::samples;
use super::server::{Server, wait_until};
use super::store::Backend;

on_both_stores!(
    a_deleted_image_waits_in_the_trash,
    deleted_twice_it_is_gone_for_good,
    permanent_skips_the_trash,
    nothing_of_a_deleted_image_stays_in_the_store,
    the_trash_empties_itself,
);

/// R1.45.
fn a_deleted_image_waits_in_the_trash(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids: Vec<_> = (0..3)
        .map(|n| client.add(&format!("{n}"), &samples::jpeg(n)))
        .collect();
    let answer = client
        .delete(&format!("/api/v1/images/{}", ids[1]))
        .expect(204);
    assert!(answer.body.is_empty());
    assert_eq!(client.names(""), ["2", "0"]);
    assert_eq!(client.names("state=trashed"), ["1"]);
    assert_eq!(client.image(&ids[1])["state"], "trashed");
}

fn deleted_twice_it_is_gone_for_good(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let path = format!("/api/v1/images/{}", client.add("a", &samples::jpeg(1)));
    client.delete(&path).expect(204);
    client.delete(&path).expect(204);
    client.get(&path).problem(404);
    client.delete(&path).problem(404);
    assert_eq!(client.list("state=trashed")["total"], 0);
}

fn permanent_skips_the_trash(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let path = format!("/api/v1/images/{}", client.add("a", &samples::jpeg(1)));
    client
        .delete(&format!("{path}?permanent=perhaps"))
        .problem(422);
    client.delete(&format!("{path}?permanent=true")).expect(204);
    client.get(&path).problem(404);
    assert_eq!(client.list("state=trashed")["total"], 0);
}

/// R1.48, R1.28: original, thumbnail and preview go, and their URLs with them.
fn nothing_of_a_deleted_image_stays_in_the_store(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let kept = client.add("kept", &samples::jpeg(1));
    let before = server.store.blob_count();
    let gone = client.add("gone", &samples::bmp(b"pixels", 2000, 1000));
    client
        .get(&format!("/api/v1/images/{gone}/preview"))
        .expect(200);
    // The preview is kept once it has been made.
    wait_until("the preview is stored", || {
        server.store.blob_count() >= before + 3
    });
    client
        .delete(&format!("/api/v1/images/{gone}?permanent=true"))
        .expect(204);
    wait_until("the blobs are gone", || server.store.blob_count() == before);
    for rest in ["original", "thumbnail", "preview"] {
        client
            .get(&format!("/api/v1/images/{gone}/{rest}"))
            .problem(404);
    }
    client.get(&original(&kept)).expect(200);
}

fn the_trash_empties_itself(backend: &Backend) {
    let mut server = Server::with(backend, &[("TRASH_KEEP", "1s")]);
    let client = server.user("ada");
    let id = client.add("a", &samples::jpeg(1));
    client.delete(&format!("/api/v1/images/{id}")).expect(204);
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    // The sweeper comes round at the latest when the server starts.
    server.restart();
    wait_until("the trash is empty", || server.store.blob_count() == 0);
    client.get(&format!("/api/v1/images/{id}")).problem(404);
}
