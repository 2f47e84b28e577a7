//! The backend with nothing to install: SQLite for the rows, one file per sealed blob.
//!
//! ```text
//! <dir>/                 0700
//!   vault.db             0600: rows (and vault.db-wal, vault.db-shm while in use)
//!   blobs/ab/cd/<id>     0600: a blob; the levels, 0700, are the first two bytes of its id in
//!                        hexadecimal
//!   staging/<id>         0600: a blob being written
//! ```
//!
//! Nothing here takes a lock on the directory. SQLite is safe between processes, a blob appears by
//! one rename, and catalogues follow sequence numbers, so `image-vault doctor` or `admin grant` may
//! run beside a server, and so may a second server.

/// Names SQL statements, and lists them for the test that reads their query plans.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* const $name: &str = $sql;)+

        #[cfg(test)]
        pub(super) const STATEMENTS: &[&str] = &[$($name),+];
    };
}

mod accounts;
mod archives;
mod catalogue;
mod columns;
mod database;
mod errors;
mod factors;
mod files;
mod image_keys;
mod images;
mod log;
mod meta;
mod nouns;
mod private;
mod rows;
mod sessions;
mod tries;
mod usage;

use std::path::Path;
use std::sync::Arc;

use super::{Records, Result, Store, StoreError};
use database::Database;
use files::FileBlobs;

impl Records for Database {}

/// Opens the data directory, creating what is missing. What others may enter or read is closed to
/// them (`private.rs`).
///
/// # Errors
/// See [`super::open`].
pub(super) async fn open(dir: &Path) -> Result<Store> {
    let dir = dir.to_owned();
    blocking(move || {
        private::data_directory(&dir)?;
        Ok(Store {
            records: Arc::new(Database::open(&dir.join("vault.db"))?),
            blobs: Arc::new(FileBlobs::open(&dir)?),
        })
    })
    .await
}

/// Runs work that waits for a disk where it holds up nobody else. It runs to its end even if the
/// caller has gone.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(stopped) => Err(StoreError::Internal(stopped.into())),
    }
}
