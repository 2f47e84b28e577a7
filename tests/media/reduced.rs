//! Large JPEGs are decoded at a fraction of their size: nobody sees a difference.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ExtendedColorType, Rgb, RgbImage};
use image_vault::media::{Limits, inspect, preview};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::{THUMBNAIL_SIDE, picture};

/// Slopes with edges in them, so that a shift of a pixel or a wrong plane shows.
fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let edge = if (x / 90 + y / 70) % 2 == 0 { 0 } else { 70 };
        let slope = |at: u32, of: u32| (at * 180 / of + edge) as u8;
        Rgb([
            slope(x, width),
            slope(y, height),
            slope(x + y, width + height),
        ])
    })
}

fn jpeg(scene: &DynamicImage, color: ExtendedColorType, quality: u8) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut file, quality)
        .encode(scene.as_bytes(), scene.width(), scene.height(), color)
        .expect("a JPEG is written");
    file.into_inner()
}

/// Mean difference of a channel from the thumbnail that a whole decode and a good filter give.
fn difference(bytes: &[u8]) -> f64 {
    let (found, thumbnail) = picture(bytes);
    let whole = image::load_from_memory(bytes).expect("it is a JPEG");
    assert_eq!((found.width, found.height), (whole.width(), whole.height()));
    let (width, height) = thumbnail.dimensions();
    assert_eq!(width.max(height), THUMBNAIL_SIDE);
    let expected = whole.resize_exact(width, height, FilterType::Lanczos3);
    let expected = jpeg(&expected.into_rgb8().into(), ExtendedColorType::Rgb8, 80);
    let expected = image::load_from_memory(&expected)
        .expect("so is this")
        .into_rgb8();
    let pairs = thumbnail.as_raw().iter().zip(expected.as_raw());
    let total: u64 = pairs
        .map(|(one, other)| u64::from(one.abs_diff(*other)))
        .sum();
    total as f64 / thumbnail.as_raw().len() as f64
}

#[test]
fn a_large_picture_looks_as_if_it_had_been_decoded_whole() {
    // Halves, quarters and eighths, sides that are no multiples of a block, long strips.
    for (width, height) in [
        (1_600, 1_200),
        (1_999, 1_501),
        (3_203, 2_401),
        (6_401, 807),
        (803, 6_403),
    ] {
        let scene = DynamicImage::from(scene(width, height));
        let difference = difference(&jpeg(&scene, ExtendedColorType::Rgb8, 95));
        assert!(difference < 3.0, "{width} x {height}: {difference}");
    }
}

#[test]
fn so_does_one_without_colours() {
    let scene = DynamicImage::from(scene(3_203, 2_401)).grayscale();
    let difference = difference(&jpeg(&scene, ExtendedColorType::L8, 95));
    assert!(difference < 3.0, "{difference}");
}

/// Adobe's mark with transform 0 says that the three are red, green and blue as they are.
#[test]
fn colours_that_are_not_transformed_stay_what_they_are() {
    let scene = DynamicImage::from(scene(2_000, 1_500));
    let plain = jpeg(&scene, ExtendedColorType::Rgb8, 95);
    // Its own mark (JFIF) goes, Adobe's comes.
    let jfif = 2 + 2 + 16;
    assert_eq!(&plain[6..10], b"JFIF");
    let adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00";
    let marked = [&plain[..2], &adobe[..], &plain[jfif..]].concat();
    let difference = difference(&marked);
    assert!(difference < 3.0, "{difference}");
}

/// One decoder makes the small view and another one the large: what one of them lets pass, both do.
#[test]
fn what_passes_as_a_picture_has_a_preview() {
    let whole = jpeg(&scene(1_700, 900).into(), ExtendedColorType::Rgb8, 60);
    let limits = Limits::default();
    let (mut passed, tried) = (0, 24);
    for seed in 0..tried {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut bytes = whole.clone();
        // Half of them in the tables and headers.
        let behind = if seed % 2 == 0 { 700 } else { bytes.len() };
        for _ in 0..chance.random_range(1..4) {
            bytes[chance.random_range(2..behind)] = chance.random();
        }
        if seed % 4 == 3 {
            bytes.truncate(chance.random_range(behind / 2..behind));
        }
        if inspect(&bytes, &limits).is_ok() {
            passed += 1;
            assert!(preview(&bytes, &limits).is_ok(), "seed {seed}");
        }
    }
    assert!((1..tried).contains(&passed), "{passed} of {tried}");
}
