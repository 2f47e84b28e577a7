//! The one place where a failure becomes a status and words: RFC 9457 problem documents for
//! programs; `error_page` has the same facts for people. Unexpected failures are logged here, once,
//! and the client learns nothing of them.

mod failures;

use std::time::Duration;

use rocket::http::{Header, Status};
use rocket::outcome::Outcome;
use rocket::request::Request;
use rocket::response::Response;
use serde::Serialize;

use super::quota::QuotaLeft;
use crate::vault::FieldErrors;

/// An answer that is no success.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    status: Status,
    /// A type of its own where a client can act on more than the status.
    kind: &'static str,
    detail: String,
    errors: FieldErrors,
    more: Option<Box<More>>,
    headers: Vec<(&'static str, String)>,
}

/// Further members of the document, with which a client can go on.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum More {
    /// Ids of a bulk call that are not the account's: the others may still be done.
    Missing { missing: Vec<String> },
    /// What is left of the account's quota.
    QuotaLeft(QuotaLeft),
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "FieldErrors::is_empty")]
    errors: &'a FieldErrors,
    #[serde(flatten)]
    more: Option<&'a More>,
}

impl Problem {
    /// An answer with this status and sentence.
    pub(super) fn new(status: Status, detail: impl Into<String>) -> Self {
        Self {
            status,
            kind: "about:blank",
            detail: detail.into(),
            errors: FieldErrors::new(),
            more: None,
            headers: Vec::new(),
        }
    }

    /// 422 with what is wrong, by field.
    pub(super) fn invalid(errors: FieldErrors) -> Self {
        let detail = errors
            .values()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ");
        Self {
            errors,
            ..Self::new(Status::UnprocessableEntity, detail)
        }
    }

    /// 422 with one field.
    pub(super) fn invalid_field(
        field: impl Into<std::borrow::Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self::invalid(FieldErrors::from([(field.into(), message.into())]))
    }

    /// 404, the same for what never existed and for what is somebody else's.
    pub(super) fn not_found() -> Self {
        Self::new(
            Status::NotFound,
            "There is nothing here, or it is not yours.",
        )
    }

    /// 401.
    pub(super) fn unauthenticated() -> Self {
        Self::new(
            Status::Unauthorized,
            "You are not signed in, or your sign-in has ended. Sign in and try again.",
        )
        .with_header("WWW-Authenticate", "Bearer")
    }

    /// 403 for a change that did not come from one of our pages.
    pub(super) fn cross_site() -> Self {
        Self::new(
            Status::Forbidden,
            "This request did not come from a page of this server (its CSRF token is missing or \
             wrong), so nothing was changed. Reload the page and try again.",
        )
    }

    /// 403 for an API token that lacks this scope, or where nobody but the signed-in owner may act
    /// (RFC 6750 section 3.1).
    pub(super) fn out_of_scope(scope: Option<&str>) -> Self {
        let (detail, challenge) = match scope {
            Some(scope) => (
                format!("This API token is not for that: it lacks the scope `{scope}`."),
                format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""),
            ),
            None => (
                "No API token can do this: sign in with name and password.".into(),
                "Bearer error=\"insufficient_scope\"".into(),
            ),
        };
        Self::new(Status::Forbidden, detail).with_header("WWW-Authenticate", challenge)
    }

    /// 429 for something that was done too often.
    pub(super) fn wait(why: &str, wait: Duration) -> Self {
        let secs = wait.as_secs() + 1;
        let detail = format!(
            "{why} Wait {} before the next one.",
            super::units::wait(secs)
        );
        Self::new(Status::TooManyRequests, detail).with_header("Retry-After", secs.to_string())
    }

    /// 408, where nothing came, or too little.
    pub(super) fn stalled(dripping: bool) -> Self {
        let detail = match dripping {
            true => {
                "It arrived too slowly, so the upload was given up. Try again on a faster line."
            }
            false => "Nothing arrived for a while, so the upload was given up. Try again.",
        };
        Self::new(Status::RequestTimeout, detail)
    }

    /// 400 for a body that ends before its end.
    pub(super) fn broken_off() -> Self {
        Self::new(
            Status::BadRequest,
            "The upload broke off before its end. Try again.",
        )
    }

    /// Ends a guard, of headers or of a body: the catcher will answer with this problem.
    pub(super) fn hand_over<S, F>(self, request: &Request<'_>) -> Outcome<S, (Status, ()), F> {
        let status = self.status;
        request.local_cache(|| self);
        Outcome::Error((status, ()))
    }

    /// Adds a header.
    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Its status.
    pub(super) fn status(&self) -> Status {
        self.status
    }

    /// Its sentence.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// What is wrong, by field.
    pub(super) fn errors(&self) -> &FieldErrors {
        &self.errors
    }

    /// What is wrong, by field, where a form can say it; a refusal without a field (a wrong password,
    /// too many tries) is told at `field`.
    ///
    /// # Errors
    /// The problem itself, where it is no matter of the form.
    pub(super) fn at_field(&self, field: &'static str) -> Result<FieldErrors, Self> {
        match self.status.code {
            _ if !self.errors.is_empty() => Ok(self.errors.clone()),
            403 | 429 => Ok(FieldErrors::from([(field.into(), self.detail.clone())])),
            _ => Err(self.clone()),
        }
    }

    /// Gives a response the status and the headers.
    pub(super) fn put_on(self, mut response: Response<'static>) -> Response<'static> {
        response.set_status(self.status);
        for (name, value) in self.headers {
            response.set_header(Header::new(name, value));
        }
        response
    }

    /// The status in words.
    pub(super) fn title(&self) -> &'static str {
        self.status.reason().unwrap_or("Error")
    }

    /// The answer to a status that Rocket itself decided on.
    pub(super) fn of(status: Status) -> Self {
        let detail = match status.code {
            400 => "The request could not be understood.",
            413 => "What was sent is too large.",
            _ if status.code < 500 => "The request could not be answered.",
            _ => "Something went wrong on our side. It has been noted; trying again may help.",
        };
        match status.code {
            401 => Self::unauthenticated(),
            403 => Self::cross_site(),
            404 | 422 => Self::not_found(),
            _ => Self::new(status, detail),
        }
    }

    /// What programs are told: a problem document (RFC 9457).
    pub(super) fn document(&self) -> String {
        let document = Document {
            kind: self.kind,
            title: self.title(),
            status: self.status.code,
            detail: &self.detail,
            errors: &self.errors,
            more: self.more.as_deref(),
        };
        serde_json::to_string(&document).expect("strings and numbers always make JSON")
    }
}
