//! No EXIF block spoils the picture it comes with, nor makes our reader panic; and what is taken from
//! it is fit to be shown.
#![no_main]

use image_vault::media::{Limits, inspect};
use image_vault_fuzz::only_decoders_may_panic;
use libfuzzer_sys::fuzz_target;

/// Two grey pixels, one above the other.
fn png_with(exif: &[u8]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        let body = [kind, data].concat();
        png.extend((data.len() as u32).to_be_bytes());
        png.extend(&body);
        png.extend(crc32fast::hash(&body).to_be_bytes());
    };
    chunk(b"IHDR", b"\0\0\0\x01\0\0\0\x02\x08\0\0\0\0");
    chunk(
        b"IDAT",
        b"\x78\x01\x01\x04\0\xfb\xff\0\x55\0\xaa\x01\xad\x01\0",
    );
    chunk(b"eXIf", exif);
    chunk(b"IEND", b"");
    png
}

fuzz_target!(init: only_decoders_may_panic(), |data: &[u8]| {
    let found = inspect(&png_with(data), &Limits::default()).expect("the picture is sound");
    assert!(matches!((found.width, found.height), (1, 2) | (2, 1)));
    if let Some(camera) = found.camera {
        assert!((1..=100).contains(&camera.chars().count()) && camera.trim() == camera);
        assert!(!camera.contains(char::is_control), "{camera:?}");
    }
    if let Some(taken) = found.taken_at {
        assert!((1..=9999).contains(&taken.local.year()));
        assert!(taken.offset.is_none_or(|offset| offset.seconds().abs() <= 14 * 3600));
    }
});
