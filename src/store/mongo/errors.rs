//! The driver's failures, told as the store's.
//!
//! The driver prints the server's whole answer, and the server's messages repeat commands and
//! keys: names, addresses, sealed values. So only codes, and the texts that speak of the
//! connection, go on.

use mongodb::error::{Error, ErrorKind, WriteFailure};

use super::super::{StoreError, UniqueField};

/// The disk below the database is full (`OutOfDiskSpace`).
const OUT_OF_DISK_SPACE: i32 = 14031;
/// `AuthenticationFailed`, `Unauthorized`.
const REFUSED: &[i32] = &[18, 13];
/// No primary just now, a server that shuts down, a time limit, a conflict that lasted:
/// <https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml>.
const PASSING: &[i32] = &[
    6, 7, 24, 43, 50, 64, 89, 91, 112, 134, 189, 202, 239, 246, 251, 262, 9001, 10058, 10107,
    11600, 11602, 13435, 13436,
];
/// A unique index holds the key already.
const DUPLICATE_KEY: i32 = 11000;

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        if let Some(hidden) = error.get_custom::<Error>() {
            return hidden.clone().into();
        }
        if let Some(field) = taken_field(&error) {
            return Self::Taken(field);
        }
        if let Some((code, _)) = server_error(&error) {
            let text = format!("MongoDB answered with error {code}");
            return match code {
                OUT_OF_DISK_SPACE => Self::Full(text.into()),
                _ if REFUSED.contains(&code) => Self::Incompatible(refusal(code)),
                _ if PASSING.contains(&code) => Self::Unavailable(text.into()),
                _ => Self::Internal(text.into()),
            };
        }
        match *error.kind {
            ErrorKind::Io(source) => Self::Unavailable(source.into()),
            ErrorKind::ServerSelection { message, .. }
            | ErrorKind::ConnectionPoolCleared { message, .. }
            | ErrorKind::DnsResolve { message, .. } => Self::Unavailable(message.into()),
            // What the convenient transaction ends with when it has retried long enough.
            ErrorKind::Transaction { message, .. } => Self::Unavailable(message.into()),
            ErrorKind::Authentication { .. } => Self::Incompatible(refusal(18)),
            ErrorKind::IncompatibleServer { message, .. } => Self::Incompatible(message),
            ErrorKind::BsonDeserialization(_) | ErrorKind::InvalidResponse { .. } => {
                Self::Damaged("a document is not of the shape that was written".into())
            }
            _ => Self::Internal("the MongoDB driver failed".into()),
        }
    }
}

/// Where no server is found, keeps the driver from running a transaction again and again: it has
/// looked long enough.
pub(super) fn without_retry(error: Error) -> Error {
    match *error.kind {
        ErrorKind::ServerSelection { .. } => Error::custom(error),
        _ => error,
    }
}

/// A connection string that cannot be used. Where it has credentials the driver's own words are
/// left out, since they may quote a part of it.
pub(super) fn parsing(uri: &str, error: Error) -> StoreError {
    match *error.kind {
        ErrorKind::DnsResolve { message, .. } => StoreError::Unavailable(message.into()),
        ErrorKind::InvalidArgument { message, .. } if !uri.contains('@') => {
            StoreError::Incompatible(format!("the MongoDB connection string is wrong: {message}"))
        }
        _ => StoreError::Incompatible(
            "the MongoDB connection string is wrong; it has the form \
             mongodb://USER:PASSWORD@HOST:PORT/DATABASE?replicaSet=NAME, and in the user's name and \
             password the characters : / ? # [ ] @ % are written as %3A and so on"
                .into(),
        ),
    }
}

/// Whether a unique index refused the document.
pub(super) fn is_duplicate(error: &Error) -> bool {
    matches!(server_error(error), Some((DUPLICATE_KEY, _)))
}

/// The field whose unique index refused the account. The server names the index before it quotes
/// the key: `E11000 duplicate key error collection: db.accounts index: email_key dup key: ...`.
fn taken_field(error: &Error) -> Option<UniqueField> {
    let (DUPLICATE_KEY, message) = server_error(error)? else {
        return None;
    };
    let (_, rest) = message.split_once(".accounts index: ")?;
    match rest.split(' ').next()? {
        "username_key" | "username_skeleton" => Some(UniqueField::Username),
        "email_key" => Some(UniqueField::Email),
        _ => None,
    }
}

/// The code and the message of a failure that the server reported.
fn server_error(error: &Error) -> Option<(i32, &str)> {
    match &*error.kind {
        ErrorKind::Command(failure) => Some((failure.code, &failure.message)),
        ErrorKind::Write(WriteFailure::WriteError(failure)) => {
            Some((failure.code, &failure.message))
        }
        ErrorKind::Write(WriteFailure::WriteConcernError(failure)) => {
            Some((failure.code, &failure.message))
        }
        ErrorKind::InsertMany(failure) => {
            let write = failure.write_errors.iter().flatten().next();
            let concern = failure.write_concern_error.as_ref();
            write
                .map(|failure| (failure.code, failure.message.as_str()))
                .or(concern.map(|failure| (failure.code, failure.message.as_str())))
        }
        _ => None,
    }
}

fn refusal(code: i32) -> String {
    format!(
        "MongoDB refuses the user of the connection string (error {code}): check the name, the \
         password, authSource, and that the user may read and write the database"
    )
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{doc, from_document};

    use super::*;

    fn reported(code: i32, message: &str) -> Error {
        let failure = doc! { "code": code, "codeName": "SomeName", "errmsg": message };
        Error::from(ErrorKind::Command(from_document(failure).unwrap()))
    }

    #[test]
    fn each_failure_says_what_a_caller_can_do() {
        let told = |code| StoreError::from(reported(code, "text"));
        assert!(matches!(told(14031), StoreError::Full(_)));
        assert!(matches!(told(10107), StoreError::Unavailable(_)));
        assert!(matches!(told(13), StoreError::Incompatible(_)));
        assert!(matches!(told(2), StoreError::Internal(_)));
        let hidden = without_retry(reported(10107, "text"));
        assert!(matches!(
            StoreError::from(hidden),
            StoreError::Unavailable(_)
        ));
    }

    #[test]
    fn what_the_server_quotes_is_not_passed_on() {
        for code in [2, 13, 50, 11000, 14031] {
            let error = StoreError::from(reported(code, "in { username_key: \"ada\" }"));
            assert!(!format!("{error} {error:?}").contains("ada"), "{error:?}");
        }
    }

    #[test]
    fn the_refusing_index_is_told_from_a_key_that_imitates_one() {
        let refused = |index, key| {
            let message = format!(
                "E11000 duplicate key error collection: iv.accounts index: {index} dup key: {key}"
            );
            taken_field(&reported(11000, &message))
        };
        let sly = "{ username_key: \".accounts index: email_key dup key\" }";
        assert_eq!(refused("username_key", sly), Some(UniqueField::Username));
        assert_eq!(
            refused("email_key", "{ email_key: \"a\" }"),
            Some(UniqueField::Email)
        );
        assert_eq!(refused("_id_", "{ _id: \"a\" }"), None);
    }
}
