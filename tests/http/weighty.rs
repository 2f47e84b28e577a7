//! Pictures about which as much is said as can be: what that costs, and what still works.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::client::{Client, id, names};
use super::exporting::{exported, furnished, list_in};
use super::html;
use super::importing::import;
use super::memory::growth_kib;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    pictures_of_which_much_is_said_take_bounded_memory_and_answers,
    without_memory_for_records_everything_is_listed_found_and_delivered,
    a_record_that_gets_too_long_is_refused_and_what_makes_it_long_is_named,
    other_names_are_left_out_where_there_is_no_room_for_them,
    an_import_tells_which_record_would_get_too_long,
    an_account_has_as_many_pictures_as_its_list_has_memory_for,
    many_calls_about_everything_take_the_memory_of_a_few,
    a_search_misses_nothing_while_pictures_are_marked,
);

/// One character of three bytes that folds into eighteen of 33.
const LONG: &str = "\u{fdfa}";
const MANY: u32 = 320;
/// What it takes to open and to list them; more than 60 MiB where what is folded has no bound.
const MOST_GROWTH_KIB: u64 = 48 << 10;
/// Of 2 MiB, with a little around.
const MOST_BYTES: usize = (2 << 20) + (16 << 10);

/// As long as each field may be.
fn most_that_can_be_said() -> Value {
    let tags: Vec<_> = (10..109)
        .map(|n| format!("{}{n}", LONG.repeat(32)))
        .collect();
    json!({ "caption": LONG.repeat(1_365), "tags": tags })
}

fn path(id: &str) -> String {
    format!("/api/v1/images/{id}")
}

/// Pictures of a few hundred bytes with all words that fit.
fn add_weighty(client: &Client, count: u32) {
    let (name, said) = (LONG.repeat(338), most_that_can_be_said());
    thread::scope(|scope| {
        for first in 0..4 {
            let (name, said) = (&name, &said);
            scope.spawn(move || {
                for seed in (first..count).step_by(4) {
                    let picture = samples::picture(seed, 8, 8);
                    let mut file = samples::encoded(&picture, image::ImageFormat::Bmp);
                    file[54..58].copy_from_slice(&seed.to_le_bytes());
                    let image = client.add(&format!("{name}{seed:04}"), &file);
                    client.patch(&path(&image), said).expect(200);
                }
            });
        }
    });
}

/// Every page of a list: ids and the bytes of the largest answer.
fn all_pages(client: &Client, query: &str) -> (Vec<String>, usize) {
    let (mut ids, mut most, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let answer = client
            .get(&format!("/api/v1/images?{query}{cursor}"))
            .expect(200);
        most = most.max(answer.body.len());
        let page = answer.json(200);
        assert_eq!(page["total"], MANY);
        ids.extend(page["items"].as_array().unwrap().iter().map(id));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (ids, most),
        }
    }
}

fn pictures_of_which_much_is_said_take_bounded_memory_and_answers(backend: &Backend) {
    let mut server = Server::start(backend);
    let client = server.user("ada");
    add_weighty(&client, MANY);
    // What uploading and signing in took is not what this is about.
    let mut browser = server.signed_in("ada");
    server.restart();
    let mut largest = 0;
    let growth = growth_kib(&server, || {
        for query in ["limit=500", "limit=500&sort=name", "limit=500&q=%EF%B7%BA"] {
            let (mut ids, most) = all_pages(&client, query);
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), MANY as usize, "{query}");
            largest = most.max(largest);
        }
        let (mut tiles, mut next) = (0, "/vault?sort=name".to_owned());
        while !next.is_empty() {
            let page = browser.get(&next).expect(200).text();
            largest = page.len().max(largest);
            let links = html::tags(&html::shown(&page), "a");
            let has = |name: &'static str, value: &'static str| {
                move |link: &&html::Attributes| link.get(name).is_some_and(|has| has == value)
            };
            tiles += links.iter().filter(has("class", "tile__link")).count();
            let more = links.iter().find(has("rel", "next"));
            next = more.map_or_else(String::new, |link| link["href"].clone());
        }
        assert_eq!(tiles, MANY as usize);
    });
    assert!(growth < MOST_GROWTH_KIB, "{growth} KiB");
    assert!(largest < MOST_BYTES, "{largest} bytes");
}

