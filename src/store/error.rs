//! What can go wrong in a store, sorted by what a caller can do about it.

use super::accounts::UniqueField;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failure of the store.
///
/// No text in it holds a stored value, a credential of the connection string or a name of an
/// account: it may be logged.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such blob.
    #[error("no such blob")]
    NotFound,
    /// Another account has this name or address.
    #[error("{0:?} is taken")]
    Taken(UniqueField),
    /// There is an account already, or the invitation is spent or has ended.
    #[error("nobody else is let in")]
    NotAdmitted,
    /// The store cannot be reached or is too busy; later it may work.
    #[error("the store cannot be reached: {0}")]
    Unavailable(#[source] Source),
    /// The disk or the quota is full.
    #[error("the store is full: {0}")]
    Full(#[source] Source),
    /// What is stored is not what was written.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// The store cannot be used by this program; the sentence is for the operator.
    #[error("{0}")]
    Incompatible(String),
    /// Anything else; a defect of ours or of the machine.
    #[error("the store failed: {0}")]
    Internal(#[source] Source),
}
