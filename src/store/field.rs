//! What a field of a row can be, and the values that both backends keep of it.

use std::borrow::Cow;

use jiff::Timestamp;

use super::BlobRef;
use crate::ids::{AccountId, ArchiveId, BlobId, EventId, ImageId};

/// A value as both backends can keep it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Absent.
    Null,
    /// A number.
    Integer(i64),
    /// Text, or an id.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// A time, to the millisecond.
    Time(Timestamp),
    /// Of a type that is never written.
    Unknown,
}

impl Value<'_> {
    pub(super) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(number),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
            Self::Time(at) => Value::Time(at),
            Self::Unknown => Value::Unknown,
        }
    }
}

/// Something that a field can be.
pub(super) trait Field: Sized {
    /// Its values: what the name of each one's column has behind the field's, and its name within
    /// the field's document. A single value is the field itself.
    const PARTS: &'static [Part] = &[("", "")];
    const MEANING: Meaning = Meaning::Plain;

    /// Appends one value for each part.
    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>);

    /// Takes one value for each part; `None` where they were never written by [`Field::write`].
    fn read<'v>(values: &mut impl Iterator<Item = Value<'v>>) -> Option<Self>;
}

/// See [`Field::PARTS`].
pub(super) type Part = (&'static str, &'static str);

/// What a field is to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing but a value.
    Plain,
    /// Whose the row is.
    Owner,
    /// A blob that the row keeps alive.
    Blob,
}

/// One that is absent has no value at all, and is written as NULL for each part.
impl<T: Field> Field for Option<T> {
    const PARTS: &'static [Part] = T::PARTS;
    const MEANING: Meaning = T::MEANING;

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        match self {
            Some(field) => field.write(values),
            None => values.extend(T::PARTS.iter().map(|_| Value::Null)),
        }
    }

    fn read<'v>(values: &mut impl Iterator<Item = Value<'v>>) -> Option<Self> {
        let parts: Vec<Value<'v>> = values.take(T::PARTS.len()).collect();
        match parts.iter().all(|part| *part == Value::Null) {
            true => Some(None),
            false => T::read(&mut parts.into_iter()).map(Some),
        }
    }
}

/// Fields of one value each.
macro_rules! single {
    ($($type:ty $(, $meaning:ident)?:
        |$field:ident| $write:expr, $value:pat => $read:expr;)+) => {$(
        impl $crate::store::field::Field for $type {
            $(const MEANING: $crate::store::field::Meaning = $crate::store::field::Meaning::$meaning;)?

            fn write<'a>(&'a self, values: &mut Vec<$crate::store::field::Value<'a>>) {
                let $field = self;
                values.push($write);
            }

            fn read<'v>(values: &mut impl Iterator<Item = $crate::store::field::Value<'v>>) -> Option<Self> {
                match values.next()? {
                    $value => $read,
                    _ => None,
                }
            }
        }
    )+};
}
pub(super) use single;

single! {
    String: |text| Value::Text(Cow::Borrowed(text)), Value::Text(text) => Some(text.into_owned());
    Vec<u8>: |bytes| Value::Bytes(Cow::Borrowed(bytes)), Value::Bytes(bytes) => Some(bytes.into_owned());
    u8: |n| Value::Integer(i64::from(*n)), Value::Integer(n) => n.try_into().ok();
    u32: |n| Value::Integer(i64::from(*n)), Value::Integer(n) => n.try_into().ok();
    // No count and no length comes near 2^63.
    u64: |n| Value::Integer(i64::try_from(*n).unwrap_or(i64::MAX)), Value::Integer(n) => n.try_into().ok();
    AccountId, Owner: |id| Value::Text(id.to_string().into()), Value::Text(id) => id.parse().ok();
    ArchiveId: |id| Value::Text(id.to_string().into()), Value::Text(id) => id.parse().ok();
    BlobId: |id| Value::Text(id.to_string().into()), Value::Text(id) => id.parse().ok();
    EventId: |id| Value::Text(id.to_string().into()), Value::Text(id) => id.parse().ok();
    ImageId: |id| Value::Text(id.to_string().into()), Value::Text(id) => id.parse().ok();
}

impl<const N: usize> Field for [u8; N] {
    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.push(Value::Bytes(Cow::Borrowed(self)));
    }

    fn read<'v>(values: &mut impl Iterator<Item = Value<'v>>) -> Option<Self> {
        match values.next()? {
            Value::Bytes(bytes) => (*bytes).try_into().ok(),
            _ => None,
        }
    }
}

/// SQLite keeps milliseconds since 1970, MongoDB its own dates of as much precision.
impl Field for Timestamp {
    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.push(Value::Time(*self));
    }

    fn read<'v>(values: &mut impl Iterator<Item = Value<'v>>) -> Option<Self> {
        match values.next()? {
            Value::Time(at) => Some(at),
            Value::Integer(millis) => Self::from_millisecond(millis).ok(),
            _ => None,
        }
    }
}

impl Field for BlobRef {
    const PARTS: &'static [Part] = &[("", "id"), ("_len", "len")];
    const MEANING: Meaning = Meaning::Blob;

    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        self.id.write(values);
        self.len.write(values);
    }

    fn read<'v>(values: &mut impl Iterator<Item = Value<'v>>) -> Option<Self> {
        Some(Self {
            id: BlobId::read(values)?,
            len: u64::read(values)?,
        })
    }
}
