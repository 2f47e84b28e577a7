//! Any bytes are refused as a picture or become a small clean JPEG, within limits of memory. Decoders
//! may panic, since that is caught; our own code may not.
#![no_main]

use image_vault::media::{Format, Limits, THUMBNAIL_SIDE, inspect, preview};
use image_vault_fuzz::only_decoders_may_panic;
use libfuzzer_sys::fuzz_target;

/// Small, so that a lying header is refused instead of decoded slowly. What may come on top of the
/// memory is far below `MOST_HEAP`.
const LIMITS: Limits = Limits {
    max_pixels: 1 << 18,
    max_decode_bytes: 8 << 20,
};

fuzz_target!(init: only_decoders_may_panic(), |data: &[u8]| {
    let Ok(found) = inspect(data, &LIMITS) else {
        return;
    };
    assert!(u64::from(found.width) * u64::from(found.height) <= LIMITS.max_pixels);
    assert!(found.thumbhash.len() <= 25, "{} bytes", found.thumbhash.len());
    assert!(preview(data, &LIMITS).is_ok_and(|view| view.starts_with(b"\xff\xd8")));

    let again = inspect(&found.thumbnail, &LIMITS).expect("a thumbnail is a picture");
    assert!(again.format == Format::Jpeg && again.width.max(again.height) <= THUMBNAIL_SIDE);
    assert!(again.taken_at.is_none() && again.camera.is_none());
});
