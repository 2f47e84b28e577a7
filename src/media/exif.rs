//! What a picture's EXIF block says that the vault shows to its owner: which way is up, when, where,
//! with which camera.
//!
//! Field numbers are from CIPA DC-008 (Exif 2.32). Nothing in a block can fail: a field that makes
//! no sense is a field that is not there.

use image::metadata::Orientation;
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::ifd::Field;
use super::ifd::Tiff;

const MAKE: u16 = 0x010f;
const MODEL: u16 = 0x0110;
const ORIENTATION: u16 = 0x0112;
const DATE_TIME: u16 = 0x0132;
const EXIF_DIRECTORY: u16 = 0x8769;
const GPS_DIRECTORY: u16 = 0x8825;
const DATE_TIME_ORIGINAL: u16 = 0x9003;
const DATE_TIME_DIGITIZED: u16 = 0x9004;
const OFFSET_TIME: u16 = 0x9010;
const OFFSET_TIME_ORIGINAL: u16 = 0x9011;
const OFFSET_TIME_DIGITIZED: u16 = 0x9012;
// These four are tags of the GPS directory, which numbers its own.
const LATITUDE_REF: u16 = 1;
const LATITUDE: u16 = 2;
const LONGITUDE_REF: u16 = 3;
const LONGITUDE: u16 = 4;

/// Longest camera name kept, in characters.
const MAX_CAMERA: usize = 100;
/// Bytes of a text field that are looked at: enough for any honest one, whatever a field claims.
const MAX_TEXT: usize = 400;
/// Clocks on Earth lie between UTC-12 and UTC+14.
const MAX_OFFSET_SECONDS: i32 = 14 * 3600;

/// When a picture was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaptureTime {
    /// What the camera's clock showed.
    pub local: DateTime,
    /// How far that clock was from UTC, where the camera wrote it down.
    pub offset: Option<Offset>,
}

/// Where a picture was taken, in degrees (WGS 84, which Exif's writers use unless they say otherwise).
///
/// It has no `Debug`: where somebody was belongs in no log.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize, Zeroize)]
pub struct Location {
    /// North of the equator; south of it below zero. From -90 to 90.
    pub latitude: f64,
    /// East of Greenwich; west of it below zero. From -180 to 180.
    pub longitude: f64,
}

/// The fields of an EXIF block that we use.
pub(super) struct Exif {
    pub(super) orientation: Orientation,
    pub(super) taken_at: Option<CaptureTime>,
    pub(super) camera: Option<String>,
    pub(super) location: Option<Location>,
}

impl Exif {
    /// Reads a block that begins with its TIFF header. No block and a senseless one say the same:
    /// upright, time, camera and place unknown.
    pub(super) fn read(block: Option<&[u8]>) -> Self {
        match block.and_then(Tiff::new) {
            Some(tiff) => Self::of(tiff),
            None => Self {
                orientation: Orientation::NoTransforms,
                taken_at: None,
                camera: None,
                location: None,
            },
        }
    }

    fn of(tiff: Tiff<'_>) -> Self {
        let main = |tag| tiff.main().find(|field| field.tag == tag);
        let below = |directory| {
            let at = main(directory).and_then(|field| field.first_number());
            move |tag| tiff.directory(at?).find(|field| field.tag == tag)
        };
        let detail = below(EXIF_DIRECTORY);
        let gps = below(GPS_DIRECTORY);
        let time = |date: Option<Field<'_>>, offset| capture_time(&date?, detail(offset).as_ref());
        Self {
            orientation: main(ORIENTATION)
                .and_then(|field| u8::try_from(field.first_number()?).ok())
                .and_then(Orientation::from_exif)
                .unwrap_or(Orientation::NoTransforms),
            taken_at: time(detail(DATE_TIME_ORIGINAL), OFFSET_TIME_ORIGINAL)
                .or_else(|| time(detail(DATE_TIME_DIGITIZED), OFFSET_TIME_DIGITIZED))
                .or_else(|| time(main(DATE_TIME), OFFSET_TIME)),
            camera: camera(&text(main(MAKE)), &text(main(MODEL))),
            location: location(gps),
        }
    }
}

