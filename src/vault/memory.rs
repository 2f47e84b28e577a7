//! A memory budget for many payers: a bounded amount, of which one payer has a part at most, unless
//! a single reservation takes more. So a payer that holds on to memory, for however long, keeps
//! nobody else waiting.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::ids::AccountId;

/// Semaphores count in `u32`, so memory is counted in KiB.
const UNIT: u64 = 1024;

/// How often a reservation that must not stand in line for memory is tried again.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// The payer from whose part memory is taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Payer {
    /// An account that is signed in.
    Account(AccountId),
    /// The clients of one site, as [`super::Caller::site`] names it.
    Site(String),
}

/// A bounded amount of memory, and how much of it each payer holds.
pub struct MemoryBudget<K> {
    all: Arc<Semaphore>,
    most: Most,
    /// The part of each payer that holds memory or waits for it.
    parts: Mutex<HashMap<K, Weak<Semaphore>>>,
    /// The part of each group of payers that share one.
    together: Mutex<HashMap<K, Weak<Semaphore>>>,
}

/// Limits, in units.
#[derive(Clone, Copy)]
struct Most {
    in_all: u32,
    of_one: u32,
}

/// Memory set aside; given back when dropped.
pub struct Portion {
    /// The permit of each part that the memory counts in, and the limit of that part.
    of_parts: Vec<(OwnedSemaphorePermit, u32)>,
    of_all: OwnedSemaphorePermit,
    most: Most,
}

impl Most {
    /// The units of so many bytes, and of the whole budget at most. (A part is never asked for more
    /// than it has.) So a reservation larger than a part is admitted as the payer's only one, and
    /// one larger than the budget is admitted alone.
    fn units(self, bytes: u64) -> u32 {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        units.clamp(1, self.in_all)
    }
}

impl<K: Eq + Hash + Clone> MemoryBudget<K> {
    /// A budget of so many bytes, of which one payer has the `one_in`-th part at most.
    pub fn new(bytes: u64, one_in: u32) -> Self {
        let in_all = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        let of_one = (in_all / one_in).max(1);
        Self {
            all: Arc::new(Semaphore::new(in_all as usize)),
            most: Most { in_all, of_one },
            parts: Mutex::default(),
            together: Mutex::default(),
        }
    }

    /// Sets memory aside for a payer; `None` where there is no room within `wait`.
    pub async fn reserve(&self, whose: &K, bytes: u64, wait: Duration) -> Option<Portion> {
        let part = part_of(&self.parts, whose, self.most.of_one);
        self.reserve_of(&[part], bytes, wait).await
    }

    /// The same for a payer of a group that may hold half of the memory together at most.
    pub async fn reserve_together(
        &self,
        whose: &K,
        together: &K,
        bytes: u64,
        wait: Duration,
    ) -> Option<Portion> {
        let half = (self.most.in_all / 2).max(1);
        let parts = [
            part_of(&self.parts, whose, self.most.of_one),
            part_of(&self.together, together, half),
        ];
        self.reserve_of(&parts, bytes, wait).await
    }

    async fn reserve_of(
        &self,
        parts: &[(Arc<Semaphore>, u32)],
        bytes: u64,
        wait: Duration,
    ) -> Option<Portion> {
        let units = self.most.units(bytes);
        let waiting = async {
            // Parts before the whole, the smallest first: waiting for a part keeps no memory from
            // others.
            let mut of_parts = Vec::with_capacity(parts.len());
            for (at, (part, most)) in parts.iter().enumerate() {
                let units = units.min(*most);
                let permit = match at {
                    0 => part.clone().acquire_many_owned(units).await.ok()?,
                    // A part that several payers share is taken when there is room at once: in a
                    // line, a large reservation would hold back small ones of other payers.
                    _ => repeated(|| part.clone().try_acquire_many_owned(units).ok()).await,
                };
                of_parts.push((permit, *most));
            }
            let of_all = match units > self.most.of_one {
                // Tried again and again, so that nobody stands in line behind more than a part.
                true => repeated(|| self.all.clone().try_acquire_many_owned(units).ok()).await,
                false => self.all.clone().acquire_many_owned(units).await.ok()?,
            };
            Some(Portion {
                of_parts,
                of_all,
                most: self.most,
            })
        };
        tokio::time::timeout(wait, waiting).await.ok().flatten()
    }
}

/// A payer's part, and its limit.
fn part_of<K: Eq + Hash + Clone>(
    parts: &Mutex<HashMap<K, Weak<Semaphore>>>,
    whose: &K,
    most: u32,
) -> (Arc<Semaphore>, u32) {
    let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(part) = parts.get(whose).and_then(Weak::upgrade) {
        return (part, most);
    }
    parts.retain(|_, part| part.strong_count() > 0);
    let part = Arc::new(Semaphore::new(most as usize));
    parts.insert(whose.clone(), Arc::downgrade(&part));
    (part, most)
}

/// Calls `attempt` again and again until it succeeds.
async fn repeated<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
}

impl Portion {
    /// Resizes the portion to so many bytes; `false` where there is no room within `wait`.
    pub async fn grow(&mut self, bytes: u64, wait: Duration) -> bool {
        let grown = repeated(|| self.resize(bytes).then_some(()));
        tokio::time::timeout(wait, grown).await.is_ok()
    }

