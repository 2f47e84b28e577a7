//! GET /api/v1/images: pages, order, search.

use serde_json::{Value, json};

use super::client::{Client, id, names};
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    seven_images_are_paged_in_every_order,
    pages_are_stable_while_pictures_come_and_go,
    search_folds_case_and_accents_and_wants_every_word,
    search_looks_at_names_captions_tags_and_cameras,
    a_tag_and_a_state_narrow_the_list,
    parameters_that_are_wrong_are_named,
    a_cursor_tells_nothing_and_serves_its_owner_only,
);

/// Collects all pages, and checks what each says of itself.
#[track_caller]
fn paged(client: &Client, query: &str, limit: usize, total: usize) -> Vec<String> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client.list(&format!("{query}&limit={limit}{cursor}"));
        assert_eq!(page["total"], total, "{query}");
        all.extend(names(&page));
        match page["next_cursor"].as_str() {
            Some(next) => {
                assert_eq!(names(&page).len(), limit);
                cursor = format!("&cursor={next}");
            }
            None => return all,
        }
    }
}

/// R1.31, R1.39: complete and in order beyond one page.
fn seven_images_are_paged_in_every_order(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    // Name, second in which it was taken, bytes of padding.
    let images = [
        ("c", 3, 0),
        ("A", 7, 600),
        ("e", 1, 300),
        ("B", 5, 100),
        ("é2", 2, 500),
        ("d", 6, 200),
        ("f", 4, 400),
    ];
    for (seed, (name, second, padding)) in (0..).zip(images) {
        let mut bytes = samples::taken(seed, &format!("2020:01:01 00:00:0{second}"), "Cam");
        bytes.resize(2_000 + padding, 0);
        client.add(name, &bytes);
    }
    let uploaded = ["c", "A", "e", "B", "é2", "d", "f"];
    let taken = ["e", "é2", "c", "f", "B", "d", "A"];
    let named = ["A", "B", "c", "d", "e", "é2", "f"];
    let sized = ["c", "B", "d", "e", "f", "é2", "A"];
    for (key, order) in [
        ("uploaded_at", uploaded),
        ("taken_at", taken),
        ("name", named),
        ("size", sized),
    ] {
        let mut reversed = order;
        reversed.reverse();
        for limit in [1, 3, 7] {
            assert_eq!(
                paged(&client, &format!("sort={key}"), limit, 7),
                order,
                "{key} {limit}"
            );
            let falling = paged(&client, &format!("sort=-{key}"), limit, 7);
            assert_eq!(falling, reversed, "-{key} {limit}");
        }
    }
    assert_eq!(
        client.names("limit=3"),
        ["f", "d", "é2"],
        "newest first by default"
    );
}

/// R4.14.
fn pages_are_stable_while_pictures_come_and_go(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids: Vec<_> = (0..7)
        .map(|n| client.add(&format!("{n}"), &samples::jpeg(n)))
        .collect();
    let first = client.list("limit=3");
    assert_eq!(names(&first), ["6", "5", "4"]);
    client.add("new", &samples::jpeg(99));
    // The last one seen goes away; the place after it stays where it is.
    client
        .delete(&format!("/api/v1/images/{}", ids[4]))
        .expect(204);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = client.list(&format!("limit=3&cursor={cursor}"));
    assert_eq!(names(&second), ["3", "2", "1"]);
    let cursor = second["next_cursor"].as_str().unwrap();
    let third = client.list(&format!("limit=3&cursor={cursor}"));
    assert_eq!(
        (names(&third), &third["next_cursor"]),
        (vec!["0".to_owned()], &Value::Null)
    );
}

