//! A zip known to the last byte before its first byte is sent.
//!
//! Here: safe entry names, the layout of an archive whose entries are stored as they are, and the
//! bytes of any range of it. So a download has an exact `Content-Length`, resumes anywhere, and
//! needs no more memory than its plan. And the other way round: the headers of such an archive, read
//! forward. Not here: fetching, decrypting or sending anything. This floor does arithmetic only and
//! asks its caller for the content of an entry.
//!
//! The format is PKWARE's APPNOTE.TXT 6.3.10, cited by section. Why not a zip crate: none writes
//! the CRC and the sizes into the *local* header of a stream, and without them no streaming reader
//! can unpack a stored entry.

mod dos_time;
mod frozen;
mod names;
mod numbering;
mod pieces;
mod plan;
mod reading;
mod records;

pub use dos_time::DosTime;
pub use names::safe_name;
pub use numbering::unique_names;
pub use pieces::{Piece, Pieces};
pub use plan::{Entry, Plan, PlanError};
pub use reading::{FILE_HEAD_LEN, FileHead, PackedFile, ReadError, SIGNATURE_LEN, Section};