fn capture_time(date: &Field<'_>, offset: Option<&Field<'_>>) -> Option<CaptureTime> {
    // Some phones append a zone or a fraction; the standard's form is the first 19 characters.
    let date = date.text()?;
    let date = date.get(..19).unwrap_or(date);
    let local = BrokenDownTime::parse("%Y:%m:%d %H:%M:%S", date)
        .and_then(|parsed| parsed.to_datetime())
        .ok()
        .filter(|local| local.year() > 0)?;
    let offset = offset
        .and_then(Field::text)
        .and_then(|text| {
            BrokenDownTime::parse("%:z", text.trim_ascii())
                .ok()?
                .offset()
        })
        .filter(|offset| offset.seconds().abs() <= MAX_OFFSET_SECONDS);
    Some(CaptureTime { local, offset })
}

fn location<'a>(gps: impl Fn(u16) -> Option<Field<'a>>) -> Option<Location> {
    let latitude = degrees(&gps(LATITUDE)?, &gps(LATITUDE_REF)?, [b"N", b"S"], 90.0)?;
    let longitude = degrees(&gps(LONGITUDE)?, &gps(LONGITUDE_REF)?, [b"E", b"W"], 180.0)?;
    // Many cameras write this before they know where they are; nobody's picture is from that spot.
    let unknown = latitude == 0.0 && longitude == 0.0;
    (!unknown).then_some(Location {
        latitude,
        longitude,
    })
}

/// Degrees, minutes and seconds as one number, negative on the second side. Without its side a
/// number could mean either, so it means nothing.
fn degrees(field: &Field<'_>, side: &Field<'_>, sides: [&[u8]; 2], most: f64) -> Option<f64> {
    let [degrees, minutes, seconds] = field.three_fractions()?;
    let side = side.text()?.trim_ascii();
    let sign = match sides.iter().position(|known| *known == side)? {
        0 => 1.0,
        _ => -1.0,
    };
    let size = degrees + minutes / 60.0 + seconds / 3600.0;
    // Rounded up to sixty by some writers; beyond it the three are no angle.
    let sensible = minutes <= 60.0 && seconds <= 60.0 && size <= most;
    // To the centimetre: more is noise, and so few digits survive every JSON reader unchanged.
    // Adding zero, since -0.0 + 0.0 is 0.0.
    sensible.then_some((sign * size * 1e7).round() / 1e7 + 0.0)
}

/// A text field's words, one space between them, without control characters.
fn text(field: Option<Field<'_>>) -> String {
    let bytes = field.and_then(|field| field.text()).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_TEXT)]);
    let printable: String = text
        .chars()
        .filter(|c| !c.is_control() && *c != char::REPLACEMENT_CHARACTER)
        .collect();
    printable.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Maker and model as one name. Many cameras repeat the maker's first word in the model ("NIKON
/// CORPORATION", "NIKON D750"), and then the model says it all.
fn camera(make: &str, model: &str) -> Option<String> {
    let first_word = |text: &str| text.split(' ').next().map(str::to_lowercase);
    let name = if first_word(make) == first_word(model) || make.is_empty() {
        model.to_owned()
    } else {
        format!("{make} {model}")
    };
    let name: String = name.chars().take(MAX_CAMERA).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_is_named_once() {
        let named = |make, model| camera(make, model).unwrap();
        assert_eq!(named("Canon", "Canon EOS R6"), "Canon EOS R6");
        assert_eq!(named("NIKON CORPORATION", "NIKON D750"), "NIKON D750");
        assert_eq!(named("Apple", "iPhone 12"), "Apple iPhone 12");
        assert_eq!(named("Canon", "Canonet 28"), "Canon Canonet 28");
        assert_eq!(named("", "X-T4"), "X-T4");
        assert_eq!(named("SONY", ""), "SONY");
        assert_eq!(camera("", ""), None);
        assert_eq!(named(&"é".repeat(300), "x").chars().count(), MAX_CAMERA);
    }
}
