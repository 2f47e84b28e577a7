//! How much an account may keep: told before and after, held to by every way in, and decided by the
//! operator.

use serde_json::{Value, json};

use super::answer::Answer;
use super::client::Client;
use super::exporting::exported;
use super::importing::import;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    what_does_not_fit_is_507_with_what_is_left,
    a_full_vault_is_looked_at_and_marked_and_takes_no_long_captions,
    a_file_larger_than_the_whole_quota_is_413_before_it_is_sent,
    what_is_there_already_needs_no_room,
    an_import_of_what_is_there_already_needs_no_room,
    uploads_at_the_same_moment_never_get_past_the_quota,
    uploads_to_two_servers_never_get_past_the_quota,
    a_form_takes_what_fits_and_says_what_did_not,
    the_operator_decides_about_one_account_and_its_owner_is_told,
    the_account_page_shows_what_is_left_and_warns,
);

/// What a part of a picture takes at least, and in steps of.
const BLOCK: u64 = 4_096;

fn usage(client: &Client) -> (Value, Value) {
    let session = client.get("/api/v1/session").json(200);
    (session["usage"].clone(), session["quota"].clone())
}

fn images(client: &Client) -> u64 {
    usage(client).0["images"].as_u64().unwrap()
}

/// What a file of a picture counts: sealed, in whole blocks, and one more.
fn file(plain: &[u8]) -> u64 {
    let len = plain.len() as u64;
    let sealed = 96 + len + 16 * len.div_ceil(64 << 10);
    sealed.next_multiple_of(BLOCK) + BLOCK
}

/// What a picture counts that nobody has looked at, and of which little is said.
fn counted(client: &Client, id: &str) -> u64 {
    let thumbnail = client.get(&format!("/api/v1/images/{id}/thumbnail"));
    file(&client.original(id)) + file(&thumbnail.expect(200).body) + BLOCK
}

fn said(server: &Server, arguments: &[&str]) -> String {
    let output = server.output(&[&["admin", "quota"], arguments].concat());
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

fn what_does_not_fit_is_507_with_what_is_left(backend: &Backend) {
    let files = [1, 2, 3].map(samples::jpeg);
    let server = Server::start(backend);
    let client = server.user("ada");
    let first = client.add("1.jpg", &files[0]);
    let second = client.add("2.jpg", &files[1]);
    let used = counted(&client, &first) + counted(&client, &second);
    let room = used + 10;
    said(&server, &["ada", "--bytes", &room.to_string()]);
    assert_eq!(
        usage(&client),
        (
            json!({ "bytes": used, "images": 2 }),
            json!({ "bytes": room, "images": null })
        )
    );
    let refused = client.upload("3.jpg", &files[2]);
    assert_eq!(refused.header("Retry-After"), "", "trying again is no use");
    let problem = refused.problem(507);
    for (member, expected) in [
        ("quota_bytes", json!(room)),
        ("used_bytes", json!(used)),
        ("left_bytes", json!(10)),
        ("quota_images", Value::Null),
        ("used_images", json!(2)),
        ("left_images", Value::Null),
    ] {
        assert_eq!(problem[member], expected, "{member}");
    }
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("10 B are left"), "{detail}");
    assert_eq!(server.store.blob_count(), 4, "nothing of it is kept");

    // In the trash it takes room still, and back in the vault no more than before.
    client
        .delete(&format!("/api/v1/images/{first}"))
        .expect(204);
    client.upload("3.jpg", &files[2]).problem(507);
    let restore = json!({ "ids": [first] });
    client.post("/api/v1/images/restore", &restore).json(200);
    assert_eq!(usage(&client).0, json!({ "bytes": used, "images": 2 }));
    let for_good = format!("/api/v1/images/{first}?permanent=true");
    client.delete(&for_good).expect(204);
    client.add("3.jpg", &files[2]);
    assert_eq!(images(&client), 2);
    let other = server.user("ben");
    other.add("1.jpg", &files[0]);
}

