//! The one place where a failure becomes a status and words: RFC 9457 problem documents for
//! programs, a styled page with the same facts for browsers. What is unexpected is logged here,
//! once, and the client learns nothing of it.

use rocket::http::{ContentType, Header, Status};
use rocket::outcome::Outcome;
use rocket::request::Request;
use rocket::response::{self, Responder, Response};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::shell::Shell;
use crate::ids::InvalidId;
use crate::media::MediaError;
use crate::store::StoreError;
use crate::vault::Asked;
use crate::vault::FieldErrors;
use crate::vault::VaultError;

/// Seconds after which a busy or unreachable server is worth another try.
const RETRY_AFTER_SECS: u32 = 5;

/// An answer that is no success.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    status: Status,
    /// A type of its own where a client can act on more than the status.
    kind: &'static str,
    detail: String,
    errors: FieldErrors,
    /// Ids of a bulk call that it cannot be about, so that the client can go on with the others.
    missing: Vec<String>,
    headers: Vec<(&'static str, String)>,
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
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    missing: &'a [String],
}

#[derive(Serialize)]
struct ErrorPage<'a> {
    status: u16,
    title: &'a str,
    detail: &'a str,
    errors: &'a FieldErrors,
    actions: Vec<Action>,
}

#[derive(Serialize)]
struct Action {
    href: &'static str,
    label: &'static str,
}

impl Problem {
    /// An answer with this status and sentence.
    pub(super) fn new(status: Status, detail: impl Into<String>) -> Self {
        Self {
            status,
            kind: "about:blank",
            detail: detail.into(),
            errors: FieldErrors::new(),
            missing: Vec::new(),
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

    fn title(&self) -> &'static str {
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

    fn document(&self) -> String {
        let document = Document {
            kind: self.kind,
            title: self.title(),
            status: self.status.code,
            detail: &self.detail,
            errors: &self.errors,
            missing: &self.missing,
        };
        serde_json::to_string(&document).expect("strings and numbers always make JSON")
    }

    fn page(&self, request: &Request<'_>) -> Template {
        let actions = match self.status.code {
            401 => vec![Action {
                href: "/login",
                label: "Sign in",
            }],
            _ => vec![Action {
                href: "/",
                label: "Back to your pictures",
            }],
        };
        let page = ErrorPage {
            status: self.status.code,
            title: self.title(),
            detail: &self.detail,
            errors: &self.errors,
            actions,
        };
        Template::render("error", Shell::signed_out(request).with(page))
    }
}

/// Whether the client would rather read a page than a document.
pub(super) fn prefers_html(request: &Request<'_>) -> bool {
    request
        .accept()
        .is_some_and(|accept| accept.preferred().media_type().is_html())
}

impl<'r> Responder<'r, 'static> for Problem {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let mut response = if prefers_html(request) {
            self.page(request).respond_to(request)?
        } else {
            (
                ContentType::new("application", "problem+json"),
                self.document(),
            )
                .respond_to(request)?
        };
        response.set_status(self.status);
        for (name, value) in self.headers {
            response.set_header(Header::new(name, value));
        }
        Response::build_from(response).ok()
    }
}

