//! Pictures: bytes in, bytes out, under explicit limits.
//!
//! Everything here treats its input as hostile. A file is judged by decoding it, never by its name
//! or its first bytes alone; width, height and memory are checked before a decoder allocates; only
//! the first frame of an animation is looked at; a decoder that panics makes an error and no more.
//! What comes out (thumbnail, preview) is encoded anew from pixels, so nothing but pixels of a file
//! ever reaches a browser through it.
//!
//! No I/O, no clocks, no keys. The functions block for as long as a decode takes, so callers run
//! them on a bounded pool.

mod decode;
mod error;
mod exif;
mod format;
mod ifd;
mod reduced;
mod scale;
mod survey;

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use decode::Decoded;
pub use decode::Limits;
pub use error::MediaError;
pub use exif::CaptureTime;
pub use exif::Location;
pub use format::ACCEPT;
pub use format::Format;

/// Longest side of a thumbnail, in pixels.
pub const THUMBNAIL_SIDE: u32 = 400;
/// Longest side of a preview, in pixels.
pub const PREVIEW_SIDE: u32 = 1600;

/// The facts about a picture that the vault keeps, all from one decode.
///
/// It has no `Debug`: where and when somebody took a picture belongs in no log.
pub struct Inspected {
    /// The format the bytes really are, whatever the file was called.
    pub format: Format,
    /// Pixels across, as shown: after the EXIF orientation.
    pub width: u32,
    /// Pixels down, as shown: after the EXIF orientation.
    pub height: u32,
    /// When the shutter opened, by the camera's clock.
    pub taken_at: Option<CaptureTime>,
    /// Maker and model, such as "Canon EOS R6": printable, at most 100 characters.
    pub camera: Option<String>,
    /// Where it was taken, where the file says so.
    pub location: Option<Location>,
    /// A JPEG that fits [`THUMBNAIL_SIDE`]: upright, without metadata, never larger than the
    /// picture, transparency laid on white.
    pub thumbnail: Vec<u8>,
    /// The thumbnail's placeholder, about 25 bytes (<https://evanw.github.io/thumbhash/>).
    pub thumbhash: Vec<u8>,
}

/// Decodes a picture once and returns everything the vault keeps about it.
///
/// # Errors
/// [`MediaError`], whose sentences are for the person who sent the file.
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Inspected, MediaError> {
    contained(|| {
        let decoded = decode::decode(bytes, THUMBNAIL_SIDE, limits)?;
        let (width, height) = decoded.shown_size();
        let Decoded {
            format,
            size,
            pixels,
            exif,
        } = decoded;
        let thumbnail = scale::upright(pixels, size, exif.orientation, THUMBNAIL_SIDE)?;
        Ok(Inspected {
            format,
            width,
            height,
            taken_at: exif.taken_at,
            camera: exif.camera,
            location: exif.location,
            thumbhash: scale::thumbhash(&thumbnail)?,
            thumbnail: scale::jpeg(&thumbnail)?,
        })
    })
}

/// Makes the large view of a picture: a JPEG that fits [`PREVIEW_SIDE`], upright, without metadata,
/// never larger than the picture, transparency laid on white.
///
/// # Errors
/// The same as [`inspect`]; a picture that passed it under the same limits passes here.
pub fn preview(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, MediaError> {
    contained(|| {
        let decoded = decode::decode(bytes, PREVIEW_SIDE, limits)?;
        let orientation = decoded.exif.orientation;
        let view = scale::upright(decoded.pixels, decoded.size, orientation, PREVIEW_SIDE)?;
        scale::jpeg(&view)
    })
}

/// Turns a panic into [`MediaError::Broken`]: the `image` crate's notes say that many decoders panic
/// on malicious input. Nothing the closure touched is used afterwards, hence `AssertUnwindSafe`.
fn contained<T>(work: impl FnOnce() -> Result<T, MediaError>) -> Result<T, MediaError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(MediaError::Broken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_a_decoder_is_a_broken_picture() {
        let outcome: Result<(), _> = contained(|| panic!("index out of bounds"));
        assert_eq!(outcome, Err(MediaError::Broken));
    }
}
