//! A kind of row described once: from its fields come the columns of SQLite and the document of
//! MongoDB, in both directions, and from their types whose it is and which blobs it keeps alive.
//!
//! A field of several values (a blob with its length) has a column for each, whose name begins with
//! the field's, and is a document within the document. A value that is absent is NULL there and no
//! member here. Indexes, transactions and everything that asks for more than a row by its key are
//! written in the noun's own file of each backend: this is no object-relational mapper.

use jiff::{SignedDuration, Timestamp};

use super::field::{Field, Meaning, Part, Value};
use super::{Result, StoreError};

/// A field of a noun.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) parts: &'static [Part],
    pub(super) meaning: Meaning,
}

impl Shape {
    pub(super) const fn of<T: Field>(name: &'static str) -> Self {
        Self {
            name,
            parts: T::PARTS,
            meaning: T::MEANING,
        }
    }
}

/// How long a row stays.
#[derive(Debug, Clone, Copy)]
pub(super) enum Life {
    /// Until it is removed, at the latest with its account.
    Lasting,
    /// Until the first of these times of its own.
    EndsAt(&'static [&'static str]),
    /// For so long after this time of its own.
    Ages(&'static str, SignedDuration),
    /// Until it is removed: not with its account.
    AfterAccount,
}

/// A kind of row: a table of SQLite, a collection of MongoDB. All of them: [`super::NOUNS`].
#[derive(Debug)]
pub struct Noun {
    /// The name of the table and the collection.
    pub name: &'static str,
    /// The field by which one row is found, if one is enough: `_id` of the document.
    pub(super) key: Option<&'static str>,
    pub(super) fields: &'static [Shape],
    pub(super) life: Life,
    /// Of how many rows of one account, the newest by this time of theirs, the older make room for
    /// new ones.
    pub(super) newest: Option<(&'static str, u32)>,
}

impl Noun {
    /// Whether a row ends by itself: then [`super::Rows::remove_ended`] removes it.
    pub fn ends(&self) -> bool {
        matches!(self.life, Life::EndsAt(_) | Life::Ages(..))
    }

    /// Whether a row keeps blobs alive, which are to follow when it is removed.
    pub fn holds_blobs(&self) -> bool {
        self.blobs().next().is_some()
    }

    /// Whether a row goes with the account that it belongs to.
    pub fn is_owned(&self) -> bool {
        self.owner().is_some()
    }

    /// The field that says whose a row is.
    pub(super) fn owner(&self) -> Option<&'static str> {
        let goes_along = !matches!(self.life, Life::AfterAccount);
        let mut fields = self.fields.iter();
        let owner = fields.find(|field| field.meaning == Meaning::Owner);
        owner.filter(|_| goes_along).map(|field| field.name)
    }

    /// The key, for a call that asks by it.
    pub(super) fn keyed(&self) -> Result<&'static str> {
        self.key.ok_or_else(|| self.lacks("key"))
    }

    /// The owner, for a call that asks by it.
    pub(super) fn owned(&self) -> Result<&'static str> {
        self.owner().ok_or_else(|| self.lacks("owner"))
    }

    /// As [`Noun::ended`], for a call that asks by it.
    pub(super) fn ending(
        &'static self,
        now: Timestamp,
    ) -> Result<(&'static [&'static str], Timestamp)> {
        self.ended(now).ok_or_else(|| self.lacks("end"))
    }

    /// The time by which rows of an account are ordered, for a call that asks for the newest.
    pub(super) fn ordered(&self) -> Result<&'static str> {
        let newest = self.newest.map(|(time, _)| time);
        newest.ok_or_else(|| self.lacks("order"))
    }

    fn lacks(&self, what: &str) -> StoreError {
        StoreError::Internal(format!("a row of `{}` has no {what}", self.name).into())
    }

    /// The fields that are blobs.
    pub(super) fn blobs(&self) -> impl Iterator<Item = &'static str> {
        let blobs = self.fields.iter().filter(|f| f.meaning == Meaning::Blob);
        blobs.map(|field| field.name)
    }

    /// The times of a row that has ended, and what the first of them is not after then.
    pub(super) fn ended(
        &'static self,
        now: Timestamp,
    ) -> Option<(&'static [&'static str], Timestamp)> {
        match &self.life {
            Life::EndsAt(times) => Some((times, now)),
            Life::Ages(time, keep) => Some((std::slice::from_ref(time), now - *keep)),
            Life::Lasting | Life::AfterAccount => None,
        }
    }
}

/// A row of a noun, as a plain value.
pub(super) trait Row: Clone + Send + Sync + 'static {
    const NOUN: Noun;

    /// Its values, in the order of the noun's fields and their parts.
    fn write(&self) -> Vec<Value<'_>>;

    /// The row of such values.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], naming the field, where one was never written.
    fn read<'v>(values: impl Iterator<Item = Value<'v>>) -> Result<Self>;
}

