//! What is read from EXIF, from every format that has it, and what never leaves it.

use exif::Tag;
use image_vault::media::CaptureTime;
use image_vault::media::Format;
use image_vault::media::Limits;
use image_vault::media::preview;
use jiff::civil::date;
use jiff::tz::offset;

use super::assert_near;
use super::forge;
use super::holds;
use super::picture;
use super::png;
use super::samples;
use super::samples::short;
use super::samples::text;

const WITH_EXIF: [Format; 3] = [Format::Jpeg, Format::Png, Format::Webp];

/// A small JPEG with these fields.
fn jpeg_with(fields: &[exif::Field]) -> Vec<u8> {
    let block = samples::exif_block(fields, true);
    samples::with_exif(&samples::quarters(16, 16), Format::Jpeg, block)
}

/// A picture that is `shown` after it has been turned as this orientation says; where a stored
/// pixel is shown is the table of the Exif standard ("row 0 is the visual ... of the image").
fn stored_for(orientation: u16, shown: &image::RgbImage) -> image::RgbImage {
    let (w, h) = shown.dimensions();
    let (stored_w, stored_h) = if orientation >= 5 { (h, w) } else { (w, h) };
    image::RgbImage::from_fn(stored_w, stored_h, |column, row| {
        let (x, y) = match orientation {
            1 => (column, row),
            2 => (w - 1 - column, row),
            3 => (w - 1 - column, h - 1 - row),
            4 => (column, h - 1 - row),
            5 => (row, column),
            6 => (w - 1 - row, column),
            7 => (w - 1 - row, h - 1 - column),
            _ => (row, h - 1 - column),
        };
        *shown.get_pixel(x, y)
    })
}

#[track_caller]
fn assert_upright(pixels: &image::RgbImage) {
    let (w, h) = pixels.dimensions();
    assert_near(pixels.get_pixel(w / 4, h / 4), samples::RED);
    assert_near(pixels.get_pixel(w * 3 / 4, h / 4), samples::GREEN);
    assert_near(pixels.get_pixel(w / 4, h * 3 / 4), samples::BLUE);
    assert_near(pixels.get_pixel(w * 3 / 4, h * 3 / 4), samples::YELLOW);
}

/// security.md test 16.
#[test]
fn all_eight_orientations_are_shown_upright() {
    for orientation in 1..=8 {
        let block = || samples::exif_block(&[short(Tag::Orientation, orientation)], true);
        let stored = stored_for(orientation, &samples::quarters(60, 40));
        for format in WITH_EXIF {
            let bytes = samples::with_exif(&stored, format, block());
            let (found, thumbnail) = picture(&bytes);
            assert_eq!((found.width, found.height), (60, 40), "{orientation}");
            assert_eq!(thumbnail.dimensions(), (60, 40));
            assert_upright(&thumbnail);
            let preview = preview(&bytes, &Limits::default()).unwrap();
            assert_upright(&image::load_from_memory(&preview).unwrap().into_rgb8());
        }
        let large = stored_for(orientation, &samples::quarters(600, 300));
        let (_, thumbnail) = picture(&samples::with_exif(&large, Format::Jpeg, block()));
        assert_eq!(thumbnail.dimensions(), (400, 200));
        assert_upright(&thumbnail);
    }
}

#[test]
fn a_tiff_carries_its_fields_itself() {
    let strip = samples::quarters(60, 40).into_raw();
    let mut make = b"Canon\0".to_vec();
    make.resize(8, 0);
    let bytes = forge::tiff(
        (60, 40),
        &[8, 8, 8],
        &strip,
        &[
            forge::shorts(274, &[3]),
            (0x010f, 2, make),
            (0x0110, 2, b"CanoScan 9000F\0".to_vec()),
            (0x0132, 2, b"2011:02:03 04:05:06\0".to_vec()),
        ],
    );
    let (found, thumbnail) = picture(&bytes);
    assert_eq!(found.camera.as_deref(), Some("Canon CanoScan 9000F"));
    assert_eq!(
        found.taken_at.unwrap().local,
        date(2011, 2, 3).at(4, 5, 6, 0)
    );
    assert_near(thumbnail.get_pixel(5, 5), samples::YELLOW);
}

