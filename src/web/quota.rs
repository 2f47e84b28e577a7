//! How much an account keeps and may keep: for programs, and in words and meters for people.

use serde::Serialize;

use super::units;
use crate::vault::Usage;

/// The owner is warned when so many of a hundred parts are used.
const WARN_AT_PERCENT: u128 = 90;

/// What is left of a quota, as a refusal tells it. Limits that do not exist are null.
#[derive(Debug, Clone, Serialize)]
pub(super) struct QuotaLeft {
    quota_bytes: Option<u64>,
    used_bytes: u64,
    left_bytes: Option<u64>,
    quota_images: Option<u64>,
    used_images: u64,
    left_images: Option<u64>,
}

/// What an account keeps, as its owner is told.
#[derive(Serialize)]
pub(super) struct UsageBody {
    bytes: u64,
    images: u64,
}

/// What an account may keep, as its owner is told; null is no limit.
#[derive(Serialize)]
pub(super) struct QuotaBody {
    bytes: Option<u64>,
    images: Option<u64>,
}

/// Usage and quota on a page.
#[derive(Serialize)]
pub(super) struct QuotaView {
    words: String,
    meters: Vec<Meter>,
    /// Empty while there is enough.
    warning: String,
}

#[derive(Serialize)]
struct Meter {
    label: &'static str,
    words: String,
    used: u64,
    most: u64,
    /// Above it the meter changes its colour.
    high: u64,
}

impl From<&Usage> for QuotaLeft {
    fn from(usage: &Usage) -> Self {
        Self {
            quota_bytes: usage.quota.bytes,
            used_bytes: usage.bytes,
            left_bytes: usage.bytes_left(),
            quota_images: usage.quota.images,
            used_images: usage.images,
            left_images: usage.images_left(),
        }
    }
}

impl From<&Usage> for UsageBody {
    fn from(usage: &Usage) -> Self {
        Self {
            bytes: usage.bytes,
            images: usage.images,
        }
    }
}

impl From<&Usage> for QuotaBody {
    fn from(usage: &Usage) -> Self {
        Self {
            bytes: usage.quota.bytes,
            images: usage.quota.images,
        }
    }
}

impl From<&Usage> for QuotaView {
    fn from(usage: &Usage) -> Self {
        let meter = |label, words, used, most: Option<u64>| {
            most.map(|most| Meter {
                label,
                words,
                used,
                most,
                high: ((u128::from(most) * WARN_AT_PERCENT).div_ceil(100) as u64).saturating_sub(1),
            })
        };
        let size = meter("Size", size(usage), usage.bytes, usage.quota.bytes);
        let number = meter("Number", number(usage), usage.images, usage.quota.images);
        Self {
            words: words(usage),
            meters: size.into_iter().chain(number).collect(),
            warning: warning(usage).unwrap_or_default(),
        }
    }
}

/// `1.2 GiB of 50 GiB · 3,120 of 10,000 pictures`.
pub fn words(usage: &Usage) -> String {
    format!("{} · {}", size(usage), number(usage))
}

/// Why a picture, or what is said about one, does not fit now, and what helps.
pub(super) fn no_room(usage: &Usage) -> String {
    let mut left = Vec::new();
    left.extend(usage.bytes_left().map(units::bytes));
    left.extend(usage.images_left().map(pictures));
    format!(
        "There is no room for this: {} are used, and {} left. All that is stored of your pictures \
         counts, previews, captions and the trash included. Delete some for good, or ask the \
         administrator of this server.",
        words(usage),
        and(&left),
    )
}

/// Why a file never fits.
pub(super) fn larger_than_quota(usage: &Usage) -> String {
    format!(
        "The file is too large: your whole vault may keep {}, thumbnails and all.",
        units::bytes(usage.quota.bytes.unwrap_or(u64::MAX))
    )
}

fn warning(usage: &Usage) -> Option<String> {
    let both = [
        (usage.bytes, usage.quota.bytes),
        (usage.images, usage.quota.images),
    ];
    let is_scarce = |(used, most): &(u64, Option<u64>)| {
        most.is_some_and(|most| u128::from(*used) * 100 >= u128::from(most) * WARN_AT_PERCENT)
    };
    if !both.iter().any(is_scarce) {
        return None;
    }
    if usage.bytes_left() == Some(0) || usage.images_left() == Some(0) {
        return Some("Your vault is full.".to_owned());
    }
    let mut left = Vec::new();
    left.extend(usage.bytes_left().map(units::bytes));
    left.extend(usage.images_left().map(pictures));
    Some(format!("Your vault is nearly full: {} left.", and(&left)))
}

fn size(usage: &Usage) -> String {
    let used = units::bytes(usage.bytes);
    match usage.quota.bytes {
        Some(most) => format!("{used} of {}", units::bytes(most)),
        None => used,
    }
}

fn number(usage: &Usage) -> String {
    match usage.quota.images {
        Some(most) => format!("{} of {}", count(usage.images), pictures(most)),
        None => pictures(usage.images),
    }
}

/// `1 picture is`, `3 MiB and 2 pictures are`: the words before `left`.
fn and(parts: &[String]) -> String {
    let verb = match parts {
        [one] if one == "1 picture" => "is",
        _ => "are",
    };
    format!("{} {verb}", parts.join(" and "))
}

fn count(number: u64) -> String {
    units::count(usize::try_from(number).unwrap_or(usize::MAX))
}

fn pictures(number: u64) -> String {
    units::pictures(usize::try_from(number).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Quota;

    fn usage(bytes: u64, images: u64, most_bytes: Option<u64>, most_images: Option<u64>) -> Usage {
        Usage {
            images,
            bytes,
            quota: Quota {
                bytes: most_bytes,
                images: most_images,
            },
        }
    }

    #[test]
    fn what_is_used_reads_as_people_say_it() {
        let limited = usage(1_288_490_189, 3_120, Some(50 << 30), Some(10_000));
        assert_eq!(
            words(&limited),
            "1.2 GiB of 50 GiB · 3,120 of 10,000 pictures"
        );
        assert_eq!(words(&usage(0, 1, None, None)), "0 B · 1 picture");
    }

    #[test]
    fn the_owner_is_warned_from_nine_tenths_on() {
        assert_eq!(warning(&usage(899, 0, Some(1_000), None)), None);
        assert_eq!(
            warning(&usage(900, 0, Some(1_000), None)).unwrap(),
            "Your vault is nearly full: 100 B are left."
        );
        assert_eq!(
            warning(&usage(0, 19, Some(1 << 20), Some(20))).unwrap(),
            "Your vault is nearly full: 1 MiB and 1 picture are left."
        );
        let over = usage(2_000, 0, Some(1_000), None);
        assert_eq!(warning(&over).unwrap(), "Your vault is full.");
        assert_eq!(warning(&usage(u64::MAX, u64::MAX, None, None)), None);
    }
}
