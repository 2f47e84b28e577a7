//! One picture: taking it in, opening it, reading its blobs, changing what is said about it, and
//! removing it.
//!
//! Which pictures there are, in what order, is the library's; many in one file are `transfer`'s.

mod content;
mod images;
mod intake;
mod metadata;
mod names;
mod uploads;

pub use content::PlainStream;
pub use images::{Image, ImageEdit, OpenImage, Removal, told_name};
pub use intake::UploadPermit;
pub use metadata::Metadata;
pub use uploads::Added;

pub(super) use content::{SealedBlob, StreamError, StreamSender, spawn_stream};
pub(super) use images::name_problem;
pub(super) use intake::{Intake, WINDOW};
pub(super) use metadata::{MAX_OTHER_NAMES, allocated};
pub(super) use names::clean_name;
pub(super) use uploads::ImportedFacts;

#[cfg(test)]
pub(super) use metadata::MAX_RECORD;
