//! The part of the trait that keeps second factors.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::ids::AccountId;

use super::super::{FactorRecords, FactorRow, PendingRow, Result};
use super::records::MongoRecords;
use super::{factors, pending};

#[async_trait]
impl FactorRecords for MongoRecords {
    async fn factor(&self, account: &AccountId) -> Result<Option<FactorRow>> {
        factors::of_account(&self.0, account).await
    }

    async fn put_factor(&self, row: &FactorRow) -> Result<bool> {
        factors::put(&self.0, row).await
    }

    async fn insert_pending(&self, row: &PendingRow) -> Result<()> {
        pending::insert(&self.0, row).await
    }

    async fn pending(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<PendingRow>> {
        pending::by_digest(&self.0, digest, now).await
    }

    async fn take_pending(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<PendingRow>> {
        pending::take(&self.0, digest, now).await
    }

    async fn purge_pending(&self, now: Timestamp) -> Result<u64> {
        pending::purge(&self.0, now).await
    }
}
