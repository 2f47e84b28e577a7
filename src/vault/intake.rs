//! Memory for files that are being received, and for the lists of exports: a bounded amount, of
//! which one account has half at most, unless a single thing takes more. So somebody who sends
//! slowly, on any number of connections, keeps nobody else waiting.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::{Result, VaultError};
use crate::config::Uploads;
use crate::ids::AccountId;

/// How long an upload waits for memory before it is told to come again.
const WAIT: Duration = Duration::from_secs(20);
/// Semaphores count in `u32`, so memory is counted in KiB.
const UNIT: u64 = 1024;

/// The memory and limits of uploads.
pub(super) struct Intake {
    pub(super) limits: Uploads,
    memory: Arc<Semaphore>,
    units: u32,
    /// The shares of accounts that have memory or wait for it.
    shares: Mutex<HashMap<AccountId, Weak<Semaphore>>>,
}

/// Memory set aside for what one request brings; given back when dropped.
pub struct UploadPermit {
    share: OwnedSemaphorePermit,
    memory: OwnedSemaphorePermit,
}

impl UploadPermit {
    /// Gives back what is beyond so many bytes.
    pub(super) fn shrink_to(&mut self, bytes: u64) {
        let wanted = usize::try_from(bytes.div_ceil(UNIT)).unwrap_or(usize::MAX);
        for permit in [&mut self.share, &mut self.memory] {
            let beyond = permit.num_permits().saturating_sub(wanted.max(1));
            drop(permit.split(beyond));
        }
    }
}

impl Intake {
    pub(super) fn new(limits: &Uploads) -> Self {
        let units = u32::try_from(limits.memory_bytes / UNIT).unwrap_or(u32::MAX);
        Self {
            limits: *limits,
            memory: Arc::new(Semaphore::new(units as usize)),
            units,
            shares: Mutex::default(),
        }
    }

    /// Sets memory aside for a file of this account.
    ///
    /// # Errors
    /// [`VaultError::Busy`] when there is no room for a while.
    pub(super) async fn reserve(&self, account: &AccountId, bytes: u64) -> Result<UploadPermit> {
        // A file larger than all the memory still gets in, alone; one larger than the account's
        // share as the account's only one.
        let units = u32::try_from(bytes.div_ceil(UNIT))
            .unwrap_or(u32::MAX)
            .clamp(1, self.units);
        let share = self.share_of(account);
        let waiting = async {
            let of_share = units.min(self.share_units());
            // The share first: who waits for that keeps no memory from others.
            let share = share.acquire_many_owned(of_share).await.ok()?;
            let memory = self.memory.clone().acquire_many_owned(units).await.ok()?;
            Some(UploadPermit { share, memory })
        };
        match tokio::time::timeout(WAIT, waiting).await {
            Ok(Some(permit)) => Ok(permit),
            _ => Err(VaultError::Busy),
        }
    }

    fn share_units(&self) -> u32 {
        (self.units / 2).max(1)
    }

    fn share_of(&self, account: &AccountId) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(account).and_then(Weak::upgrade) {
            return share;
        }
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(self.share_units() as usize));
        shares.insert(*account, Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const MIB: u64 = 1 << 20;

    fn intake() -> Intake {
        let mut limits = crate::config::Config::default().uploads;
        limits.memory_bytes = 16 * MIB;
        Intake::new(&limits)
    }

    /// Nothing where it would have to wait.
    fn at_once(intake: &Intake, account: &AccountId, bytes: u64) -> Option<UploadPermit> {
        intake.reserve(account, bytes).now_or_never()?.ok()
    }

    #[tokio::test]
    async fn one_account_never_has_all_the_memory() {
        let intake = intake();
        let [ada, ben] = [1, 2].map(|n| AccountId::from_bytes([n; 16]));
        let mut held: Vec<_> = std::iter::from_fn(|| at_once(&intake, &ada, 3 * MIB)).collect();
        assert_eq!(held.len(), 2, "two of three MiB are half of sixteen");
        assert!(at_once(&intake, &ben, 8 * MIB).is_some());
        held.pop();
        assert!(at_once(&intake, &ada, 3 * MIB).is_some());
    }

    #[tokio::test]
    async fn a_file_larger_than_the_share_is_the_accounts_only_one() {
        let intake = intake();
        let ada = AccountId::from_bytes([1; 16]);
        let large = at_once(&intake, &ada, 100 * MIB);
        assert!(large.is_some());
        assert!(at_once(&intake, &ada, 1).is_none());
        drop(large);
        assert!(at_once(&intake, &ada, 1).is_some());
    }

    #[tokio::test]
    async fn what_is_not_needed_any_more_is_given_back() {
        let intake = intake();
        let [ada, ben] = [1, 2].map(|n| AccountId::from_bytes([n; 16]));
        let mut large = at_once(&intake, &ada, 100 * MIB).unwrap();
        assert!(at_once(&intake, &ben, 1).is_none());
        large.shrink_to(200 * MIB);
        assert!(at_once(&intake, &ben, 1).is_none());
        large.shrink_to(2 * MIB);
        assert!(at_once(&intake, &ben, 8 * MIB).is_some());
        assert!(at_once(&intake, &ada, 6 * MIB).is_some());
        drop(large);
        assert!(at_once(&intake, &ada, 16 * MIB).is_some());
    }

    #[tokio::test]
    async fn only_accounts_that_upload_are_remembered() {
        let intake = intake();
        for n in 0..=255 {
            let account = AccountId::from_bytes([n; 16]);
            drop(intake.reserve(&account, 1).await.unwrap());
        }
        assert_eq!(intake.shares.lock().unwrap().len(), 1);
    }
}
