//! JPEGs decoded at a fraction of their size, for small views of large pictures: the inverse cosine
//! transform of a block may give 4 x 4, 2 x 2 or 1 x 1 pixels as well as 8 x 8, and then most of the
//! work after entropy decoding, and most of the memory, is never asked for. (vipsthumbnail and
//! libjpeg call it shrink-on-load.)

use std::io::Cursor;

use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{Decoder, PixelFormat};

/// The picture at the smallest of 1/8, 1/4 and 1/2 of its size at which a side is still at least
/// `side` pixels long, in at most `max_bytes`. `None` where there is no such size, and where this
/// decoder does not take the file: the other one decides what becomes of it.
pub(super) fn jpeg(bytes: &[u8], side: u32, max_bytes: u64) -> Option<DynamicImage> {
    let side = u16::try_from(side).ok()?;
    let mut decoder = Decoder::new(Cursor::new(bytes));
    decoder.set_max_decoding_buffer_size(usize::try_from(max_bytes).unwrap_or(usize::MAX));
    decoder.read_info().ok()?;
    let whole = decoder.info()?;
    if whole.width.max(whole.height) < side.checked_mul(2)? {
        return None;
    }
    // Its transforms run on threads of their own. Where those get no time, all coefficients wait for
    // them in memory: two bytes for each of at most four components of a pixel.
    let pixels = u64::from(whole.width) * u64::from(whole.height);
    if pixels * whole.pixel_format.pixel_bytes() as u64 * 2 > max_bytes {
        return None;
    }
    // It stops at the first side that is long enough: the other one asks for nothing.
    let (across, down) = match whole.width >= whole.height {
        true => (side, u16::MAX),
        false => (u16::MAX, side),
    };
    let (width, height) = decoder.scale(across, down).ok()?;
    let pixels = decoder.decode().ok()?;
    let (width, height) = (u32::from(width), u32::from(height));
    match whole.pixel_format {
        PixelFormat::L8 => GrayImage::from_raw(width, height, pixels).map(Into::into),
        PixelFormat::RGB24 => RgbImage::from_raw(width, height, pixels).map(Into::into),
        // Rare, and not the same colours here as there.
        PixelFormat::L16 | PixelFormat::CMYK32 => None,
    }
}
