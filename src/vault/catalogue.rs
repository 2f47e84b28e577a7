//! The opened catalogue of each account in use: what lists, searches and selections are computed
//! from. Never holds a key; wiped when it is dropped.
//!
//! It is right on every process: whoever reads it first asks the store for the account's sequence
//! number and applies what is newer.

mod opening;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use self::opening::Opened;
use super::error::Result;
use super::listing::{Key, Sort};
use super::metadata::Metadata;
use super::search::Searchable;
use super::{Unlocked, Vault};
use crate::ids::AccountId;
use crate::ids::ImageId;
use crate::store::Change;
use crate::store::ImageRow;
use crate::store::ImageState;

/// A catalogue unused for this long is dropped. Far below the time after which the store forgets
/// tombstones, so that no catalogue ever misses one.
const KEEP_IDLE: SignedDuration = SignedDuration::from_mins(30);
/// Images in all catalogues together, at some 1 KB each; beyond it the longest unused are dropped.
const MAX_IMAGES: usize = 500_000;
/// Changes from which on orders are made anew instead of being kept up.
const REORDER_FROM: usize = 128;

/// One image, opened.
pub(super) struct Entry {
    pub(super) id: ImageId,
    /// Of the record that was opened.
    revision: u64,
    pub(super) state: ImageState,
    pub(super) uploaded_at: Timestamp,
    pub(super) trashed_at: Option<Timestamp>,
    /// When it was taken, else uploaded; milliseconds since 1970.
    pub(super) taken_ms: i64,
    pub(super) metadata: Arc<Metadata>,
    /// Name, caption, tags and camera.
    pub(super) searchable: Arc<Searchable>,
}

impl Entry {
    pub(super) fn new(row: &ImageRow, metadata: Metadata) -> Self {
        let texts = [&metadata.name, &metadata.caption]
            .into_iter()
            .chain(&metadata.tags)
            .chain(&metadata.camera);
        let searchable = Searchable::new(texts);
        Self {
            id: row.id,
            revision: row.revision,
            state: row.state,
            uploaded_at: row.uploaded_at,
            trashed_at: row.trashed_at,
            taken_ms: metadata
                .taken_at()
                .unwrap_or(row.uploaded_at)
                .as_millisecond(),
            metadata: Arc::new(metadata),
            searchable: Arc::new(searchable),
        }
    }

    /// The same record in a row that went to the trash or came back.
    fn moved(&self, row: &ImageRow) -> Self {
        Self {
            state: row.state,
            trashed_at: row.trashed_at,
            metadata: self.metadata.clone(),
            searchable: self.searchable.clone(),
            ..*self
        }
    }
}

/// How many images, and the bytes of their originals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) images: usize,
    pub(super) bytes: u64,
}

impl Tally {
    pub(super) fn add(&mut self, entry: &Entry) {
        self.images += 1;
        self.bytes += entry.metadata.size;
    }

    fn take_away(&mut self, entry: &Entry) {
        self.images -= 1;
        self.bytes -= entry.metadata.size;
    }
}

/// The opened images of one account.
#[derive(Default)]
pub(super) struct Catalogue {
    seq: u64,
    entries: HashMap<ImageId, Arc<Entry>>,
    /// Of the images of each state, so that nobody walks over all of them to say how many there are.
    tallies: HashMap<ImageState, Tally>,
    /// Ascending orders that somebody asked for, kept up with each change.
    orders: HashMap<Sort, Vec<Arc<Entry>>>,
    /// Images whose record does not open. They are kept out of lists, and counted.
    damaged: HashSet<ImageId>,
}

impl Catalogue {
    pub(super) fn get(&self, id: &ImageId) -> Option<&Arc<Entry>> {
        self.entries.get(id)
    }

    pub(super) fn damaged(&self) -> &HashSet<ImageId> {
        &self.damaged
    }

    /// The images of a state.
    pub(super) fn tally(&self, state: ImageState) -> Tally {
        self.tallies.get(&state).copied().unwrap_or_default()
    }

    /// The images in ascending order.
    pub(super) fn in_order(&self, sort: Sort) -> Option<&[Arc<Entry>]> {
        self.orders.get(&sort).map(Vec::as_slice)
    }

    /// What a change comes to where nothing has to be opened for it.
    fn known(&self, change: &Change) -> Option<Opened> {
        match change {
            Change::Gone { id, .. } => Some(Opened::Gone(*id)),
            Change::Put(row) => {
                let entry = self.entries.get(&row.id)?;
                let same = entry.revision == row.revision;
                same.then(|| Opened::Put(Box::new(entry.moved(row))))
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
        let entry = Arc::new(entry);
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
        self.tallies.entry(old.state).or_default().take_away(&old);
        for (sort, order) in &mut self.orders {
            if let Ok(at) = find(order, *sort, &sort.key(&old)) {
                order.remove(at);
            }
        }
    }

    fn apply(&mut self, opened: Vec<Opened>) {
        if opened.len() >= REORDER_FROM {
            // Sorted anew when somebody asks: moving each one into place would take longer.
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

/// Where a key stands in an ascending order, or where it would.
pub(super) fn find(
    order: &[Arc<Entry>],
    sort: Sort,
    key: &Key<'_>,
) -> std::result::Result<usize, usize> {
    order.binary_search_by(|entry| sort.key(entry).cmp(key))
}

/// The catalogues of all accounts in use.
pub(super) struct Catalogues(Mutex<HashMap<AccountId, Arc<Slot>>>);

struct Slot {
    catalogue: Arc<RwLock<Catalogue>>,
    /// Milliseconds since 1970.
    used_at: AtomicI64,
}

impl Catalogues {
    pub(super) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Lets go of an account that is gone.
    pub(super) fn forget(&self, account: &AccountId) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.remove(account);
    }

    fn slot(&self, account: &AccountId, now: Timestamp) -> Arc<RwLock<Catalogue>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.entry(*account).or_insert_with(|| {
            Arc::new(Slot {
                catalogue: Arc::default(),
                used_at: AtomicI64::new(0),
            })
        });
        slot.used_at.store(now.as_millisecond(), Ordering::Relaxed);
        slot.catalogue.clone()
    }

    /// Drops what was not used for a while, and the longest unused beyond the bound. One that is
    /// being read at this moment lives on with its reader.
    pub(super) fn evict(&self, now: Timestamp) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = (now - KEEP_IDLE).as_millisecond();
        slots.retain(|_, slot| slot.used_at.load(Ordering::Relaxed) >= oldest);
        let mut sizes: Vec<_> = slots
            .iter()
            .map(|(account, slot)| {
                // One that is being filled right now counts as empty until the next time.
                let size = slot.catalogue.try_read().map_or(0, |c| c.entries.len());
                (slot.used_at.load(Ordering::Relaxed), size, *account)
            })
            .collect();
        sizes.sort_unstable();
        let mut total: usize = sizes.iter().map(|(_, size, _)| size).sum();
        for (_, size, account) in sizes {
            if total <= MAX_IMAGES {
                break;
            }
            slots.remove(&account);
            total -= size;
        }
    }
}

impl Vault {
    /// The account's catalogue as of now, with its images in this order.
    pub(super) async fn catalogue(
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
            self.bring_forward(who, &mut catalogue).await?;
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
