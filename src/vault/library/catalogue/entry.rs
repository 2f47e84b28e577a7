//! One image of a catalogue: what every list needs of it, and its record where there is memory for it.

use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::super::search::Searchable;
use crate::ids::ImageId;
use crate::store::{ImageRow, ImageState};
use crate::vault::Image;
use crate::vault::pictures::{Metadata, allocated};

/// Bytes of memory for an image's places: in the map of a catalogue, which is half empty at worst,
/// and in its orders.
const PLACES: usize = 48 + 4 * size_of::<Arc<Entry>>();
/// The two reference counts before the value in an [`Arc`].
const ARC: usize = 2 * size_of::<usize>();

/// One image, opened.
pub(in crate::vault) struct Entry {
    pub(in crate::vault) id: ImageId,
    /// Revision of the record that was opened.
    revision: u64,
    pub(in crate::vault) state: ImageState,
    pub(in crate::vault) uploaded_at: Timestamp,
    pub(in crate::vault) trashed_at: Option<Timestamp>,
    /// When it was taken, else uploaded; milliseconds since 1970.
    pub(in crate::vault) taken_ms: i64,
    /// The camera's wall clock when it was taken.
    pub(in crate::vault) taken_local: Option<DateTime>,
    pub(in crate::vault) facts: Facts,
    /// Bytes of the sealed record: about as many as it takes in an answer.
    pub(in crate::vault) record_len: usize,
    /// `None` where the record is read when a request needs it.
    pub(in crate::vault) metadata: Option<Arc<Metadata>>,
    /// Name, caption, tags and camera; without the record only the name, as images are ordered by
    /// it.
    pub(in crate::vault) searchable: Arc<Searchable>,
}

/// Numbers of a record. Wiped from memory when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(in crate::vault) struct Facts {
    pub(in crate::vault) size: u64,
    pub(in crate::vault) width: u32,
    pub(in crate::vault) height: u32,
    pub(in crate::vault) crc32: u32,
    pub(in crate::vault) favourite: bool,
}

impl Entry {
    /// The image; `None` where the entry is without its record.
    pub(in crate::vault) fn image(&self) -> Option<Image> {
        Some(Image {
            id: self.id,
            state: self.state,
            uploaded_at: self.uploaded_at,
            trashed_at: self.trashed_at,
            metadata: self.metadata.clone()?,
        })
    }

    pub(in crate::vault) fn new(row: &ImageRow, metadata: Metadata) -> Self {
        let texts = [&metadata.name, &metadata.caption]
            .into_iter()
            .chain(&metadata.tags)
            .chain(&metadata.camera);
        let searchable = Searchable::new(texts);
        Self {
            id: row.id,
            revision: row.revision,
            state: row.state(),
            uploaded_at: row.uploaded_at,
            trashed_at: row.trashed_at,
            taken_ms: metadata
                .taken_at()
                .unwrap_or(row.uploaded_at)
                .as_millisecond(),
            taken_local: metadata.taken_local(),
            facts: Facts {
                size: metadata.size,
                width: metadata.width,
                height: metadata.height,
                crc32: metadata.crc32,
                favourite: metadata.favourite,
            },
            record_len: row.metadata.len(),
            metadata: Some(Arc::new(metadata)),
            searchable: Arc::new(searchable),
        }
    }

    /// Whether the row holds the record that was opened.
    pub(super) fn is_of(&self, row: &ImageRow) -> bool {
        self.revision == row.revision
    }

    /// The same record in a row that went to the trash or came back.
    pub(super) fn moved(&self, row: &ImageRow) -> Self {
        Self {
            state: row.state(),
            trashed_at: row.trashed_at,
            facts: self.facts.clone(),
            metadata: self.metadata.clone(),
            searchable: self.searchable.clone(),
            ..*self
        }
    }

    /// The same without its record.
    pub(super) fn slim(&self) -> Self {
        Self {
            facts: self.facts.clone(),
            metadata: None,
            searchable: Arc::new(self.searchable.of_name()),
            ..*self
        }
    }

    /// The wall clock for an archive's entry: the camera's, else the upload's in UTC.
    pub(in crate::vault) fn modified(&self) -> DateTime {
        self.taken_local.unwrap_or_else(|| {
            // Rounded down, so that no entry is from the future.
            let nanos = i64::from(self.uploaded_at.subsec_nanosecond());
            TimeZone::UTC.to_datetime(self.uploaded_at - SignedDuration::from_nanos(nanos))
        })
    }

    /// Bytes of memory that the entry takes in a catalogue.
    pub(in crate::vault) fn weight(&self) -> usize {
        let record = self.metadata.as_ref().map_or(0, |metadata| {
            allocated(size_of::<Metadata>() + ARC) + metadata.weight()
        });
        let searchable =
            allocated(size_of::<Searchable>() + ARC) + allocated(self.searchable.len());
        allocated(size_of::<Self>() + ARC) + PLACES + searchable + record
    }
}
