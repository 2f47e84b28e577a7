//! JPEGs decoded at a fraction of their size, for small views of large pictures: the inverse cosine
//! transform of a block may give 4 x 4, 2 x 2 or 1 x 1 pixels as well as 8 x 8, and then most of the
//! work after entropy decoding, and most of the memory, is never asked for. (vipsthumbnail and
//! libjpeg call it shrink-on-load.)

use std::io::Cursor;

use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{CodingProcess, Decoder, PixelFormat};
use memchr::memmem;
use rayon::ThreadPoolBuilder;

/// Most scans in a file, with the pictures that it may carry within itself. This decoder works
/// through each scan of a picture, however many there are.
const MOST_SCANS: usize = 8;

/// The picture, which is of this size, at the smallest of 1/8, 1/4 and 1/2 of it at which a side is
/// still at least `side` pixels long. `None` where there is no such size, and where this decoder
/// does not take the file, or should not: then the ordinary decoder judges it.
///
/// That takes less memory than the picture as a whole would. (With the feature `rayon` each row of
/// blocks is transformed where it is decoded. Without it, rows queue for other threads without bound.)
pub(super) fn jpeg(bytes: &[u8], size: (u32, u32), side: u32) -> Option<DynamicImage> {
    let side = u16::try_from(side).ok()?;
    let scans = memmem::find_iter(bytes, b"\xff\xda").take(MOST_SCANS + 1);
    if size.0.max(size.1) < u32::from(side) * 2 || scans.count() > MOST_SCANS {
        return None;
    }
    // One thread: the one that decodes turns rows into colours, too.
    let alone = ThreadPoolBuilder::new().num_threads(1).build().ok()?;
    alone.install(|| decode(bytes, size, side))
}

fn decode(bytes: &[u8], size: (u32, u32), side: u16) -> Option<DynamicImage> {
    let mut decoder = Decoder::new(Cursor::new(bytes));
    decoder.read_info().ok()?;
    let whole = decoder.info()?;
    // Limits were checked for what the survey saw in the file: this decoder must see the same.
    let is_expected = whole.coding_process == CodingProcess::DctSequential
        && matches!(whole.pixel_format, PixelFormat::L8 | PixelFormat::RGB24)
        && (u32::from(whole.width), u32::from(whole.height)) == size;
    if !is_expected {
        return None;
    }
    // The scale is the first at which one side is long enough: the other side asks for nothing.
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

    const SIZE: (u32, u32) = (2_000, 1_500);

    fn grey() -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        GrayImage::new(SIZE.0, SIZE.1)
            .write_to(&mut file, image::ImageFormat::Jpeg)
            .unwrap();
        file.into_inner()
    }

    #[test]
    fn a_large_picture_comes_at_a_fraction_and_a_small_one_not_at_all() {
        let small = jpeg(&grey(), SIZE, 800).unwrap();
        assert_eq!((small.width(), small.height()), (1_000, 750));
        assert!(jpeg(&grey(), SIZE, 1_001).is_none());
    }

    /// Decoding would take days for as many scans as fit into a file.
    #[test]
    fn a_picture_of_many_scans_is_left_to_the_other_decoder() {
        let whole = grey();
        let (start, end) = whole.split_at(whole.len() - 2);
        // One component, its tables, all coefficients; and no data.
        let empty = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0];
        assert!(jpeg(&[start, &empty.repeat(7), end].concat(), SIZE, 800).is_some());
        assert!(jpeg(&[start, &empty.repeat(8), end].concat(), SIZE, 800).is_none());
    }

    #[test]
    fn a_picture_of_another_size_than_was_checked_is_left_to_the_other_decoder() {
        for other in [(1_999, 1_500), (2_000, 1_501), (2_000, 1_400)] {
            assert!(jpeg(&grey(), other, 800).is_none());
        }
    }
}
