//! Rows as SQLite's statements take and give them, by the description of their noun.

use rusqlite::types::{ToSql, ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{Connection, Params, Statement};

use super::super::Result;
use super::super::field::Value;
use super::super::nouns::Values;
use super::super::row::{Noun, Row};
use super::database::Database;

impl Database {
    /// The one row that a statement finds, all columns selected.
    pub(super) async fn one<R: Row>(
        &self,
        sql: &'static str,
        params: impl Params + Send + 'static,
    ) -> Result<Option<R>> {
        self.read(move |db| one(db, sql, params)).await
    }

    /// All rows that a statement finds, all columns selected.
    pub(super) async fn all<R: Row>(
        &self,
        sql: &'static str,
        params: impl Params + Send + 'static,
    ) -> Result<Vec<R>> {
        self.read(move |db| all(db, sql, params)).await
    }

    /// The rows that a statement removes and returns, in a transaction of its own.
    pub(super) async fn take<R: Row>(
        &self,
        sql: &'static str,
        params: impl Params + Send + 'static,
    ) -> Result<Vec<R>> {
        self.write(move |db| all(db, sql, params)).await
    }

    /// Carries out a statement in a transaction of its own; returns how many rows it changed.
    pub(super) async fn execute(
        &self,
        sql: &'static str,
        params: impl Params + Send + 'static,
    ) -> Result<u64> {
        self.write(move |db| Ok(db.prepare_cached(sql)?.execute(params)? as u64))
            .await
    }
}

pub(super) fn insert<R: Row>(connection: &Connection, row: &R) -> Result<()> {
    insert_values(connection, &R::NOUN, &row.write())
}

pub(super) fn insert_values(
    connection: &Connection,
    noun: &Noun,
    values: &[Value<'_>],
) -> Result<()> {
    let places: Vec<String> = (1..=values.len()).map(|n| format!("?{n}")).collect();
    let (table, columns, places) = (noun.name, columns(noun).join(", "), places.join(", "));
    let sql = format!("INSERT INTO {table} ({columns}) VALUES ({places})");
    let mut insert = connection.prepare_cached(&sql)?;
    insert.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}

/// Replaces the row of this key where a column of it still has a value; `false` where it has not.
pub(super) fn replace<R: Row>(
    connection: &Connection,
    row: &R,
    column: &str,
    known: &dyn ToSql,
) -> Result<bool> {
    let (values, columns) = (row.write(), columns(&R::NOUN));
    let (table, key, count) = (R::NOUN.name, &columns[0], columns.len());
    let set: Vec<String> = (1..)
        .zip(&columns)
        .map(|(n, column)| format!("{column} = ?{n}"))
        .collect();
    let set = set.join(", ");
    let sql = format!(
        "UPDATE {table} SET {set} WHERE {key} = ?1 AND {column} = ?{}",
        count + 1
    );
    let values = values.iter().map(|value| value as &dyn ToSql);
    let params: Vec<&dyn ToSql> = values.chain([known]).collect();
    Ok(connection.prepare_cached(&sql)?.execute(&*params)? == 1)
}

pub(super) fn one<R: Row>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Option<R>> {
    let mut found = all(connection, sql, params)?;
    Ok(found.pop())
}

pub(super) fn all<R: Row>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Vec<R>> {
    each(connection, &R::NOUN, sql, params, Places::read)
}

pub(super) fn all_values(
    connection: &Connection,
    noun: &Noun,
    sql: &str,
    params: impl Params,
) -> Result<Vec<Values>> {
    each(connection, noun, sql, params, |places, row| {
        let values = places.values(row)?.into_iter();
        Ok(values.map(Value::into_owned).collect())
    })
}

/// What each row of a statement is read as.
pub(super) fn each<T>(
    connection: &Connection,
    noun: &Noun,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Places, &rusqlite::Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(params)?;
    let (mut all, mut places) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let places = match &places {
            Some(places) => places,
            None => places.insert(Places::of(noun, row.as_ref())?),
        };
        all.push(read(places, row)?);
    }
    Ok(all)
}

/// The columns of a noun, in the order of its values.
pub(super) fn columns(noun: &Noun) -> Vec<String> {
    let fields = noun.fields.iter();
    let columns = fields.flat_map(|field| {
        let parts = field.parts.iter();
        parts.map(|(ending, _)| format!("{}{ending}", field.name))
    });
    columns.collect()
}

/// Where a statement's rows have the values of a noun. Asked at the first row: another process may
/// have brought the schema forward, and the statement is compiled anew as its first row is read.
pub(super) struct Places(Vec<usize>);

impl Places {
    fn of(noun: &Noun, statement: &Statement<'_>) -> Result<Self> {
        let columns = columns(noun);
        let places = columns.iter().map(|column| statement.column_index(column));
        Ok(Self(places.collect::<rusqlite::Result<_>>()?))
    }

    pub(super) fn read<R: Row>(&self, row: &rusqlite::Row<'_>) -> Result<R> {
        R::read(self.values(row)?.into_iter())
    }

    fn values<'row>(&self, row: &'row rusqlite::Row<'_>) -> Result<Vec<Value<'row>>> {
        let values = self.0.iter();
        let values = values.map(|place| row.get_ref(*place).map(value));
        Ok(values.collect::<rusqlite::Result<_>>()?)
    }
}

fn value(column: ValueRef<'_>) -> Value<'_> {
    match column {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => match str::from_utf8(text) {
            Ok(text) => Value::Text(text.into()),
            Err(_) => Value::Unknown,
        },
        ValueRef::Blob(bytes) => Value::Bytes(bytes.into()),
        ValueRef::Real(_) => Value::Unknown,
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null | Self::Unknown => ToSqlOutput::Owned(Owned::Null),
            Self::Integer(number) => (*number).into(),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Time(at) => at.as_millisecond().into(),
        })
    }
}
