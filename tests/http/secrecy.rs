//! What a thief of everything the server keeps could read: nothing of anybody's pictures (R1.25,
//! R1.28). Pictures full of markers go through every feature; then the data folder, a dump of every
//! collection, the logs and the temporary folder are searched for them in every common writing.

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use exif::Tag;
use serde_json::json;

use super::client::PASSWORD;
use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(nothing_readable_is_stored);

const IN_NAME: &str = "MARKER-in-the-name-51c0";
const IN_EXIF: &str = "MARKER-in-the-exif-7be2";
const IN_PIXELS: &str = "MARKER-in-the-pixels-a94f";
const IN_CHUNK: &str = "MARKER-in-a-text-chunk-03dd";
const IN_TAG: &str = "MARKER-in-a-tag-88e1";
const IN_CAPTION: &str = "MARKER-in-the-caption-f2c6";
const IN_QUERY: &str = "MARKER-in-a-query-4b77";
const IN_ZIP_NAME: &str = "MARKER-in-a-zip-name-19aa";

/// A text as it could stand in a file: plain, UTF-16 of both kinds, hex of both cases, and base64 at
/// each of its three alignments (without the first and last characters, which neighbours change).
fn writings(marker: &str) -> Vec<Vec<u8>> {
    let plain = marker.as_bytes().to_vec();
    let little = marker.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big = marker.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let hex = [HEXLOWER.encode(&plain), HEXUPPER.encode(&plain)].map(String::into_bytes);
    let base64 = (0..3usize).map(|before| {
        let shifted = [&vec![0; before][..], &plain].concat();
        let text = BASE64.encode(&shifted).into_bytes();
        let end = text.len() - 4;
        text[4..end].to_vec()
    });
    let mut all = vec![plain.clone(), little, big];
    all.extend(hex);
    // URL-safe base64 differs in two letters only.
    let both = |text: Vec<u8>| {
        let url = text.iter().map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            byte => *byte,
        });
        [url.collect(), text]
    };
    all.extend(base64.flat_map(both));
    all
}

/// Where any writing of any marker is found.
fn hits(places: &[(String, Vec<u8>)], markers: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for marker in markers {
        for writing in writings(marker) {
            for (place, bytes) in places {
                if contains(bytes, &writing) {
                    found.push(format!("{marker} in {place}"));
                }
            }
        }
    }
    found
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let first = needle[0];
    let ends = haystack.len().saturating_sub(needle.len() - 1);
    let mut from = 0;
    while let Some(at) = haystack[from..ends.max(from)]
        .iter()
        .position(|byte| *byte == first)
    {
        from += at;
        if haystack[from..].starts_with(needle) {
            return true;
        }
        from += 1;
    }
    false
}

/// Pictures with a marker in the pixels, in EXIF, and in a text chunk.
fn pictures() -> [(String, Vec<u8>); 3] {
    let fields = [
        samples::text(Tag::ImageDescription, IN_EXIF),
        samples::text(Tag::Model, IN_EXIF),
    ];
    let chunk = samples::commented_png(2, IN_CHUNK);
    [
        (
            format!("{IN_NAME}.bmp"),
            samples::bmp(IN_PIXELS.as_bytes(), 400, 300),
        ),
        (
            format!("{IN_NAME}.jpg"),
            samples::jpeg_with(&samples::picture(1, 64, 48), &fields),
        ),
        (format!("{IN_NAME}.png"), chunk),
    ]
}