#[test]
fn time_offset_and_camera_are_read_from_every_format_in_both_byte_orders() {
    let fields = [
        text(Tag::Make, "Canon"),
        text(Tag::Model, "Canon EOS R6"),
        text(Tag::DateTime, "2024:01:01 00:00:00"),
        text(Tag::DateTimeDigitized, "2023:05:05 05:05:05"),
        text(Tag::DateTimeOriginal, "2023:04:05 06:07:08"),
        text(Tag::OffsetTime, "+09:00"),
        text(Tag::OffsetTimeOriginal, "-03:30"),
    ];
    for format in WITH_EXIF {
        for little_endian in [true, false] {
            let block = samples::exif_block(&fields, little_endian);
            let bytes = samples::with_exif(&samples::quarters(16, 16), format, block);
            let (found, _) = picture(&bytes);
            assert_eq!(found.camera.as_deref(), Some("Canon EOS R6"));
            let taken_at = CaptureTime {
                local: date(2023, 4, 5).at(6, 7, 8, 0),
                offset: Some(offset(-3).saturating_sub(jiff::SignedDuration::from_mins(30))),
            };
            assert_eq!(found.taken_at, Some(taken_at));
        }
    }
}

#[test]
fn a_png_may_keep_its_exif_behind_the_pixels() {
    let exif = samples::exif_block(&[text(Tag::Model, "X-T4")], true);
    let pixels = forge::zlib_zeros(9 * 8);
    let bytes = png::of(&[png::ihdr(8, 8, 8, 0), (b"IDAT", pixels), (b"eXIf", exif)]);
    assert_eq!(picture(&bytes).0.camera.as_deref(), Some("X-T4"));
}

#[test]
fn the_first_sensible_time_counts() {
    let taken = |fields: &[exif::Field]| picture(&jpeg_with(fields)).0.taken_at;
    let fallback = taken(&[
        text(Tag::DateTimeOriginal, "0000:00:00 00:00:00"),
        text(Tag::DateTimeDigitized, "    :  :     :  :  "),
        text(Tag::DateTime, "2020:02:29 23:59:59"),
        text(Tag::OffsetTime, "+14:00"),
        text(Tag::OffsetTimeOriginal, "+01:00"),
    ]);
    let fallback = fallback.unwrap();
    assert_eq!(fallback.local, date(2020, 2, 29).at(23, 59, 59, 0));
    assert_eq!(
        fallback.offset,
        Some(offset(14)),
        "the offset goes with its own time"
    );
    let zoned = taken(&[text(Tag::DateTimeOriginal, "2021:06:07 08:09:10+02:00")]);
    assert_eq!(zoned.unwrap().local, date(2021, 6, 7).at(8, 9, 10, 0));
}

#[test]
fn senseless_times_and_offsets_are_unknown() {
    for senseless in [
        "0000:00:00 00:00:00",
        "0000:01:01 00:00:00",
        "2023:13:01 00:00:00",
        "2023:02:30 00:00:00",
        "2023:01:01 25:00:00",
        "-200:01:01 00:00:00",
        "99999:01:01 00:00:0",
        "yesterday, at teatime",
        "2023:01:01",
        "2023:01:0\u{661} 00:00:00",
        "",
    ] {
        let bytes = jpeg_with(&[text(Tag::DateTimeOriginal, senseless)]);
        assert_eq!(picture(&bytes).0.taken_at, None, "{senseless}");
    }
    for senseless in [
        "", "+99:00", "+25:00", "-14:01", "Z", "   :  ", "+01", "\0+01:00",
    ] {
        let bytes = jpeg_with(&[
            text(Tag::DateTimeOriginal, "2023:01:01 00:00:00"),
            text(Tag::OffsetTimeOriginal, senseless),
        ]);
        let taken_at = picture(&bytes).0.taken_at.unwrap();
        assert_eq!(taken_at.offset, None, "{senseless}");
    }
}

