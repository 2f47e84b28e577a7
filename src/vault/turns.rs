//! Turns at work of which one account or network has only a few under way, such as tries at a
//! secret or decoding: other calls stand in line, first come, first served. Each process has its
//! own lines; why that is enough for a secret, `throttle.rs` says.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::crypto;
use crate::ids::AccountId;
use crate::vault::error::{Result, VaultError};

/// Most calls of one account that wait for a turn at heavy work, and how long they wait.
const MOST_WAITING: usize = 100;
const WAIT: Duration = Duration::from_secs(20);

type Key = [u8; 32];
type Lines = HashMap<Key, Line>;

/// The lines, each for as long as a call stands in it.
pub(super) struct Turns {
    lines: Arc<Mutex<Lines>>,
    /// Most calls that wait in one line.
    queue: usize,
}

struct Line {
    free: Arc<Semaphore>,
    /// Calls that wait, or have their turn.
    here: usize,
    /// Tries that were counted and have no outcome yet.
    under_way: usize,
}

/// Turns at heavy work: one for an account at a time, and a few for all accounts.
pub(super) struct Few {
    own: Turns,
    all: Arc<Semaphore>,
}

/// A turn at heavy work. It ends when this is dropped.
pub(super) struct FewTurn {
    _of_all: OwnedSemaphorePermit,
    _own: Turn,
}

/// A place in a line, left on every way out.
struct Place {
    lines: Arc<Mutex<Lines>>,
    key: Key,
    is_under_way: bool,
}

/// A call's turn. It ends when this is dropped.
pub(super) struct Turn {
    // Dropped first, so that the next call has its turn before this one has left the line.
    _permit: OwnedSemaphorePermit,
    place: Place,
}

impl Turns {
    /// Lines in which so many may wait.
    pub(super) fn new(queue: usize) -> Self {
        Self {
            lines: Arc::default(),
            queue,
        }
    }

    /// Waits for a turn at `key`, of which there are `at_once` at any time.
    ///
    /// # Errors
    /// [`VaultError::Busy`] where too many wait already.
    pub(super) async fn wait(&self, key: Key, at_once: usize) -> Result<Turn> {
        let (free, place) = self.stand_in_line(key, at_once)?;
        let permit = free.acquire_owned().await;
        let closed = |_| VaultError::Internal("a line was closed".into());
        Ok(Turn {
            _permit: permit.map_err(closed)?,
            place,
        })
    }

    /// How many tries at `key` were counted and have no outcome yet, in this process.
    pub(super) fn under_way(&self, key: &Key) -> usize {
        lock(&self.lines).get(key).map_or(0, |line| line.under_way)
    }

    fn stand_in_line(&self, key: Key, at_once: usize) -> Result<(Arc<Semaphore>, Place)> {
        let mut lines = lock(&self.lines);
        let line = lines.entry(key).or_insert_with(|| Line {
            free: Arc::new(Semaphore::new(at_once)),
            here: 0,
            under_way: 0,
        });
        if line.here >= at_once.saturating_add(self.queue) {
            return Err(VaultError::Busy);
        }
        line.here += 1;
        let place = Place {
            lines: Arc::clone(&self.lines),
            key,
            is_under_way: false,
        };
        Ok((Arc::clone(&line.free), place))
    }
}

impl Turn {
    /// Notes that the try was counted.
    pub(super) fn begin(&mut self) {
        if let Some(line) = lock(&self.place.lines).get_mut(&self.place.key) {
            line.under_way += usize::from(!self.place.is_under_way);
        }
        self.place.is_under_way = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Entry::Occupied(mut line) = lock(&self.lines).entry(self.key) {
            line.get_mut().here -= 1;
            line.get_mut().under_way -= usize::from(self.is_under_way);
            if line.get().here == 0 {
                line.remove();
            }
        }
    }
}

impl Few {
    /// So many turns at once, each of another account.
    pub(super) fn new(of_all: usize) -> Self {
        Self {
            own: Turns::new(MOST_WAITING),
            all: Arc::new(Semaphore::new(of_all)),
        }
    }

    /// Waits for a turn of this account.
    ///
    /// # Errors
    /// [`VaultError::Busy`] where it does not come for a while.
    pub(super) async fn wait(&self, account: &AccountId) -> Result<FewTurn> {
        let turns = async {
            // The account's own turn first: a call that waits for that keeps no turn from others.
            let own = self.own.wait(crypto::sha256(account.as_bytes()), 1).await?;
            let of_all = self.all.clone().acquire_owned().await;
            let closed = |_| VaultError::Internal("a line was closed".into());
            Ok(FewTurn {
                _of_all: of_all.map_err(closed)?,
                _own: own,
            })
        };
        timeout(WAIT, turns).await.unwrap_or(Err(VaultError::Busy))
    }
}

fn lock(lines: &Mutex<Lines>) -> MutexGuard<'_, Lines> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn turns_come_one_after_the_other_and_only_so_many_wait() {
        let turns = Turns::new(1);
        let first = turns.wait([1; 32], 1).await.unwrap();
        let second = turns.wait([1; 32], 1);
        tokio::pin!(second);
        assert!(timeout(SOON, &mut second).await.is_err(), "it waits");
        let third = turns.wait([1; 32], 1).await;
        assert!(matches!(third, Err(VaultError::Busy)));
        turns.wait([2; 32], 1).await.unwrap();
        drop(first);
        second.await.unwrap();
        assert!(lock(&turns.lines).is_empty(), "nobody is left");
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_the_line() {
        let turns = Turns::new(1);
        let first = turns.wait([1; 32], 1).await.unwrap();
        for _ in 0..3 {
            let waiting = timeout(SOON, turns.wait([1; 32], 1)).await;
            assert!(waiting.is_err(), "its place was free again");
        }
        drop(first);
        assert!(lock(&turns.lines).is_empty());
    }

    #[tokio::test]
    async fn of_one_account_there_is_one_and_of_all_a_few() {
        let few = Few::new(2);
        let account = |n| AccountId::from_bytes([n; 16]);
        let first = few.wait(&account(1)).await.unwrap();
        let (ada, ben, cleo) = (account(1), account(2), account(3));
        assert!(timeout(SOON, few.wait(&ada)).await.is_err(), "it has one");
        let _second = few.wait(&ben).await.unwrap();
        assert!(timeout(SOON, few.wait(&cleo)).await.is_err(), "two are all");
        drop(first);
        few.wait(&cleo).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_under_way_is_known_until_its_end() {
        let turns = Turns::new(0);
        let (mut one, mut two) = (
            turns.wait([1; 32], 2).await.unwrap(),
            turns.wait([1; 32], 2).await.unwrap(),
        );
        assert_eq!(turns.under_way(&[1; 32]), 0, "neither was counted");
        one.begin();
        one.begin();
        two.begin();
        assert_eq!(turns.under_way(&[1; 32]), 2);
        drop(one);
        assert_eq!(turns.under_way(&[1; 32]), 1);
        drop(two);
        assert_eq!(turns.under_way(&[1; 32]), 0);
    }
}
