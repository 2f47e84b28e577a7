//! What is a picture and what is not, and that every kind of pixel comes out as it should look.

use image::DynamicImage;
use image::GrayAlphaImage;
use image::GrayImage;
use image::ImageBuffer;
use image::Luma;
use image::LumaA;
use image::Rgb;
use image::RgbImage;
use image::Rgba;
use image_vault::media::Format;
use image_vault::media::Limits;
use image_vault::media::MediaError;
use image_vault::media::PREVIEW_SIDE;
use image_vault::media::preview;

use super::assert_near;
use super::forge;
use super::holds;
use super::picture;
use super::png;
use super::refusal;
use super::samples;

const WHITE: [u8; 3] = [255; 3];

/// R1.16, R1.17: the content says what a file is.
#[test]
fn every_format_is_recognised_by_its_content() {
    for format in Format::ALL {
        let bytes = samples::encoded_rgb(&samples::quarters(64, 48), format);
        let (found, thumbnail) = picture(&bytes);
        assert_eq!(found.format, format);
        assert_eq!((found.width, found.height), (64, 48));
        assert_eq!(thumbnail.dimensions(), (64, 48), "never enlarged");
        assert_near(thumbnail.get_pixel(8, 8), samples::RED);
        assert_near(thumbnail.get_pixel(56, 40), samples::YELLOW);
        assert!(found.taken_at.is_none() && found.camera.is_none());
    }
}

/// R1.17: a renamed text file, and everything that browsers would run, is no picture.
#[test]
fn what_is_no_picture_is_refused_as_such() {
    for bytes in [
        &b"just some notes, renamed to holiday.jpg"[..],
        b"BM is how this text begins, and that is all it has of a bitmap",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"%PDF-1.7\n",
        b"PK\x03\x04 a zip",
        b"\0",
        b"\xff\xd8",
        b"RIFF\x10\0\0\0WAVEfmt ",
    ] {
        assert_eq!(refusal(bytes), MediaError::NotAnImage, "{bytes:?}");
    }
    assert_eq!(refusal(b""), MediaError::Empty);
}

/// security.md test 15: first bytes alone make no picture.
#[test]
fn a_script_that_begins_like_a_gif_is_broken() {
    let script = b"GIF89a/*\0\0*/=1;alert(document.cookie)//";
    assert_eq!(refusal(script), MediaError::Broken);
}

/// security.md test 15: what hides in or behind a real picture does not reach the thumbnail.
#[test]
fn nothing_but_pixels_reaches_thumbnail_and_preview() {
    const MARKER: &[u8] = b"<script>alert(1)</script>";
    let mut with_zip = samples::encoded_rgb(&samples::quarters(64, 48), Format::Jpeg);
    with_zip.extend(b"PK\x03\x04");
    with_zip.extend(MARKER);
    let mut text = b"Comment\0".to_vec();
    text.extend(MARKER);
    let pixels = forge::zlib_zeros(5 * 16);
    let with_text = png::of(&[png::ihdr(4, 16, 8, 0), (b"tEXt", text), (b"IDAT", pixels)]);
    for bytes in [with_zip, with_text] {
        assert!(holds(&bytes, MARKER));
        let (found, _) = picture(&bytes);
        assert!(!holds(&found.thumbnail, MARKER));
        assert!(!holds(
            &preview(&bytes, &Limits::default()).unwrap(),
            MARKER
        ));
    }
}

#[test]
fn a_preview_fits_its_side_and_is_never_enlarged() {
    let sized = |width, height| {
        let bytes = samples::encoded_rgb(&samples::quarters(width, height), Format::Bmp);
        let jpeg = preview(&bytes, &Limits::default()).unwrap();
        let preview = image::load_from_memory_with_format(&jpeg, image::ImageFormat::Jpeg);
        let preview = preview.unwrap().into_rgb8();
        assert_near(preview.get_pixel(0, 0), samples::RED);
        preview.dimensions()
    };
    assert_eq!(sized(2000, 100), (PREVIEW_SIDE, 80));
    assert_eq!(sized(50, 3200), (25, PREVIEW_SIDE));
    assert_eq!(sized(30, 20), (30, 20));
}

#[test]
fn one_pixel_is_a_picture_in_every_format() {
    for format in Format::ALL {
        let dot = RgbImage::from_pixel(1, 1, Rgb(samples::BLUE));
        let (found, thumbnail) = picture(&samples::encoded_rgb(&dot, format));
        assert_eq!((found.width, found.height), (1, 1));
        assert_near(thumbnail.get_pixel(0, 0), samples::BLUE);
    }
}

/// There is no limit on one side alone.
#[test]
fn a_panorama_may_be_very_long() {
    let long = GrayImage::from_pixel(100_000, 100, Luma([180]));
    let tall = GrayImage::from_pixel(100, 100_000, Luma([180]));
    for (panorama, thumbnail_size) in [(long, (400, 1)), (tall, (1, 400))] {
        let size = panorama.dimensions();
        let (found, thumbnail) = picture(&samples::encoded(&panorama.into(), Format::Png));
        assert_eq!((found.width, found.height), size);
        assert_eq!(thumbnail.dimensions(), thumbnail_size);
        assert_eq!(thumbnail.get_pixel(0, 0).0, [180; 3]);
    }
}

#[test]
fn sixteen_bits_and_floats_come_out_in_eight() {
    let orange = [65535, 32768, 0];
    let deep = ImageBuffer::from_pixel(500, 20, Rgb::<u16>(orange));
    let deep = DynamicImage::ImageRgb16(deep);
    let [r, g, b] = orange.map(|c| f32::from(c) / 65535.0);
    let float = DynamicImage::ImageRgb32F(ImageBuffer::from_pixel(500, 20, Rgb([r, g, b])));
    for bytes in [
        samples::encoded(&deep, Format::Png),
        samples::encoded(&deep, Format::Tiff),
        samples::encoded(&float, Format::Tiff),
    ] {
        let (_, thumbnail) = picture(&bytes);
        assert_near(thumbnail.get_pixel(200, 8), [255, 128, 0]);
    }
}

