//! The shape of a whole list, small enough to be sent at once: how many images each section has,
//! how wide each is, and where each page begins. So a client lays out a hundred thousand images
//! before it has loaded one of them, and nothing moves later.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::catalogue::{Catalogue, Entry, Filter, Sort};
use super::listing::{cursor_bytes, seal_cursor, walk};
use crate::store::ImageState;
use crate::vault::error::Result;
use crate::vault::{Unlocked, Vault};

/// Images from one cursor of a timeline to the next.
pub const TIMELINE_PAGE: usize = 200;
/// Steps of a width-to-height ratio from one power of two to the next.
const STEPS: f64 = 32.0;
const ONE_MIB: u64 = 1 << 20;

/// Neighbours in a list that belong under one heading.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// A day (`2026-11-21`), a first letter, or a range of sizes, as the order has it.
    pub key: String,
    /// Its images.
    pub count: usize,
}

/// The shape of a whole list.
pub struct Timeline {
    /// In the list's order. A key may come again where travel turned the clock back.
    pub sections: Vec<Section>,
    /// One byte an image: `128 + 32 * log2(width / height)`, rounded.
    pub ratios: Vec<u8>,
    /// Leads to every [`TIMELINE_PAGE`]th image; `None` for the first.
    pub cursors: Vec<Option<String>>,
    /// Bytes of all originals.
    pub total_bytes: u64,
    /// Images of the account whose record does not open.
    pub damaged: usize,
}

impl Vault {
    /// The shape of the list that [`Vault::list`] gives in pages. Days are those of a clock in this
    /// zone, or of the camera's own where the order is by time of capture.
    ///
    /// # Errors
    /// [`crate::vault::VaultError::Invalid`] naming `q`.
    pub async fn timeline(
        &self,
        who: &Unlocked,
        filter: Filter,
        (sort, descending): (Sort, bool),
        zone: TimeZone,
    ) -> Result<Timeline> {
        filter.check("q")?;
        let about = ImageState::Active;
        let (catalogue, beyond) = self.searched(who, sort, &filter, about).await?;
        let survey = move || {
            let meant = filter.matcher(about, &beyond);
            survey(&catalogue, meant, sort, descending, &zone)
        };
        let (mut timeline, ends) = self.walk(survey).await?;
        for end in ends {
            timeline.cursors.push(Some(seal_cursor(who, &end)?));
        }
        Ok(timeline)
    }
}

/// The timeline, and the cursors behind its first page, not yet sealed.
fn survey(
    catalogue: &Catalogue,
    meant: impl Fn(&Entry) -> bool,
    sort: Sort,
    descending: bool,
    zone: &TimeZone,
) -> (Timeline, Vec<Vec<u8>>) {
    let mut timeline = Timeline {
        sections: Vec::new(),
        ratios: Vec::new(),
        cursors: vec![None],
        total_bytes: 0,
        damaged: catalogue.damaged().len(),
    };
    let mut ends = Vec::new();
    let mut before: Option<(Heading, &Entry)> = None;
    let order = catalogue.in_order(sort).unwrap_or_default();
    for entry in walk(order, descending, 0).filter(|entry| meant(entry)) {
        if let Some((_, last)) = &before
            && timeline.ratios.len().is_multiple_of(TIMELINE_PAGE)
        {
            ends.push(cursor_bytes(sort, descending, last));
        }
        let heading = Heading::of(entry, sort, zone);
        match timeline.sections.last_mut() {
            Some(section) if before.as_ref().is_some_and(|(same, _)| *same == heading) => {
                section.count += 1;
            }
            _ => timeline.sections.push(Section {
                key: heading.to_string(),
                count: 1,
            }),
        }
        timeline.ratios.push(ratio(entry));
        timeline.total_bytes += entry.facts.size;
        before = Some((heading, entry));
    }
    (timeline, ends)
}

/// What images under one heading have in common.
#[derive(PartialEq, Eq)]
enum Heading {
    Day(Date),
    Letter(char),
    /// From this many MiB on.
    Size(u64),
}

impl Heading {
    fn of(entry: &Entry, sort: Sort, zone: &TimeZone) -> Self {
        let day_of = |at: Timestamp| Self::Day(zone.to_datetime(at).date());
        match sort {
            Sort::UploadedAt => day_of(entry.uploaded_at),
            Sort::TakenAt => match entry.taken_local {
                Some(local) => Self::Day(local.date()),
                None => day_of(entry.uploaded_at),
            },
            Sort::Name => Self::Letter(match entry.searchable.folded_name().chars().next() {
                Some(letter) if letter.is_alphabetic() => {
                    letter.to_uppercase().next().unwrap_or(letter)
                }
                Some(digit) if digit.is_numeric() => '0',
                _ => '#',
            }),
            Sort::Size => Self::Size(match entry.facts.size / ONE_MIB {
                0 => 0,
                mib => 1 << mib.ilog2(),
            }),
        }
    }
}

impl std::fmt::Display for Heading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Day(day) => write!(f, "{day}"),
            Self::Letter('0') => f.write_str("0–9"),
            Self::Letter(letter) => write!(f, "{letter}"),
            Self::Size(0) => f.write_str("Below 1 MiB"),
            Self::Size(mib) => write!(f, "{mib} to {} MiB", mib * 2),
        }
    }
}

fn ratio(entry: &Entry) -> u8 {
    let (width, height) = (entry.facts.width.max(1), entry.facts.height.max(1));
    let steps = STEPS * (f64::from(width) / f64::from(height)).log2();
    // The cast saturates: what is wider than 15:1 or higher than 1:16 is shown as that.
    (128.0 + steps).round() as u8
}
