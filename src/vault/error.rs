//! What can go wrong in the vault, sorted by what the person in front of it can do.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::ErrorKind;

use jiff::SignedDuration;

use crate::crypto::CryptoError;
use crate::ids::ImageId;
use crate::media::MediaError;
use crate::store::StoreError;
use crate::vault::usage::Usage;

/// Field names and what is wrong with each, in words for people.
pub type FieldErrors = BTreeMap<Cow<'static, str>, String>;

/// What a second factor is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorPurpose {
    /// To sign in.
    ToSignIn,
    /// To change something of an account, by somebody who is signed in.
    ToChange,
}

/// Why nothing can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Something else than an export.
    #[error(
        "this is no export of an Image Vault as it was downloaded: choose the zip itself, neither \
         unpacked nor packed again"
    )]
    Foreign,
    /// An export of a version to come.
    #[error("this export was made by a newer Image Vault: bring this one up to date first")]
    Newer,
    /// The export's own list is damaged.
    #[error("the list in this export is damaged: download the export once more")]
    Damaged,
    /// The zip could not be read any further.
    #[error("the zip could not be read to its end")]
    Read(ErrorKind),
}

/// A failure of the vault.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// No session, or one that has ended.
    #[error("you are not signed in, or your sign-in has ended")]
    Unauthenticated,
    /// The login does not exist or the password is wrong; nobody learns which.
    #[error("this user name or email and password do not belong together")]
    WrongCredentials,
    /// A change that asks for the password again was given another one.
    #[error("this is not the password of the account")]
    WrongPassword,
    /// The password was right, and the account asks for a code besides.
    #[error("a code of the second factor is wanted")]
    FactorWanted(FactorPurpose),
    /// The code is wrong, too old, or was used before.
    #[error("this code is wrong, has ended or was used already")]
    WrongFactor(FactorPurpose),
    /// No passkey that opens an account here.
    #[error("this passkey opens no account")]
    WrongPasskey,
    /// Too many tries failed; the next one has to wait.
    #[error("too many tries failed")]
    TooManyTries {
        /// For so long.
        wait: SignedDuration,
    },
    /// Nobody can register here.
    #[error("registration is closed")]
    RegistrationClosed,
    /// Registration needs an invitation, and none that works was given.
    #[error("there is no such invitation, or not any more")]
    NotInvited,
    /// There is no such object, or it is somebody else's.
    #[error("there is no such thing here")]
    NotFound,
    /// Some of the images that a call names do not exist, or are somebody else's.
    #[error("{} of the chosen images are not there", .0.len())]
    Missing(Vec<ImageId>),
    /// The object was there and is gone for good.
    #[error("this is no longer available")]
    Gone,
    /// What is there now is not what the caller saw.
    #[error("something has changed in the meantime")]
    Changed,
    /// The data keys of some pictures are still to be re-wrapped by the current master key.
    #[error("{left} keys of the last rotation are left")]
    RotationUnderWay {
        /// How many.
        left: u64,
    },
    /// Input that breaks a rule, by field.
    #[error("some of what was sent cannot be used")]
    Invalid(FieldErrors),
    /// A value that must be unique is taken, by field.
    #[error("somebody already has this")]
    Taken(FieldErrors),
    /// The file is larger than allowed.
    #[error("the file is larger than {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// The file would not fit into the account's vault were that empty.
    #[error("the file is larger than all the account may keep")]
    LargerThanQuota(Usage),
    /// The account's quota has too little room left.
    #[error("the account has no room for this")]
    NoRoom(Usage),
    /// The file is no picture we take.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The file to import is no export, or could not be read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// Too much work is waiting; the call may succeed later.
    #[error("the server is busy")]
    Busy,
    /// Stored bytes fail their check. They are never shown as if they were whole.
    #[error("a stored file fails its check: {0}")]
    Damaged(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// A defect of ours or of the machine.
    #[error("internal failure: {0}")]
    Internal(String),
}

/// What the vault's calls return.
pub type Result<T> = std::result::Result<T, VaultError>;

impl VaultError {
    /// Input with one field that breaks a rule.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(FieldErrors::from([(field.into(), message.into())]))
    }
}

impl From<StoreError> for VaultError {
    fn from(error: StoreError) -> Self {
        match error {
            // A row names the blob, so its absence is damage, not an unknown id.
            StoreError::NotFound => Self::Damaged("a blob is missing"),
            StoreError::Damaged(_) => Self::Damaged("the store reports damage"),
            other => Self::Store(other),
        }
    }
}

impl From<CryptoError> for VaultError {
    fn from(error: CryptoError) -> Self {
        match error {
            CryptoError::Open => Self::Damaged("sealed data does not open"),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<tokio::task::JoinError> for VaultError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Internal(error.to_string())
    }
}
