//! The pages of the vault as plain forms: upload, look, search, edit.

use super::browser::Browser;
use super::client::Client;
use super::html;
use super::names::HOSTILE;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    uploaded_pictures_are_shown_with_their_names,
    nothing_chosen_is_said,
    a_mixed_upload_names_every_file,
    an_image_is_edited_by_its_page,
    hostile_names_are_text_on_every_page,
    searching_and_sorting_are_links_and_forms,
);

/// The ids that a page's check boxes offer.
pub(super) fn offered(page: &str) -> Vec<String> {
    let inputs = html::tags(page, "input").into_iter();
    let boxes = inputs.filter(|input| input.get("name").is_some_and(|name| name == "ids"));
    boxes
        .filter_map(|input| input.get("value").cloned())
        .filter(|id| !id.is_empty())
        .collect()
}

/// A user with this many pictures, signed in with a browser.
pub(super) fn with_pictures(server: &Server, count: u32) -> (Browser, Client, Vec<String>) {
    let client = server.user("ada");
    let ids = (0..count)
        .map(|n| client.add(&format!("{n}.jpg"), &samples::jpeg(n)))
        .collect();
    (server.signed_in("ada"), client, ids)
}

/// R1.14, R1.31, R0.11: without a script.
fn uploaded_pictures_are_shown_with_their_names(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, client, _) = with_pictures(&server, 0);
    let empty = browser.get("/vault").expect(200).text();
    let picker = html::tags(&empty, "input")
        .into_iter()
        .find(|i| i["type"] == "file")
        .unwrap();
    assert!(picker.contains_key("multiple"));
    for kind in ["jpeg", "png", "gif", "webp"] {
        assert!(
            picker["accept"].contains(kind),
            "R1.16: the picker omits {kind}"
        );
    }
    assert!(
        empty.contains("100 MiB"),
        "the limit is stated before uploading"
    );
    let (one, two) = (samples::jpeg(1), samples::png(2));
    let page = browser
        .upload(&[("图片 one.jpg", &one), ("two.png", &two)])
        .expect(200)
        .text();
    assert!(page.contains("图片 one.jpg") && page.contains("two.png"));
    assert!(html::unescaped(&page).contains("2 added"), "{page}");
    let ids = offered(&browser.get("/vault").expect(200).text());
    assert_eq!(ids.len(), 2);
    assert_eq!(
        (client.original(&ids[0]), client.original(&ids[1])),
        (two, one),
        "newest first"
    );
    let vault = html::shown(&browser.get("/vault").text());
    assert_eq!(html::tags(&vault, "img").len(), 2);
    for image in html::tags(&vault, "img") {
        let thumbnail = browser.get(&image["src"]).expect(200);
        assert_eq!(thumbnail.header("Content-Type"), "image/jpeg");
        assert!(!image["alt"].is_empty());
    }
}

/// R1.19: a message and 4xx.
fn nothing_chosen_is_said(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, client, _) = with_pictures(&server, 0);
    browser.upload(&[]).expect(422);
    // What a browser sends for an empty picker: a part without a name and without bytes.
    let page = browser.upload(&[("", b"")]).expect(422);
    assert!(page.header("Content-Type").starts_with("text/html"));
    assert_eq!(client.list("")["total"], 0);
}

/// R1.18.
fn a_mixed_upload_names_every_file(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, client, _) = with_pictures(&server, 1);
    let (good, again) = (samples::jpeg(50), samples::jpeg(0));
    let files: [(&str, &[u8]); 4] = [
        ("good.jpg", &good),
        ("text.jpg", b"only text"),
        ("empty.png", b""),
        ("again.jpg", &again),
    ];
    let page = browser.upload(&files).expect(200).text();
    let page = html::unescaped(&page);
    for expected in [
        "good.jpg",
        "text.jpg",
        "empty.png",
        "again.jpg",
        "1 added",
        "2 not added",
    ] {
        assert!(page.contains(expected), "no {expected} in {page}");
    }
    assert_eq!(client.list("")["total"], 2);
}

