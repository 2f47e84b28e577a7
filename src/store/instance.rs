//! Single values of the whole instance.

use async_trait::async_trait;

use super::Result;

/// A part of [`super::Records`], with the same promises.
#[async_trait]
pub trait Instance: Send + Sync {
    /// Succeeds when the store answers. Cheap enough for a readiness check.
    async fn ping(&self) -> Result<()>;

    /// Stores the value if there is none yet, and returns the one that is stored: the first caller
    /// of all processes decides.
    async fn instance_check(&self, if_absent: &[u8; 32]) -> Result<[u8; 32]>;

    /// The value kept by [`Instance::instance_check`], if any was.
    async fn existing_instance_check(&self) -> Result<Option<[u8; 32]>>;

    /// Ends the use of the rows, on every clone of the store: what was written is where it belongs,
    /// and nothing that was deleted is left beside it. Later calls may fail. To be called before the
    /// program ends, since nobody drops what its tasks hold; a second call does nothing.
    async fn close(&self) -> Result<()>;
}
