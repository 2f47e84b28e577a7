//! How much an account keeps, and how much it may.

/// How much an account may keep; nothing is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quota {
    /// Bytes of its originals, as they are stored.
    pub bytes: Option<u64>,
    /// Images, those in the trash included.
    pub images: Option<u64>,
}

impl Quota {
    /// No limit at all.
    pub const NONE: Self = Self {
        bytes: None,
        images: None,
    };
}

/// What was decided about one limit of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Allowance {
    /// Nothing: it is as for all others.
    #[default]
    Default,
    /// It has no limit.
    Unlimited,
    /// It is this.
    AtMost(u64),
}

impl Allowance {
    const UNLIMITED: i64 = -1;

    /// The number that is stored, if any.
    pub(super) fn stored(self) -> Option<i64> {
        match self {
            Self::Default => None,
            Self::Unlimited => Some(Self::UNLIMITED),
            Self::AtMost(most) => Some(i64::try_from(most).unwrap_or(i64::MAX)),
        }
    }

    /// What is stored as this number.
    pub(super) fn read(stored: Option<i64>) -> Self {
        match stored {
            None => Self::Default,
            Some(most) => u64::try_from(most).map_or(Self::Unlimited, Self::AtMost),
        }
    }

    fn or(self, default: Option<u64>) -> Option<u64> {
        match self {
            Self::Default => default,
            Self::Unlimited => None,
            Self::AtMost(most) => Some(most),
        }
    }
}

/// What an account keeps, counted in the transactions that change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageRow {
    /// Images, those in the trash included.
    pub images: u64,
    /// Bytes of its originals, as they are stored.
    pub bytes: u64,
    /// What was decided about its bytes.
    pub bytes_allowed: Allowance,
    /// What was decided about its images.
    pub images_allowed: Allowance,
}

impl UsageRow {
    /// What the account may keep where all others may keep `default`.
    pub fn quota(&self, default: &Quota) -> Quota {
        Quota {
            bytes: self.bytes_allowed.or(default.bytes),
            images: self.images_allowed.or(default.images),
        }
    }

    /// Whether one more image fits, whose original is stored in so many bytes.
    pub(super) fn has_room(&self, bytes: u64, default: &Quota) -> bool {
        let quota = self.quota(default);
        let fits = |used: u64, more: u64, most: Option<u64>| {
            most.is_none_or(|most| used.saturating_add(more) <= most)
        };
        fits(self.images, 1, quota.images) && fits(self.bytes, bytes, quota.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_decided_reads_back() {
        for decided in [
            Allowance::Default,
            Allowance::Unlimited,
            Allowance::AtMost(0),
            Allowance::AtMost(50 << 30),
        ] {
            assert_eq!(Allowance::read(decided.stored()), decided);
        }
    }

    #[test]
    fn the_last_byte_and_the_last_image_still_fit() {
        let most = |bytes, images| Quota { bytes, images };
        let used = UsageRow {
            images: 9,
            bytes: 900,
            ..UsageRow::default()
        };
        assert!(used.has_room(100, &most(Some(1_000), Some(10))));
        assert!(!used.has_room(101, &most(Some(1_000), Some(10))));
        assert!(!used.has_room(0, &most(None, Some(9))));
        assert!(used.has_room(u64::MAX, &most(None, None)));
        let own = UsageRow {
            bytes_allowed: Allowance::Unlimited,
            images_allowed: Allowance::AtMost(9),
            ..used
        };
        assert!(!own.has_room(0, &most(None, None)));
        assert_eq!(own.quota(&most(Some(1), None)), most(None, Some(9)));
    }
}
