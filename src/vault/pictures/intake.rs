//! Memory for request bodies, and for the lists of exports: one budget for files and forms with
//! files, and another for small bodies. Of each, one account has a part at most, and so has one
//! site of clients that are not signed in. So a client that sends slowly, on any number of
//! connections, keeps nobody else waiting.

use std::time::Duration;

use crate::config::Uploads;
use crate::ids::AccountId;
use crate::vault::error::{Result, VaultError};
use crate::vault::memory::{MemoryBudget, Payer, Portion};

/// How long an upload waits for memory before it is refused as [`VaultError::Busy`].
const WAIT: Duration = Duration::from_secs(20);

/// One account has this part of the memory for files at most.
const PARTS_OF_FILES: u32 = 2;
/// Small bodies have memory of their own, an eighth as much as files have.
const SMALL_PART: u64 = 8;
/// One account, or one site, has this part of the memory for small bodies at most.
const PARTS_OF_SMALL: u32 = 4;

/// Memory that receiving a body takes beside the bytes that are kept of it: the connection's own
/// buffers, of 400 KiB with a fast sender (`hyper`'s `DEFAULT_MAX_BUFFER_SIZE`), and the piece that
/// is being parsed.
pub(in crate::vault) const WINDOW: u64 = 512 << 10;

/// Memory set aside for the body of one request; given back when dropped.
pub type UploadPermit = Portion;

/// The memory and limits of uploads.
pub(in crate::vault) struct Intake {
    pub(super) limits: Uploads,
    files: MemoryBudget<Payer>,
    small: MemoryBudget<Payer>,
}

impl Intake {
    pub(in crate::vault) fn new(limits: &Uploads) -> Self {
        let bytes = limits.memory_bytes;
        Self {
            limits: *limits,
            files: MemoryBudget::new(bytes, PARTS_OF_FILES),
            small: MemoryBudget::new(bytes / SMALL_PART, PARTS_OF_SMALL),
        }
    }

    /// Sets memory aside for a file of this account.
    ///
    /// # Errors
    /// [`VaultError::Busy`] when there is no room for a while.
    pub(in crate::vault) async fn reserve(
        &self,
        account: &AccountId,
        bytes: u64,
    ) -> Result<UploadPermit> {
        let payer = Payer::Account(*account);
        let portion = self.files.reserve(&payer, bytes, WAIT).await;
        portion.ok_or(VaultError::Busy)
    }

    /// Grows a permit to so many bytes in all.
    ///
    /// # Errors
    /// [`VaultError::Busy`] when there is no room for a while.
    pub(in crate::vault) async fn grow(&self, permit: &mut UploadPermit, bytes: u64) -> Result<()> {
        match permit.grow(bytes, WAIT).await {
            true => Ok(()),
            false => Err(VaultError::Busy),
        }
    }

    /// Sets memory aside for a small body, or for the beginning of one whose length is not known
    /// yet. A request that holds this may wait for memory for a file, but never the other way
    /// round.
    ///
    /// # Errors
    /// [`VaultError::Busy`] when there is no room for a while.
    pub(super) async fn reserve_small(&self, payer: &Payer, bytes: u64) -> Result<UploadPermit> {
        let portion = self.small.reserve(payer, bytes, WAIT).await;
        portion.ok_or(VaultError::Busy)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const MIB: u64 = 1 << 20;

    #[tokio::test]
    async fn one_site_never_has_all_the_memory_for_what_is_small() {
        let mut limits = crate::config::Config::default().uploads;
        limits.memory_bytes = 16 * MIB;
        let intake = Intake::new(&limits);
        let at_once = |name: &str, bytes| {
            let payer = Payer::Site(name.into());
            intake.reserve_small(&payer, bytes).now_or_never()?.ok()
        };
        let many = std::iter::from_fn(|| at_once("192.0.2.1", MIB / 8));
        let held: Vec<_> = many.collect();
        assert_eq!(held.len(), 4, "half a MiB is a quarter of two");
        assert!(at_once("192.0.2.2", MIB / 2).is_some());
        let ada = AccountId::from_bytes([1; 16]);
        let file = intake.reserve(&ada, 16 * MIB).now_or_never();
        assert!(file.is_some(), "files have their own");
    }
}
