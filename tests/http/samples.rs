//! Pictures to upload: small and honest ones, and those that lie about themselves.

use std::io::Cursor;
use std::sync::LazyLock;

use exif::experimental::Writer;
use exif::{Field, In, Tag, Value};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, GrayImage, ImageEncoder, ImageFormat, Rgb, RgbImage};

use super::png_chunks;

/// A picture of this size that differs for every seed.
pub(super) fn picture(seed: u32, width: u32, height: u32) -> RgbImage {
    let wave = |n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8;
    // The waves of two seeds may be alike; a bit of the seed in each block of a JPEG tells them apart.
    let bit = |x: u32, y: u32| seed >> ((x / 8 + 6 * (y / 8)) % 32) & 1;
    RgbImage::from_fn(width, height, |x, y| {
        let red = if bit(x, y) == 1 { 220 } else { 30 };
        Rgb([red, wave(x / 8 + seed), wave(y / 8 + seed * 7)])
    })
}

/// The picture in this format, by `image`'s encoder.
pub(super) fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = DynamicImage::ImageRgb8(picture.clone());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A small JPEG, other bytes for every seed.
pub(super) fn jpeg(seed: u32) -> Vec<u8> {
    encoded(&picture(seed, 48, 32), ImageFormat::Jpeg)
}

/// A small PNG, other bytes for every seed.
pub(super) fn png(seed: u32) -> Vec<u8> {
    encoded(&picture(seed, 40, 30), ImageFormat::Png)
}

/// A bitmap whose pixels are these bytes, over and over: as large a file as one likes, at once.
pub(super) fn bmp(pixels: &[u8], width: u32, height: u32) -> Vec<u8> {
    assert_eq!(width % 4, 0, "rows are padded to four bytes");
    let size = (width * height * 3) as usize;
    let mut out = b"BM".to_vec();
    out.extend((54 + size as u32).to_le_bytes());
    out.extend([0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0]);
    out.extend(width.to_le_bytes());
    out.extend(height.to_le_bytes());
    out.extend([1, 0, 24, 0]);
    out.extend([0; 24]);
    out.extend(pixels.repeat(size.div_ceil(pixels.len())));
    out.truncate(54 + size);
    out
}

/// About 24 MB, more than the buffers between two sockets hold.
pub(super) fn large(seed: u8) -> Vec<u8> {
    let noise: Vec<u8> = (0..9973u32).map(|n| ((n * n) >> 5) as u8 ^ seed).collect();
    bmp(&noise, 4000, 2000)
}

/// One text field of EXIF.
pub(super) fn text(tag: Tag, value: &str) -> Field {
    let value = Value::Ascii(vec![value.as_bytes().to_vec()]);
    Field {
        tag,
        ifd_num: In::PRIMARY,
        value,
    }
}

/// A JPEG with these EXIF fields.
pub(super) fn jpeg_with(picture: &RgbImage, fields: &[Field]) -> Vec<u8> {
    let mut writer = Writer::new();
    fields.iter().for_each(|field| writer.push_field(field));
    let mut block = Cursor::new(Vec::new());
    writer.write(&mut block, true).unwrap();
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(block.into_inner()).unwrap();
    let (width, height) = picture.dimensions();
    let written = encoder.write_image(picture, width, height, image::ExtendedColorType::Rgb8);
    written.unwrap();
    bytes
}

/// Red above, blue below when turned by EXIF orientation 6 (a quarter turn clockwise): stored
/// with red at the left.
pub(super) fn sideways() -> Vec<u8> {
    let stored = RgbImage::from_fn(600, 300, |x, _| {
        Rgb(if x < 300 {
            [220, 20, 20]
        } else {
            [20, 20, 220]
        })
    });
    let turned = Value::Short(vec![6]);
    let orientation = Field {
        tag: Tag::Orientation,
        ifd_num: In::PRIMARY,
        value: turned,
    };
    jpeg_with(&stored, &[orientation, text(Tag::Model, "Marker Camera 9")])
}

/// Taken then, with this camera.
pub(super) fn taken(seed: u32, when: &str, camera: &str) -> Vec<u8> {
    let fields = [text(Tag::DateTimeOriginal, when), text(Tag::Model, camera)];
    jpeg_with(&picture(seed, 24, 16), &fields)
}

/// Taken at these degrees, minutes and seconds, north and west.
pub(super) fn at(seed: u32, latitude: [u32; 3], longitude: [u32; 3]) -> Vec<u8> {
    let angle = |tag, parts: [u32; 3]| {
        let whole = |num| exif::Rational { num, denom: 1 };
        let value = Value::Rational(parts.map(whole).to_vec());
        Field {
            tag,
            ifd_num: In::PRIMARY,
            value,
        }
    };
    let fields = [
        text(Tag::GPSLatitudeRef, "N"),
        angle(Tag::GPSLatitude, latitude),
        text(Tag::GPSLongitudeRef, "W"),
        angle(Tag::GPSLongitude, longitude),
    ];
    jpeg_with(&picture(seed, 24, 16), &fields)
}

/// 144 megapixels of black in a few hundred kilobytes.
pub(super) static HUGE_PNG: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = Cursor::new(Vec::new());
    let black = DynamicImage::ImageLuma8(GrayImage::new(12_000, 12_000));
    black.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
});

/// The same as WebP, in some fifty bytes: VP8L codes of one symbol, so that a pixel takes no bits.
pub(super) fn huge_webp() -> Vec<u8> {
    let side: u64 = 12_000 - 1;
    // Lowest bit first: width, height, alpha, version, no transform, no cache, one group, and
    // five simple codes of the one symbol 0.
    let head = side | side << 14 | 1 << 28;
    let codes: u64 = (0..5).fold(0, |bits, code| bits | 0b0001 << (3 + 4 * code));
    let mut data = vec![0x2f];
    data.extend(&(head as u32).to_le_bytes());
    data.extend(codes.to_le_bytes());
    let mut chunk = b"WEBPVP8L".to_vec();
    chunk.extend((data.len() as u32).to_le_bytes());
    chunk.extend(&data);
    chunk.resize(chunk.len() + data.len() % 2, 0);
    let mut out = b"RIFF".to_vec();
    out.extend((chunk.len() as u32).to_le_bytes());
    out.extend(chunk);
    out
}

/// A PNG that claims a square of this side and has hardly any data for it.
pub(super) fn boasting_png(side: u32) -> Vec<u8> {
    let some = vec![0x78, 1, 0, 0, 0];
    png_chunks::of(&[png_chunks::ihdr(side, side, 8, 2), (b"IDAT", some)])
}

/// A PNG with a comment behind its pixels.
pub(super) fn commented_png(seed: u32, comment: &str) -> Vec<u8> {
    let mut bytes = png(seed);
    let text = png_chunks::chunk(b"tEXt", format!("Comment\0{comment}").as_bytes());
    let end = bytes.len() - 12;
    bytes.splice(end..end, text);
    bytes
}

/// A thousand frames, of which only the first can be decoded.
pub(super) fn long_gif() -> Vec<u8> {
    let mut bytes = encoded(&picture(1, 8, 8), ImageFormat::Gif);
    assert_eq!(bytes.pop(), Some(b';'));
    // Two colours, and LZW codes that were never made.
    let broken = b",\0\0\0\0\x08\0\x08\0\x80\0\0\0\xff\xff\xff\x02\x02\xff\xff\0";
    bytes.extend(broken.repeat(999));
    bytes.push(b';');
    bytes
}