fn search_folds_case_and_accents_and_wants_every_word(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let all = [
        "Zoë am Strand.jpg",
        "strandkorb.png",
        "STRASSE.jpg",
        "Ελλάδα.jpg",
    ];
    for (seed, name) in (0..).zip(all) {
        client.add(name, &samples::jpeg(seed));
    }
    let found = |q: &str| {
        let request = client
            .request("GET", "/api/v1/images?sort=uploaded_at")
            .query(&[("q", q)]);
        names(&super::answer::Answer::to(request).json(200))
    };
    assert_eq!(found("strand"), [all[0], all[1]]);
    assert_eq!(found("STRAND zoe"), [all[0]]);
    assert_eq!(found("zoë"), [all[0]]);
    assert_eq!(found("ZOE\u{308}"), [all[0]]);
    assert_eq!(found("rand"), [all[0], all[1]], "inside longer words");
    assert_eq!(found("ελλαδα"), [all[3]]);
    assert_eq!(found("strand zebra"), [""; 0]);
    assert_eq!(found(""), all);
    assert_eq!(found("   "), all);
    // Nothing in a query is a pattern.
    for pattern in [".*", "%", "_", "$ne", "\\", "'", "\""] {
        let matching = all.iter().filter(|name| name.contains(pattern)).count();
        assert_eq!(found(pattern).len(), matching, "{pattern}");
    }
}

fn search_looks_at_names_captions_tags_and_cameras(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let image = client.add(
        "beach.jpg",
        &samples::taken(1, "2020:01:01 00:00:00", "Leica Q9"),
    );
    let edit = json!({ "caption": "Sunset over Nǎme", "tags": ["Holiday", "sea side"] });
    client
        .patch(&format!("/api/v1/images/{image}"), &edit)
        .json(200);
    client.add("other.jpg", &samples::jpeg(2));
    for q in [
        "beach",
        "sunset",
        "name",
        "holi",
        "leica",
        "q9+sunset+holiday+beach",
        "sea+side",
    ] {
        assert_eq!(client.names(&format!("q={q}")), ["beach.jpg"], "{q}");
    }
    assert_eq!(client.list("q=beach")["total"], 1);
}

fn a_tag_and_a_state_narrow_the_list(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for (seed, tags) in (0..).zip([json!(["sea"]), json!(["sea", "sun"]), json!(["seaside"])]) {
        let image = client.add(&format!("{seed}"), &samples::jpeg(seed));
        client
            .patch(&format!("/api/v1/images/{image}"), &json!({ "tags": tags }))
            .json(200);
    }
    assert_eq!(client.names("tag=sea"), ["1", "0"]);
    assert_eq!(client.names("tag=sea&sort=uploaded_at"), ["0", "1"]);
    assert_eq!(client.names("tag=nothing"), [""; 0]);
    let gone = id(&client.list("q=1")["items"][0]);
    client.delete(&format!("/api/v1/images/{gone}")).expect(204);
    assert_eq!(client.names("tag=sea"), ["0"]);
    assert_eq!(client.names("state=trashed"), ["1"]);
    assert_eq!(client.names("state=trashed&tag=sea"), ["1"]);
    assert_eq!(client.names("state=active"), ["2", "0"]);
}

fn parameters_that_are_wrong_are_named(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    client.add("a", &samples::jpeg(1));
    let cases = [
        ("sort=colour", "sort"),
        ("sort=--name", "sort"),
        ("state=gone", "state"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=%00", "cursor"),
    ];
    for (query, field) in cases {
        client
            .get(&format!("/api/v1/images?{query}"))
            .field_error(422, field);
    }
    assert_eq!(client.names("limit=500"), ["a"]);
    assert_eq!(client.names("unknown=parameter"), ["a"]);
}

/// Cursors reach logs and histories: nothing may be read out of them, and nobody else may use them.
fn a_cursor_tells_nothing_and_serves_its_owner_only(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for n in 0..3 {
        client.add(&format!("secretname{n}"), &samples::jpeg(n));
    }
    let page = client.list("sort=name&limit=1");
    let cursor = page["next_cursor"].as_str().unwrap();
    let plain = data_encoding::BASE64URL_NOPAD
        .decode(cursor.as_bytes())
        .unwrap_or_default();
    assert!(!String::from_utf8_lossy(&plain).contains("secretname"));
    let other = server.user("bob");
    other
        .get(&format!("/api/v1/images?sort=name&cursor={cursor}"))
        .field_error(422, "cursor");
    // It belongs to its order.
    client
        .get(&format!("/api/v1/images?sort=size&cursor={cursor}"))
        .field_error(422, "cursor");
}
