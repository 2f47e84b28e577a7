//! The shape of a whole list, which the grid is laid out from.

use serde_json::Value;

use crate::samples;
use crate::server::Server;
use crate::store::Backend;

on_both_stores!(
    sections_count_every_picture_under_its_day,
    a_cursor_leads_to_each_page_of_the_timeline,
    ratios_tell_the_shape_of_each_picture,
    a_timeline_can_be_of_favourites_only,
    what_one_call_deleted_comes_back_together,
    the_trash_can_be_emptied_but_for_some,
    a_query_that_finds_another_number_changes_nothing,
    what_narrows_nothing_is_refused_before_it_deletes,
    a_clock_that_is_none_is_refused,
);

fn sections(timeline: &Value) -> Vec<(String, u64)> {
    let sections = timeline["sections"].as_array().unwrap();
    sections
        .iter()
        .map(|s| {
            (
                s["key"].as_str().unwrap().to_owned(),
                s["count"].as_u64().unwrap(),
            )
        })
        .collect()
}

fn sections_count_every_picture_under_its_day(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for (seed, when) in [
        (1, "2021:05:12 10:00:00"),
        (2, "2021:05:12 23:59:59"),
        (3, "2021:05:13 00:00:01"),
    ] {
        client.add(
            &format!("{seed}.jpg"),
            &samples::taken(seed, when, "Camera"),
        );
    }
    let timeline = client.get("/api/v1/timeline?sort=-taken_at").json(200);
    assert_eq!(timeline["total"], 3);
    let expected = [("2021-05-13".to_owned(), 1), ("2021-05-12".to_owned(), 2)];
    assert_eq!(sections(&timeline), expected);
    let by_name = client.get("/api/v1/timeline?sort=name").json(200);
    assert_eq!(sections(&by_name), [("0–9".to_owned(), 3)]);
}

fn a_cursor_leads_to_each_page_of_the_timeline(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for seed in 0..205 {
        client.add(&format!("{seed:03}.png"), &samples::png(seed));
    }
    let timeline = client.get("/api/v1/timeline?sort=name").json(200);
    assert_eq!(timeline["page"], 200);
    let cursors = timeline["cursors"].as_array().unwrap();
    assert_eq!((cursors.len(), &cursors[0]), (2, &Value::Null));
    let cursor = cursors[1].as_str().unwrap();
    let page = client
        .get(&format!(
            "/api/v1/images?sort=name&limit=200&cursor={cursor}"
        ))
        .json(200);
    let names: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["name"])
        .collect();
    assert_eq!(
        names,
        ["200.png", "201.png", "202.png", "203.png", "204.png"]
    );
}

fn ratios_tell_the_shape_of_each_picture(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    client.add("a-square.bmp", &samples::bmp(b"square", 64, 64));
    client.add("b-wide.bmp", &samples::bmp(b"wide", 128, 64));
    client.add("c-high.bmp", &samples::bmp(b"high", 16, 64));
    let timeline = client.get("/api/v1/timeline?sort=name").json(200);
    let ratios = data_encoding::BASE64.decode(timeline["ratios"].as_str().unwrap().as_bytes());
    assert_eq!(ratios.unwrap(), [128, 160, 64]);
}

fn a_timeline_can_be_of_favourites_only(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let liked = client.add("liked.png", &samples::png(1));
    client.add("other.png", &samples::png(2));
    let body = serde_json::json!({ "ids": [liked], "favourite": true });
    assert_eq!(
        client.post("/api/v1/images/favourite", &body).json(200)["marked"],
        1
    );
    assert_eq!(
        client.get("/api/v1/timeline?favourite=true").json(200)["total"],
        1
    );
    let list = client.get("/api/v1/images?favourite=true").json(200);
    assert_eq!(list["items"][0]["id"], liked);
    let rest = serde_json::json!({ "query": "", "favourite_only": true });
    assert_eq!(
        client.post("/api/v1/images/delete", &rest).json(200)["deleted"],
        1
    );
    assert_eq!(client.get("/api/v1/images").json(200)["total"], 1);
}

