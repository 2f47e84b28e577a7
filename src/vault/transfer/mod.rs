//! Many pictures as one file: zips of a selection, the export of a whole account, and the import of
//! such a file.
//!
//! The bytes of a zip are the floor `archive`'s, a picture's own are `pictures`'.

mod archives;
mod export;
mod import;
mod manifest;
mod tickets;
mod zip_reader;

pub use import::{Failure, ImportMode, Imported};
pub use tickets::{ARCHIVE_TTL, OpenArchive, Ticket};