#[test]
fn transparency_is_laid_on_white() {
    let half_red = Rgba([200, 0, 0, 128]);
    let clear = Rgba([0, 0, 0, 0]);
    let halves = image::RgbaImage::from_fn(800, 80, |x, _| if x < 400 { half_red } else { clear });
    let halves = DynamicImage::ImageRgba8(halves);
    for (format, left) in [
        (Format::Png, [227, 127, 127]),
        (Format::Webp, [227, 127, 127]),
        (Format::Tiff, [227, 127, 127]),
        (Format::Gif, [200, 0, 0]), // which knows only all or nothing
    ] {
        let (_, thumbnail) = picture(&samples::encoded(&halves, format));
        assert_near(thumbnail.get_pixel(100, 20), left);
        assert_near(thumbnail.get_pixel(300, 20), WHITE);
    }
}

#[test]
fn grey_with_alpha_is_laid_on_white_at_both_depths() {
    let shallow = GrayAlphaImage::from_fn(40, 20, |x, _| LumaA([0, if x < 20 { 128 } else { 0 }]));
    let shallow = DynamicImage::ImageLumaA8(shallow);
    let deep = DynamicImage::ImageLumaA16(shallow.to_luma_alpha16());
    for grey in [shallow, deep] {
        let (_, thumbnail) = picture(&samples::encoded(&grey, Format::Png));
        assert_near(thumbnail.get_pixel(4, 4), [127; 3]);
        assert_near(thumbnail.get_pixel(36, 4), WHITE);
    }
}

#[test]
fn a_palette_with_alpha_is_laid_on_white() {
    // One row of four pixels, indices of two bits: opaque green, half black, clear, clear.
    let row = [0, 0b00_01_10_10];
    let stored = |data: &[u8]| {
        let mut out = vec![
            0x78,
            0x01,
            1,
            data.len() as u8,
            0,
            !(data.len() as u8),
            0xff,
        ];
        out.extend(data);
        let sums = data.iter().fold((1u32, 0u32), |(a, b), byte| {
            let a = a + u32::from(*byte);
            (a, a + b)
        });
        out.extend((sums.1 << 16 | sums.0).to_be_bytes());
        out
    };
    let bytes = png::of(&[
        png::ihdr(4, 1, 2, 3),
        (b"PLTE", [samples::GREEN, [0; 3], [9; 3]].concat()),
        (b"tRNS", vec![255, 128, 0]),
        (b"IDAT", stored(&row)),
    ]);
    let decoded = picture(&bytes).0;
    assert_eq!((decoded.width, decoded.height), (4, 1));
    // Neighbouring colours bleed in so small a JPEG, so only the lightness order is looked at.
    let thumbnail = super::thumbnail_of(&decoded);
    let light = |x| {
        thumbnail
            .get_pixel(x, 0)
            .0
            .map(u32::from)
            .iter()
            .sum::<u32>()
    };
    assert!(light(0) < light(1) && light(1) < light(2) && light(3) > 3 * 230);
}

#[test]
fn a_jpeg_may_be_grey_or_cmyk_or_progressive_or_scanned_by_component() {
    let adobe = (0xee, b"Adobe\0\x64\0\0\0\0\0".to_vec());
    let grey: &[u8] = &[77];
    let cases = [
        (grey, false, false, None, [77, 77, 77]),
        (&[90, 128, 128], true, false, None, [90, 90, 90]),
        (&[90, 128, 128], false, true, None, [90, 90, 90]),
        // As Photoshop writes it, ink inverted: full cyan, some magenta, no yellow, no black.
        (
            &[0, 200, 255, 255],
            false,
            false,
            Some(adobe),
            [0, 200, 255],
        ),
    ];
    for (levels, progressive, scan_each, extra, expected) in cases {
        let mut jpeg = forge::Jpeg::new(120, 72, levels);
        jpeg.progressive = progressive;
        jpeg.scan_each = scan_each;
        jpeg.segments.extend(extra);
        let (found, thumbnail) = picture(&jpeg.bytes());
        assert_eq!((found.width, found.height), (120, 72));
        assert_near(thumbnail.get_pixel(100, 60), expected);
    }
}

#[test]
fn a_rare_kind_of_tiff_is_not_called_damaged() {
    let jpeg_inside = forge::shorts(259, &[7]);
    let palette = forge::shorts(262, &[3]);
    for rarity in [jpeg_inside, palette] {
        let bytes = forge::tiff((8, 8), &[8], &[0; 64], &[rarity]);
        let format = Format::Tiff;
        assert_eq!(refusal(&bytes), MediaError::Unsupported { format });
    }
}

#[test]
fn a_placeholder_has_the_pictures_colour_and_shape() {
    let plain = RgbImage::from_pixel(900, 300, Rgb(samples::GREEN));
    let (found, _) = picture(&samples::encoded_rgb(&plain, Format::Png));
    let (r, g, b, a) = thumbhash::thumb_hash_to_average_rgba(&found.thumbhash).unwrap();
    let average = Rgb([r, g, b].map(|c| (c * 255.0) as u8));
    assert_near(&average, samples::GREEN);
    assert!(a > 0.99);
    let ratio = thumbhash::thumb_hash_to_approximate_aspect_ratio(&found.thumbhash).unwrap();
    assert!((2.0..4.0).contains(&ratio));
    assert!(found.thumbhash.len() <= 25);
}