fn nothing_readable_is_stored(backend: &Backend) {
    let mut server = Server::with(backend, &[("LOG", "debug")]);
    let account = server
        .anonymous()
        .register("ada", "ada@example.org", PASSWORD)
        .json(201);
    let client = server.anonymous().signed_in("ada", PASSWORD);
    let mut browser = server.signed_in("ada");
    let mut ids = Vec::new();
    for (name, bytes) in pictures() {
        // The markers are in what is sent, or the test shows nothing.
        assert!(
            !hits(
                &[(name.clone(), bytes.clone())],
                &[IN_EXIF, IN_PIXELS, IN_CHUNK]
            )
            .is_empty()
        );
        ids.push(client.add(&name, &bytes));
        client.upload(&format!("also {name}"), &bytes).json(200);
    }
    let edit = json!({ "caption": IN_CAPTION, "tags": [IN_TAG], "favourite": true });
    for id in &ids {
        let path = format!("/api/v1/images/{id}");
        client.patch(&path, &edit).json(200);
        for rest in ["original", "thumbnail", "preview"] {
            client.get(&format!("{path}/{rest}")).expect(200);
        }
        browser.get(&format!("/vault/images/{id}")).expect(200);
    }
    client
        .get(&format!(
            "/api/v1/images?q={IN_QUERY}&tag={IN_TAG}&sort=name&limit=1"
        ))
        .json(200);
    let page = client.list("sort=name&limit=1");
    let cursor = page["next_cursor"].as_str().unwrap();
    client.list(&format!("sort=name&limit=1&cursor={cursor}"));
    let zip = client.archive(&json!({ "all": true, "name": format!("{IN_ZIP_NAME}.zip") }));
    client.get(zip["url"].as_str().unwrap()).expect(200);
    browser
        .upload(&[(&format!("{IN_NAME} form.jpg"), &samples::jpeg(9))])
        .expect(200);
    browser.get(&format!("/vault?q={IN_QUERY}")).expect(200);
    client
        .upload(&format!("{IN_NAME}.txt"), IN_PIXELS.as_bytes())
        .problem(415);
    client.get(&format!("/{IN_QUERY}?x={IN_QUERY}")).expect(404);
    client
        .delete(&format!("/api/v1/images/{}", ids[2]))
        .expect(204);
    assert!(server.stop().success());

    let mut places = server.store.everything();
    places.push(("the log".into(), server.log().into_bytes()));
    assert!(
        places.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > 400_000,
        "nothing to search"
    );
    let session = browser
        .cookies
        .values()
        .find(|value| value.len() == 64)
        .unwrap()
        .clone();
    let code = account["recovery_code"].as_str().unwrap();
    let bare_code: String = code.chars().filter(|c| *c != '-' && *c != ' ').collect();
    let markers = [
        IN_NAME,
        IN_EXIF,
        IN_PIXELS,
        IN_CHUNK,
        IN_TAG,
        IN_CAPTION,
        IN_QUERY,
        IN_ZIP_NAME,
        PASSWORD,
        code,
        &bare_code,
        &client.token,
        &session,
    ];
    let found = hits(&places, &markers);
    assert!(found.is_empty(), "{found:#?}");
    // A token's bytes, not only its letters.
    for token in [&client.token, &session] {
        let secret = &data_encoding::BASE64URL_NOPAD
            .decode(token.as_bytes())
            .unwrap()[16..];
        assert!(
            places.iter().all(|(_, bytes)| !contains(bytes, secret)),
            "a session's secret"
        );
    }
}

/// The search is good enough to find what is planted, however it is written and wherever it stands.
#[test]
fn the_search_finds_what_is_planted() {
    for writing in writings(IN_PIXELS) {
        let place = [&[7; 1_000][..], &writing, &[9; 10]].concat();
        assert!(!hits(&[("here".into(), place)], &[IN_PIXELS]).is_empty());
    }
    for before in 0..3 {
        let text = BASE64.encode(format!("{}{IN_PIXELS} and more", &"abc"[..before]).as_bytes());
        assert!(
            !hits(&[("here".into(), text.into_bytes())], &[IN_PIXELS]).is_empty(),
            "{before}"
        );
    }
    let server = Server::prepared(&Backend::Embedded, &[]);
    std::fs::write(server.store.temp_dir().join("planted"), IN_NAME).unwrap();
    assert_eq!(hits(&server.store.everything(), &[IN_NAME]).len(), 1);
}
