//! How values that SQLite does not know are handed to a statement.

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::ids::{AccountId, ArchiveId, BlobId, ImageId};

/// A time as milliseconds since 1970.
pub(super) struct Millis(pub(super) Timestamp);

/// A count or a length that stays below 2^63.
pub(super) struct Count(pub(super) u64);

/// Ids as a JSON array: `IN (SELECT value FROM json_each(?))` finds them all in one statement.
pub(super) fn id_list<T: serde::Serialize>(ids: &[T]) -> String {
    serde_json::to_string(ids).expect("ids are written as plain strings")
}

/// Digests as a JSON array, for `IN (SELECT unhex(value) FROM json_each(?))`.
pub(super) fn digest_list(digests: &[[u8; 32]]) -> String {
    let texts: Vec<String> = digests
        .iter()
        .map(|digest| data_encoding::HEXLOWER.encode(digest))
        .collect();
    id_list(&texts)
}

macro_rules! ids_are_text {
    ($($id:ty),+) => {$(
        impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.to_string().into())
            }
        }

        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str()?.parse().map_err(FromSqlError::other)
            }
        }
    )+};
}

ids_are_text!(AccountId, ArchiveId, BlobId, ImageId);

impl ToSql for Millis {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_millisecond().into())
    }
}

impl FromSql for Millis {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Timestamp::from_millisecond(value.as_i64()?)
            .map(Self)
            .map_err(FromSqlError::other)
    }
}

impl ToSql for Count {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let count = i64::try_from(self.0)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(count.into())
    }
}

impl FromSql for Count {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let count = value.as_i64()?;
        u64::try_from(count)
            .map(Self)
            .map_err(|_| FromSqlError::OutOfRange(count))
    }
}
