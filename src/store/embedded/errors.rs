//! SQLite's and the file system's failures, told as the store's. Nothing else here may name a
//! `StoreError` for an error code.

use std::io;

use rusqlite::ErrorCode;

use super::super::{StoreError, UniqueField};

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        if let Some(field) = taken_field(&error) {
            return Self::Taken(field);
        }
        match error {
            E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::Utf8Error(..) => Self::Damaged("a column holds what was never written".into()),
            error => match error.sqlite_error_code() {
                Some(
                    ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::CannotOpen,
                ) => Self::Unavailable(error.into()),
                Some(ErrorCode::DiskFull) => Self::Full(error.into()),
                Some(ErrorCode::DatabaseCorrupt) => Self::Damaged("the SQLite file".into()),
                Some(ErrorCode::NotADatabase) => {
                    Self::Incompatible("vault.db is no SQLite database".into())
                }
                _ => Self::Internal(error.into()),
            },
        }
    }
}

/// The unique field that SQLite names, by column, in the message of a failed constraint.
fn taken_field(error: &rusqlite::Error) -> Option<UniqueField> {
    let rusqlite::Error::SqliteFailure(failure, Some(message)) = error else {
        return None;
    };
    if failure.extended_code != rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE {
        return None;
    }
    match message.rsplit(' ').next()? {
        "accounts.username_key" | "accounts.username_skeleton" => Some(UniqueField::Username),
        "accounts.email_key" => Some(UniqueField::Email),
        _ => None,
    }
}

/// A missing file is a defect here: where it means that a blob is missing, `files` says so itself.
impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(error.into()),
            _ => Self::Internal(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn a_full_disk_and_a_full_quota_are_told_as_such() {
        // ENOSPC and EDQUOT of Linux.
        for code in [28, 122] {
            let error = StoreError::from(io::Error::from_raw_os_error(code));
            assert!(matches!(error, StoreError::Full(_)), "{error:?}");
        }
    }

    #[test]
    fn a_database_that_cannot_grow_is_full() {
        let database = Connection::open_in_memory().unwrap();
        database
            .execute_batch("PRAGMA max_page_count = 3; CREATE TABLE t (x)")
            .unwrap();
        let grown = database.execute("INSERT INTO t VALUES (zeroblob(100000))", ());
        assert!(matches!(
            StoreError::from(grown.unwrap_err()),
            StoreError::Full(_)
        ));
    }

    #[test]
    fn a_database_that_another_process_holds_is_unavailable() {
        let dir = tempfile::tempdir().unwrap();
        let [holder, waiter] =
            [(); 2].map(|()| Connection::open(dir.path().join("held.db")).unwrap());
        holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
        waiter.busy_timeout(std::time::Duration::ZERO).unwrap();
        let refused = waiter.execute_batch("BEGIN IMMEDIATE").unwrap_err();
        assert!(matches!(
            StoreError::from(refused),
            StoreError::Unavailable(_)
        ));
    }

    #[test]
    fn a_column_of_another_type_is_damage() {
        let database = Connection::open_in_memory().unwrap();
        let read = database.query_row("SELECT x'00'", (), |row| row.get::<_, String>(0));
        assert!(matches!(
            StoreError::from(read.unwrap_err()),
            StoreError::Damaged(_)
        ));
    }
}
