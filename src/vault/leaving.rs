//! Deleting an account: pictures first, each one's key before its bytes, and at last the account
//! itself. Interrupted half-way it is still there, with what is left, and can be deleted again.

use futures_util::TryStreamExt;
use zeroize::Zeroizing;

use super::error::Result;
use super::{Caller, Unlocked, Vault};
use crate::ids::ImageId;
use crate::store::Change;

/// Rows handed to the store in one transaction.
const BATCH: usize = 1_000;

impl Vault {
    /// Deletes the account and all that is its own: pictures, tickets, sign-ins, events. Nothing of
    /// it is left in the store, and nobody can bring it back.
    ///
    /// # Errors
    /// [`super::VaultError::WrongPassword`] (counted as a failed try),
    /// [`super::VaultError::TooManyTries`]; the store's, after which some of it may be gone.
    pub async fn delete_account(
        &self,
        who: &Unlocked,
        password: Zeroizing<String>,
        caller: &Caller,
    ) -> Result<()> {
        self.prove_password(who, &password, caller).await?;
        let records = &self.store().records;
        // Nobody else adds to what is being emptied.
        records
            .delete_sessions_of(who.id(), Some(&who.session))
            .await?;
        self.remove_everything(who).await?;
        records.remove_account(who.id()).await?;
        // What came in while the account went has no owner any more.
        self.remove_everything(who).await?;
        records.remove_account(who.id()).await?;
        self.0.catalogues.forget(who.id());
        tracing::info!(account = %who.id(), "account deleted");
        Ok(())
    }

    async fn remove_everything(&self, who: &Unlocked) -> Result<()> {
        let records = &self.store().records;
        let changes = records.changes_since(who.id(), 0).await?;
        let ids: Vec<ImageId> = changes
            .try_filter_map(async |change| {
                Ok(match change {
                    Change::Put(row) => Some(row.id),
                    Change::Gone { .. } => None,
                })
            })
            .try_collect()
            .await?;
        for batch in ids.chunks(BATCH) {
            let rows = records.remove_images(who.id(), batch, self.now()).await?;
            self.remove_blobs(&rows).await;
        }
        loop {
            let tickets = records.remove_archives_of(who.id(), BATCH as u32).await?;
            for ticket in &tickets {
                self.store().blobs.delete(&ticket.plan.id).await?;
            }
            if tickets.len() < BATCH {
                return Ok(());
            }
        }
    }
}
