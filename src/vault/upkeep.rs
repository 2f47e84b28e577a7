//! What time does: sessions and tickets end, the trash empties itself, catalogues are forgotten,
//! and blobs that no row names are swept away.

use std::collections::HashMap;

use futures_util::StreamExt;
use jiff::SignedDuration;

use super::error::Result;
use super::{Vault, events, throttle};

/// A blob without a row is swept when it is older than any upload can be.
const ORPHAN_AGE: SignedDuration = SignedDuration::from_hours(24);
/// Longer than any catalogue is kept without being read.
const TOMBSTONE_AGE: SignedDuration = SignedDuration::from_hours(24);
const BATCH: u32 = 500;

/// What one round of upkeep removed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Sessions that had ended.
    pub sessions: u64,
    /// Tickets that had ended.
    pub archives: u64,
    /// Images that had been in the trash for long enough.
    pub trashed: u64,
    /// Blobs that no row named.
    pub blobs: u64,
}

impl Vault {
    /// One round. Every step may be repeated, and may run on several processes at once.
    ///
    /// # Errors
    /// The store's, at the first step that fails; the next round begins anew.
    pub async fn upkeep(&self) -> Result<Swept> {
        let now = self.now();
        self.0.catalogues.evict(now);
        let records = &self.store().records;
        let mut swept = Swept {
            sessions: records.delete_expired_sessions(now).await?,
            ..Swept::default()
        };
        records.purge_invitations(now).await?;
        records.purge_pending(now).await?;
        records.purge_events(now - events::KEEP).await?;
        records.purge_tries(now - throttle::FORGET_AFTER).await?;
        self.look_after_departed().await?;
        records.purge_tombstones(now - TOMBSTONE_AGE).await?;
        loop {
            let rows = records.remove_expired_archives(now, BATCH).await?;
            swept.archives += rows.len() as u64;
            for row in &rows {
                self.store().blobs.delete(&row.plan.id).await?;
            }
            if rows.len() < BATCH as usize {
                break;
            }
        }
        swept.trashed = self.empty_old_trash().await?;
        swept.blobs = self.sweep_orphans().await?;
        Ok(swept)
    }

    async fn empty_old_trash(&self) -> Result<u64> {
        let before = self.now() - self.0.trash_keep;
        let records = &self.store().records;
        let mut removed = 0;
        loop {
            let old = records.trashed_before(before, BATCH).await?;
            if old.is_empty() {
                return Ok(removed);
            }
            let mut by_account: HashMap<_, Vec<_>> = HashMap::new();
            for (account, image) in old {
                by_account.entry(account).or_default().push(image);
            }
            for (account, ids) in by_account {
                let rows = records
                    .remove_trashed(&account, &ids, before, self.now())
                    .await?;
                removed += rows.len() as u64;
                self.remove_blobs(&rows).await;
            }
        }
    }

    async fn sweep_orphans(&self) -> Result<u64> {
        let blobs = &self.store().blobs;
        let old = blobs.list_before(self.now() - ORPHAN_AGE).await?;
        let mut batches = old.chunks(BATCH as usize);
        let mut removed = 0;
        while let Some(batch) = batches.next().await {
            let ids = batch
                .into_iter()
                .collect::<std::result::Result<Vec<_>, _>>()?;
            let named = self.store().records.referenced_blobs(&ids).await?;
            for id in ids.iter().filter(|id| !named.contains(id)) {
                blobs.delete(id).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}
