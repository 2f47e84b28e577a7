//! Answers made of bytes. The length is always said before the first byte: only so does a client
//! notice a transfer that breaks off.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use rocket::http::{Header, Status};
use rocket::request::Request;
use rocket::response::{self, Responder, Response};

use super::headers::CONTENT_POLICY;
use super::problem::Problem;
use super::range::{RangeOutcome, RangeRequest};
use super::server::Exchange;
use crate::archive;
use crate::vault::PlainStream;
use crate::vault::VaultError;

/// A body that can be fetched in parts.
pub(super) struct Download {
    outcome: RangeOutcome,
    len: u64,
    etag: String,
    content_type: String,
    disposition: String,
    body: Option<PlainStream>,
    beside: u64,
}

impl Download {
    /// The answer for `len` bytes of which the request wants a part; `read` starts reading one.
    /// `tag` names these bytes: it must change whenever they do.
    pub(super) fn new(
        wanted: &RangeRequest,
        len: u64,
        tag: &str,
        content_type: &str,
        disposition: String,
        read: impl FnOnce(std::ops::Range<u64>) -> PlainStream,
    ) -> Self {
        let etag = format!("\"{tag}\"");
        let outcome = wanted.of(len, &etag);
        let read = |range| match wanted.wants_body() {
            true => read(range),
            false => Box::pin(stream::empty()),
        };
        let body = match &outcome {
            RangeOutcome::Whole => Some(read(0..len)),
            RangeOutcome::Part(range) => Some(read(range.clone())),
            RangeOutcome::Unsatisfiable | RangeOutcome::NotModified => None,
        };
        let content_type = content_type.to_owned();
        Self {
            outcome,
            len,
            etag,
            content_type,
            disposition,
            body,
            beside: 0,
        }
    }

    /// The same download with its first piece at hand: what cannot be read from the start of its
    /// range is told in words, since after the head an answer can only break off.
    ///
    /// # Errors
    /// Why that piece cannot be read, such as damage.
    pub(super) async fn begun(self) -> Result<Self, Problem> {
        let Some(body) = self.body else {
            return Ok(self);
        };
        // A stream that has ended with the first question is not asked again.
        let mut body = body.fuse();
        let first = body.next().await.transpose()?.map(Ok);
        let body = stream::iter(first).chain(body);
        Ok(Self {
            body: Some(Box::pin(body)),
            ..self
        })
    }

    /// The same download, which holds so many bytes besides the pieces that are on their way.
    pub(super) fn holding(self, beside: u64) -> Self {
        Self { beside, ..self }
    }
}

/// `Content-Disposition` for a file of this name (RFC 6266): a plain name for old clients, the
/// exact one for the others.
pub(super) fn disposition(kind: &str, name: &str) -> String {
    let name = archive::safe_name(name);
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ' {
                c
            } else {
                '_'
            }
        })
        .collect();
    let mut exact = String::new();
    for byte in name.bytes() {
        // attr-char of RFC 8187, section 3.2.1.
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            exact.push(char::from(byte));
        } else {
            exact.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}

impl<'r> Responder<'r, 'r> for Download {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'r> {
        let (status, range) = match &self.outcome {
            RangeOutcome::Whole => (Status::Ok, 0..self.len),
            RangeOutcome::Part(range) => (Status::PartialContent, range.clone()),
            RangeOutcome::NotModified => (Status::NotModified, 0..0),
            RangeOutcome::Unsatisfiable => {
                let detail = "The range lies outside of the file.";
                return Problem::new(Status::RangeNotSatisfiable, detail)
                    .with_header("Content-Range", format!("bytes */{}", self.len))
                    .respond_to(request);
            }
        };
        let mut response = Response::build();
        response
            .status(status)
            .header(Header::new("ETag", self.etag))
            .header(Header::new("Accept-Ranges", "bytes"))
            .header(Header::new("Content-Security-Policy", CONTENT_POLICY));
        if status == Status::PartialContent {
            let text = format!("bytes {}-{}/{}", range.start, range.end - 1, self.len);
            response.header(Header::new("Content-Range", text));
        }
        if let Some(body) = self.body {
            let len = range.end - range.start;
            let body = body.map_err(|error| {
                match &error {
                    VaultError::Unauthenticated => {
                        tracing::info!("a download ended with its session")
                    }
                    error => tracing::error!(%error, "a download was broken off"),
                }
                std::io::Error::other(error)
            });
            Exchange::of(request).send(body, self.beside);
            response
                .header(Header::new("Content-Type", self.content_type))
                .header(Header::new("Content-Disposition", self.disposition))
                .header(Header::new("Content-Length", len.to_string()));
        }
        response.ok()
    }
}

/// A small JPEG of ours, whole.
pub(super) struct Jpeg(pub Bytes);

impl<'r> Responder<'r, 'static> for Jpeg {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Response::build()
            .header(Header::new("Content-Type", "image/jpeg"))
            .header(Header::new("Content-Disposition", "inline"))
            .header(Header::new("Content-Security-Policy", CONTENT_POLICY))
            .sized_body(self.0.len(), std::io::Cursor::new(self.0))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_beyond_ascii_travel_exactly() {
        let header = disposition("attachment", "图 1.png");
        assert_eq!(
            header,
            "attachment; filename=\"_ 1.png\"; filename*=UTF-8''%E5%9B%BE%201.png"
        );
    }

    proptest! {
        #[test]
        fn no_name_breaks_out_of_the_header(name in "\\PC{0,60}|.{0,60}") {
            let header = disposition("attachment", &name);
            prop_assert!(header.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
            prop_assert_eq!(header.matches('"').count(), 2);
        }
    }
}
