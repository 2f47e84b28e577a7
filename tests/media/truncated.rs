//! Files that were cut short. Decoders differ in what they forgive: `image`'s JPEG decoder fills what
//! is missing with grey and calls it a success, which is why JPEG has a rule of its own.

use image::DynamicImage;
use image_vault::media::Format;
use image_vault::media::MediaError;

use super::forge;
use super::look;
use super::picture;
use super::refusal;
use super::samples;

/// The promise behind all the rest: cut anywhere, a file is refused or shows every pixel it had.
#[test]
fn a_cut_file_is_refused_or_loses_no_pixel() {
    for format in Format::ALL {
        let bytes = samples::encoded_rgb(&samples::pattern(24, 18), format);
        let (whole, _) = picture(&bytes);
        let mut refused = 0;
        for end in 1..bytes.len() {
            match look(&bytes[..end]) {
                Ok(found) => {
                    assert!(
                        found.thumbnail == whole.thumbnail,
                        "{format:?} cut at {end}"
                    );
                    assert_eq!((found.width, found.height), (24, 18));
                }
                Err(MediaError::Broken | MediaError::NotAnImage) => refused += 1,
                Err(error) => panic!("{format:?} cut at {end}: {error:?}"),
            }
        }
        assert!(
            refused * 10 > bytes.len() * 9,
            "{format:?} forgives too much"
        );
    }
}

#[test]
fn a_jpeg_cut_anywhere_is_broken() {
    let mut grey = forge::Jpeg::new(200, 200, &[60]);
    let baseline = grey.bytes();
    grey.progressive = true;
    let progressive = grey.bytes();
    let mut colour = forge::Jpeg::new(64, 64, &[60, 90, 200]);
    colour.scan_each = true;
    for bytes in [baseline, progressive, colour.bytes()] {
        picture(&bytes);
        for end in 3..bytes.len() {
            assert_eq!(refusal(&bytes[..end]), MediaError::Broken, "cut at {end}");
        }
    }
}

#[test]
fn a_png_without_its_end_chunk_is_broken() {
    let bytes = samples::encoded_rgb(&samples::pattern(24, 18), Format::Png);
    for end in 8..bytes.len() {
        assert_eq!(refusal(&bytes[..end]), MediaError::Broken, "cut at {end}");
    }
}

/// The end mark that counts is the picture's, not that of the small JPEG inside its EXIF block.
#[test]
fn a_cut_jpeg_is_not_saved_by_the_thumbnail_inside_it() {
    let inner = samples::encoded_rgb(&samples::pattern(16, 16), Format::Jpeg);
    assert!(inner.ends_with(&[0xff, 0xd9]));
    let mut jpeg = forge::Jpeg::new(64, 64, &[60, 90, 200]);
    let mut block = b"Exif\0\0".to_vec();
    block.extend(&inner);
    jpeg.segments.push((0xe1, block));
    let bytes = jpeg.bytes();
    picture(&bytes);
    assert_eq!(refusal(&bytes[..bytes.len() - 2]), MediaError::Broken);
    assert_eq!(refusal(&bytes[..bytes.len() / 2]), MediaError::Broken);
}

/// Motion Photos append a film, MPF further pictures, others their own trailers or just zeros.
#[test]
fn bytes_after_the_end_of_a_jpeg_do_no_harm() {
    let bytes = samples::encoded_rgb(&samples::pattern(64, 48), Format::Jpeg);
    let (alone, _) = picture(&bytes);
    let film = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08mdat\xff\xd8\xff\xda\xff";
    let samsung = b"\0\0\x01\x0aImage_UTC_Data1700000000000SEFHk\0\0\0SEFT";
    for trailer in [
        &film[..],
        samsung,
        &bytes,
        &bytes[..bytes.len() / 2],
        &[0; 5000],
        &[0xff; 99],
    ] {
        let (found, _) = picture(&[&bytes, trailer].concat());
        assert!(found.thumbnail == alone.thumbnail);
    }
}

/// Cameras fill up with 0xff before markers, and some leave stray bytes between segments.
#[test]
fn fill_bytes_before_markers_do_no_harm() {
    let bytes = forge::Jpeg::new(64, 64, &[60, 90, 200]).bytes();
    let end = bytes.len() - 2;
    let frame = bytes.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    for at in [2, frame, end] {
        let filled = [&bytes[..at], &[0xff; 7], &bytes[at..]].concat();
        picture(&filled);
    }
}

#[test]
fn an_animation_needs_only_its_first_frame() {
    let bytes = forge::gif((32, 32), (32, 32), 5);
    picture(&bytes);
    picture(&bytes[..bytes.len() * 2 / 3]);
    assert_eq!(refusal(&bytes[..60]), MediaError::Broken);
}

/// Found by `garbled`: the GIF decoder is content with a canvas that has no width.
#[test]
fn a_picture_without_width_or_height_is_broken() {
    for canvas in [(0, 9), (9, 0), (0, 0)] {
        let bytes = forge::gif(canvas, canvas, 1);
        assert_eq!(refusal(&bytes), MediaError::Broken);
    }
}

#[test]
fn deep_and_transparent_files_cut_in_half_are_broken() {
    let rgba = DynamicImage::ImageRgb8(samples::pattern(40, 40)).to_rgba16();
    let deep = DynamicImage::ImageRgba16(rgba);
    let plain = DynamicImage::ImageRgba8(deep.to_rgba8());
    for bytes in [
        samples::encoded(&deep, Format::Png),
        samples::encoded(&deep, Format::Tiff),
        samples::encoded(&plain, Format::Webp),
        samples::encoded(&plain, Format::Bmp),
    ] {
        picture(&bytes);
        assert_eq!(refusal(&bytes[..bytes.len() / 2]), MediaError::Broken);
    }
}