/// All that is asked of a list, in words and numbers.
fn answers(client: &Client) -> Vec<Value> {
    let mut answers = Vec::new();
    for state in ["active", "trashed"] {
        for sort in ["uploaded_at", "-taken_at", "name", "-size"] {
            for narrow in [
                "",
                "&q=",
                "&q=two",
                "&tag=sea",
                "&tag=old",
                "&favourite=true",
                "&q=cam",
            ] {
                let query = format!("state={state}&sort={sort}{narrow}");
                answers.push(client.list(&query));
                let mut timeline = client.get(&format!("/api/v1/timeline?{query}")).json(200);
                // Sealed anew each time.
                timeline["cursors"].take();
                answers.push(timeline);
            }
        }
    }
    let mut list = list_in(&exported(client));
    list["exported_at"].take();
    answers.push(list);
    for body in [json!({ "all": true }), json!({ "query": "two" })] {
        let ticket = client.archive(&body);
        answers.push(ticket["size"].clone());
        let zip = client.get(ticket["url"].as_str().unwrap()).expect(200);
        assert_eq!(zip.body.len() as u64, ticket["size"].as_u64().unwrap());
    }
    answers
}

fn without_memory_for_records_everything_is_listed_found_and_delivered(backend: &Backend) {
    let mut server = Server::start(backend);
    let client = server.user("ada");
    let ids = furnished(&client);
    let expected = answers(&client);
    for (all, one) in [("64 KiB", "0 B"), ("64 KiB", "2 KiB")] {
        server.set("CATALOGUE_MEMORY", all);
        server.set("ACCOUNT_CATALOGUE_MEMORY", one);
        server.restart();
        assert_eq!(answers(&client), expected, "{all}, {one}");
    }
    // And changed, sent to the trash and back, and removed.
    let query = json!({ "query": "two" });
    for (call, done) in [("delete", "deleted"), ("restore", "restored")] {
        let answer = client
            .post(&format!("/api/v1/images/{call}"), &query)
            .json(200);
        assert_eq!(answer[done], 1, "{call}");
    }
    client
        .patch(&path(&ids[0]), &json!({ "tags": ["new"] }))
        .expect(200);
    assert_eq!(client.names("tag=new"), ["sea.jpg"]);
    assert_eq!(client.names("tag=sea"), [""; 0]);
    let mut page = server.signed_in("ada");
    assert!(
        page.get("/vault?q=new")
            .expect(200)
            .text()
            .contains("sea.jpg")
    );
    client
        .delete(&format!("{}?permanent=true", path(&ids[0])))
        .expect(204);
    assert_eq!(client.names("tag=new"), [""; 0]);
}

fn a_record_that_gets_too_long_is_refused_and_what_makes_it_long_is_named(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let image = client.add("a.jpg", &samples::jpeg(1));
    let said = most_that_can_be_said();
    client.patch(&path(&image), &said).expect(200);
    let before = client.image(&image);
    // Within the bounds of its field, and six times as long where it is written; a name may hold
    // quotation marks, which are written twice as long.
    let escaped = "\u{1}".repeat(4_096);
    let name = "\"".repeat(1_024);
    for (edit, field) in [
        (json!({ "caption": escaped }), "caption"),
        (json!({ "name": name, "tags": before["tags"] }), "tags"),
    ] {
        let message = client.patch(&path(&image), &edit).field_error(422, field);
        assert!(message.contains("16 KiB"), "{message}");
    }
    let mut page = server.signed_in("ada");
    page.get(&format!("/vault/images/{image}")).expect(200);
    let form = [("name", "a"), ("caption", escaped.as_str()), ("tags", "x")];
    let refused = page.submit_signed(&format!("/vault/images/{image}"), &form);
    assert!(refused.expect(422).text().contains("16 KiB"));
    assert_eq!(client.image(&image), before);
    // A mark is no words.
    for favourite in [true, false] {
        let marking = json!({ "ids": [image], "favourite": favourite });
        let marked = client.post("/api/v1/images/favourite", &marking).json(200);
        assert_eq!(marked["marked"], 1);
    }
    client
        .patch(&path(&image), &json!({ "tags": [] }))
        .expect(200);
    client
        .patch(&path(&image), &json!({ "caption": "fits" }))
        .expect(200);
}

