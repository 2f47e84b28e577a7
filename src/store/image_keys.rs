//! The wrapped keys of images, while the rotation of a master key replaces them.

use async_trait::async_trait;

use super::Result;
use crate::ids::{AccountId, ImageId};

/// An image's data key as it is wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Whose.
    pub id: ImageId,
    /// The key, wrapped by a master key.
    pub key_wrap: Vec<u8>,
}

/// The part of [`super::Records`] that a rotation needs; what is said there holds here.
#[async_trait]
pub trait ImageKeys: Send + Sync {
    /// Up to `limit` data keys of the account's images that are wrapped by the master key of this
    /// generation, in the order of their ids, from above `after` on.
    async fn keys_of_generation(
        &self,
        account: &AccountId,
        generation: u32,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<KeyRow>>;

    /// How many those are.
    async fn count_keys_of_generation(&self, account: &AccountId, generation: u32) -> Result<u64>;

    /// Replaces the wrapped keys of those of the account's images whose keys are still of this
    /// generation; they are of the next one then. Each by itself: when it fails, some may be. Not a
    /// change of the catalogue: the sequence number stays. At most 1,000 keys a call.
    async fn replace_keys(
        &self,
        account: &AccountId,
        generation: u32,
        keys: &[KeyRow],
    ) -> Result<()>;
}
