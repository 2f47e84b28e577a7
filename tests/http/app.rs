//! The vault as an app: what a phone reads to install it, and what it shares to it.

use reqwest::blocking::multipart::{Form, Part};
use serde_json::Value;

use super::answer::Answer;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    the_manifest_names_what_is_there,
    the_worker_is_served_for_the_whole_site_and_never_kept,
    a_share_without_a_worker_stores_nothing_and_says_so,
    a_foreign_page_shares_nothing,
    the_place_of_a_picture_is_told_to_its_owner,
);

fn the_manifest_names_what_is_there(backend: &Backend) {
    let server = Server::start(backend);
    let anonymous = server.anonymous();
    let answer = anonymous.get("/manifest.webmanifest").expect(200);
    assert_eq!(answer.header("Content-Type"), "application/manifest+json");
    assert_eq!(answer.header("Cache-Control"), "no-cache");
    let manifest: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(manifest["display"], "standalone");
    for icon in manifest["icons"].as_array().unwrap() {
        let drawing = anonymous.get(icon["src"].as_str().unwrap()).expect(200);
        assert_eq!(
            drawing.header("Content-Type"),
            icon["type"].as_str().unwrap()
        );
    }
    assert_eq!(manifest["start_url"], "/vault");
    let share = &manifest["share_target"];
    let kinds = share["params"]["files"][0]["accept"].as_array().unwrap();
    for kind in ["image/jpeg", "image/png", "image/webp", ".tiff"] {
        assert!(kinds.contains(&kind.into()), "{kind}");
    }
    let pages = [server.browser().get("/login"), server.browser().get("/no")];
    for page in pages {
        assert!(page.text().contains("href=\"/manifest.webmanifest\""));
    }
}

fn the_worker_is_served_for_the_whole_site_and_never_kept(backend: &Backend) {
    let server = Server::start(backend);
    let answer = server.anonymous().get("/service-worker.js").expect(200);
    assert!(answer.header("Content-Type").starts_with("text/javascript"));
    assert_eq!(answer.header("Cache-Control"), "no-cache");
    let policy = answer.header("Content-Security-Policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    // It could keep decrypted pictures only by one of these.
    for store in ["caches.", "indexedDB", " fetch("] {
        assert!(!answer.text().contains(store), "the worker names {store}");
    }
}

fn share() -> Form {
    let part = |seed| Part::bytes(samples::jpeg(seed)).file_name("shared.jpg");
    Form::new().part("files", part(1)).part("files", part(2))
}

fn a_share_without_a_worker_stores_nothing_and_says_so(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let mut browser = server.signed_in("ada");
    let blobs = server.store.blob_count();
    // As the phone sends it: nobody's page asked.
    let sent = browser
        .bare("POST", "/share-target")
        .header("Sec-Fetch-Site", "none");
    let answer = Answer::to(sent.header("Accept", "text/html").multipart(share()));
    let (cookie, rest) = answer.header("Set-Cookie").split_once(';').unwrap();
    assert!(
        rest.contains("HttpOnly") || rest.contains("SameSite"),
        "{rest}"
    );
    let (name, value) = cookie.split_once('=').unwrap();
    browser.cookies.insert(name.into(), value.into());
    let page = browser.follow(answer).expect(200).text();
    assert!(page.contains("Nothing was added"), "{page}");
    assert_eq!(client.list("")["total"], 0);
    assert_eq!(server.store.blob_count(), blobs);
    // More than the buffers between two sockets hold, and it still gets its answer.
    let large = Form::new().part(
        "files",
        Part::bytes(samples::large(1)).file_name("large.bmp"),
    );
    let sent = server
        .browser()
        .bare("POST", "/share-target")
        .multipart(large);
    assert_eq!(Answer::to(sent).expect(303).header("Location"), "/vault");
}

fn a_foreign_page_shares_nothing(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let browser = server.signed_in("ada");
    let sent = browser
        .bare("POST", "/share-target")
        .header("Sec-Fetch-Site", "cross-site");
    Answer::to(sent.multipart(share())).expect(403);
}

/// Only one of the two pictures has a place.
fn the_place_of_a_picture_is_told_to_its_owner(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let here = client.add("here.jpg", &samples::at(1, [48, 51, 30], [2, 17, 40]));
    let nowhere = client.add("nowhere.jpg", &samples::jpeg(2));
    let place = client.image(&here)["location"].clone();
    assert_eq!(place["latitude"], 48.858_333_3);
    assert_eq!(place["longitude"], -2.294_444_4);
    assert_eq!(client.image(&nowhere)["location"], Value::Null);
    let mut browser = server.signed_in("ada");
    let page = browser
        .get(&format!("/vault/images/{here}"))
        .expect(200)
        .text();
    assert!(page.contains("48.85833° N, 2.29444° W"), "{page}");
    let page = browser
        .get(&format!("/vault/images/{nowhere}"))
        .expect(200)
        .text();
    assert!(!page.contains("Place</dt>"), "{page}");
}
