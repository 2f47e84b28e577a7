//! The catalogues of all accounts in use, within the memory that the operator sets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{RwLock, Semaphore};

use super::Catalogue;
use crate::config;
use crate::ids::AccountId;
use crate::vault::Vault;
use crate::vault::error::{Result, VaultError};
use crate::vault::turns::Few;

/// A catalogue unused for this long is dropped. Far below the time after which the store forgets
/// tombstones, so that no catalogue ever misses one.
const KEEP_IDLE: SignedDuration = SignedDuration::from_mins(30);
/// Bytes of memory reckoned for an image whose record is not kept: an ordinary one takes 340, one
/// with the longest name 840.
pub(super) const SLIM: u64 = 512;
/// Catalogues brought forward at once: each has some batches of opened records in hand.
const OPENED_AT_ONCE: usize = 4;
/// Walks over catalogues at once: so many keep the cores busy, and each has memory of its own.
const WALKS_AT_ONCE: usize = 4;
/// Searches at once in records that are not in memory.
const DEEP_AT_ONCE: usize = 2;

/// The catalogues of all accounts in use.
pub(in crate::vault) struct Catalogues {
    limits: config::Catalogue,
    slots: Mutex<HashMap<AccountId, Slot>>,
    pub(super) opening: Semaphore,
    walks: Arc<Semaphore>,
    /// Searches in records that are not in memory.
    pub(super) deep: Few,
}

struct Slot {
    catalogue: Arc<RwLock<Catalogue>>,
    /// Milliseconds since 1970.
    used_at: i64,
    /// Bytes of memory, as last weighed.
    weight: usize,
    /// Whether it would have become heavier, had there been room.
    is_capped: bool,
}

impl Catalogues {
    pub(in crate::vault) fn new(limits: &config::Catalogue) -> Self {
        Self {
            limits: *limits,
            slots: Mutex::default(),
            opening: Semaphore::new(OPENED_AT_ONCE),
            walks: Arc::new(Semaphore::new(WALKS_AT_ONCE)),
            deep: Few::new(DEEP_AT_ONCE),
        }
    }

    /// Most images of one account: as many as fit, without their records, into the memory of all
    /// catalogues.
    pub(in crate::vault) fn most_images(&self) -> u64 {
        self.limits.memory_bytes / SLIM
    }

    /// Drops the catalogue of an account that is gone.
    pub(in crate::vault) fn forget(&self, account: &AccountId) {
        let gone = self.slots().remove(account);
        let_go(gone.into_iter().collect());
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<AccountId, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn slot(&self, account: &AccountId, now: Timestamp) -> Arc<RwLock<Catalogue>> {
        let mut slots = self.slots();
        let outlived = slots
            .get(account)
            .is_some_and(|slot| self.is_outlived(slot, &slots, now));
        let old = outlived.then(|| slots.remove(account)).flatten();
        let slot = slots.entry(*account).or_insert_with(|| Slot {
            catalogue: Arc::new(RwLock::new(Catalogue::new(self.part()))),
            used_at: 0,
            weight: 0,
            is_capped: false,
        });
        slot.used_at = now.as_millisecond();
        let catalogue = slot.catalogue.clone();
        drop(slots);
        let_go(old.into_iter().collect());
        catalogue
    }

    /// Whether a catalogue is to be opened anew: it may have missed a tombstone, or there is room
    /// by now for the records that it does without.
    fn is_outlived(&self, slot: &Slot, slots: &HashMap<AccountId, Slot>, now: Timestamp) -> bool {
        let is_read = Arc::strong_count(&slot.catalogue) > 1;
        let others = || slots.values().map(|slot| slot.weight).sum::<usize>() - slot.weight;
        let fits = || (others() + self.part()) as u64 <= self.limits.memory_bytes;
        slot.used_at < oldest(now) || slot.is_capped && !is_read && fits()
    }

    fn part(&self) -> usize {
        let bytes = self.limits.account_bytes.min(self.limits.memory_bytes);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Notes what a catalogue weighs, and drops others, the least recently used first, where all
    /// are too heavy. Returns whether there is room for more: a catalogue that is in use stays.
    pub(super) fn weigh(&self, account: &AccountId, weight: usize) -> bool {
        let mut slots = self.slots();
        if let Some(slot) = slots.get_mut(account) {
            slot.weight = weight;
        }
        let (has_room, dropped) = self.make_room(&mut slots);
        if let Some(slot) = slots.get_mut(account) {
            slot.is_capped |= !has_room;
        }
        drop(slots);
        let_go(dropped);
        has_room
    }

    /// Drops catalogues that were not used for a while, and the least recently used beyond the
    /// bound.
    pub(in crate::vault) fn evict(&self, now: Timestamp) {
        let mut slots = self.slots();
        let oldest = oldest(now);
        let unused = slots.extract_if(|_, slot| slot.used_at < oldest);
        let mut dropped: Vec<_> = unused.map(|(_, slot)| slot).collect();
        dropped.extend(self.make_room(&mut slots).1);
        drop(slots);
        let_go(dropped);
    }

    /// Takes catalogues out until the rest fits. Returns whether it does, and those taken out.
    fn make_room(&self, slots: &mut HashMap<AccountId, Slot>) -> (bool, Vec<Slot>) {
        let mut dropped = Vec::new();
        loop {
            let total: usize = slots.values().map(|slot| slot.weight).sum();
            if total as u64 <= self.limits.memory_bytes {
                return (true, dropped);
            }
            let idle = slots
                .iter()
                // A call that reads or fills a catalogue holds a reference to it.
                .filter(|(_, slot)| slot.weight > 0 && Arc::strong_count(&slot.catalogue) == 1)
                .min_by_key(|(_, slot)| slot.used_at);
            let Some(account) = idle.map(|(account, _)| *account) else {
                return (false, dropped);
            };
            dropped.extend(slots.remove(&account));
        }
    }
}

/// A catalogue that was last used before this time counts as unused.
fn oldest(now: Timestamp) -> i64 {
    (now - KEEP_IDLE).as_millisecond()
}

/// Wiping a large catalogue takes its time: not on a thread that answers.
fn let_go(slots: Vec<Slot>) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) if !slots.is_empty() => drop(runtime.spawn_blocking(|| drop(slots))),
        _ => drop(slots),
    }
}

