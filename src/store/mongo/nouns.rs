//! What is the same for all nouns: rows are found by their key, end, go with their account, make room
//! for newer ones, and keep blobs alive.

use std::collections::HashSet;

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Bson, Document, RawDocument, doc};

use crate::ids::{AccountId, BlobId};

use super::super::field::Value;
use super::super::nouns::{Values, Which};
use super::super::row::Noun;
use super::super::{NOUNS, Removed, Result, Rows, StoreError};
use super::Mongo;
use super::documents::{date, texts};
use super::rows::{bson, malformed, member, of_values, values};

impl Mongo {
    /// Removes what the filter finds; returns how many.
    async fn delete(&self, noun: &Noun, filter: Document) -> Result<u64> {
        let rows = self.collection(noun);
        let deleted = self.answer(rows.delete_many(filter)).await?;
        Ok(deleted.deleted_count)
    }

    /// Removes all that goes with an account, but what holds blobs.
    pub(super) async fn remove_all_of(&self, account: &AccountId) -> Result<()> {
        for noun in NOUNS.iter().filter(|noun| !noun.holds_blobs()) {
            if let Some(owner) = noun.owner() {
                let own = doc! { member(noun, owner): account.to_string() };
                self.delete(noun, own).await?;
            }
        }
        Ok(())
    }

    /// Removes rows of the noun that the filter finds. Of two who do so at once both may be told of
    /// a row's blobs: removing them twice does no harm.
    async fn remove(
        &self,
        noun: &Noun,
        filter: Document,
        order: &str,
        limit: u32,
    ) -> Result<Removed> {
        if !noun.holds_blobs() {
            let rows = self.delete(noun, filter).await?;
            return Ok(Removed {
                rows,
                blobs: Vec::new(),
            });
        }
        if limit == 0 {
            return Ok(Removed::default()); // to MongoDB it means "no limit"
        }
        let collection = self.collection(noun);
        let find = collection
            .find(filter)
            .sort(doc! { order: 1 })
            .limit(limit.into())
            .projection(blob_ids(noun));
        let found = self.collect(find).await?;
        let mut blobs = Vec::new();
        let mut keys = Vec::with_capacity(found.len());
        for row in &found {
            blobs.extend(blobs_of(noun, row)?);
            let key = row.get("_id").map_err(malformed)?.ok_or_else(no_key)?;
            keys.push(Bson::try_from(key).map_err(malformed)?);
        }
        let rows = self.delete(noun, doc! { "_id": { "$in": keys } }).await?;
        Ok(Removed { rows, blobs })
    }
}

/// What finds the row.
pub(super) fn filter(noun: &'static Noun, which: Which) -> Result<Document> {
    let mut filter = doc! { "_id": bson(which.key) };
    if let Some(account) = which.owner {
        let owner = noun.owned()?;
        filter.insert(member(noun, owner), account.to_string());
    }
    if let Some(now) = which.live_at {
        let (times, until) = noun.ending(now)?;
        for time in times {
            filter.insert(*time, doc! { "$gt": date(until) });
        }
    }
    Ok(filter)
}

fn own_values(noun: &Noun, row: &RawDocument) -> Result<Values> {
    let values = values(noun, row)?.into_iter();
    Ok(values.map(Value::into_owned).collect())
}

fn blob_ids(noun: &Noun) -> Document {
    let ids = noun.blobs().map(|blob| (format!("{blob}.id"), 1.into()));
    ids.collect()
}

fn blobs_of(noun: &Noun, row: &RawDocument) -> Result<Vec<BlobId>> {
    let mut blobs = Vec::new();
    for blob in noun.blobs() {
        let Some(found) = row.get(blob).map_err(malformed)? else {
            continue;
        };
        let id = found.as_document().and_then(|blob| blob.get_str("id").ok());
        let id = id
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| StoreError::Damaged(format!("`{blob}` of `{}` has no id", noun.name)))?;
        blobs.push(id);
    }
    Ok(blobs)
}

