//! POST /api/v1/images: what is taken, and what the answer says.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, ImageFormat};
use reqwest::blocking::multipart::{Form, Part};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer::Answer;
use super::client::{Client, id};
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(
    an_upload_answers_with_the_whole_image,
    all_six_formats_are_taken_and_named_by_their_bytes,
    equal_bytes_are_kept_once_and_remember_their_other_name,
    a_duplicate_of_what_is_in_the_trash_comes_back,
    two_pictures_of_one_name_are_two_pictures,
    each_file_of_a_multipart_upload_stands_for_itself,
    a_multipart_upload_may_name_its_parts_as_it_likes,
    known_digests_need_not_be_sent_again,
    parallel_uploads_of_the_same_bytes_make_one_image,
    date_and_camera_are_read_from_the_picture,
    of_a_gif_of_a_thousand_frames_only_the_first_is_decoded,
    two_hundred_pictures_come_in,
);

pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[track_caller]
fn send(client: &Client, form: Form) -> Vec<Value> {
    let request = client.request("POST", "/api/v1/images").multipart(form);
    let answer = Answer::to(request).json(200);
    answer["items"].as_array().unwrap().clone()
}

fn part(name: &str, bytes: Vec<u8>) -> Part {
    Part::bytes(bytes).file_name(name.to_owned())
}

