//! The part of the trait that keeps second factors.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::ids::AccountId;

use super::super::{FactorRecords, FactorRow, PendingRow, Result};
use super::records::SqliteRecords;
use super::{factors, pending};

#[async_trait]
impl FactorRecords for SqliteRecords {
    async fn factor(&self, account: &AccountId) -> Result<Option<FactorRow>> {
        let account = *account;
        self.read(move |db| factors::of_account(db, &account)).await
    }

    async fn put_factor(&self, row: &FactorRow) -> Result<bool> {
        let row = row.clone();
        self.write(move |db| factors::put(db, &row)).await
    }

    async fn insert_pending(&self, row: &PendingRow) -> Result<()> {
        let row = row.clone();
        self.write(move |db| pending::insert(db, &row)).await
    }

    async fn pending(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<PendingRow>> {
        let digest = *digest;
        self.read(move |db| pending::by_digest(db, &digest, now))
            .await
    }

    async fn take_pending(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<PendingRow>> {
        let digest = *digest;
        self.write(move |db| pending::take(db, &digest, now)).await
    }

    async fn purge_pending(&self, now: Timestamp) -> Result<u64> {
        self.write(move |db| pending::purge(db, now)).await
    }
}
