//! Honest pictures, made by the encoders of `image`, and the EXIF blocks to put into them, written
//! by kamadak-exif: a second opinion on what our own reader reads.

use std::io::Cursor;

use exif::Context;
use exif::Field;
use exif::In;
use exif::Rational;
use exif::Tag;
use exif::Value;
use exif::experimental::Writer;
use image::DynamicImage;
use image::ImageEncoder;
use image::ImageFormat;
use image::Rgb;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image_vault::media::Format;

pub(super) const RED: [u8; 3] = [220, 20, 20];
pub(super) const GREEN: [u8; 3] = [20, 180, 20];
pub(super) const BLUE: [u8; 3] = [20, 20, 220];
pub(super) const YELLOW: [u8; 3] = [230, 220, 20];

/// Four quarters: red and green above, blue and yellow below.
pub(super) fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => RED,
            (false, true) => GREEN,
            (true, false) => BLUE,
            (false, false) => YELLOW,
        })
    })
}

/// A picture without two equal rows, so that nothing of it can be missing unnoticed.
pub(super) fn pattern(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let wave = |n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8;
        Rgb([wave(x * 7 + y), wave(y * 13 + 5), wave(x + y * 3)])
    })
}

/// The picture in a format, by `image`'s encoder.
pub(super) fn encoded(picture: &DynamicImage, format: Format) -> Vec<u8> {
    let format = match format {
        Format::Jpeg => ImageFormat::Jpeg,
        Format::Png => ImageFormat::Png,
        Format::Gif => ImageFormat::Gif,
        Format::Webp => ImageFormat::WebP,
        Format::Tiff => ImageFormat::Tiff,
        Format::Bmp => ImageFormat::Bmp,
    };
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("it encodes");
    bytes.into_inner()
}

pub(super) fn encoded_rgb(picture: &RgbImage, format: Format) -> Vec<u8> {
    encoded(&DynamicImage::ImageRgb8(picture.clone()), format)
}

/// The picture with an EXIF block, in the three formats `image` can write one to.
pub(super) fn with_exif(picture: &RgbImage, format: Format, exif: Vec<u8>) -> Vec<u8> {
    fn write(mut encoder: impl ImageEncoder, picture: &RgbImage, exif: Vec<u8>) {
        encoder.set_exif_metadata(exif).expect("it takes EXIF");
        let (width, height) = picture.dimensions();
        encoder
            .write_image(picture, width, height, image::ExtendedColorType::Rgb8)
            .expect("it encodes");
    }
    let mut bytes = Vec::new();
    match format {
        Format::Jpeg => write(JpegEncoder::new_with_quality(&mut bytes, 95), picture, exif),
        Format::Png => write(PngEncoder::new(&mut bytes), picture, exif),
        Format::Webp => write(WebPEncoder::new_lossless(&mut bytes), picture, exif),
        other => panic!("image writes no EXIF to {}", other.name()),
    }
    bytes
}

/// One EXIF field of text.
pub(super) fn text(tag: Tag, value: &str) -> Field {
    Field {
        tag,
        ifd_num: In::PRIMARY,
        value: Value::Ascii(vec![value.as_bytes().to_vec()]),
    }
}

/// One EXIF field of a 16-bit number.
pub(super) fn short(tag: Tag, value: u16) -> Field {
    Field {
        tag,
        ifd_num: In::PRIMARY,
        value: Value::Short(vec![value]),
    }
}

/// Latitude and longitude, the fields nobody else may see.
pub(super) fn position() -> [Field; 2] {
    let degrees = |tag| Field {
        tag,
        ifd_num: In::PRIMARY,
        value: Value::Rational(vec![Rational { num: 48, denom: 1 }; 3]),
    };
    [degrees(Tag::GPSLatitude), degrees(Tag::GPSLongitude)]
}

/// An EXIF block of these fields, from its TIFF header on.
pub(super) fn exif_block(fields: &[Field], little_endian: bool) -> Vec<u8> {
    let mut writer = Writer::new();
    for field in fields {
        writer.push_field(field);
    }
    let mut bytes = Cursor::new(Vec::new());
    writer.write(&mut bytes, little_endian).expect("it writes");
    bytes.into_inner()
}

/// A field that a comment or a maker's note could carry, to be looked for where it must not be.
pub(super) fn comment(value: &str) -> Field {
    Field {
        tag: Tag(Context::Tiff, 0x010e),
        ifd_num: In::PRIMARY,
        value: Value::Ascii(vec![value.as_bytes().to_vec()]),
    }
}
