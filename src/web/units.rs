//! Numbers as people read them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// `3.4 MiB`, `100 MiB`, `512 B`.
pub(super) fn bytes(count: u64) -> String {
    let text = bytesize::ByteSize::b(count).display().iec().to_string();
    text.replace(".0 ", " ")
}

/// `1,234`.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 second`, `4 minutes`: rounded up.
pub(super) fn wait(secs: u64) -> String {
    let (number, unit) = match secs {
        0..=90 => (secs, "second"),
        _ => (secs.div_ceil(60), "minute"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// `1 picture`, `1,234 pictures`.
pub(super) fn pictures(number: usize) -> String {
    format!(
        "{} picture{}",
        count(number),
        if number == 1 { "" } else { "s" }
    )
}

/// `12 May 2021`.
pub(super) fn day(at: DateTime) -> String {
    at.strftime("%-d %B %Y").to_string()
}

/// `12 May 2021, 10:00 UTC`.
pub(super) fn moment(at: Timestamp) -> String {
    TimeZone::UTC
        .to_datetime(at)
        .strftime("%-d %B %Y, %H:%M UTC")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(pictures(1), "1 picture");
        assert_eq!(bytes(100 << 20), "100 MiB");
        assert_eq!(bytes(3_565_158), "3.4 MiB");
    }
}
