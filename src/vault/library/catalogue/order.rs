//! The orders of a catalogue.

use serde::{Deserialize, Serialize};

use super::entry::Entry;
use crate::ids::ImageId;

/// What images are ordered by, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// When they were uploaded.
    UploadedAt,
    /// When they were taken; the upload stands in where the camera did not say.
    TakenAt,
    /// Their names, without regard to case or accents.
    Name,
    /// The originals' bytes.
    Size,
}

/// An image's place in an order; the id makes it unique.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Key<'a>(pub(in super::super) Place<'a>, pub(in super::super) ImageId);

/// The value that images are ordered by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in super::super) enum Place<'a> {
    /// Milliseconds since 1970.
    Time(i64),
    Bytes(u64),
    Text(std::borrow::Cow<'a, str>),
}

impl Sort {
    /// Reads `uploaded_at`, `-taken_at` …; the second part is whether it is descending.
    pub fn parse(text: &str) -> Option<(Self, bool)> {
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        let sort = match name {
            "uploaded_at" => Self::UploadedAt,
            "taken_at" => Self::TakenAt,
            "name" => Self::Name,
            "size" => Self::Size,
            _ => return None,
        };
        Some((sort, descending))
    }

    pub(in super::super) fn key(self, entry: &Entry) -> Key<'_> {
        let place = match self {
            Self::UploadedAt => Place::Time(entry.uploaded_at.as_millisecond()),
            Self::TakenAt => Place::Time(entry.taken_ms),
            Self::Name => Place::Text(entry.searchable.folded_name().into()),
            Self::Size => Place::Bytes(entry.facts.size),
        };
        Key(place, entry.id)
    }
}