fn what_one_call_deleted_comes_back_together(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids: Vec<_> = (0..4)
        .map(|seed| client.add(&format!("{seed}.png"), &samples::png(seed)))
        .collect();
    client
        .delete(&format!("/api/v1/images/{}", ids[0]))
        .expect(204);
    let body = serde_json::json!({ "ids": ids });
    let deleted = client.post("/api/v1/images/delete", &body).json(200);
    assert_eq!(deleted["deleted"], 3, "the first was in the trash already");
    let undo = serde_json::json!({ "trashed_at": deleted["trashed_at"] });
    assert_eq!(
        client.post("/api/v1/images/restore", &undo).json(200)["restored"],
        3
    );
    let trash = client.get("/api/v1/images?state=trashed").json(200);
    assert_eq!(
        trash["items"][0]["id"], ids[0],
        "what went before stays there"
    );
    assert_eq!(trash["total"], 1);
}

fn a_clock_that_is_none_is_refused(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for minutes in ["noon", "99999999", ""] {
        let problem = client
            .get(&format!("/api/v1/timeline?utc_offset={minutes}"))
            .problem(422);
        assert!(problem["errors"]["utc_offset"].is_string(), "{problem}");
    }
    client.get("/api/v1/timeline?utc_offset=-300").expect(200);
}

fn the_trash_can_be_emptied_but_for_some(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let ids: Vec<_> = (0..4)
        .map(|seed| client.add(&format!("{seed}.png"), &samples::png(seed)))
        .collect();
    let gone = serde_json::json!({ "ids": &ids[..3] });
    client.post("/api/v1/images/delete", &gone).expect(200);
    let rest = serde_json::json!({
        "query": "", "state": "trashed", "except": [ids[1]], "permanent": true,
    });
    let deleted = client.post("/api/v1/images/delete", &rest).json(200);
    assert_eq!(deleted["deleted"], 2);
    assert_eq!(client.names("state=trashed"), ["1.png"]);
    assert_eq!(client.names(""), ["3.png"]);
    let unknown = serde_json::json!({ "query": "", "state": "lost" });
    client
        .post("/api/v1/images/delete", &unknown)
        .field_error(422, "state");
}

fn a_query_that_finds_another_number_changes_nothing(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    for seed in 0..3 {
        client.add(&format!("{seed}.png"), &samples::png(seed));
    }
    let two = serde_json::json!({ "query": "", "count": 2, "permanent": true });
    client.post("/api/v1/images/delete", &two).problem(409);
    assert_eq!(client.names("").len(), 3);
    let three = serde_json::json!({ "query": "", "count": 3 });
    let deleted = client.post("/api/v1/images/delete", &three).json(200);
    assert_eq!(deleted["deleted"], 3);
    // A restore by a query is about the trash.
    let one = serde_json::json!({ "query": "2" });
    let restored = client.post("/api/v1/images/restore", &one).json(200);
    assert_eq!(restored["restored"], 1);
}

fn what_narrows_nothing_is_refused_before_it_deletes(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let id = client.add("kept.png", &samples::png(1));
    for (field, value) in [
        ("state", serde_json::json!("trashed")),
        ("except", serde_json::json!([id])),
        ("favourite_only", serde_json::json!(true)),
        ("count", serde_json::json!(0)),
    ] {
        let body = serde_json::json!({ "all": true, "permanent": true, field: value });
        client
            .post("/api/v1/images/delete", &body)
            .field_error(422, field);
    }
    let wrong = serde_json::json!({ "ids": "all of them", "permanent": true });
    client
        .post("/api/v1/images/delete", &wrong)
        .field_error(422, "ids");
    let words = (0..40).map(|n| n.to_string()).collect::<Vec<_>>().join("+");
    client
        .get(&format!("/api/v1/images?q={words}"))
        .field_error(422, "q");
    assert_eq!(client.names(""), ["kept.png"]);
}
