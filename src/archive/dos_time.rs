//! A moment as a zip header holds it (APPNOTE 4.4.6, the MS-DOS format).

use jiff::civil::DateTime;

const EARLIEST: DateTime = DateTime::constant(1980, 1, 1, 0, 0, 0, 0);
const LATEST: DateTime = DateTime::constant(2107, 12, 31, 23, 59, 58, 0);

/// A wall-clock time between 1980 and 2107, in steps of two seconds, without a zone.
///
/// Made from a civil time, which is what a camera knows. A time outside the range becomes its
/// nearest end, and an odd second is rounded down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DosTime(u32);

impl DosTime {
    /// The date in the upper 16 bits and the time in the lower ones. In little-endian order this
    /// is the header's time field followed by its date field.
    pub(super) fn packed(self) -> u32 {
        self.0
    }

    /// Reads [`DosTime::packed`] back; `None` where the bits are no day or no time of day.
    pub(super) fn from_packed(packed: u32) -> Option<Self> {
        let field = |shift: u32, bits: u32| ((packed >> shift) & ((1 << bits) - 1)) as i8;
        let year = 1980 + i16::from(field(25, 7));
        let (month, day) = (field(21, 4), field(16, 5));
        let (hour, minute, second) = (field(11, 5), field(5, 6), field(0, 5) * 2);
        DateTime::new(year, month, day, hour, minute, second, 0)
            .ok()
            .map(Self::from)
    }
}

impl From<DateTime> for DosTime {
    fn from(at: DateTime) -> Self {
        let at = at.clamp(EARLIEST, LATEST);
        let small = |number: i8| u32::from(number.unsigned_abs());
        let year = u32::from((at.year() - EARLIEST.year()).unsigned_abs());
        let date = (year << 9) | (small(at.month()) << 5) | small(at.day());
        let time = (small(at.hour()) << 11) | (small(at.minute()) << 5) | (small(at.second()) / 2);
        Self((date << 16) | time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::datetime;
    use proptest::prelude::*;

    #[test]
    fn the_fields_stand_where_ms_dos_put_them() {
        let packed = DosTime::from(datetime(2026, 11, 20, 13, 37, 43, 0)).packed();
        assert_eq!(packed >> 16, (46 << 9) | (11 << 5) | 20);
        assert_eq!(packed & 0xffff, (13 << 11) | (37 << 5) | 21);
    }

    #[test]
    fn a_time_no_header_can_hold_becomes_the_nearest_one_it_can() {
        let before = DosTime::from(datetime(1839, 8, 19, 12, 0, 1, 0));
        let after = DosTime::from(datetime(2108, 1, 1, 0, 0, 0, 0));
        assert_eq!(before, DosTime::from(EARLIEST));
        assert_eq!(after, DosTime::from(LATEST));
        assert_eq!(DosTime::from(DateTime::MAX), after);
    }

    #[test]
    fn a_thirtieth_of_february_is_refused() {
        let leap_day = DosTime::from(datetime(2024, 2, 29, 0, 0, 0, 0)).packed();
        assert!(DosTime::from_packed(leap_day).is_some());
        assert!(DosTime::from_packed(leap_day + (1 << 16)).is_none());
        assert!(DosTime::from_packed(0).is_none());
    }

    proptest! {
        #[test]
        fn every_packed_time_is_refused_or_reads_back(packed: u32) {
            if let Some(time) = DosTime::from_packed(packed) {
                prop_assert_eq!(time.packed(), packed);
            }
        }
    }
}
