//! Every kind of row that there is, and what is the same for all: rows end, go with their account, and
//! keep blobs alive. Both backends compute these from the table, and the conformance suite walks it:
//! a noun that is missing here, or has no sample there, fails it.

use std::collections::HashSet;

use async_trait::async_trait;
use jiff::Timestamp;

use super::factors::FACTORS;
use super::field::{Field, Value};
use super::images::TOMBSTONES;
use super::quotas::SEQUENCES;
use super::row::Row;
use super::{
    AccountRow, ArchiveRow, DepartedRow, EventRow, ImageRow, InvitationRow, Noun, PendingRow,
    Result, SessionRow, TriesRow,
};
use crate::ids::{AccountId, BlobId};

/// All nouns. What there is besides are single values (`meta`) and blobs.
pub static NOUNS: &[&Noun] = &[
    &AccountRow::NOUN,
    &DepartedRow::NOUN,
    &SessionRow::NOUN,
    &InvitationRow::NOUN,
    &EventRow::NOUN,
    &FACTORS,
    &PendingRow::NOUN,
    &TriesRow::NOUN,
    &SEQUENCES,
    &ImageRow::NOUN,
    &TOMBSTONES,
    &ArchiveRow::NOUN,
];

/// What was removed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Removed {
    /// How many rows.
    pub rows: u64,
    /// The blobs that they kept alive, for the caller to remove.
    pub blobs: Vec<BlobId>,
}

/// Which row is meant.
#[derive(Debug, Clone)]
pub struct Which {
    /// The row's key.
    pub(super) key: Value<'static>,
    /// Whose it must be.
    pub(super) owner: Option<AccountId>,
    /// When it must not have ended.
    pub(super) live_at: Option<Timestamp>,
}

impl Which {
    /// The row with this key.
    pub(super) fn has(key: &impl Field) -> Self {
        let mut values = Vec::with_capacity(1);
        key.write(&mut values);
        Self {
            key: values.pop().map_or(Value::Null, Value::into_owned),
            owner: None,
            live_at: None,
        }
    }

    /// Unless it is another's.
    pub(super) fn of(self, account: &AccountId) -> Self {
        Self {
            owner: Some(*account),
            ..self
        }
    }

    /// Unless it has ended.
    pub(super) fn live_at(self, now: Timestamp) -> Self {
        Self {
            live_at: Some(now),
            ..self
        }
    }
}

/// The values of a row, in the order of its noun's fields.
pub(super) type Values = Vec<Value<'static>>;

/// The part of [`super::Records`] that is the same for every noun, with the same promises. The traits
/// of nouns that need no more than this are written on it, once for both backends.
#[async_trait]
pub trait Rows: Send + Sync {
    /// Inserts a row of these values. Where the noun has a bound for each account, the newest rows
    /// within it stay, and those of the same moment as the last of them.
    async fn insert_row(&self, noun: &'static Noun, values: Values) -> Result<()>;

    /// The row, if there is such a one.
    async fn find_row(&self, noun: &'static Noun, which: Which) -> Result<Option<Values>>;

    /// Removes the row and returns it, if there is such a one: one of all who ask gets it.
    async fn take_row(&self, noun: &'static Noun, which: Which) -> Result<Option<Values>>;

    /// Removes the row, if there is such a one. MongoDB keeps for a while what a call returns that
    /// removes a document: so nothing is taken that is not wanted.
    async fn remove_row(&self, noun: &'static Noun, which: Which) -> Result<()>;

    /// Up to `limit` rows of the account, the newest first.
    async fn newest_rows(
        &self,
        noun: &'static Noun,
        account: &AccountId,
        limit: u32,
    ) -> Result<Vec<Values>>;

    /// Removes rows of the noun that have ended at `now`: all of a noun without blobs, of others up
    /// to `limit`, those that ended first.
    async fn remove_ended(
        &self,
        noun: &'static Noun,
        now: Timestamp,
        limit: u32,
    ) -> Result<Removed>;

    /// Removes up to `limit` rows of the noun that the account owns. For an account that has
    /// departed: no sequence number rises.
    async fn remove_owned(
        &self,
        noun: &'static Noun,
        account: &AccountId,
        limit: u32,
    ) -> Result<Removed>;

    /// Those of the ids that any row keeps alive. At most 1,000 ids a call.
    async fn referenced_blobs(&self, ids: &[BlobId]) -> Result<HashSet<BlobId>>;
}

/// [`Rows::insert_row`] of a typed row.
pub(super) async fn insert<R: Row>(rows: &(impl Rows + ?Sized), row: &R) -> Result<()> {
    let values = row.write().into_iter().map(Value::into_owned).collect();
    rows.insert_row(&R::NOUN, values).await
}

/// [`Rows::find_row`] as a typed row.
pub(super) async fn find<R: Row>(rows: &(impl Rows + ?Sized), which: Which) -> Result<Option<R>> {
    let found = rows.find_row(&R::NOUN, which).await?;
    found.map(|values| R::read(values.into_iter())).transpose()
}

/// [`Rows::take_row`] as a typed row.
pub(super) async fn take<R: Row>(rows: &(impl Rows + ?Sized), which: Which) -> Result<Option<R>> {
    let taken = rows.take_row(&R::NOUN, which).await?;
    taken.map(|values| R::read(values.into_iter())).transpose()
}

/// [`Rows::newest_rows`] as typed rows.
pub(super) async fn newest<R: Row>(
    rows: &(impl Rows + ?Sized),
    account: &AccountId,
    limit: u32,
) -> Result<Vec<R>> {
    let found = rows.newest_rows(&R::NOUN, account, limit).await?;
    let rows = found.into_iter();
    rows.map(|values| R::read(values.into_iter())).collect()
}