fn a_full_vault_is_looked_at_and_marked_and_takes_no_long_captions(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let picture = samples::jpeg(1);
    let id = client.add("1.jpg", &picture);
    let (path, used) = (format!("/api/v1/images/{id}"), counted(&client, &id));
    let limit = |bytes: u64| said(&server, &["ada", "--bytes", &bytes.to_string()]);
    let used_now = || usage(&client).0["bytes"].as_u64().unwrap();
    let say = |caption: &str| client.patch(&path, &json!({ "caption": caption }));
    let mark = || {
        for marked in [true, false] {
            client
                .patch(&path, &json!({ "favourite": marked }))
                .json(200);
        }
    };
    let preview = || {
        client
            .get(&format!("{path}/preview"))
            .expect(200)
            .body
            .clone()
    };

    limit(used);
    mark();
    say("a dog at the sea").json(200);
    let problem = say(&"dog ".repeat(1_000)).problem(507);
    assert_eq!(problem["left_bytes"], 0);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("There is no room for this"), "{detail}");
    assert!(
        detail.contains("previews, captions and the trash"),
        "{detail}"
    );
    assert_eq!(client.image(&id)["caption"], "a dog at the sea");
    assert_eq!(preview(), preview());
    assert_eq!((used_now(), server.store.blob_count()), (used, 2));
    // What is here already needs no room, be its other name as long as it may be.
    let again = client.upload(&"n".repeat(1_000), &picture).json(200);
    assert_eq!(again["duplicate"], true);

    limit(1 << 20);
    say(&"dog ".repeat(1_000)).json(200);
    let with_preview = used + BLOCK + file(&preview());
    assert_eq!(used_now(), with_preview);
    assert_eq!(server.store.blob_count(), 3);

    // Less than there is.
    limit(used);
    mark();
    say("").json(200);
    assert_eq!(used_now(), with_preview - BLOCK);
    say(&"dog ".repeat(1_000)).problem(507);
    client.upload("2.jpg", &samples::jpeg(2)).problem(507);
    client.delete(&format!("{path}?permanent=true")).expect(204);
    assert_eq!(used_now(), 0);
}

fn a_file_larger_than_the_whole_quota_is_413_before_it_is_sent(backend: &Backend) {
    let server = Server::with(backend, &[("QUOTA_BYTES", "40 KiB")]);
    let client = server.user("ada");
    // Were the body waited for, there would be no answer.
    let mut link = std::net::TcpStream::connect(server.host()).unwrap();
    let head = super::bad_uploads::head(&server, &client, "Content-Length: 40960");
    link.set_read_timeout(Some(std::time::Duration::from_secs(60)))
        .unwrap();
    std::io::Write::write_all(&mut link, head.as_bytes()).unwrap();
    let answer = super::bad_uploads::read_head(&mut link);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let large = vec![0; 40 << 10];
    let problem = client.upload("large.jpg", &large).problem(413);
    assert_eq!(problem["left_bytes"], 40 << 10);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("40 KiB"), "{detail}");
    client.add("small.jpg", &samples::jpeg(1));
}

fn what_is_there_already_needs_no_room(backend: &Backend) {
    let server = Server::with(backend, &[("QUOTA_IMAGES", "1")]);
    let client = server.user("ada");
    let (kept, other) = (samples::jpeg(1), samples::jpeg(2));
    let id = client.add("kept.jpg", &kept);
    let problem = client.upload("other.jpg", &other).problem(507);
    assert_eq!(problem["left_images"], 0);
    let again = client.upload("again.jpg", &kept).json(200);
    assert_eq!(
        (&again["id"], &again["duplicate"]),
        (&json!(id), &json!(true))
    );
    // Out of the trash as well, since it was not out of the count.
    client.delete(&format!("/api/v1/images/{id}")).expect(204);
    let again = client.upload("again.jpg", &kept).json(200);
    assert_eq!(again["state"], "active");
    // What is no picture is told so only where there is room for one.
    client.upload("text.jpg", b"text").problem(507);
}

/// Whatever else is said about it where it comes from.
fn an_import_of_what_is_there_already_needs_no_room(backend: &Backend) {
    let server = Server::start(backend);
    let (ada, ben) = (server.user("ada"), server.user("ben"));
    let picture = samples::jpeg(1);
    let (hers, his) = (ada.add("1.jpg", &picture), ben.add("1.jpg", &picture));
    let words = json!({ "caption": "dog ".repeat(1_000) });
    ben.patch(&format!("/api/v1/images/{his}"), &words)
        .json(200);
    let limit = counted(&ada, &hers).to_string();
    said(&server, &["ada", "--bytes", &limit]);
    let report = import(&ada, &exported(&ben)).json(200);
    for count in ["total", "already_here", "identical"] {
        assert_eq!(report[count], 1, "{report}");
    }
    assert_eq!(ada.image(&hers)["caption"], "");
}

/// Each is looked at while there is room for it; where they go in, most of them find none.
fn uploads_at_the_same_moment_never_get_past_the_quota(backend: &Backend) {
    let server = Server::with(backend, &[("QUOTA_IMAGES", "5")]);
    let client = server.user("ada");
    assert_at_most_fit(&[&client], 5);
    assert_eq!(server.store.blob_count(), 10, "originals and thumbnails");
}

