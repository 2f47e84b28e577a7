//! Deleting an account.
//!
//! First, in one transaction, its keys and sign-ins are removed, so that nobody can open anything,
//! and a row notes that the account departed; then its pictures are removed. What requests under
//! way still store, or a crash leaves, upkeep removes for a day.

use jiff::SignedDuration;

use super::accounts::login_key;
use crate::ids::AccountId;
use crate::store::NOUNS;
use crate::vault::error::Result;
use crate::vault::{Caller, Proof, Unlocked, Vault};

/// Rows handed to the store in one transaction.
const BATCH: u32 = 1_000;
/// Departed accounts looked after in one round of upkeep.
const MOST_DEPARTED: u32 = 100;
/// How long upkeep looks after a departed account: longer than any request takes that began before.
const LOOK_AFTER: SignedDuration = SignedDuration::from_hours(24);

impl Vault {
    /// Deletes the account and all that is its own: pictures, tickets, sign-ins, events. Nothing of
    /// it is left in the store, and nobody can bring it back.
    ///
    /// # Errors
    /// As for [`Vault::change_password`], where the proof is not the owner's; the store's, after
    /// which upkeep deletes the rest.
    pub async fn delete_account(
        &self,
        who: &Unlocked,
        proof: Proof,
        caller: &Caller,
    ) -> Result<()> {
        let proven = self.prove(who, &proof, caller).await?;
        // Proving takes a while, in which the owner may have changed the password or signed this out.
        self.still_proven(&proven).await?;
        who.watch.look().await?;
        who.watch.resign();
        self.depart(who.id()).await
    }

    /// As [`Vault::delete_account`], for the operator's command line; `false` where there is no such
    /// account.
    ///
    /// # Errors
    /// The store's, after which upkeep deletes the rest.
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

    /// Finishes deletions that were interrupted, and removes what was stored while they ran; returns
    /// how many accounts are done with.
    pub(in crate::vault) async fn look_after_departed(&self) -> Result<u64> {
        let (records, mut done) = (&self.store().records, 0);
        for departed in records.departed(self.now(), MOST_DEPARTED).await? {
            let account = departed.account;
            // An account whose deletion fails must not keep the others from being looked after.
            match self.remove_everything_of(&account).await {
                Err(error) => tracing::warn!(%account, %error, "a deleted account is not gone yet"),
                Ok(()) if departed.at + LOOK_AFTER < self.now() => {
                    records.delete_departed(&account).await?;
                    done += 1;
                }
                Ok(()) => {}
            }
        }
        Ok(done)
    }

    async fn remove_everything_of(&self, account: &AccountId) -> Result<()> {
        let records = &self.store().records;
        records.remove_account(account, self.now()).await?;
        for noun in NOUNS.iter().filter(|noun| noun.holds_blobs()) {
            loop {
                let removed = records.remove_owned(noun, account, BATCH).await?;
                self.remove_blobs(removed.blobs).await;
                if removed.rows < u64::from(BATCH) {
                    break;
                }
            }
        }
        Ok(())
    }
}