fn no_key() -> StoreError {
    StoreError::Damaged("a document has no `_id`".into())
}

#[async_trait]
impl Rows for Mongo {
    async fn insert_row(&self, noun: &'static Noun, values: Values) -> Result<()> {
        let row = of_values(noun, values);
        let owner = noun.owner().and_then(|owner| row.get(member(noun, owner)));
        let owner = owner.cloned();
        let rows = self.collection(noun).clone_with_type();
        self.answer(rows.insert_one(row)).await?;
        // A row may be nobody's.
        match (noun.newest, noun.owner(), owner) {
            (Some((time, most)), Some(field), Some(owner)) => {
                let own = doc! { member(noun, field): owner };
                self.keep_newest(noun, own, time, most).await
            }
            _ => Ok(()),
        }
    }

    async fn find_row(&self, noun: &'static Noun, which: Which) -> Result<Option<Values>> {
        let rows = self.collection(noun);
        let found = self.answer(rows.find_one(filter(noun, which)?)).await?;
        found.map(|row| own_values(noun, &row)).transpose()
    }

    async fn take_row(&self, noun: &'static Noun, which: Which) -> Result<Option<Values>> {
        let rows = self.collection(noun);
        let take = rows.find_one_and_delete(filter(noun, which)?);
        let taken = self.answer(take).await?;
        taken.map(|row| own_values(noun, &row)).transpose()
    }

    async fn remove_row(&self, noun: &'static Noun, which: Which) -> Result<()> {
        let rows = self.collection(noun);
        self.answer(rows.delete_one(filter(noun, which)?)).await?;
        Ok(())
    }

    async fn newest_rows(
        &self,
        noun: &'static Noun,
        account: &AccountId,
        limit: u32,
    ) -> Result<Vec<Values>> {
        let own = doc! { member(noun, noun.owned()?): account.to_string() };
        let (rows, newest) = (self.collection(noun), doc! { noun.ordered()?: -1 });
        let found = self.collect(rows.find(own).sort(newest).limit(limit.into()));
        let found = found.await?;
        found.iter().map(|row| own_values(noun, row)).collect()
    }

    async fn remove_ended(
        &self,
        noun: &'static Noun,
        now: Timestamp,
        limit: u32,
    ) -> Result<Removed> {
        let Some((times, until)) = noun.ended(now) else {
            return Ok(Removed::default());
        };
        let times: Vec<&str> = times.iter().map(|time| member(noun, time)).collect();
        let over = times
            .iter()
            .map(|time| doc! { *time: { "$lte": date(until) } });
        let over = doc! { "$or": over.collect::<Vec<_>>() };
        self.remove(noun, over, times[0], limit).await
    }

    async fn remove_owned(
        &self,
        noun: &'static Noun,
        account: &AccountId,
        limit: u32,
    ) -> Result<Removed> {
        let Some(owner) = noun.owner().map(|owner| member(noun, owner)) else {
            return Ok(Removed::default());
        };
        let own = doc! { owner: account.to_string() };
        self.remove(noun, own, owner, limit).await
    }

    async fn referenced_blobs(&self, ids: &[BlobId]) -> Result<HashSet<BlobId>> {
        let asked: HashSet<BlobId> = ids.iter().copied().collect();
        let these = doc! { "$in": texts(ids) };
        let mut referenced = HashSet::new();
        for noun in NOUNS.iter().filter(|noun| noun.holds_blobs()) {
            let any = noun
                .blobs()
                .map(|blob| doc! { format!("{blob}.id"): these.clone() });
            let any = doc! { "$or": any.collect::<Vec<_>>() };
            let collection = self.collection(noun);
            let find = collection.find(any).projection(blob_ids(noun));
            for row in &self.collect(find).await? {
                referenced.extend(blobs_of(noun, row)?);
            }
        }
        Ok(referenced.intersection(&asked).copied().collect())
    }
}