impl From<InvalidId> for Problem {
    fn from(_: InvalidId) -> Self {
        Self::not_found()
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Unauthenticated => Self::unauthenticated(),
            VaultError::WrongCredentials => Self::new(
                Status::Unauthorized,
                "This user name or email and this password do not belong together.",
            )
            .with_header("WWW-Authenticate", "Bearer"),
            VaultError::WrongPassword => Self::new(
                Status::Forbidden,
                "This is not your current password, so nothing was changed.",
            ),
            VaultError::FactorWanted(asked) => Self::of_factor(
                asked,
                "urn:image-vault:factor-wanted",
                "Enter the code that your authenticator app shows now, or a spare code.",
            ),
            VaultError::WrongFactor(asked) => Self::of_factor(
                asked,
                "urn:image-vault:factor-wrong",
                "This code is wrong, too old, or was used already. Wait for the app's next one, or \
                 use a spare code.",
            ),
            VaultError::WrongPasskey => Self::new(
                Status::Unauthorized,
                "This passkey opens no vault here by itself. Sign in with your password.",
            )
            .with_header("WWW-Authenticate", "Bearer"),
            VaultError::TooManyTries { wait } => {
                let secs = u64::try_from(wait.as_secs()).unwrap_or(0) + 1;
                let detail = format!(
                    "Too many tries failed. Wait {} before the next one.",
                    super::units::wait(secs)
                );
                Self::new(Status::TooManyRequests, detail)
                    .with_header("Retry-After", secs.to_string())
            }
            VaultError::RegistrationClosed => Self::new(
                Status::Forbidden,
                "This server takes no new accounts. Ask its administrator.",
            ),
            VaultError::NotInvited => Self::new(
                Status::Forbidden,
                "This server takes new accounts by invitation only, and yours is missing, used up \
                 or has ended. Ask whoever sent you here for a new link.",
            ),
            VaultError::NotFound => Self::not_found(),
            VaultError::Missing(ids) => Self {
                missing: ids.iter().map(ToString::to_string).collect(),
                ..Self::new(
                    Status::NotFound,
                    format!(
                        "Nothing was done: {} of the chosen pictures {} not in your vault.",
                        super::units::count(ids.len()),
                        if ids.len() == 1 { "is" } else { "are" },
                    ),
                )
            },
            VaultError::Gone => {
                Self::new(Status::Gone, "This is no longer available: make it anew.")
            }
            VaultError::Changed => Self::new(
                Status::Conflict,
                "There are more or fewer pictures than before, so nothing was done. Look again.",
            ),
            VaultError::Invalid(errors) => Self::invalid(errors),
            VaultError::Taken(errors) => Self {
                status: Status::Conflict,
                ..Self::invalid(errors)
            },
            VaultError::TooLarge { max_bytes } => Self::new(
                Status::PayloadTooLarge,
                format!(
                    "The file is too large: at most {} are taken.",
                    super::units::bytes(max_bytes)
                ),
            ),
            VaultError::Media(error) => error.into(),
            VaultError::Busy => Self::retry("The server is busy. Try again in a few seconds."),
            VaultError::Damaged(what) => {
                tracing::error!(what, "stored data is damaged");
                let detail = "What is stored for this no longer matches its checksum, so it is not \
                              shown. Restore it from a backup.";
                Self {
                    kind: "urn:image-vault:damaged",
                    ..Self::new(Status::InternalServerError, detail)
                }
            }
            VaultError::Store(error) => error.into(),
            VaultError::Internal(reason) => {
                tracing::error!(reason, "internal failure");
                Self::of(Status::InternalServerError)
            }
        }
    }
}

impl From<MediaError> for Problem {
    fn from(error: MediaError) -> Self {
        let status = match error {
            MediaError::NotAnImage | MediaError::Unsupported { .. } => Status::UnsupportedMediaType,
            MediaError::Empty | MediaError::Broken => Status::UnprocessableEntity,
            MediaError::TooManyPixels { .. } | MediaError::TooMuchMemory { .. } => {
                Status::PayloadTooLarge
            }
        };
        Self::new(status, error.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        match error {
            StoreError::Unavailable(_) => Self::retry(
                "The storage cannot be reached right now. Nothing is lost; try again soon.",
            ),
            StoreError::Full(_) => Self::new(
                Status::InsufficientStorage,
                "The storage is full, so nothing was stored. Tell the administrator of this server.",
            ),
            _ => Self::of(Status::InternalServerError),
        }
    }
}

impl Problem {
    /// 401 to who signs in and 403 to who is signed in: the password was right, the code is not.
    fn of_factor(asked: Asked, kind: &'static str, detail: &str) -> Self {
        let status = match asked {
            Asked::ToSignIn => Status::Unauthorized,
            Asked::ToChange => Status::Forbidden,
        };
        let problem = Self {
            kind,
            errors: FieldErrors::from([("totp".into(), detail.to_owned())]),
            ..Self::new(status, detail)
        };
        match asked {
            Asked::ToSignIn => problem.with_header("WWW-Authenticate", "Bearer"),
            Asked::ToChange => problem,
        }
    }

    fn retry(detail: &str) -> Self {
        Self::new(Status::ServiceUnavailable, detail)
            .with_header("Retry-After", RETRY_AFTER_SECS.to_string())
    }
}
