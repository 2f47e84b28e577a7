//! Deleting an account.
//!
//! First its keys and sign-ins go, so that nobody can open anything, and in the same transaction it
//! is noted that it departed; then its pictures. What was on its way meanwhile, or is left after a
//! crash, upkeep removes for a day.

use futures_util::TryStreamExt;
use jiff::SignedDuration;

use super::accounts::login_key;
use super::error::Result;
use super::{Caller, Proof, Unlocked, Vault};
use crate::ids::{AccountId, ImageId};
use crate::store::{Change, Kept};

/// Rows handed to the store in one transaction.
const BATCH: usize = 1_000;
/// Departed accounts looked after in one round of upkeep.
const MOST_DEPARTED: u32 = 100;
/// Longer than any request that began before the account was gone.
const LOOK_AFTER: SignedDuration = SignedDuration::from_hours(24);

impl Vault {
    /// Deletes the account and all that is its own: pictures, tickets, sign-ins, events. Nothing of
    /// it is left in the store, and nobody can bring it back.
    ///
    /// # Errors
    /// As for [`Vault::change_password`], where it is not the owner; the store's, after which it is
    /// deleted by and by.
    pub async fn delete_account(
        &self,
        who: &Unlocked,
        mut proof: Proof,
        caller: &Caller,
    ) -> Result<()> {
        self.prove(who, &mut proof, caller).await?;
        who.watch.resign();
        self.depart(who.id()).await
    }

    /// As [`Vault::delete_account`], for the operator's command line; `false` where there is no such
    /// account.
    ///
    /// # Errors
    /// The store's, after which it is deleted by and by.
    pub async fn remove_account(&self, login: &str) -> Result<bool> {
        let records = &self.store().records;
        let Some(row) = records.account_by_login(&login_key(login)).await? else {
            return Ok(false);
        };
        self.depart(&row.id).await?;
        Ok(true)
    }

    async fn depart(&self, account: &AccountId) -> Result<()> {
        self.remove_everything_of(account).await?;
        self.0.catalogues.forget(account);
        tracing::info!(%account, "account deleted");
        Ok(())
    }

    /// Finishes what was interrupted, and removes what came in while an account went.
    pub(super) async fn look_after_departed(&self) -> Result<()> {
        let records = &self.store().records;
        for (account, at) in records.departed(self.now(), MOST_DEPARTED).await? {
            // One that cannot be finished keeps nobody else's upkeep from being done.
            match self.remove_everything_of(&account).await {
                Err(error) => tracing::warn!(%account, %error, "a deleted account is not gone yet"),
                Ok(()) if at + LOOK_AFTER < self.now() => {
                    records.delete_departed(&account).await?;
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    async fn remove_everything_of(&self, account: &AccountId) -> Result<()> {
        let records = &self.store().records;
        records.remove_account(account, self.now()).await?;
        self.remove_images_of(account).await?;
        self.drop_tickets(account, Kept::NOTHING).await?;
        // The tombstones that the pictures left.
        Ok(records.remove_account(account, self.now()).await?)
    }

    /// Removes the account's tickets for zips, but for its newest.
    pub(super) async fn drop_tickets(&self, account: &AccountId, keep: Kept) -> Result<()> {
        let records = &self.store().records;
        loop {
            let tickets = records
                .remove_archives_of(account, keep, BATCH as u32)
                .await?;
            for ticket in &tickets {
                self.store().blobs.delete(&ticket.plan.id).await?;
            }
            if tickets.len() < BATCH {
                return Ok(());
            }
        }
    }

    async fn remove_images_of(&self, account: &AccountId) -> Result<()> {
        let records = &self.store().records;
        let changes = records.changes_since(account, 0).await?;
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
            let rows = records.remove_images(account, batch, self.now()).await?;
            self.remove_blobs(&rows).await;
        }
        Ok(())
    }
}
