//! Records for which a catalogue has no memory: read when a request needs them, in batches.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::OwnedRwLockReadGuard;

use super::filter::Filter;
use super::opening::{BATCH, Opened, open};
use super::order::Sort;
use super::{Catalogue, Entry};
use crate::ids::ImageId;
use crate::store::{Change, ImageState};
use crate::vault::error::Result;
use crate::vault::{Unlocked, Vault};

impl Vault {
    /// The same images, each with its record. An image that was removed meanwhile is left out.
    pub(in crate::vault) async fn whole(
        &self,
        who: &Unlocked,
        entries: Vec<Arc<Entry>>,
    ) -> Result<Vec<Arc<Entry>>> {
        let lacking = entries.iter().filter(|entry| entry.metadata.is_none());
        let lacking: Vec<_> = lacking.map(|entry| entry.id).collect();
        let mut read = HashMap::with_capacity(lacking.len());
        for ids in lacking.chunks(BATCH) {
            let opened = self.read_records(who, ids, None).await?;
            read.extend(opened.into_iter().map(|entry| (entry.id, Arc::new(entry))));
        }
        let whole = entries
            .into_iter()
            .filter_map(|entry| match entry.metadata {
                Some(_) => Some(entry),
                None => read.remove(&entry.id),
            });
        Ok(whole.collect())
    }

    /// The account's catalogue as [`Vault::catalogue`] gives it, and which of its images without a
    /// record the filter means, where only the record can tell.
    ///
    /// # Errors
    /// [`crate::vault::VaultError::Busy`] where others of the account, or of all, search like this
    /// for too long.
    pub(in crate::vault) async fn searched(
        &self,
        who: &Unlocked,
        sort: Sort,
        filter: &Filter,
        about: ImageState,
    ) -> Result<(OwnedRwLockReadGuard<Catalogue>, HashSet<ImageId>)> {
        let mut catalogue = self.catalogue(who, sort).await?;
        if catalogue.slim == 0 || !filter.asks_for_words() {
            return Ok((catalogue, HashSet::new()));
        }
        // Unlocked: a long search must not keep others from bringing the catalogue forward.
        drop(catalogue);
        let _turn = self.0.catalogues.deep.wait(who.id()).await?;
        let (mut looked, mut found) = (HashSet::new(), HashSet::new());
        loop {
            // Meanwhile further images may be without their record: those that were changed, or
            // all.
            catalogue = self.catalogue(who, sort).await?;
            let outer = filter.without_words();
            let ids;
            let lacking = move || {
                let ids = catalogue.without_record(&outer, about, &looked);
                (catalogue, looked, ids)
            };
            (catalogue, looked, ids) = self.walk(lacking).await?;
            if ids.is_empty() {
                return Ok((catalogue, found));
            }
            drop(catalogue);
            for ids in ids.chunks(BATCH) {
                let meant = Some((filter.clone(), about));
                let read = self.read_records(who, ids, meant).await?;
                found.extend(read.iter().map(|entry| entry.id));
            }
            looked.extend(ids);
        }
    }

    /// Opens the records of these images: of all, or of those that a filter means.
    async fn read_records(
        &self,
        who: &Unlocked,
        ids: &[ImageId],
        meant: Option<(Filter, ImageState)>,
    ) -> Result<Vec<Entry>> {
        let rows = self.store().records.images(who.id(), ids).await?;
        let keyring = who.keyring.clone();
        let read = move || {
            let nothing = HashSet::new();
            let meant = meant.as_ref();
            let meant = meant.map(|(filter, about)| filter.matcher(*about, &nothing));
            let rows = rows.into_iter().map(|row| Change::Put(Box::new(row)));
            let opened = open(&keyring, rows.collect())?.into_iter();
            let entries = opened.filter_map(|opened| match opened {
                Opened::Put(entry) => Some(*entry),
                Opened::Gone(_) | Opened::Damaged(_) => None,
            });
            let is_meant = |entry: &Entry| meant.as_ref().is_none_or(|meant| meant(entry));
            Ok(entries.filter(is_meant).collect())
        };
        self.walk(read).await?
    }
}

impl Catalogue {
    /// The images without a record that this filter means, but for those in `but`.
    fn without_record(
        &self,
        filter: &Filter,
        about: ImageState,
        but: &HashSet<ImageId>,
    ) -> Vec<ImageId> {
        let nothing = HashSet::new();
        let meant = filter.matcher(about, &nothing);
        let slim = self.entries.values().filter(|e| e.metadata.is_none());
        slim.filter(|entry| meant(entry) && !but.contains(&entry.id))
            .map(|entry| entry.id)
            .collect()
    }
}
