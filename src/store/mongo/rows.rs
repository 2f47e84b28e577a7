//! Rows as documents, by the description of their noun.

use mongodb::Collection;
use mongodb::bson::{Bson, Document, RawBsonRef, RawDocument, RawDocumentBuf, doc};

use super::super::field::Value;
use super::super::row::{Noun, Row};
use super::super::{Result, StoreError};
use super::Mongo;
use super::documents::{binary, date, time};

impl Mongo {
    /// The collection of a noun.
    pub(super) fn collection(&self, noun: &Noun) -> Collection<RawDocumentBuf> {
        self.database.collection(noun.name)
    }

    /// The collection of a row's noun.
    pub(super) fn rows<R: Row>(&self) -> Collection<RawDocumentBuf> {
        self.collection(&R::NOUN)
    }

    /// A row that the filter finds.
    pub(super) async fn one<R: Row>(&self, filter: Document) -> Result<Option<R>> {
        let found = self.answer(self.rows::<R>().find_one(filter)).await?;
        found.map(|row| read(&row)).transpose()
    }

    /// The rows that the filter finds, in this order; up to `limit`, if it is not 0.
    pub(super) async fn all<R: Row>(
        &self,
        filter: Document,
        order: Document,
        limit: u32,
    ) -> Result<Vec<R>> {
        let rows = self.rows::<R>();
        let find = rows.find(filter).sort(order).limit(limit.into());
        let found = self.collect(find).await?;
        found.iter().map(|row| read(row)).collect()
    }
}

/// The document of a row. What is absent is no member of it, so that a sparse index holds those
/// that are there.
pub(super) fn document<R: Row>(row: &R) -> Document {
    of_values(&R::NOUN, row.write())
}

pub(super) fn of_values(noun: &Noun, values: Vec<Value<'_>>) -> Document {
    let mut values = values.into_iter();
    let mut document = Document::new();
    for field in noun.fields {
        let parts = field.parts.iter().zip(&mut values);
        let mut parts = parts.filter_map(|((_, name), value)| Some((*name, bson(value)?)));
        let name = member(noun, field.name);
        if let [("", "")] = field.parts {
            document.extend(parts.next().map(|(_, value)| (name.into(), value)));
            continue;
        }
        let inner: Document = parts.map(|(name, value)| (name.into(), value)).collect();
        if !inner.is_empty() {
            document.insert(name, inner);
        }
    }
    document
}

/// The update that makes a row of this one, and leaves alone what a later version may have added.
pub(super) fn update<R: Row>(row: &R) -> Document {
    let (noun, mut set) = (R::NOUN, document(row));
    set.remove("_id");
    let names = noun.fields.iter().map(|field| member(&noun, field.name));
    let absent = names.filter(|name| *name != "_id" && !set.contains_key(name));
    let unset: Document = absent.map(|name| (name.into(), Bson::from(""))).collect();
    match unset.is_empty() {
        true => doc! { "$set": set },
        false => doc! { "$set": set, "$unset": unset },
    }
}

/// The row of a document.
///
/// # Errors
/// [`StoreError::Damaged`] where it was not written by [`document`].
pub(super) fn read<R: Row>(document: &RawDocument) -> Result<R> {
    R::read(values(&R::NOUN, document)?.into_iter())
}

/// The values of a document's row.
pub(super) fn values<'doc>(noun: &Noun, document: &'doc RawDocument) -> Result<Vec<Value<'doc>>> {
    let mut members = vec![None; noun.fields.len()];
    for found in document {
        let (name, value) = found.map_err(malformed)?;
        let mut fields = noun.fields.iter();
        if let Some(at) = fields.position(|field| member(noun, field.name) == name) {
            members[at] = Some(value);
        }
    }
    let mut values = Vec::with_capacity(members.len());
    for (field, found) in noun.fields.iter().zip(members) {
        if let [("", "")] = field.parts {
            values.push(found.map_or(Value::Null, value));
            continue;
        }
        let inner = found.and_then(|found| found.as_document());
        if inner.is_none() && found.is_some_and(|found| found != RawBsonRef::Null) {
            values.extend(field.parts.iter().map(|_| Value::Unknown));
            continue;
        }
        for (_, name) in field.parts {
            let part = inner.map(|inner| inner.get(name)).transpose();
            let part = part.map_err(malformed)?.flatten();
            values.push(part.map_or(Value::Null, value));
        }
    }
    Ok(values)
}

/// A field's name in a document.
pub(super) fn member(noun: &Noun, field: &'static str) -> &'static str {
    match noun.key {
        Some(key) if key == field => "_id",
        _ => field,
    }
}

pub(super) fn bson(value: Value<'_>) -> Option<Bson> {
    match value {
        Value::Null | Value::Unknown => None,
        Value::Integer(number) => Some(number.into()),
        Value::Text(text) => Some(text.into_owned().into()),
        Value::Bytes(bytes) => Some(binary(&bytes).into()),
        Value::Time(at) => Some(date(at).into()),
    }
}

fn value(member: RawBsonRef<'_>) -> Value<'_> {
    match member {
        RawBsonRef::Null => Value::Null,
        RawBsonRef::Int32(number) => Value::Integer(number.into()),
        RawBsonRef::Int64(number) => Value::Integer(number),
        RawBsonRef::String(text) => Value::Text(text.into()),
        RawBsonRef::Binary(binary) => Value::Bytes(binary.bytes.into()),
        RawBsonRef::DateTime(date) => time(date).map_or(Value::Unknown, Value::Time),
        _ => Value::Unknown,
    }
}

pub(super) fn malformed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("a document cannot be read: {error}"))
}