fn uploads_to_two_servers_never_get_past_the_quota(backend: &Backend) {
    let server = Server::with(backend, &[("QUOTA_IMAGES", "5")]);
    let ada = server.user("ada");
    let beside = server.beside();
    let there = beside.anonymous().with_token(&ada.token);
    assert_at_most_fit(&[&ada, &there], 5);
    assert_eq!(images(&there), 5);
}

/// Twenty at once; as many get in as fit.
#[track_caller]
fn assert_at_most_fit(clients: &[&Client], fit: usize) {
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let uploads: Vec<_> = (0..20)
            .map(|seed| {
                let client = clients[seed % clients.len()];
                scope.spawn(move || client.upload("x.jpg", &samples::jpeg(seed as u32)).status)
            })
            .collect();
        let joined = uploads.into_iter().map(|upload| upload.join().unwrap());
        joined.collect()
    });
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(201), count(507)), (fit, 20 - fit), "{statuses:?}");
    assert_eq!(images(clients[0]), fit as u64);
}

fn a_form_takes_what_fits_and_says_what_did_not(backend: &Backend) {
    let server = Server::with(backend, &[("QUOTA_IMAGES", "2")]);
    server.user("ada");
    let mut browser = server.signed_in("ada");
    let files = [1, 2, 3].map(samples::jpeg);
    let page = browser
        .upload(&[
            ("1.jpg", &files[0]),
            ("2.jpg", &files[1]),
            ("3.jpg", &files[2]),
        ])
        .expect(200)
        .text();
    assert_eq!(page.matches("There is no room for this").count(), 1);
    assert!(page.contains("2 of 2 pictures"), "{page}");
}

fn the_operator_decides_about_one_account_and_its_owner_is_told(backend: &Backend) {
    let server = Server::with(backend, &[("QUOTA_IMAGES", "1")]);
    let (ada, ben) = (server.user("ada"), server.user("ben"));
    assert!(said(&server, &["ben"]).contains("0 B · 0 of 1 picture"));
    let events = || {
        let events = ben.get("/api/v1/account/events").json(200);
        let items = events["items"].as_array().unwrap().clone();
        let told = items
            .into_iter()
            .filter(|item| item["kind"] == "quota_changed");
        told.count()
    };
    assert_eq!(events(), 0, "looking changes nothing");
    let now = said(&server, &["BEN", "--images", "3", "--bytes", "50GiB"]);
    assert!(now.contains("0 B of 50 GiB · 0 of 3 pictures"), "{now}");
    assert_eq!(events(), 1);
    for seed in 0..3 {
        ben.add("x.jpg", &samples::jpeg(seed));
    }
    ben.upload("x.jpg", &samples::jpeg(3)).problem(507);
    ada.add("x.jpg", &samples::jpeg(0));
    ada.upload("x.jpg", &samples::jpeg(1)).problem(507);

    said(&server, &["ben", "--images", "none"]);
    let left = json!({ "bytes": 50_u64 << 30, "images": null });
    assert_eq!(usage(&ben).1, left, "what is not named stays");
    ben.add("x.jpg", &samples::jpeg(3));
    said(
        &server,
        &["ben", "--images", "default", "--bytes", "default"],
    );
    assert_eq!(usage(&ben).1, json!({ "bytes": null, "images": 1 }));
    ben.upload("x.jpg", &samples::jpeg(4)).problem(507);
    let page = Answer::to(ben.request("GET", "/account/security")).text();
    assert!(page.contains("changed how much you may keep"));

    for wrong in [["--bytes", "lots"], ["--images", "-1"], ["--bytes", "1 B"]] {
        let output = server.output(&[&["admin", "quota", "ben"][..], &wrong].concat());
        assert!(!output.status.success(), "{wrong:?}");
    }
    let output = server.output(&["admin", "quota", "nobody"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("no account `nobody`"), "{said}");
}

fn the_account_page_shows_what_is_left_and_warns(backend: &Backend) {
    let server = Server::with(backend, &[("QUOTA_IMAGES", "10")]);
    let ada = server.user("ada");
    let mut browser = server.signed_in("ada");
    for seed in 0..8 {
        ada.add("x.jpg", &samples::jpeg(seed));
    }
    let page = browser.get("/account").expect(200).text();
    let meters = super::html::tags(&page, "meter");
    assert_eq!(meters.len(), 1, "bytes have no limit");
    assert_eq!((&*meters[0]["value"], &*meters[0]["max"]), ("8", "10"));
    assert!(page.contains("8 of 10 pictures") && !page.contains("nearly full"));
    ada.add("x.jpg", &samples::jpeg(8));
    let page = browser.get("/account").expect(200).text();
    assert!(page.contains("nearly full: 1 picture is left"), "{page}");
    ada.add("x.jpg", &samples::jpeg(9));
    let page = browser.get("/account").expect(200).text();
    assert!(page.contains("Your vault is full."), "{page}");
}
