//! JPEGs decoded at a fraction of their size, for small views of large pictures: the inverse cosine
//! transform of a block may give 4 x 4, 2 x 2 or 1 x 1 pixels as well as 8 x 8, and then most of the
//! work after entropy decoding, and most of the memory, is never asked for. (vipsthumbnail and
//! libjpeg call it shrink-on-load.)

use std::io::Cursor;

use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{CodingProcess, Decoder, PixelFormat};
use memchr::memmem;
use rayon::ThreadPoolBuilder;

/// Scans of a file with the pictures that it may carry within itself. This decoder does each of a
/// picture's scans, however many somebody wrote.
const MOST_SCANS: usize = 8;

/// The picture at the smallest of 1/8, 1/4 and 1/2 of its size at which a side is still at least
/// `side` pixels long, in at most `max_bytes`. `None` where there is no such size, and where this
/// decoder does not take the file, or should not: the other one decides what becomes of it.
pub(super) fn jpeg(bytes: &[u8], side: u32, max_bytes: u64) -> Option<DynamicImage> {
    // It hands each row of blocks to other threads, here to none but the one that decodes: that is a
    // tenth faster on a busy machine, and no row waits in memory.
    let alone = ThreadPoolBuilder::new().num_threads(1).build().ok()?;
    alone.install(|| decode(bytes, side, max_bytes))
}

fn decode(bytes: &[u8], side: u32, max_bytes: u64) -> Option<DynamicImage> {
    let side = u16::try_from(side).ok()?;
    let scans = memmem::find_iter(bytes, b"\xff\xda").take(MOST_SCANS + 1);
    if scans.count() > MOST_SCANS {
        return None;
    }
    let mut decoder = Decoder::new(Cursor::new(bytes));
    decoder.set_max_decoding_buffer_size(usize::try_from(max_bytes).unwrap_or(usize::MAX));
    decoder.read_info().ok()?;
    let whole = decoder.info()?;
    // What the survey saw may be another file than the decoder sees.
    let is_simple = whole.coding_process == CodingProcess::DctSequential
        && matches!(whole.pixel_format, PixelFormat::L8 | PixelFormat::RGB24);
    if !is_simple || whole.width.max(whole.height) < side.checked_mul(2)? {
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
        _ => RgbImage::from_raw(width, height, pixels).map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 64 << 20;

    fn grey() -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        GrayImage::new(2_000, 1_500)
            .write_to(&mut file, image::ImageFormat::Jpeg)
            .unwrap();
        file.into_inner()
    }

    #[test]
    fn a_large_picture_comes_at_a_fraction_and_a_small_one_not_at_all() {
        let small = jpeg(&grey(), 800, LIMIT).unwrap();
        assert_eq!((small.width(), small.height()), (1_000, 750));
        assert!(jpeg(&grey(), 1_001, LIMIT).is_none());
    }

    /// It would take days for those that fit into a file.
    #[test]
    fn a_picture_of_many_scans_is_left_to_the_other_decoder() {
        let whole = grey();
        let (start, end) = whole.split_at(whole.len() - 2);
        // One component, its tables, all coefficients; and no data.
        let empty = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0];
        assert!(jpeg(&[start, &empty.repeat(7), end].concat(), 800, LIMIT).is_some());
        assert!(jpeg(&[start, &empty.repeat(8), end].concat(), 800, LIMIT).is_none());
    }
}
