//! How a time stands in the JSON that clients read: answers of the API, and an export's list.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

/// A time as clients are told it: RFC 3339 in UTC, always with three digits of milliseconds, as in
/// `2026-12-01T10:00:00.000Z`. So times are in order when their texts are; `Timestamp` by itself
/// drops zeros at the end, and `…:00.5Z` comes before `…:00Z` as text. Any RFC 3339 is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct JsonTime(pub Timestamp);

impl From<Timestamp> for JsonTime {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl fmt::Display for JsonTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl Serialize for JsonTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(nanos: i64) -> JsonTime {
        JsonTime(Timestamp::from_nanosecond(i128::from(nanos)).unwrap())
    }

    #[test]
    fn a_time_has_three_digits_of_milliseconds_whatever_they_are() {
        for (nanos, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (500_000_000, "1970-01-01T00:00:00.500Z"),
            (1_234_567_890, "1970-01-01T00:00:01.234Z"),
            (-1_000_000, "1969-12-31T23:59:59.999Z"),
            (1_764_583_200_999_999_999, "2025-12-01T10:00:00.999Z"),
        ] {
            assert_eq!(at(nanos).to_string(), text);
        }
    }

    #[test]
    fn a_time_that_was_written_shorter_or_elsewhere_is_read() {
        for text in [
            "2026-11-21T10:00:00Z",
            "2026-11-21T10:00:00.0Z",
            "2026-11-21T10:00:00.000Z",
            "2026-11-21T12:00:00.000000000+02:00",
        ] {
            let read: JsonTime = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert_eq!(read.to_string(), "2026-11-21T10:00:00.000Z");
        }
    }

    proptest! {
        /// From the year 1 to 9999, to the millisecond.
        #[test]
        fn times_are_in_order_when_their_texts_are(
            millis in prop::collection::vec(-62_135_596_800_000..253_402_200_000_000_i64, 2),
        ) {
            let times = [millis[0], millis[1]].map(|millis| {
                JsonTime(Timestamp::from_millisecond(millis).unwrap())
            });
            let texts = times.map(|time| time.to_string());
            prop_assert_eq!(texts[0].cmp(&texts[1]), millis[0].cmp(&millis[1]));
            let read: JsonTime = serde_json::from_str(&format!("\"{}\"", texts[0])).unwrap();
            prop_assert_eq!(read, times[0]);
        }
    }
}
