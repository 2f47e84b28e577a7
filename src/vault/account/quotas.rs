//! How much an account keeps and may keep: told to its owner, decided by the operator, and checked
//! before work is done for an upload. The check that binds is the store's, when it inserts the row.

use super::accounts::login_key;
use crate::crypto;
use crate::ids::AccountId;
pub use crate::store::Allowance;
use crate::store::{EventKind, Quota, UsageRow, blob_kept, least_kept};
use crate::vault::error::{Result, VaultError};
use crate::vault::usage::Usage;
use crate::vault::{Caller, Unlocked, Vault};

/// The allowances to set for an account; `None` leaves one as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct QuotaChange {
    /// The allowance of bytes.
    pub bytes: Option<Allowance>,
    /// The allowance of pictures.
    pub images: Option<Allowance>,
}

fn check_size(usage: Usage, kept: u64) -> Result<()> {
    match usage.quota.bytes {
        Some(most) if kept > most => Err(VaultError::LargerThanQuota(usage)),
        _ => Ok(()),
    }
}

impl Vault {
    /// What the account keeps, and what it may keep.
    ///
    /// # Errors
    /// The store's.
    pub async fn usage(&self, who: &Unlocked) -> Result<Usage> {
        self.usage_of(who.id()).await
    }

    /// Sets the allowances of an account, where `change` names any, and returns its usage and quota
    /// as they are then; for the operator's command line. `None` where there is no such account.
    ///
    /// # Errors
    /// The store's.
    pub async fn set_quota(&self, login: &str, change: QuotaChange) -> Result<Option<Usage>> {
        let records = &self.store().records;
        let Some(account) = records.account_by_login(&login_key(login)).await? else {
            return Ok(None);
        };
        if change.bytes.is_some() || change.images.is_some() {
            let known = records.usage(&account.id).await?;
            let images = change.images.unwrap_or(known.images_allowed);
            let bytes = change.bytes.unwrap_or(known.bytes_allowed);
            if !records.set_allowed(&account.id, images, bytes).await? {
                return Ok(None);
            }
            let operator = Caller::operator();
            self.note(&account.id, EventKind::QuotaChanged, &operator)
                .await;
        }
        Ok(Some(self.usage_of(&account.id).await?))
    }

    pub(in crate::vault) fn default_quota(&self) -> Quota {
        self.0.quota
    }

    async fn usage_of(&self, account: &AccountId) -> Result<Usage> {
        let row: UsageRow = self.store().records.usage(account).await?;
        Ok(Usage {
            images: row.images,
            bytes: row.bytes,
            quota: row.quota(&self.default_quota()),
        })
    }

    /// Refuses a file that would not fit into an empty vault either.
    pub(in crate::vault) async fn check_size(&self, who: &Unlocked, len: u64) -> Result<()> {
        let least = least_kept(crypto::sealed_len(len));
        check_size(self.usage(who).await?, least)
    }

    /// Refuses a file for which there is no room, before work is done for it. The size of its
    /// thumbnail and record is not known yet, so the least that they take is counted.
    pub(in crate::vault) async fn check_room(&self, who: &Unlocked, len: u64) -> Result<()> {
        let least = least_kept(crypto::sealed_len(len));
        let usage = self.usage(who).await?;
        check_size(usage, least)?;
        if !usage.has_room(least) {
            return Err(VaultError::NoRoom(usage));
        }
        // With more pictures, the account's list would not fit into memory.
        let most = self.0.catalogues.most_images();
        match usage.images < most {
            true => Ok(()),
            false => {
                let mut usage = usage;
                usage.quota.images = Some(most);
                Err(VaultError::NoRoom(usage))
            }
        }
    }

    /// Whether a blob of this length, made of a picture that is there already, may be kept.
    pub(in crate::vault) async fn has_room_beside(&self, who: &Unlocked, len: u64) -> Result<bool> {
        let left = self.usage(who).await?.bytes_left();
        Ok(left.is_none_or(|left| blob_kept(crypto::sealed_len(len)) <= left))
    }

    /// The error for a picture of so many bytes that the store had no room for.
    pub(in crate::vault) async fn no_room(&self, who: &Unlocked, kept: u64) -> Result<VaultError> {
        let usage = self.usage(who).await?;
        check_size(usage, kept)?;
        Ok(VaultError::NoRoom(usage))
    }
}