    /// Resizes the portion to so many bytes: always to fewer, to more only where there is room now.
    /// Returns whether it did.
    pub fn resize(&mut self, bytes: u64) -> bool {
        let units = self.most.units(bytes);
        let parts = self.of_parts.iter_mut();
        let parts = parts.map(|(permit, most)| (permit, units.min(*most)));
        let mut wanted: Vec<_> = parts.chain([(&mut self.of_all, units)]).collect();
        let missing = wanted.iter().map(|(permit, wanted)| {
            let missing = wanted.saturating_sub(permit.num_permits() as u32);
            permit.semaphore().clone().try_acquire_many_owned(missing)
        });
        let Ok(more) = missing.collect::<Result<Vec<_>, _>>() else {
            return false;
        };
        for ((permit, wanted), more) in wanted.iter_mut().zip(more) {
            permit.merge(more);
            drop(permit.split(permit.num_permits().saturating_sub(*wanted as usize)));
        }
        true
    }

    /// Gives back the memory beyond so many bytes.
    pub fn shrink_to(&mut self, bytes: u64) {
        if (self.most.units(bytes) as usize) < self.of_all.num_permits() {
            self.resize(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const MIB: u64 = 1 << 20;
    const ADA: u8 = 1;
    const BEN: u8 = 2;

    /// 16 MiB, of which one payer has half.
    fn memory() -> MemoryBudget<u8> {
        MemoryBudget::new(16 * MIB, 2)
    }

    /// `None` where the reservation would have to wait.
    fn at_once(memory: &MemoryBudget<u8>, whose: u8, bytes: u64) -> Option<Portion> {
        memory
            .reserve(&whose, bytes, Duration::MAX)
            .now_or_never()?
    }

    #[tokio::test]
    async fn nobody_ever_has_all_the_memory() {
        let memory = memory();
        let mut held: Vec<_> = std::iter::from_fn(|| at_once(&memory, ADA, 3 * MIB)).collect();
        assert_eq!(held.len(), 2, "two of three MiB are half of sixteen");
        assert!(at_once(&memory, BEN, 8 * MIB).is_some());
        held.pop();
        assert!(at_once(&memory, ADA, 3 * MIB).is_some());
    }

    #[tokio::test]
    async fn many_of_one_place_have_half_of_the_memory() {
        let memory = MemoryBudget::new(16 * MIB, 4);
        let here = |whose: u8, bytes| {
            let reserved = memory.reserve_together(&whose, &100, bytes, Duration::MAX);
            reserved.now_or_never().flatten()
        };
        let mut held: Vec<_> = (1..4).filter_map(|whose| here(whose, 3 * MIB)).collect();
        assert_eq!(
            held.len(),
            2,
            "three of three MiB are more than half of sixteen"
        );
        assert!(!held[0].resize(6 * MIB));
        let elsewhere = memory.reserve_together(&4, &101, 4 * MIB, Duration::MAX);
        assert!(elsewhere.now_or_never().flatten().is_some());
        held.pop();
        assert!(here(3, 3 * MIB).is_some());
    }

    #[tokio::test]
    async fn what_is_larger_than_a_part_is_its_only_one() {
        let memory = memory();
        let large = at_once(&memory, ADA, 100 * MIB);
        assert!(large.is_some());
        assert!(at_once(&memory, ADA, 1).is_none());
        drop(large);
        assert!(at_once(&memory, ADA, 1).is_some());
    }

    #[tokio::test]
    async fn nobody_stands_in_line_behind_what_is_larger_than_a_part() {
        let memory = Arc::new(memory());
        let held = at_once(&memory, ADA, 6 * MIB).unwrap();
        let waiting = tokio::spawn({
            let memory = Arc::clone(&memory);
            async move { memory.reserve(&BEN, 12 * MIB, Duration::MAX).await }
        });
        tokio::time::sleep(2 * BETWEEN_TRIES).await;
        let cleo = memory.reserve(&3, 4 * MIB, Duration::from_secs(5)).await;
        assert!(cleo.is_some());
        drop((held, cleo));
        assert!(waiting.await.unwrap().is_some());
    }

    #[tokio::test]
    async fn what_is_not_needed_any_more_is_given_back() {
        let memory = memory();
        let mut large = at_once(&memory, ADA, 100 * MIB).unwrap();
        assert!(at_once(&memory, BEN, 1).is_none());
        large.shrink_to(200 * MIB);
        assert!(at_once(&memory, BEN, 1).is_none());
        large.shrink_to(2 * MIB);
        assert!(at_once(&memory, BEN, 8 * MIB).is_some());
        assert!(at_once(&memory, ADA, 6 * MIB).is_some());
        drop(large);
        assert!(at_once(&memory, ADA, 16 * MIB).is_some());
    }

    #[tokio::test]
    async fn it_grows_only_where_there_is_room() {
        let memory = memory();
        let mut first = at_once(&memory, ADA, MIB).unwrap();
        let second = at_once(&memory, ADA, 4 * MIB).unwrap();
        assert!(!first.resize(5 * MIB), "nine are more than half of sixteen");
        assert!(first.resize(4 * MIB));
        assert!(at_once(&memory, ADA, 1).is_none());
        let mut other = at_once(&memory, BEN, 7 * MIB).unwrap();
        drop(second);
        assert!(first.resize(8 * MIB));
        assert!(other.resize(8 * MIB), "what was refused took nothing");
        drop((first, other));
        assert!(at_once(&memory, BEN, 16 * MIB).is_some());
    }

    #[tokio::test]
    async fn only_those_who_have_memory_are_remembered() {
        let memory = memory();
        for n in 0..=255 {
            // Not at once: tokio lets others have a turn after some hundred.
            drop(memory.reserve(&n, 1, Duration::MAX).await.unwrap());
        }
        assert_eq!(memory.parts.lock().unwrap().len(), 1);
    }
}
