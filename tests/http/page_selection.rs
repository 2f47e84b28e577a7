//! The selection as a plain form: tick, then delete, restore or download; the trash.

use super::archives::unzipped;
use super::html;
use super::page_vault::{offered, with_pictures};
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    deleting_asks_first_and_can_be_undone,
    in_the_trash_deleting_is_for_good,
    one_selected_is_that_file_and_several_are_a_zip,
    all_means_all_pages,
    nothing_selected_is_said,
    others_pictures_cannot_be_chosen,
);

/// R1.45, R1.47: count and thumbnails first; cancel is a link and changes nothing.
fn deleting_asks_first_and_can_be_undone(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, client, ids) = with_pictures(&server, 4);
    let chosen = [
        ("ids", ids[0].as_str()),
        ("ids", &ids[2]),
        ("action", "delete"),
    ];
    let page = browser
        .submit_signed("/vault/selection", &chosen)
        .expect(200)
        .text();
    assert!(page.contains("2 pictures"), "{page}");
    assert_eq!(html::tags(&page, "img").len(), 2);
    let cancel = html::tags(&page, "a")
        .into_iter()
        .any(|link| link["href"].starts_with("/vault"));
    assert!(cancel, "no way back");
    assert_eq!(client.list("")["total"], 4, "asking changed something");
    // The question's own form, as it stands: the header has one too.
    let question = html::inside(&page, "<main", "</main>").unwrap();
    let fields: Vec<_> = html::tags(question, "input").into_iter().collect();
    let mut fields: Vec<_> = fields
        .iter()
        .map(|input| (input["name"].as_str(), input["value"].as_str()))
        .collect();
    let button = html::tags(question, "button")
        .into_iter()
        .find(|b| b.contains_key("value"))
        .unwrap();
    fields.push((&button["name"], &button["value"]));
    let answer = browser.submit("/vault/selection", &fields);
    let vault = browser.follow(answer).expect(200).text();
    assert!(vault.contains("2 pictures"), "the message counts");
    assert_eq!(offered(&vault), [ids[3].as_str(), &ids[1]]);
    let trash = browser.get("/trash").expect(200).text();
    let mut trashed = offered(&trash);
    trashed.sort();
    let mut expected = [ids[0].clone(), ids[2].clone()];
    expected.sort();
    assert_eq!(trashed, expected);
    let restore = [("ids", ids[0].as_str()), ("action", "restore")];
    let answer = browser.submit_signed("/trash/selection", &restore);
    assert_eq!(
        offered(&browser.follow(answer).expect(200).text()),
        [ids[2].as_str()]
    );
    assert_eq!(client.list("")["total"], 3);
}

fn in_the_trash_deleting_is_for_good(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, client, ids) = with_pictures(&server, 3);
    client
        .post("/api/v1/images/delete", &serde_json::json!({ "all": true }))
        .json(200);
    let page = [("ids", ids[0].as_str()), ("action", "delete")];
    let page = browser
        .submit_signed("/trash/selection", &page)
        .expect(200)
        .text();
    assert!(page.contains("for good"));
    assert_eq!(client.list("state=trashed")["total"], 3);
    let sure = [("ids", ids[0].as_str()), ("action", "delete-confirmed")];
    let answer = browser.submit_signed("/trash/selection", &sure);
    browser.follow(answer).expect(200);
    client
        .get(&format!("/api/v1/images/{}", ids[0]))
        .problem(404);
    let all = [("all", "on"), ("action", "delete-confirmed")];
    let answer = browser.submit_signed("/trash/selection", &all);
    assert!(offered(&browser.follow(answer).expect(200).text()).is_empty());
    assert_eq!(client.list("state=trashed")["total"], 0);
}

/// R1.37, R1.38.
fn one_selected_is_that_file_and_several_are_a_zip(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, _, ids) = with_pictures(&server, 3);
    let one = [("ids", ids[1].as_str()), ("action", "download")];
    let answer = browser.submit_signed("/vault/selection", &one);
    let file = browser.follow(answer).expect(200);
    assert_eq!(file.body, samples::jpeg(1));
    assert!(file.header("Content-Disposition").contains("1.jpg"));
    let two = [
        ("ids", ids[0].as_str()),
        ("ids", &ids[2]),
        ("action", "download"),
    ];
    let answer = browser.submit_signed("/vault/selection", &two);
    let zip = browser.follow(answer).expect(200);
    assert_eq!(zip.header("Content-Type"), "application/zip");
    let mut entries = unzipped(&zip.body);
    entries.sort();
    let expected = [
        ("0.jpg".to_owned(), samples::jpeg(0)),
        ("2.jpg".into(), samples::jpeg(2)),
    ];
    assert_eq!(entries, expected);
}

/// R1.32, R1.39: more than one page of the grid.
fn all_means_all_pages(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, client, _) = with_pictures(&server, 130);
    let first = browser.get("/vault").expect(200).text();
    assert!(
        html::unescaped(&first).contains("130 pictures"),
        "the count is of all"
    );
    let shown = offered(&first).len();
    assert!(shown < 130, "{shown} on one page");
    let next = html::tags(&first, "a")
        .into_iter()
        .find(|a| a.get("rel").is_some_and(|r| r == "next"));
    let rest = offered(&browser.get(&next.unwrap()["href"]).expect(200).text());
    assert_eq!(shown + rest.len(), 130);
    let all = [("all", "on"), ("q", ""), ("action", "download")];
    let answer = browser.submit_signed("/vault/selection", &all);
    assert_eq!(
        unzipped(&browser.follow(answer).expect(200).body).len(),
        130
    );
    // With a search, all means all that match.
    let matching = [("all", "on"), ("q", "12"), ("action", "delete-confirmed")];
    let answer = browser.submit_signed("/vault/selection", &matching);
    browser.follow(answer).expect(200);
    assert_eq!(
        client.list("")["total"],
        130 - 12,
        "12, 112, and 120 to 129"
    );
}

/// R1.42.
fn nothing_selected_is_said(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, client, _) = with_pictures(&server, 2);
    for action in ["download", "delete", "delete-confirmed", "favourite"] {
        let page = browser
            .submit_signed("/vault/selection", &[("action", action)])
            .expect(422);
        assert!(
            page.header("Content-Type").starts_with("text/html"),
            "{action}"
        );
    }
    for action in ["restore", "delete", "delete-confirmed"] {
        browser
            .submit_signed("/trash/selection", &[("action", action)])
            .expect(422);
    }
    browser
        .submit_signed("/vault/selection", &[("all", "on"), ("action", "explode")])
        .expect(422);
    assert_eq!(client.list("")["total"], 2);
}

/// R1.33, R1.46.
fn others_pictures_cannot_be_chosen(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, client, ids) = with_pictures(&server, 1);
    let foreign = server.user("bob").add("bobs", &samples::jpeg(9));
    browser.get(&format!("/vault/images/{foreign}")).expect(404);
    for action in ["download", "delete", "delete-confirmed", "favourite"] {
        let chosen = [
            ("ids", ids[0].as_str()),
            ("ids", &foreign),
            ("action", action),
        ];
        browser
            .submit_signed("/vault/selection", &chosen)
            .expect(404);
    }
    assert_eq!(client.list("")["total"], 1);
    assert_eq!(client.image(&ids[0])["favourite"], false);
}