fn an_upload_answers_with_the_whole_image(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bytes = samples::jpeg(1);
    let image = client.upload("beach.jpg", &bytes).json(201);
    let members = "id name content_type size width height sha256 uploaded_at taken_at camera tags \
        caption favourite public state thumbhash characteristics";
    let missing: Vec<_> = members
        .split_whitespace()
        .filter(|m| image.get(m).is_none())
        .collect();
    assert!(missing.is_empty(), "no {missing:?} in {image}");
    assert_eq!(image["name"], "beach.jpg");
    assert_eq!(image["content_type"], "image/jpeg");
    assert_eq!(image["size"], bytes.len());
    assert_eq!(
        (&image["width"], &image["height"]),
        (&json!(48), &json!(32))
    );
    assert_eq!(image["sha256"], sha256(&bytes));
    assert!(image["uploaded_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(image["tags"], json!([]));
    assert_eq!(image["favourite"], false);
    assert_eq!(image["public"], false);
    assert_eq!(image["state"], "active");
    assert!(!image["thumbhash"].as_str().unwrap().is_empty());
    assert_eq!(client.image(&id(&image)), image);
    assert_eq!(client.list("")["items"], json!([image]));
}

/// R1.16: judged by the bytes (R1.17), not by the ending, in any letter case.
fn all_six_formats_are_taken_and_named_by_their_bytes(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let formats = [
        (ImageFormat::Jpeg, "image/jpeg"),
        (ImageFormat::Png, "image/png"),
        (ImageFormat::Gif, "image/gif"),
        (ImageFormat::WebP, "image/webp"),
        (ImageFormat::Tiff, "image/tiff"),
        (ImageFormat::Bmp, "image/bmp"),
    ];
    for (seed, (format, content_type)) in (0..).zip(formats) {
        let bytes = samples::encoded(&samples::picture(seed, 32, 24), format);
        for name in ["WRONG.ENDING", "none"] {
            let image = client.upload(name, &bytes);
            let image = image.json(if name == "none" { 200 } else { 201 });
            assert_eq!(image["content_type"], content_type);
            assert_eq!(client.original(&id(&image)), bytes);
        }
    }
}

fn equal_bytes_are_kept_once_and_remember_their_other_name(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bytes = samples::jpeg(1);
    let first = client.add("first.jpg", &bytes);
    let blobs = server.store.blob_count();
    let again = client.upload("second.jpg", &bytes).json(200);
    assert_eq!(again["duplicate"], true);
    assert_eq!(
        (id(&again), &again["name"]),
        (first.clone(), &json!("first.jpg"))
    );
    assert_eq!(again["also_named"], json!(["second.jpg"]));
    let third = client.upload("second.jpg", &bytes).json(200);
    assert_eq!(third["also_named"], json!(["second.jpg"]));
    assert_eq!(client.list("")["total"], 1);
    assert_eq!(server.store.blob_count(), blobs);
    // Another account's equal file is another image: nobody can tell that somebody has it.
    let other = server.user("bob").upload("first.jpg", &bytes).json(201);
    assert_ne!(id(&other), first);
}

fn a_duplicate_of_what_is_in_the_trash_comes_back(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bytes = samples::jpeg(1);
    let first = client.add("a.jpg", &bytes);
    client
        .delete(&format!("/api/v1/images/{first}"))
        .expect(204);
    assert_eq!(client.list("")["total"], 0);
    let again = client.upload("b.jpg", &bytes).json(200);
    assert_eq!(
        (id(&again), &again["duplicate"]),
        (first.clone(), &json!(true))
    );
    assert_eq!(again["state"], "active");
    assert_eq!(client.original(&first), bytes);
    // Gone for good, the same bytes are new.
    client
        .delete(&format!("/api/v1/images/{first}?permanent=true"))
        .expect(204);
    assert_ne!(client.add("c.jpg", &bytes), first);
}

/// R1.22, R0.28.
fn two_pictures_of_one_name_are_two_pictures(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let (one, two) = (samples::jpeg(1), samples::jpeg(2));
    let (first, second) = (client.add("same.jpg", &one), client.add("same.jpg", &two));
    assert_ne!(first, second);
    client
        .delete(&format!("/api/v1/images/{first}?permanent=true"))
        .expect(204);
    assert_eq!(client.original(&second), two);
    client.get(&format!("/api/v1/images/{first}")).problem(404);
}

/// R1.18: every good file is stored, every bad one named with its reason. R0.11.
fn each_file_of_a_multipart_upload_stands_for_itself(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let form = Form::new()
        .part("file", part("one.jpg", samples::jpeg(1)))
        .part("file", part("text.jpg", b"I am only text".to_vec()))
        .part("file", part("two.png", samples::png(2)))
        .part("file", part("empty.png", Vec::new()))
        .part("file", part("again.jpg", samples::jpeg(1)))
        .part("file", part("图片.png", samples::png(3)));
    let items = send(&client, form);
    let seen: Vec<_> = items
        .iter()
        .map(|item| {
            (
                item["name"].as_str().unwrap(),
                item["status"].as_u64().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("one.jpg", 201),
        ("text.jpg", 415),
        ("two.png", 201),
        ("empty.png", 422),
        ("again.jpg", 200),
        ("图片.png", 201),
    ];
    assert_eq!(seen, expected);
    for item in &items {
        let good = item["status"].as_u64().unwrap() < 300;
        assert_eq!(item["image"].is_object(), good, "{item}");
        assert_eq!(
            item["problem"].is_object() || item["problem"].is_string(),
            !good,
            "{item}"
        );
    }
    assert_eq!(items[4]["image"]["id"], items[0]["image"]["id"]);
    let mut names = client.names("");
    names.sort();
    assert_eq!(names, ["one.jpg", "two.png", "图片.png"]);
}

fn a_multipart_upload_may_name_its_parts_as_it_likes(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let form = Form::new()
        .text("comment", "not a file")
        .part("0", part("one.jpg", samples::jpeg(1)))
        .part("files[]", part("two.jpg", samples::jpeg(2)));
    let items = send(&client, form);
    let statuses: Vec<_> = items.iter().map(|item| item["status"].clone()).collect();
    assert_eq!(statuses, [201, 201]);
}

fn known_digests_need_not_be_sent_again(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let (mine, theirs) = (samples::jpeg(1), samples::jpeg(2));
    let mine_id = client.add("a.jpg", &mine);
    let other = server.user("bob");
    other.add("b.jpg", &theirs);
    let ask = json!({ "sha256": [sha256(&mine), sha256(&theirs), "0".repeat(64)] });
    let known = client.post("/api/v1/images/known", &ask).json(200);
    assert_eq!(known["known"], json!({ sha256(&mine): mine_id }));
    let many = json!({ "sha256": vec!["0".repeat(64); 1_001] });
    client.post("/api/v1/images/known", &many).problem(422);
    let bad = json!({ "sha256": ["not a digest"] });
    client.post("/api/v1/images/known", &bad).problem(422);
}

fn parallel_uploads_of_the_same_bytes_make_one_image(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bytes = samples::jpeg(1);
    let statuses: Vec<_> = std::thread::scope(|scope| {
        let upload = |n| {
            let (client, bytes) = (client.clone(), &bytes);
            scope.spawn(move || client.upload(&format!("{n}.jpg"), bytes).status)
        };
        let all: Vec<_> = (0..8).map(upload).collect();
        all.into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        7,
        "{statuses:?}"
    );
    assert_eq!(client.list("")["total"], 1);
}

fn date_and_camera_are_read_from_the_picture(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bytes = samples::taken(1, "2023:04:05 06:07:08", "Lumix 5");
    let image = client.upload("a.jpg", &bytes).json(201);
    let taken_at = image["taken_at"].as_str().unwrap();
    assert!(taken_at.starts_with("2023-04-05T06:07:08"), "{taken_at}");
    assert_eq!(image["camera"], "Lumix 5");
    let turned = client.upload("b.jpg", &samples::sideways()).json(201);
    assert_eq!(
        (&turned["width"], &turned["height"]),
        (&json!(300), &json!(600))
    );
    let plain = client.upload("c.jpg", &samples::jpeg(2)).json(201);
    assert_eq!(
        (&plain["taken_at"], &plain["camera"]),
        (&Value::Null, &Value::Null)
    );
}

/// So a long one costs no more than a short one.
fn of_a_gif_of_a_thousand_frames_only_the_first_is_decoded(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let bytes = samples::long_gif();
    let mut frames = GifDecoder::new(Cursor::new(&bytes)).unwrap().into_frames();
    assert!(frames.next().unwrap().is_ok());
    assert!(
        frames.next().unwrap().is_err(),
        "the second could be decoded"
    );
    let id = client.add("long.gif", &bytes);
    assert_eq!(client.original(&id), bytes);
    client
        .get(&format!("/api/v1/images/{id}/thumbnail"))
        .expect(200);
}

/// R1.15's server half: a few at a time, as the page sends them.
fn two_hundred_pictures_come_in(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let client = client.clone();
            scope.spawn(move || {
                for n in 0..50 {
                    client.add(
                        &format!("{worker}-{n}.jpg"),
                        &samples::jpeg(worker * 50 + n),
                    );
                }
            });
        }
    });
    let list = client.list("limit=500");
    assert_eq!(list["total"], 200);
    assert_eq!(list["items"].as_array().unwrap().len(), 200);
    assert_eq!(list["next_cursor"], Value::Null);
}
