//! The problem that each failure of the floors below becomes.

use std::io::ErrorKind;

use rocket::http::Status;

use super::super::quota::{self, QuotaLeft};
use super::super::units;
use super::{More, Problem};
use crate::ids::InvalidId;
use crate::media::MediaError;
use crate::store::StoreError;
use crate::vault::FactorPurpose;
use crate::vault::FieldErrors;
use crate::vault::ImportError;
use crate::vault::VaultError;

/// Seconds after which a busy or unreachable server is worth another try.
const RETRY_AFTER_SECS: u32 = 5;

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
                Self::wait("Too many tries failed.", wait.unsigned_abs())
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
                more: Some(Box::new(More::Missing {
                    missing: ids.iter().map(ToString::to_string).collect(),
                })),
                ..Self::new(
                    Status::NotFound,
                    format!(
                        "Nothing was done: {} of the chosen pictures {} not in your vault.",
                        units::count(ids.len()),
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
            VaultError::RotationUnderWay { left } => Self::new(
                Status::Conflict,
                format!(
                    "The last change of the master key is not finished: {left} pictures are still \
                     to be moved to it. If you have not seen its recovery code, make a new one."
                ),
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
                    units::bytes(max_bytes)
                ),
            ),
            VaultError::LargerThanQuota(usage) => Self {
                more: Some(Box::new(More::QuotaLeft(QuotaLeft::from(&usage)))),
                ..Self::new(Status::PayloadTooLarge, quota::larger_than_quota(&usage))
            },
            VaultError::NoRoom(usage) => Self {
                more: Some(Box::new(More::QuotaLeft(QuotaLeft::from(&usage)))),
                ..Self::new(Status::InsufficientStorage, quota::no_room(&usage))
            },
            VaultError::Media(error) => error.into(),
            VaultError::Import(error) => error.into(),
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

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Read(ErrorKind::TimedOut) => Self::stalled(false),
            ImportError::Read(_) => Self::broken_off(),
            ImportError::Foreign | ImportError::Newer | ImportError::Damaged => {
                let text = error.to_string();
                let (first, rest) = text.split_at(1);
                Self::invalid_field("file", format!("{}{rest}.", first.to_uppercase()))
            }
        }
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
    /// 401 when signing in and 403 when signed in: the password was right, the code is not.
    fn of_factor(asked: FactorPurpose, kind: &'static str, detail: &str) -> Self {
        let status = match asked {
            FactorPurpose::ToSignIn => Status::Unauthorized,
            FactorPurpose::ToChange => Status::Forbidden,
        };
        let problem = Self {
            kind,
            errors: FieldErrors::from([("totp".into(), detail.to_owned())]),
            ..Self::new(status, detail)
        };
        match asked {
            FactorPurpose::ToSignIn => problem.with_header("WWW-Authenticate", "Bearer"),
            FactorPurpose::ToChange => problem,
        }
    }

    /// 503 with a time to try again.
    pub(in super::super) fn retry(detail: &str) -> Self {
        Self::new(Status::ServiceUnavailable, detail)
            .with_header("Retry-After", RETRY_AFTER_SECS.to_string())
    }
}
