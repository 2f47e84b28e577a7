//! Thumbnails and previews: fitting, upright, and nothing of the original but its pixels.

use std::sync::atomic::{AtomicUsize, Ordering};

use image::{ImageFormat, RgbImage};

use super::answer::Answer;
use super::samples;
use super::server::{Server, wait_until};
use super::store::Backend;

on_both_stores!(
    a_thumbnail_fits_400_and_a_preview_1600,
    a_small_picture_is_not_blown_up,
    a_turned_picture_is_shown_upright_and_without_metadata,
    every_format_has_a_thumbnail,
    they_are_served_as_carefully_as_originals,
    a_flood_of_previews_keeps_nobody_elses_picture_waiting,
    a_preview_that_many_ask_for_at_once_is_made_once,
);

/// Previews asked for at the same moment.
const FLOOD: u8 = 10;

#[track_caller]
fn decoded(answer: Answer) -> RgbImage {
    let answer = answer.expect(200);
    assert_eq!(answer.header("Content-Type"), "image/jpeg");
    let format = image::guess_format(&answer.body).unwrap();
    assert_eq!(format, ImageFormat::Jpeg);
    image::load_from_memory(&answer.body).unwrap().into_rgb8()
}

fn a_thumbnail_fits_400_and_a_preview_1600(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let cases = [
        ((2000, 1000), (400, 200), (1600, 800)),
        ((500, 2000), (100, 400), (400, 1600)),
    ];
    for ((width, height), thumbnail, preview) in cases {
        let bytes = samples::bmp(b"abcdefghi", width, height);
        let path = format!("/api/v1/images/{}", client.add("a.bmp", &bytes));
        assert_eq!(
            decoded(client.get(&format!("{path}/thumbnail"))).dimensions(),
            thumbnail
        );
        assert_eq!(
            decoded(client.get(&format!("{path}/preview"))).dimensions(),
            preview
        );
        // Made when first looked at, and the same when looked at again.
        assert_eq!(
            decoded(client.get(&format!("{path}/preview"))).dimensions(),
            preview
        );
    }
}

fn a_small_picture_is_not_blown_up(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let path = format!("/api/v1/images/{}", client.add("a.jpg", &samples::jpeg(1)));
    for size in ["thumbnail", "preview"] {
        assert_eq!(
            decoded(client.get(&format!("{path}/{size}"))).dimensions(),
            (48, 32)
        );
    }
}

/// EXIF orientation 6: stored lying, shown standing, red above blue.
fn a_turned_picture_is_shown_upright_and_without_metadata(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let path = format!(
        "/api/v1/images/{}",
        client.add("a.jpg", &samples::sideways())
    );
    for (size, expected) in [("thumbnail", (200, 400)), ("preview", (300, 600))] {
        let answer = client.get(&format!("{path}/{size}")).expect(200);
        for marker in [&b"Exif\0"[..], b"Marker Camera"] {
            assert!(
                answer
                    .body
                    .windows(marker.len())
                    .all(|window| window != marker),
                "{size}"
            );
        }
        let shown = decoded(answer);
        assert_eq!(shown.dimensions(), expected);
        let (x, bottom) = (shown.width() / 2, shown.height() - 20);
        let (above, below) = (shown.get_pixel(x, 20), shown.get_pixel(x, bottom));
        assert!(above[0] > 180 && above[2] < 80, "{above:?} above");
        assert!(below[2] > 180 && below[0] < 80, "{below:?} below");
    }
}

fn every_format_has_a_thumbnail(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let formats = [
        ImageFormat::Png,
        ImageFormat::Gif,
        ImageFormat::WebP,
        ImageFormat::Tiff,
        ImageFormat::Bmp,
    ];
    for (seed, format) in (0..).zip(formats) {
        let bytes = samples::encoded(&samples::picture(seed, 64, 48), format);
        let id = client.add("a", &bytes);
        let thumbnail = decoded(client.get(&format!("/api/v1/images/{id}/thumbnail")));
        assert_eq!(thumbnail.dimensions(), (64, 48), "{format:?}");
    }
}

/// R1.30: and to nobody but the owner.
fn they_are_served_as_carefully_as_originals(backend: &Backend) {
    let server = Server::start(backend);
    let client = server.user("ada");
    let path = format!("/api/v1/images/{}", client.add("a.jpg", &samples::jpeg(1)));
    let other = server.user("bob");
    for size in ["thumbnail", "preview"] {
        let path = format!("{path}/{size}");
        let answer = client.get(&path).expect(200);
        assert_eq!(answer.header("X-Content-Type-Options"), "nosniff");
        assert!(answer.header("Content-Security-Policy").contains("sandbox"));
        let cache = answer.header("Cache-Control");
        assert!(
            cache.contains("no-store") || cache.contains("private"),
            "{cache}"
        );
        assert_eq!(
            answer.header("Content-Length"),
            answer.body.len().to_string()
        );
        server.anonymous().get(&path).problem(401);
        other.get(&path).problem(404);
    }
}

/// Five megabytes, which take a decoder some time.
fn slow_to_show(seed: u8) -> Vec<u8> {
    samples::bmp(&[seed, 40, 200, 90, 7], 1_700, 1_100)
}

/// One account's pictures take turns before they come to the decoders.
fn a_flood_of_previews_keeps_nobody_elses_picture_waiting(backend: &Backend) {
    let server = Server::with(backend, &[("DECODERS", "1")]);
    let (ada, ben) = (server.user("ada"), server.user("ben"));
    let ids: Vec<_> = (0..FLOOD)
        .map(|seed| ada.add(&format!("{seed}.bmp"), &slow_to_show(seed)))
        .collect();
    let shown = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for id in &ids {
            let (ada, shown) = (&ada, &shown);
            scope.spawn(move || {
                ada.get(&format!("/api/v1/images/{id}/preview")).expect(200);
                shown.fetch_add(1, Ordering::Relaxed);
            });
        }
        wait_until("the first is shown", || shown.load(Ordering::Relaxed) > 0);
        let before = shown.load(Ordering::Relaxed);
        ben.add("b.jpg", &samples::jpeg(1));
        let meanwhile = shown.load(Ordering::Relaxed) - before;
        assert!(meanwhile < ids.len() / 2, "{meanwhile} were shown before");
    });
}

fn a_preview_that_many_ask_for_at_once_is_made_once(backend: &Backend) {
    let server = Server::with(backend, &[("DECODERS", "1")]);
    let client = server.user("ada");
    let [one, other] = [1, 2].map(|seed| client.add("a.bmp", &slow_to_show(seed)));
    let processor_time_of = |id: &str, times: u8| {
        let before = server.processor_time();
        let show = || {
            client
                .get(&format!("/api/v1/images/{id}/preview"))
                .expect(200)
        };
        std::thread::scope(|scope| {
            for _ in 0..times {
                scope.spawn(show);
            }
        });
        server.processor_time() - before
    };
    let once = processor_time_of(&one, 1);
    let by_many = processor_time_of(&other, FLOOD);
    assert!(by_many < 5 * once, "{by_many:?}, and {once:?} for one");
}
