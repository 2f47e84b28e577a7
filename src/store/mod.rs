//! Where everything is kept: two traits and the two backends behind [`open`].
//!
//! The store sees ids, ciphertext and the few facts that are allowed to be plain (counts, sizes,
//! times, names of accounts). It never sees a key, a picture or a picture's name, so a fault in a
//! backend exposes none. Nothing above this floor names a driver.

mod accounts;
mod archives;
mod blobs;
mod embedded;
mod error;
mod events;
mod factors;
mod field;
mod image_keys;
mod images;
mod instance;
mod invitations;
mod mongo;
mod nouns;
mod pending;
mod quotas;
mod row;
mod sessions;
mod tries;

use std::path::PathBuf;
use std::sync::Arc;

pub use accounts::{
    AccountRow, Accounts, Admission, DepartedRow, KdfRow, Role, UniqueField, Updated,
};
pub use archives::{ArchiveRow, Archives, Kept};
pub use blobs::{BlobRef, Blobs, ByteStream, ChunkSource};
pub use error::StoreError;
pub use events::{EventKind, EventRow, Events};
pub use factors::{AuthenticatorRow, FactorRow, Factors, PasskeyRow, SpareCodesRow};
pub use image_keys::{ImageKeys, KeyRow};
pub use images::{Change, Edited, ImageRow, ImageState, Images, Inserted, MetadataChange};
pub use instance::Instance;
pub use invitations::{InvitationRow, Invitations};
pub use nouns::{NOUNS, Removed, Rows};
pub use pending::{Pending, PendingRow};
pub use quotas::{Allowance, Quota, Usage, UsageRow, blob_kept, least_kept};
pub use row::Noun;
pub use sessions::{Bearer, SessionKind, SessionRow, Sessions};
pub use tries::{Tries, TriesRow};

/// What every call here returns.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Which backend to open.
#[derive(Clone)]
pub enum StoreChoice {
    /// SQLite and files below this directory, which is created (0700) when missing.
    Embedded {
        /// The data directory.
        dir: PathBuf,
    },
    /// MongoDB with GridFS. It must be a replica set or sharded: changes need transactions.
    Mongodb {
        /// Connection string. Its default database is used, `image_vault` when it names none.
        uri: String,
    },
}

/// An opened store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    /// The rows.
    pub records: Arc<dyn Records>,
    /// The sealed bytes.
    pub blobs: Arc<dyn Blobs>,
}

/// Opens a backend, creating on an empty one all that it needs and bringing an older schema
/// forward.
///
/// # Errors
/// [`StoreError::Incompatible`] with a sentence for the operator where the schema is newer than
/// this program or the database is no replica set; [`StoreError::Unavailable`] where it cannot be
/// reached.
pub async fn open(choice: &StoreChoice) -> Result<Store> {
    match choice {
        StoreChoice::Embedded { dir } => embedded::open(dir).await,
        StoreChoice::Mongodb { uri } => mongo::open(uri).await,
    }
}

/// Rows. Every method is atomic: it happens whole or not at all, and once it has returned `Ok` the
/// change survives the loss of power (SQLite `synchronous=FULL`; MongoDB majority and journal).
///
/// When a change ends with an error that is neither [`StoreError::Taken`] nor
/// [`StoreError::Full`], or its future is dropped, it is not known whether it happened: the answer
/// may have been lost. So nobody removes the blobs of a row whose insertion ended so; they are left
/// to the sweep, which asks [`Rows::referenced_blobs`].
pub trait Records:
    Accounts
    + Archives
    + Events
    + Factors
    + ImageKeys
    + Images
    + Instance
    + Invitations
    + Pending
    + Rows
    + Sessions
    + Tries
    + Usage
{
}