/// Degrees, minutes and seconds as an encoder writes them: each above and below its stroke.
type Angle = [(u32, u32); 3];

fn angle(tag: Tag, parts: &[(u32, u32)]) -> exif::Field {
    let fraction = |&(num, denom): &(u32, u32)| exif::Rational { num, denom };
    exif::Field {
        tag,
        ifd_num: exif::In::PRIMARY,
        value: exif::Value::Rational(parts.iter().map(fraction).collect()),
    }
}

fn position(latitude: (&str, Angle), longitude: (&str, Angle)) -> [exif::Field; 4] {
    [
        text(Tag::GPSLatitudeRef, latitude.0),
        angle(Tag::GPSLatitude, &latitude.1),
        text(Tag::GPSLongitudeRef, longitude.0),
        angle(Tag::GPSLongitude, &longitude.1),
    ]
}

fn place(fields: &[exif::Field]) -> Option<(f64, f64)> {
    let location = picture(&jpeg_with(fields)).0.location?;
    Some((location.latitude, location.longitude))
}

#[test]
fn the_place_is_read_from_every_format_in_both_byte_orders() {
    let sydney = position(
        ("S", [(33, 1), (51, 1), (2442, 100)]),
        ("E", [(151, 1), (12, 1), (55_069, 1000)]),
    );
    for format in WITH_EXIF {
        for little_endian in [true, false] {
            let block = samples::exif_block(&sydney, little_endian);
            let bytes = samples::with_exif(&samples::quarters(16, 16), format, block);
            let location = picture(&bytes).0.location.unwrap();
            assert_eq!(
                (location.latitude, location.longitude),
                (-33.856_783_3, 151.215_296_9)
            );
        }
    }
}

/// Phones write seconds as fractions, others minutes, some degrees alone; and the last places on Earth.
#[test]
fn a_place_may_be_written_in_many_ways() {
    let zero = [(0, 1); 3];
    let cases = [
        (
            ("N", [(48, 1), (5151, 100), (0, 1)]),
            ("W", zero),
            (48.8585, 0.0),
        ),
        (
            ("N", [(48_858_500, 1_000_000), (0, 1), (0, 1)]),
            ("E", zero),
            (48.8585, 0.0),
        ),
        (
            ("S", [(90, 1), (0, 1), (0, 1)]),
            ("W", [(179, 1), (59, 1), (60, 1)]),
            (-90.0, -180.0),
        ),
        (
            ("N", [(0, u32::MAX), (0, 7), (0, 1)]),
            ("E", [(7, 1), (0, 1), (0, 1)]),
            (0.0, 7.0),
        ),
    ];
    for (latitude, longitude, expected) in cases {
        let found = place(&position(latitude, longitude)).unwrap();
        assert_eq!(found, expected);
        let signs = (found.0.is_sign_negative(), found.1.is_sign_negative());
        assert_eq!(
            signs,
            (expected.0 < 0.0, expected.1 < 0.0),
            "no zero below zero"
        );
    }
}

