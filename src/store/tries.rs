//! How often secrets were tried in vain, and the part of [`super::Records`] that counts it.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;

/// How often something was tried in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriesRow {
    /// How often.
    pub count: u32,
    /// When last.
    pub last_at: Timestamp,
}

/// A part of [`super::Records`], with the same promises.
#[async_trait]
pub trait TriesRecords: Send + Sync {
    /// How often what has this key was tried in vain.
    async fn tries(&self, key: &[u8; 32]) -> Result<Option<TriesRow>>;

    /// Notes tries where those that are stored are still the ones that are `known`; else `false`.
    async fn replace_tries(
        &self,
        key: &[u8; 32],
        known: Option<TriesRow>,
        new: TriesRow,
    ) -> Result<bool>;

    /// Forgets the tries of a key.
    async fn delete_tries(&self, key: &[u8; 32]) -> Result<()>;

    /// Forgets tries whose last is before `before`; returns how many keys.
    async fn purge_tries(&self, before: Timestamp) -> Result<u64>;
}