fn other_names_are_left_out_where_there_is_no_room_for_them(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let file = samples::jpeg(1);
    let image = client.add("a.jpg", &file);
    client
        .patch(&path(&image), &most_that_can_be_said())
        .expect(200);
    for n in 0..5 {
        let name = format!("{n}{}", "x".repeat(1_000));
        let again = client.upload(&name, &file).json(200);
        assert_eq!(
            (&again["id"], &again["duplicate"]),
            (&json!(image), &json!(true))
        );
    }
    let names = client.image(&image)["also_named"].as_array().unwrap().len();
    assert!(names < 2, "{names} names beside all that can be said");
    let empty = client.add("b.jpg", &samples::jpeg(2));
    for n in 0..20 {
        let name = format!("{n:02}{}", "x".repeat(1_000));
        client.upload(&name, &samples::jpeg(2)).json(200);
    }
    let names = client.image(&empty)["also_named"].as_array().unwrap().len();
    assert!(
        (2..5).contains(&names),
        "{names} names where nothing is said"
    );
    client
        .patch(&path(&empty), &json!({ "caption": LONG.repeat(1_365) }))
        .expect(200);
}

fn an_import_tells_which_record_would_get_too_long(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    for seed in 1..3 {
        let image = ada.add(&format!("{seed}.jpg"), &samples::jpeg(seed));
        let caption = "\u{1}".repeat(1_000);
        ada.patch(&path(&image), &json!({ "caption": caption }))
            .expect(200);
    }
    let bob = server.user("bob");
    let here = bob.add("here.jpg", &samples::jpeg(1));
    let tags: Vec<_> = (10..110)
        .map(|n| format!("{n}{}", "t".repeat(97)))
        .collect();
    bob.patch(&path(&here), &json!({ "tags": tags }))
        .expect(200);
    let report = import(&bob, &exported(&ada)).json(200);
    assert_eq!(
        (&report["added"], &report["identical"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(report["failed"][0]["name"], "1.jpg");
    let reason = report["failed"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("16 KiB"), "{reason}");
    assert_eq!(bob.image(&here)["caption"], "");
    assert_eq!(bob.list("")["total"], 2);
}

fn an_account_has_as_many_pictures_as_its_list_has_memory_for(backend: &Backend) {
    let server = Server::with(backend, &[("CATALOGUE_MEMORY", "64 KiB")]);
    let client = server.user("ada");
    let most = 64 * 1_024 / 512;
    let files: Vec<_> = (0..=most)
        .map(|seed| samples::encoded(&samples::picture(seed, 40, 30), image::ImageFormat::Png))
        .collect();
    for (n, file) in files[..most as usize].iter().enumerate() {
        client.add(&format!("{n}"), file);
    }
    let (last, first) = (
        &files[most as usize],
        client.list("sort=uploaded_at&limit=1"),
    );
    let problem = client.upload("one too many", last).problem(507);
    assert_eq!(problem["quota_images"], most);
    assert_eq!(client.list("")["total"], most);
    client.upload("there already", &files[3]).json(200);
    let gone = id(&first["items"][0]);
    client
        .delete(&format!("{}?permanent=true", path(&gone)))
        .expect(204);
    client.add("fits", last);
    assert_eq!(names(&client.list("limit=1")), ["fits"]);
}

fn many_calls_about_everything_take_the_memory_of_a_few(backend: &Backend) {
    const CALLS: usize = 64;
    let mut server = Server::start(backend);
    let client = server.user("ada");
    add_weighty(&client, 200);
    server.restart();
    client.list("");
    let growth = growth_kib(&server, || {
        thread::scope(|scope| {
            for n in 0..CALLS {
                let client = &client;
                scope.spawn(move || {
                    let mark = json!({ "all": true, "favourite": n % 2 == 0 });
                    let answer = client.post("/api/v1/images/favourite", &mark);
                    assert!(matches!(answer.status, 200 | 503), "{}", answer.text());
                });
            }
        });
    });
    // Two hundred records, sealed and opened, on their way and in the list; not 64 times.
    assert!(growth < 2 * MOST_GROWTH_KIB, "{growth} KiB");
}

/// Each change makes the picture one whose record is read when somebody searches.
fn a_search_misses_nothing_while_pictures_are_marked(backend: &Backend) {
    const PICTURES: u32 = 60;
    let settings = [("ACCOUNT_CATALOGUE_MEMORY", "1 MiB")];
    let server = Server::with(backend, &settings);
    let client = server.user("ada");
    add_weighty(&client, PICTURES);
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let mark = json!({ "all": true, "favourite": n % 2 == 0 });
                client.post("/api/v1/images/favourite", &mark).expect(200);
            }
        });
        for _ in 0..30 {
            let found = client.list("q=%EF%B7%BA&limit=1")["total"].clone();
            if found != PICTURES {
                ended.store(true, Ordering::Relaxed);
            }
            assert_eq!(found, PICTURES);
        }
        ended.store(true, Ordering::Relaxed);
    });
}
