//! Random bytes and randomly damaged pictures: whatever comes, an answer within limits and no panic.

use std::sync::LazyLock;

use image_vault::media::Format;
use image_vault::media::Limits;
use image_vault::media::inspect;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::forge;
use super::samples;
use super::samples::text;
use super::thumbnail_of;

/// Small, so that a lying header is refused instead of decoded slowly.
const LIMITS: Limits = Limits {
    max_pixels: 1_000_000,
    max_decode_bytes: 16 << 20,
};

/// A small picture of each format, with EXIF where it can have it, and the odd kinds.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let pattern = samples::pattern(20, 14);
    let block = || {
        let time = text(exif::Tag::DateTimeOriginal, "2023:04:05 06:07:08");
        samples::exif_block(&[time, text(exif::Tag::Make, "Canon")], true)
    };
    let mut seeds: Vec<_> = Format::ALL
        .iter()
        .map(|format| samples::encoded_rgb(&pattern, *format))
        .collect();
    for format in [Format::Jpeg, Format::Png, Format::Webp] {
        seeds.push(samples::with_exif(&pattern, format, block()));
    }
    let mut progressive = forge::Jpeg::new(40, 24, &[50, 100, 200]);
    progressive.progressive = true;
    seeds.push(progressive.bytes());
    seeds.push(forge::gif((9, 9), (12, 5), 3));
    seeds.push(forge::webp(&[forge::riff_chunk(
        b"VP8L",
        &forge::vp8l(30, 20),
    )]));
    seeds
});

fn answer_is_sound(bytes: &[u8]) {
    if let Ok(found) = inspect(bytes, &LIMITS) {
        thumbnail_of(&found);
        assert!(
            found
                .camera
                .is_none_or(|camera| camera.chars().count() <= 100)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in vec(any::<u8>(), 0..400)) {
        answer_is_sound(&bytes);
    }

    #[test]
    fn random_bytes_behind_an_honest_start_never_panic(
        seed: Index, keep in 2usize..60, bytes in vec(any::<u8>(), 0..400)
    ) {
        let seed = seed.get(&SEEDS);
        answer_is_sound(&[&seed[..keep.min(seed.len())], &bytes].concat());
    }

    #[test]
    fn damaged_pictures_never_panic(
        seed: Index, changes in vec((any::<Index>(), any::<u8>()), 1..8), cut: Option<Index>
    ) {
        let mut bytes = seed.get(&SEEDS).clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        answer_is_sound(&bytes);
    }

    /// Headers are where the numbers are that decoders allocate by.
    #[test]
    fn damaged_headers_never_panic(
        seed: Index, changes in vec((0usize..64, prop_oneof![Just(0u8), Just(0xff), any::<u8>()]), 1..5)
    ) {
        let mut bytes = seed.get(&SEEDS).clone();
        for (at, value) in changes {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        answer_is_sound(&bytes);
    }

    #[test]
    fn random_exif_never_panics(block in vec(any::<u8>(), 0..300), sane_start: bool) {
        let mut block = block;
        if sane_start {
            block.splice(..0, *b"II*\0\x08\0\0\0");
        }
        answer_is_sound(&samples::with_exif(&samples::pattern(8, 8), Format::Png, block));
    }
}
