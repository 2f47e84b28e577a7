//! The `Range` header (RFC 9110, section 14): one range of bytes. Several at once are answered
//! with the whole, which the RFC allows.

use std::ops::Range;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest, Request};

use super::server::Exchange;

/// The part of a body that a request asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RangeRequest {
    range: Option<String>,
    if_range: Option<String>,
    if_none_match: Option<String>,
    /// Only the head of the answer is asked for.
    is_head: bool,
}

/// The part of that body that the answer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RangeOutcome {
    /// All of it: 200.
    Whole,
    /// These bytes: 206.
    Part(Range<u64>),
    /// The range lies outside: 416.
    Unsatisfiable,
    /// The client has it already: 304.
    NotModified,
}

impl RangeRequest {
    /// Whether any of the body is to be read, rather than told about.
    pub(super) fn wants_body(&self) -> bool {
        !self.is_head
    }

    /// The answer for a body of `len` bytes under this entity tag (with its quotes).
    pub(super) fn of(&self, len: u64, etag: &str) -> RangeOutcome {
        let has_it = |tags: &String| {
            let mut tags = tags
                .split(',')
                .map(|tag| tag.trim().trim_start_matches("W/"));
            tags.any(|tag| tag == etag || tag == "*")
        };
        if self.if_none_match.as_ref().is_some_and(has_it) {
            return RangeOutcome::NotModified;
        }
        let changed = self.if_range.as_ref().is_some_and(|tag| tag != etag);
        match &self.range {
            Some(range) if !changed => parse(range, len),
            _ => RangeOutcome::Whole,
        }
    }
}

fn parse(header: &str, len: u64) -> RangeOutcome {
    let Some((first, last)) = header
        .strip_prefix("bytes=")
        .filter(|set| !set.contains(','))
        .and_then(|set| set.trim().split_once('-'))
    else {
        return RangeOutcome::Whole;
    };
    // A number too large for u64 is as good as the end.
    let number = |text: &str| -> Option<u64> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let range = match (
        first.is_empty(),
        last.is_empty(),
        number(first),
        number(last),
    ) {
        (true, false, _, Some(0)) => return RangeOutcome::Unsatisfiable,
        (true, false, _, Some(suffix)) => len.saturating_sub(suffix)..len,
        (false, true, Some(first), _) => first..len,
        (false, false, Some(first), Some(last)) if first <= last => {
            first..len.min(last.saturating_add(1))
        }
        // Not a range in the RFC's syntax: the header is ignored.
        _ => return RangeOutcome::Whole,
    };
    if range.start < range.end {
        RangeOutcome::Part(range)
    } else {
        RangeOutcome::Unsatisfiable
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for RangeRequest {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Self::Error> {
        let header = |name| request.headers().get_one(name).map(str::to_owned);
        Outcome::Success(Self {
            range: header("Range"),
            if_range: header("If-Range"),
            if_none_match: header("If-None-Match"),
            is_head: Exchange::of(request).is_head(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wanted(range: &str) -> RangeOutcome {
        RangeRequest {
            range: Some(range.to_owned()),
            ..RangeRequest::default()
        }
        .of(100, "\"tag\"")
    }

    #[test]
    fn one_range_gives_those_bytes() {
        assert_eq!(wanted("bytes=0-0"), RangeOutcome::Part(0..1));
        assert_eq!(wanted("bytes=10-19"), RangeOutcome::Part(10..20));
        assert_eq!(wanted("bytes=90-"), RangeOutcome::Part(90..100));
        assert_eq!(wanted("bytes=-10"), RangeOutcome::Part(90..100));
        assert_eq!(wanted("bytes=-1000"), RangeOutcome::Part(0..100));
        assert_eq!(
            wanted("bytes=50-99999999999999999999999"),
            RangeOutcome::Part(50..100)
        );
    }

    #[test]
    fn a_range_outside_is_unsatisfiable() {
        assert_eq!(wanted("bytes=100-"), RangeOutcome::Unsatisfiable);
        assert_eq!(wanted("bytes=-0"), RangeOutcome::Unsatisfiable);
    }

    #[test]
    fn what_is_no_single_range_gives_the_whole() {
        for range in [
            "bytes=5-2",
            "bytes=a-b",
            "bytes=",
            "bytes=-",
            "lines=1-2",
            "bytes=0-1,5-6",
        ] {
            assert_eq!(wanted(range), RangeOutcome::Whole, "{range}");
        }
    }

    #[test]
    fn a_part_of_another_version_is_not_mixed_in() {
        let mut wanted = RangeRequest {
            range: Some("bytes=5-".into()),
            ..RangeRequest::default()
        };
        wanted.if_range = Some("\"old\"".into());
        assert_eq!(wanted.of(100, "\"new\""), RangeOutcome::Whole);
        wanted.if_range = Some("\"new\"".into());
        assert_eq!(wanted.of(100, "\"new\""), RangeOutcome::Part(5..100));
    }

    proptest! {
        #[test]
        fn any_header_gives_bytes_that_are_there(range in ".{0,40}", len in 0u64..1000) {
            let wanted = RangeRequest { range: Some(range), ..RangeRequest::default() };
            if let RangeOutcome::Part(part) = wanted.of(len, "\"t\"") {
                prop_assert!(part.start < part.end && part.end <= len);
            }
        }
    }
}
