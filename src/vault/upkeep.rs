//! What time does: rows end, the trash empties itself, catalogues are forgotten, and blobs that no row
//! keeps alive are swept away.

use std::collections::{BTreeMap, HashMap};

use futures_util::StreamExt;
use jiff::SignedDuration;

use crate::store::{NOUNS, Noun};
use crate::vault::Vault;
use crate::vault::blobs::blobs_of;
use crate::vault::error::Result;

/// A blob without a row is swept when it is older than any upload can be.
const ORPHAN_AGE: SignedDuration = SignedDuration::from_hours(24);
const BATCH: u32 = 500;

/// What one round of upkeep did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Swept {
    /// How much each piece of the round did, if anything: rows removed that had ended, by the name of
    /// their noun; accounts that are gone for good (`departed`); looks of names that were stored
    /// (`skeletons`); images removed that had been in the trash for long enough (`trash`); blobs
    /// removed that no row kept alive (`blobs`).
    pub done: BTreeMap<&'static str, u64>,
    /// The pieces that failed, whose work is left to the next round. Why is in the log.
    pub failed: Vec<&'static str>,
}

impl Swept {
    fn note(&mut self, piece: &'static str, outcome: Result<u64>) {
        match outcome {
            Ok(0) => {}
            Ok(done) => {
                self.done.insert(piece, done);
            }
            Err(error) => {
                tracing::warn!(piece, %error, "a piece of upkeep failed; the next round tries it again");
                self.failed.push(piece);
            }
        }
    }
}

impl Vault {
    /// One round, in pieces of which none depends on another: one that fails starves no other. Each
    /// is idempotent, and may run on several processes at once.
    pub async fn upkeep(&self) -> Swept {
        self.0.catalogues.evict(self.now());
        let mut swept = Swept::default();
        for noun in NOUNS.iter().filter(|noun| noun.ends()) {
            swept.note(noun.name, self.remove_ended(noun).await);
        }
        swept.note("departed", self.look_after_departed().await);
        swept.note("skeletons", self.store_skeletons().await);
        swept.note("trash", self.empty_old_trash().await);
        swept.note("blobs", self.sweep_orphans().await);
        swept
    }

    async fn remove_ended(&self, noun: &'static Noun) -> Result<u64> {
        let (records, mut rows) = (&self.store().records, 0);
        loop {
            let removed = records.remove_ended(noun, self.now(), BATCH).await?;
            rows += removed.rows;
            self.remove_blobs(removed.blobs).await;
            if !noun.holds_blobs() || removed.rows < u64::from(BATCH) {
                return Ok(rows);
            }
        }
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
                self.remove_blobs(blobs_of(&rows)).await;
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
