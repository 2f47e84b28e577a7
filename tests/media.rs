//! The media floor from outside: honest pictures of every format, and files made to hurt. Each module
//! holds one promise; `samples` and `forge` make the files.

#[path = "media/accepted.rs"]
mod accepted;
#[path = "media/bombs.rs"]
mod bombs;
#[path = "media/exif.rs"]
mod exif_fields;
#[path = "media/forge.rs"]
mod forge;
#[path = "media/garbled.rs"]
mod garbled;
#[path = "media/png.rs"]
mod png;
#[path = "media/reduced.rs"]
mod reduced;
#[path = "media/samples.rs"]
mod samples;
#[path = "media/truncated.rs"]
mod truncated;

use image::RgbImage;
use image_vault::media::Inspected;
use image_vault::media::Limits;
use image_vault::media::MediaError;
use image_vault::media::THUMBNAIL_SIDE;
use image_vault::media::inspect;

/// Inspects under the default limits.
fn look(bytes: &[u8]) -> Result<Inspected, MediaError> {
    inspect(bytes, &Limits::default())
}

/// What a file must pass as: a picture. Its thumbnail comes decoded.
#[track_caller]
fn picture(bytes: &[u8]) -> (Inspected, RgbImage) {
    match look(bytes) {
        Ok(found) => {
            let thumbnail = thumbnail_of(&found);
            (found, thumbnail)
        }
        Err(error) => panic!("refused: {error:?}"),
    }
}

/// Why a file is refused.
#[track_caller]
fn refusal(bytes: &[u8]) -> MediaError {
    match look(bytes) {
        Ok(_) => panic!("accepted"),
        Err(error) => error,
    }
}

/// The thumbnail's pixels; what must hold of every thumbnail is checked on the way.
#[track_caller]
fn thumbnail_of(found: &Inspected) -> RgbImage {
    let jpeg = image::ImageFormat::Jpeg;
    let decoded = image::load_from_memory_with_format(&found.thumbnail, jpeg);
    let thumbnail = decoded.expect("a thumbnail is a JPEG").into_rgb8();
    let (width, height) = thumbnail.dimensions();
    assert!(width.max(height) <= THUMBNAIL_SIDE);
    assert!(width <= found.width && height <= found.height, "enlarged");
    assert!(!found.thumbhash.is_empty());
    thumbnail
}

/// Whether a pixel is about that colour, as far as JPEG keeps it.
#[track_caller]
fn assert_near(pixel: &image::Rgb<u8>, colour: [u8; 3]) {
    let far = pixel.0.iter().zip(colour).any(|(a, b)| a.abs_diff(b) > 24);
    assert!(!far, "{:?} instead of {colour:?}", pixel.0);
}

/// Whether `needle` occurs in the bytes.
fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|part| part == needle)
}