impl Vault {
    /// Walks over a catalogue on a thread that may take its time: a few at once, so that what they
    /// build is never in memory many times over.
    pub(in crate::vault) async fn walk<T: Send + 'static>(
        &self,
        walk: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let turn = self.0.catalogues.walks.clone().acquire_owned().await;
        let turn = turn.map_err(|_| VaultError::Internal("walks have ended".into()))?;
        let walk = move || {
            // Held until the walk is done, even if the caller has gone.
            let _turn = turn;
            walk()
        };
        Ok(tokio::task::spawn_blocking(walk).await?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn account(n: u8) -> AccountId {
        AccountId::from_bytes([n; 16])
    }

    fn kept(catalogues: &Catalogues) -> Vec<AccountId> {
        let mut kept: Vec<_> = catalogues.slots().keys().copied().collect();
        kept.sort_unstable();
        kept
    }

    /// Room for 100 bytes, and accounts that were used one after the other.
    fn filled(weights: &[usize]) -> Catalogues {
        let catalogues = Catalogues::new(&config::Catalogue {
            memory_bytes: 100,
            account_bytes: 50,
        });
        for (n, weight) in (1..).zip(weights) {
            let at = NOW + SignedDuration::from_secs(i64::from(n));
            drop(catalogues.slot(&account(n), at));
            assert!(catalogues.weigh(&account(n), *weight));
        }
        catalogues
    }

    #[test]
    fn the_longest_unused_goes_first_as_soon_as_all_are_too_heavy() {
        let catalogues = filled(&[40, 40, 20]);
        assert_eq!(kept(&catalogues).len(), 3);
        drop(catalogues.slot(&account(1), NOW + SignedDuration::from_secs(10)));
        assert!(catalogues.weigh(&account(3), 50));
        assert_eq!(kept(&catalogues), [account(1), account(3)]);
    }

    #[test]
    fn what_is_read_at_the_moment_is_not_dropped_and_leaves_no_room() {
        let catalogues = filled(&[50, 50]);
        let read = [1, 2, 3].map(|n| catalogues.slot(&account(n), NOW));
        assert!(!catalogues.weigh(&account(3), 10));
        assert_eq!(kept(&catalogues).len(), 3);
        drop(read);
        catalogues.evict(NOW);
        assert_eq!(kept(&catalogues).len(), 2);
    }

    #[test]
    fn one_that_is_not_used_is_forgotten() {
        let catalogues = filled(&[1, 1]);
        let last = NOW + SignedDuration::from_secs(2);
        catalogues.evict(last + KEEP_IDLE);
        assert_eq!(kept(&catalogues), [account(2)]);
    }

    /// Whether the catalogue of the account is still the one that was opened at first.
    fn is_kept(catalogues: &Catalogues, first: &Weak<RwLock<Catalogue>>, at: Timestamp) -> bool {
        let now = catalogues.slot(&account(1), at);
        Weak::ptr_eq(&Arc::downgrade(&now), first)
    }

    #[test]
    fn one_that_may_have_missed_a_tombstone_is_opened_anew() {
        let catalogues = filled(&[10]);
        let used = NOW + SignedDuration::from_secs(1);
        let first = Arc::downgrade(&catalogues.slot(&account(1), used));
        assert!(is_kept(&catalogues, &first, used + KEEP_IDLE));
        let much_later = used + KEEP_IDLE + KEEP_IDLE + SignedDuration::from_secs(1);
        assert!(!is_kept(&catalogues, &first, much_later));
    }

    #[test]
    fn one_that_had_no_room_is_opened_anew_once_there_is_some() {
        let catalogues = filled(&[20, 40, 40]);
        let read = [1, 2, 3].map(|n| catalogues.slot(&account(n), NOW));
        let first = Arc::downgrade(&read[0]);
        assert!(!catalogues.weigh(&account(1), 30), "the others are read");
        drop(read);
        assert!(is_kept(&catalogues, &first, NOW), "there is still no room");
        catalogues.forget(&account(2));
        assert!(!is_kept(&catalogues, &first, NOW));
    }
}
