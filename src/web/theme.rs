//! The theme of the pages. The choice is a browser's, not the account's, so it is a cookie: known
//! before anybody signs in, and to the server, which can then send the page in the right colours from
//! its first byte.

use rocket::http::CookieJar;
use serde::Serialize;

use super::site::THEME_COOKIE;

/// A theme that was chosen, in place of the system's.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Theme {
    Light,
    Dark,
}

impl Theme {
    /// The theme that this browser has chosen, if it is one we know.
    pub(super) fn chosen(jar: &CookieJar<'_>) -> Option<Self> {
        match jar.get(THEME_COOKIE)?.value() {
            "light" => Some(Self::Light),
            "dark" => Some(Self::Dark),
            _ => None,
        }
    }
}