#[test]
fn a_senseless_place_is_unknown() {
    let fine = [(10, 1), (20, 1), (30, 1)];
    assert!(place(&position(("N", fine), ("E", fine))).is_some());
    let senseless: [Angle; 7] = [
        [(0, 0), (0, 0), (0, 0)],
        [(10, 0), (20, 1), (30, 1)],
        [(10, 1), (20, 1), (30, 0)],
        [(10, 1), (61, 1), (0, 1)],
        [(10, 1), (0, 1), (6001, 100)],
        [(180, 1), (0, 1), (1, 1000)],
        [(u32::MAX, 1), (u32::MAX, 1), (u32::MAX, 1)],
    ];
    for parts in senseless {
        assert_eq!(
            place(&position(("N", parts), ("E", fine))),
            None,
            "{parts:?}"
        );
        assert_eq!(
            place(&position(("N", fine), ("E", parts))),
            None,
            "{parts:?}"
        );
    }
    let too_far_north = [(90, 1), (0, 1), (1, 1000)];
    assert_eq!(place(&position(("N", too_far_north), ("E", fine))), None);
    for (north, east) in [
        ("E", "E"),
        ("N", "N"),
        ("", "E"),
        ("N", ""),
        ("North", "E"),
        ("n", "E"),
    ] {
        assert_eq!(
            place(&position((north, fine), (east, fine))),
            None,
            "{north} {east}"
        );
    }
    // Before a receiver knows where it is.
    let zero = [(0, 1); 3];
    assert_eq!(place(&position(("N", zero), ("E", zero))), None);
    assert_eq!(
        place(&samples::position()),
        None,
        "which side, nobody knows"
    );
    for parts in [&fine[..2], &[(10, 1); 4], &[]] {
        let mut fields = position(("N", fine), ("E", fine));
        fields[1] = angle(Tag::GPSLatitude, parts);
        assert_eq!(place(&fields), None, "{parts:?}");
    }
    let mut as_text = position(("N", fine), ("E", fine));
    as_text[3] = text(Tag::GPSLongitude, "10 20 30 is no fraction!");
    assert_eq!(place(&as_text), None);
}

#[test]
fn a_camera_name_is_short_and_printable() {
    let camera = |make: &str, model: &str| {
        let bytes = jpeg_with(&[text(Tag::Make, make), text(Tag::Model, model)]);
        picture(&bytes).0.camera
    };
    assert_eq!(
        camera("  Apple \0\0", " iPhone\t 12\r\n").as_deref(),
        Some("Apple iPhone 12")
    );
    assert_eq!(
        camera("\x1b[31mEvil\x07", "Cam\u{85}").as_deref(),
        Some("[31mEvil Cam")
    );
    assert_eq!(camera("", "\0"), None);
    let endless = camera(&"a".repeat(20_000), &"b".repeat(20_000)).unwrap();
    assert_eq!(endless.chars().count(), 100);
}

/// security.md test 16, R1.25: neither position nor any other word of the block gets out.
#[test]
fn position_and_comments_do_not_reach_thumbnail_and_preview() {
    const MARKER: &str = "marker-5be1-under-the-apple-tree";
    let mut fields = position(("N", [(48, 1); 3]), ("E", [(2, 1); 3])).to_vec();
    fields.push(samples::comment(MARKER));
    for format in WITH_EXIF {
        let block = samples::exif_block(&fields, false);
        let bytes = samples::with_exif(&samples::quarters(16, 16), format, block);
        let has_exif = |bytes: &[u8]| {
            let mut bytes = std::io::Cursor::new(bytes);
            exif::Reader::new().read_from_container(&mut bytes).is_ok()
        };
        assert!(has_exif(&bytes) && holds(&bytes, MARKER.as_bytes()));
        let (found, _) = picture(&bytes);
        assert!(found.location.is_some());
        for made in [
            found.thumbnail,
            preview(&bytes, &Limits::default()).unwrap(),
        ] {
            assert!(!has_exif(&made));
            assert!(!holds(&made, MARKER.as_bytes()));
        }
    }
}

#[test]
fn a_senseless_block_leaves_the_picture_as_it_is() {
    let picture_of = samples::quarters(16, 16);
    for block in [
        &b""[..],
        b"II",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"nonsense",
    ] {
        for format in [Format::Jpeg, Format::Png] {
            let bytes = samples::with_exif(&picture_of, format, block.to_vec());
            let (found, thumbnail) = picture(&bytes);
            assert_eq!((found.width, found.height), (16, 16));
            assert!(found.camera.is_none() && found.taken_at.is_none());
            assert_upright(&thumbnail);
        }
    }
}
