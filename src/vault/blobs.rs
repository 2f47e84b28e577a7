//! Removing blobs, which always follow the rows that kept them alive.

use futures_util::{StreamExt, stream};

use crate::ids::BlobId;
use crate::store::ImageRow;
use crate::vault::Vault;

/// Blobs that are removed at once.
const AT_ONCE: usize = 8;

impl Vault {
    /// Removes blobs whose rows are gone. A blob that cannot be removed now is left to the sweep:
    /// the keys are gone already, so nothing opens it.
    pub(super) async fn remove_blobs(&self, ids: impl IntoIterator<Item = BlobId>) {
        let blobs = &self.store().blobs;
        stream::iter(ids)
            .for_each_concurrent(AT_ONCE, |id| async move {
                if let Err(error) = blobs.delete(&id).await {
                    tracing::warn!(blob = %id, %error, "a blob is left to the sweep");
                }
            })
            .await;
    }
}

/// Every blob of these images.
pub(super) fn blobs_of(rows: &[ImageRow]) -> Vec<BlobId> {
    let blobs = rows.iter().flat_map(ImageRow::blobs);
    blobs.map(|blob| blob.id).collect()
}
