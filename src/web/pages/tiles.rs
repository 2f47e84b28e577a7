//! What grids of pictures show, and the links from page to page of them.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::super::units;
use crate::ids::ImageId;
use crate::vault::Image;

/// A picture in a grid.
#[derive(Serialize)]
pub(super) struct Tile {
    id: ImageId,
    name: String,
    width: u32,
    height: u32,
    favourite: bool,
    taken_label: String,
    size_label: String,
    days_left_label: String,
}

impl Tile {
    /// The tiles of a page of images.
    pub(super) fn of_all(images: &[Image], trash_days: u64) -> Vec<Self> {
        let tile = |image| Self::new(image, trash_days);
        images.iter().map(tile).collect()
    }

    /// The tile of an image; `trash_days` is how long the trash keeps it.
    pub(super) fn new(image: &Image, trash_days: u64) -> Self {
        let about = &image.metadata;
        Self {
            id: image.id,
            name: about.name.clone(),
            width: about.width,
            height: about.height,
            favourite: about.favourite,
            taken_label: about.taken_local().map(units::day).unwrap_or_default(),
            size_label: units::bytes(about.size),
            days_left_label: image
                .trashed_at
                .map(|at| days_left(at, trash_days))
                .unwrap_or_default(),
        }
    }
}

fn days_left(trashed_at: Timestamp, trash_days: u64) -> String {
    let kept = SignedDuration::from_hours(24 * i64::try_from(trash_days).unwrap_or(i64::MAX / 24));
    let left = kept.saturating_sub(Timestamp::now().duration_since(trashed_at));
    match left.as_secs().max(0).unsigned_abs().div_ceil(24 * 60 * 60) {
        0 => "going now".into(),
        1 => "1 day left".into(),
        days => format!("{days} days left"),
    }
}

/// A path with these query fields, those without a value left out.
pub(super) fn link(path: &str, fields: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded(fields);
    if !query.is_empty() {
        query.insert(0, '?');
    }
    format!("{path}{query}")
}

fn form_urlencoded(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| rocket::http::RawStr::new(text).percent_encode().to_string();
    let pairs = fields.iter().filter(|(_, value)| !value.is_empty());
    pairs
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}
