//! Memory for files that are being received, and for the lists of exports: one account has half at
//! most, so somebody who sends slowly, on any number of connections, keeps nobody else waiting.

use std::time::Duration;

use super::error::{Result, VaultError};
use super::shares::{Portion, Shares};
use crate::config::Uploads;
use crate::ids::AccountId;

/// How long an upload waits for memory before it is told to come again.
const WAIT: Duration = Duration::from_secs(20);
/// One account has this part of the memory at most.
const PARTS: u32 = 2;

/// Memory set aside for what one request brings; given back when dropped.
pub type UploadPermit = Portion;

/// The memory and limits of uploads.
pub(super) struct Intake {
    pub(super) limits: Uploads,
    memory: Shares<AccountId>,
}

impl Intake {
    pub(super) fn new(limits: &Uploads) -> Self {
        Self {
            limits: *limits,
            memory: Shares::new(limits.memory_bytes, PARTS),
        }
    }

    /// Sets memory aside for a file of this account.
    ///
    /// # Errors
    /// [`VaultError::Busy`] when there is no room for a while.
    pub(super) async fn reserve(&self, account: &AccountId, bytes: u64) -> Result<UploadPermit> {
        let portion = self.memory.reserve(account, bytes, WAIT).await;
        portion.ok_or(VaultError::Busy)
    }
}
