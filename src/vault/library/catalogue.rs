//! The opened catalogue of each account in use: what lists, searches and selections are computed
//! from. Never holds a key; wiped when it is dropped.
//!
//! It is up to date on every process: each call that reads it first asks the store for the
//! account's sequence number and applies the changes that are newer. Its memory is bounded: beyond
//! an account's part of it, only what every list needs of an image is kept (`entry`), and the
//! image's record is read when a request needs it (`beyond`).

mod beyond;
mod entry;
mod filter;
mod kept;
mod opening;
mod order;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::OwnedRwLockReadGuard;

pub(in crate::vault) use self::entry::Entry;
pub use self::filter::Filter;
pub(in crate::vault) use self::kept::Catalogues;
use self::opening::Opened;
pub use self::order::Sort;
pub(super) use self::order::{Key, Place};
use crate::ids::ImageId;
use crate::store::Change;
use crate::store::ImageState;
use crate::vault::Unlocked;
use crate::vault::Vault;
use crate::vault::error::Result;

/// From this many changes on, the orders are sorted anew instead of updated change by change.
const REORDER_FROM: usize = 128;

/// Bytes of memory of an image whose record does not open: its slot in the set, half empty at
/// worst.
const DAMAGED_WEIGHT: usize = 48;

/// How many images, and the bytes of their originals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) images: usize,
    pub(super) bytes: u64,
}

impl Tally {
    pub(super) fn add(&mut self, entry: &Entry) {
        self.images += 1;
        self.bytes += entry.facts.size;
    }

    fn take_away(&mut self, entry: &Entry) {
        self.images -= 1;
        self.bytes -= entry.facts.size;
    }
}

/// The opened images of one account.
pub(in crate::vault) struct Catalogue {
    seq: u64,
    entries: HashMap<ImageId, Arc<Entry>>,
    /// The tally of each state, so that no list has to walk over all images to count them.
    tallies: HashMap<ImageState, Tally>,
    /// Ascending orders that a request has asked for, updated with each change.
    orders: HashMap<Sort, Vec<Arc<Entry>>>,
    /// Images whose record does not open. They are kept out of lists, and counted.
    damaged: HashSet<ImageId>,
    /// Images whose record is not in memory.
    slim: usize,
    /// Bytes of memory of all images.
    weight: usize,
    /// Bytes of memory up to which records are kept.
    part: usize,
}

impl Catalogue {
    /// An empty catalogue that keeps records up to `part` bytes of memory.
    fn new(part: usize) -> Self {
        Self {
            seq: 0,
            entries: HashMap::new(),
            tallies: HashMap::new(),
            orders: HashMap::new(),
            damaged: HashSet::new(),
            slim: 0,
            weight: 0,
            part,
        }
    }

    /// Bytes of memory that the catalogue takes.
    fn weight(&self) -> usize {
        self.weight + self.damaged.len() * DAMAGED_WEIGHT
    }

    /// From now on no further record is kept in memory.
    fn is_full(&mut self) {
        self.part = self.part.min(self.weight);
    }

    pub(in crate::vault) fn get(&self, id: &ImageId) -> Option<&Arc<Entry>> {
        self.entries.get(id)
    }

    pub(in crate::vault) fn damaged(&self) -> &HashSet<ImageId> {
        &self.damaged
    }

    /// The images of a state.
    pub(super) fn tally(&self, state: ImageState) -> Tally {
        self.tallies.get(&state).copied().unwrap_or_default()
    }

    /// The images in ascending order.
    pub(in crate::vault) fn in_order(&self, sort: Sort) -> Option<&[Arc<Entry>]> {
        self.orders.get(&sort).map(Vec::as_slice)
    }

    /// The outcome of a change for which no record has to be opened.
    fn known(&self, change: &Change) -> Option<Opened> {
        match change {
            Change::Gone { id, .. } => Some(Opened::Gone(*id)),
            Change::Put(row) => {
                let entry = self.entries.get(&row.id)?;
                entry
                    .is_of(row)
                    .then(|| Opened::Put(Box::new(entry.moved(row))))
            }
        }
    }

    fn build_order(&mut self, sort: Sort) {
        let mut order: Vec<_> = self.entries.values().cloned().collect();
        order.sort_unstable_by(|a, b| sort.key(a).cmp(&sort.key(b)));
        self.orders.insert(sort, order);
    }

    fn put(&mut self, entry: Entry) {
        self.remove(&entry.id);
        let is_too_much = self.weight + entry.weight() > self.part;
        let entry = Arc::new(if is_too_much { entry.slim() } else { entry });
        self.weight += entry.weight();
        self.slim += usize::from(entry.metadata.is_none());
        for (sort, order) in &mut self.orders {
            if let Err(at) = find(order, *sort, &sort.key(&entry)) {
                order.insert(at, entry.clone());
            }
        }
        self.tallies.entry(entry.state).or_default().add(&entry);
        self.entries.insert(entry.id, entry);
    }

    fn remove(&mut self, id: &ImageId) {
        self.damaged.remove(id);
        let Some(old) = self.entries.remove(id) else {
            return;
        };
        self.weight -= old.weight();
        self.slim -= usize::from(old.metadata.is_none());
        self.tallies.entry(old.state).or_default().take_away(&old);
        for (sort, order) in &mut self.orders {
            if let Ok(at) = find(order, *sort, &sort.key(&old)) {
                order.remove(at);
            }
        }
    }

    fn apply(&mut self, opened: Vec<Opened>) {
        if opened.len() >= REORDER_FROM {
            // The next list sorts them anew: moving each image into place would take longer.
            self.orders.clear();
        }
        for change in opened {
            match change {
                Opened::Put(entry) => self.put(*entry),
                Opened::Gone(id) => self.remove(&id),
                Opened::Damaged(id) => {
                    self.remove(&id);
                    self.damaged.insert(id);
                }
            }
        }
    }
}

/// Index of a key in an ascending order, or else where it would be inserted.
pub(super) fn find(
    order: &[Arc<Entry>],
    sort: Sort,
    key: &Key<'_>,
) -> std::result::Result<usize, usize> {
    order.binary_search_by(|entry| sort.key(entry).cmp(key))
}

impl Vault {
    /// The account's catalogue as of now, with its images in this order.
    pub(in crate::vault) async fn catalogue(
        &self,
        who: &Unlocked,
        sort: Sort,
    ) -> Result<OwnedRwLockReadGuard<Catalogue>> {
        let slot = self.0.catalogues.slot(who.id(), self.now());
        let seq = self.store().records.sequence(who.id()).await?;
        {
            let current = slot.clone().read_owned().await;
            if current.seq >= seq && current.orders.contains_key(&sort) {
                return Ok(current);
            }
        }
        let mut catalogue = slot.write_owned().await;
        if catalogue.seq < seq {
            self.bring_forward(who, &mut catalogue, seq).await?;
            catalogue.seq = catalogue.seq.max(seq);
        }
        if !catalogue.orders.contains_key(&sort) {
            catalogue = tokio::task::spawn_blocking(move || {
                catalogue.build_order(sort);
                catalogue
            })
            .await?;
        }
        Ok(catalogue.downgrade())
    }
}

#[cfg(test)]
pub(super) mod tests;
