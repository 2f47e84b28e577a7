//! QR codes (ISO/IEC 18004) as the path of an SVG: the content security policy lets no page show a
//! picture that it brings along, but an SVG that is markup needs none.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};
use serde::Serialize;
use zeroize::Zeroizing;

use super::problem::Problem;

/// Light modules around the code (ISO/IEC 18004, 6.3.8).
const QUIET_ZONE: i32 = 4;

/// What a template needs to draw a QR code.
#[derive(Serialize)]
pub(super) struct Qr {
    /// Modules along a side, the quiet zone included.
    size: i32,
    /// The dark modules.
    path: Zeroizing<String>,
}

impl Qr {
    /// The code of a text.
    ///
    /// # Errors
    /// 500 where the text is too long for one: some 2 KB.
    pub(super) fn of(text: &str) -> Result<Self, Problem> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|error| {
            tracing::error!(%error, "a text is too long for a QR code");
            Problem::of(rocket::http::Status::InternalServerError)
        })?;
        let mut path = Zeroizing::new(String::new());
        for y in 0..code.size() {
            for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
                let (x, y) = (x + QUIET_ZONE, y + QUIET_ZONE);
                // Writing to a string does not fail.
                let _ = write!(path, "M{x} {y}h1v1h-1z");
            }
        }
        Ok(Self {
            size: code.size() + 2 * QUIET_ZONE,
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners_and_a_quiet_zone() {
        let qr = Qr::of("otpauth://totp/x?secret=AAAA").unwrap();
        for (x, y) in [(4, 4), (qr.size - 11, 4), (4, qr.size - 11)] {
            for at in 0..7 {
                assert!(qr.path.contains(&format!("M{} {y}h", x + at)));
            }
        }
        for edge in 0..QUIET_ZONE {
            assert!(!qr.path.contains(&format!("M{edge} ")));
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_an_error() {
        assert!(Qr::of(&"x".repeat(5_000)).is_err());
    }
}
