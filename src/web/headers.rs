//! Security headers on every answer, whoever made it. A handler may set a stricter policy or a
//! different cache rule; what it sets stays.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Header;
use rocket::{Request, Response};

/// Pages: nothing from other hosts, nothing inline (W3C Content Security Policy Level 3).
const PAGE_POLICY: &str = "default-src 'none'; img-src 'self' blob:; style-src 'self'; \
     script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'; manifest-src 'self'; worker-src 'self'";

/// For bytes that were uploaded: even opened as a page they can do nothing.
pub(super) const CONTENT_POLICY: &str = "default-src 'none'; sandbox";

const HEADERS: [(&str, &str); 6] = [
    ("Content-Security-Policy", PAGE_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    // Not `no-referrer`: with it Chromium sends `Origin: null` on our own forms.
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
];

/// Sets the headers.
pub(super) struct SecurityHeaders {
    /// Whether users reach the site by HTTPS only.
    pub https: bool,
}

#[rocket::async_trait]
impl Fairing for SecurityHeaders {
    fn info(&self) -> Info {
        Info {
            name: "security headers",
            kind: Kind::Response,
        }
    }

    async fn on_response<'r>(&self, _: &'r Request<'_>, response: &mut Response<'r>) {
        for (name, value) in HEADERS {
            if !response.headers().contains(name) {
                response.set_header(Header::new(name, value));
            }
        }
        if self.https {
            response.set_header(Header::new("Strict-Transport-Security", "max-age=31536000"));
        }
        // An answer that is not known to be public is never kept by a browser or a proxy: Back
        // after signing out shows nothing (R0.7).
        if !response.headers().contains("Cache-Control") {
            response.set_header(Header::new("Cache-Control", "no-store"));
        }
    }
}