/// Declares a row: `row! { pub struct InvitationRow in "invitations" { key digest: [u8; 32], ... }
/// life: Life::EndsAt(&["expires_at"]); }`. Without `life` it lasts, without `newest` all stay.
macro_rules! row {
    (
        $(#[$doc:meta])* $vis:vis struct $row:ident in $table:literal {
            $(#[$key_doc:meta])* key $key:ident: $key_type:ty,
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        }
        $(life: $life:expr;)?
        $(newest: $newest:expr;)?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        $vis struct $row {
            $(#[$key_doc])* $vis $key: $key_type,
            $($(#[$field_doc])* $vis $field: $type,)*
        }

        impl $crate::store::row::Row for $row {
            const NOUN: $crate::store::row::Noun = {
                use $crate::store::row::Shape;
                #[allow(unused_mut, unused_assignments, reason = "the macro's defaults")]
                let mut life = $crate::store::row::Life::Lasting;
                $(life = $life;)?
                #[allow(unused_mut, unused_assignments, reason = "the macro's defaults")]
                let mut newest = None;
                $(newest = Some($newest);)?
                $crate::store::row::Noun {
                    name: $table,
                    key: Some(stringify!($key)),
                    fields: &[
                        Shape::of::<$key_type>(stringify!($key)),
                        $(Shape::of::<$type>(stringify!($field)),)*
                    ],
                    life,
                    newest,
                }
            };

            fn write(&self) -> Vec<$crate::store::field::Value<'_>> {
                use $crate::store::field::Field as _;
                let mut values = Vec::new();
                self.$key.write(&mut values);
                $(self.$field.write(&mut values);)*
                values
            }

            fn read<'v>(
                mut values: impl Iterator<Item = $crate::store::field::Value<'v>>,
            ) -> $crate::store::Result<Self> {
                use $crate::store::row::read_field;
                Ok(Self {
                    $key: read_field(&mut values, $table, stringify!($key))?,
                    $($field: read_field(&mut values, $table, stringify!($field))?,)*
                })
            }
        }
    };
}
pub(super) use row;

/// The next field of a row.
pub(super) fn read_field<'v, T: Field>(
    values: &mut impl Iterator<Item = Value<'v>>,
    table: &str,
    name: &str,
) -> Result<T> {
    T::read(values).ok_or_else(|| {
        StoreError::Damaged(format!(
            "`{name}` of `{table}` holds what was never written"
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::ids::{AccountId, BlobId, ImageId};
    use crate::store::BlobRef;

    row! {
        /// A row with a field of each kind.
        struct SampleRow in "samples" {
            /// Key.
            key id: ImageId,
            /// Owner.
            account: Option<AccountId>,
            /// Bytes.
            digest: [u8; 4],
            /// Number.
            count: u64,
            /// Time.
            at: Timestamp,
            /// Blob.
            plan: BlobRef,
            /// Blob that may be absent.
            preview: Option<BlobRef>,
        }
        life: Life::EndsAt(&["at"]);
    }

    fn sample() -> SampleRow {
        let blob = |n| BlobRef {
            id: BlobId::from_bytes([n; 16]),
            len: u64::from(n),
        };
        SampleRow {
            id: ImageId::from_bytes([1; 16]),
            account: None,
            digest: [0, 1, 254, 255],
            count: 5_000_000_000,
            at: Timestamp::from_millisecond(1_700_000_000_123).unwrap(),
            plan: blob(2),
            preview: Some(blob(3)),
        }
    }

    #[test]
    fn a_row_reads_back_from_its_values() {
        let absent = SampleRow {
            preview: None,
            account: Some(AccountId::from_bytes([4; 16])),
            ..sample()
        };
        for row in [sample(), absent] {
            let values = row.write();
            let parts = SampleRow::NOUN.fields.iter().flat_map(|field| field.parts);
            assert_eq!(values.len(), parts.count());
            assert_eq!(SampleRow::read(values.into_iter()).unwrap(), row);
        }
    }

    #[test]
    fn what_was_never_written_is_damage_that_names_its_field() {
        for at in 0..sample().write().len() {
            let row = sample();
            let mut values = row.write();
            values[at] = Value::Bytes(Cow::Borrowed(b"\xff"));
            let damage = SampleRow::read(values.into_iter()).unwrap_err().to_string();
            assert!(damage.contains("of `samples` holds"), "{damage}");
        }
    }

    #[test]
    fn the_types_of_the_fields_say_whose_a_row_is_and_what_it_keeps_alive() {
        let noun = SampleRow::NOUN;
        assert_eq!(noun.owner(), Some("account"));
        assert_eq!(noun.blobs().collect::<Vec<_>>(), ["plan", "preview"]);
        assert!(noun.ends());
    }
}