fn an_image_is_edited_by_its_page(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, client, ids) = with_pictures(&server, 2);
    let path = format!("/vault/images/{}", ids[0]);
    let page = browser.get(&path).expect(200).text();
    assert_eq!(html::input(&page, "name").unwrap(), "0.jpg");
    let edit = [
        ("name", "neu 图.jpg"),
        ("caption", "Hi"),
        ("tags", "sea, sun ,,"),
        ("favourite", "on"),
    ];
    let answer = browser.submit_signed(&path, &edit);
    browser.follow(answer).expect(200);
    let image = client.image(&ids[0]);
    assert_eq!(
        (&image["name"], &image["caption"]),
        (&"neu 图.jpg".into(), &"Hi".into())
    );
    assert_eq!(image["tags"], serde_json::json!(["sea", "sun"]));
    assert_eq!(image["favourite"], true);
    let wrong = [("name", ""), ("caption", "kept"), ("tags", "")];
    let page = browser.submit_signed(&path, &wrong).expect(422).text();
    assert!(
        page.contains("id=\"name-error\"") && page.contains("kept"),
        "{page}"
    );
    assert_eq!(client.image(&ids[0]), image);
    // A box that is not ticked is not sent.
    let plain = [("name", "b"), ("caption", ""), ("tags", "")];
    let answer = browser.submit_signed(&path, &plain);
    browser.follow(answer).expect(200);
    assert_eq!(client.image(&ids[0])["favourite"], false);
}

/// Each page that shows a name, a caption, a tag, a query or what was typed.
fn hostile_names_are_text_on_every_page(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, client, ids) = with_pictures(&server, 1);
    let evil = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>";
    let path = format!("/api/v1/images/{}", ids[0]);
    let edit = serde_json::json!({ "name": evil, "caption": evil, "tags": [evil] });
    client.patch(&path, &edit).json(200);
    for (seed, name) in (100..).zip(HOSTILE) {
        client.add(name, &samples::jpeg(seed));
    }
    let bytes = samples::jpeg(500);
    let trashed = client.add(evil, &samples::jpeg(501));
    client
        .delete(&format!("/api/v1/images/{trashed}"))
        .expect(204);
    let query = "/vault?q=%22%27%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E&sort=%22%3E%3Cscript%3E";
    let chosen = [("all", "on"), ("q", evil), ("action", "delete")];
    let pages = [
        browser.get("/vault").expect(200),
        browser.get(query).expect(200),
        browser
            .get(&format!("/vault/images/{}", ids[0]))
            .expect(200),
        browser.get("/trash").expect(200),
        browser.get(&format!("/vault/images/{trashed}")).expect(200),
        browser.upload(&[
            ("<script>alert(1)</script>.jpg", &bytes),
            ("<img src=x>.txt", b"no"),
        ]),
        browser.submit_signed("/vault/selection", &chosen),
        browser.submit("/login", &[("login", evil), ("password", "x")]),
        browser.submit(
            "/register",
            &[("username", evil), ("email", evil), ("password", evil)],
        ),
    ];
    for (n, page) in pages.iter().enumerate() {
        assert!(page.status < 500, "page {n}");
        let text = page.text();
        assert!(
            !text.contains("<script>alert") && !text.contains("<img src=x"),
            "page {n}: {text}"
        );
        // Every script is a file of ours, and no attribute is one.
        for tag in html::tags(&text, "script") {
            assert!(tag["src"].starts_with("/static/"), "page {n}");
        }
        assert!(!text.contains(" onerror=alert(2)>"), "page {n}");
        assert!(!text.contains("style=\""), "page {n}: an inline style");
    }
    assert!(
        html::unescaped(&pages[0].text()).contains(evil),
        "the name is gone"
    );
}

fn searching_and_sorting_are_links_and_forms(backend: &Backend) {
    let server = Server::start(backend);
    let (mut browser, _, ids) = with_pictures(&server, 3);
    let found = offered(&browser.get("/vault?q=1.jpg").expect(200).text());
    assert_eq!(found, [ids[1].as_str()]);
    assert_eq!(
        offered(&browser.get("/vault?sort=uploaded_at").expect(200).text()),
        ids
    );
    let none = browser.get("/vault?q=nothing+like+it").expect(200).text();
    assert!(offered(&none).is_empty() && none.contains("Nothing matches"));
    let page = browser.get("/vault").expect(200).text();
    let sorts = html::tags(&page, "a")
        .into_iter()
        .filter(|a| a["href"].contains("sort="))
        .count();
    assert!(sorts >= 4);
    browser.get("/vault?cursor=nonsense").expect(422);
}
