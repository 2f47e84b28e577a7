//! Which of page and document a client prefers, by its `Accept` header (RFC 9110, section 12.5.1).
//! The header is read once from left to right and nothing of it is kept. Rocket's `Request::accept`
//! copies the whole header for each of its parts: 32 kB take 271 MiB.

/// Whether a client prefers a page to a document.
pub(super) fn prefers_html<'h>(lines: impl Iterator<Item = &'h str>) -> bool {
    prefers("text/html", lines)
}

/// Whether a client prefers this type to all others: it is named, no other type has a greater weight,
/// and none of the same weight is named before it. A range such as `*/*`, which programs send, asks
/// for no type.
pub(super) fn prefers<'h>(wanted: &str, lines: impl Iterator<Item = &'h str>) -> bool {
    let (mut best, mut best_is_wanted, mut anything) = (0, false, 0);
    for line in lines {
        for range in line.split(outside_quotes(',')) {
            let Some((kind, weight)) = weighed(range) else {
                continue;
            };
            if kind.ends_with("/*") {
                anything = anything.max(weight);
            } else if weight > best {
                best = weight;
                best_is_wanted = kind.eq_ignore_ascii_case(wanted);
            }
        }
    }
    best_is_wanted && best >= anything
}

/// A media range and its weight in thousandths; `None` where the weight is malformed.
fn weighed(range: &str) -> Option<(&str, u16)> {
    let mut parts = range.split(outside_quotes(';'));
    let kind = parts.next()?.trim();
    let mut parameters = parts.filter_map(|part| part.split_once('='));
    let weight = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let weight = weight.map_or(Some(1_000), |(_, value)| thousandths(value.trim()))?;
    Some((kind, weight))
}

/// A weight as RFC 9110, section 12.4.2 has it: `0.8` is 800.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    if part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = part.bytes().chain([b'0'; 3]).take(3);
    let part = digits.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1_000),
        _ => None,
    }
}

/// Finds a separator outside of quoted strings (RFC 9110, section 5.6.4).
fn outside_quotes(separator: char) -> impl FnMut(char) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    move |char| {
        let found = char == separator && !quoted;
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn html(accept: &str) -> bool {
        prefers_html([accept].into_iter())
    }

    #[test]
    fn browsers_get_pages() {
        for accept in [
            // Firefox, Chromium, Safari, Lynx.
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,\
             */*;q=0.8,application/signed-exchange;v=b3;q=0.7",
            "text/html, text/plain, text/sgml, text/css, application/xhtml+xml, */*;q=0.01",
            "text/html",
            "TEXT/HTML; charset=utf-8",
            "*/*, text/html",
            "application/json;q=0.5, text/html;q=0.8",
            "text/plain;x=\"a,text/plain;q=1\";q=0.2, text/html;q=0.3",
        ] {
            assert!(html(accept), "{accept}");
        }
    }

    #[test]
    fn programs_get_documents() {
        for accept in [
            "",
            "*/*",
            "text/*",
            "application/json",
            "application/json, text/html",
            "application/json, text/plain, */*",
            "text/html;q=0.5, application/json",
            "text/html;q=0.5, */*",
            "text/html;q=0",
            "text/html;q=2",
            "text/html;q=",
            "text/html;q=0.1234",
            "text/plain;x=\"text/html,text/html\"",
            "text/plain;x=\"\\\",text/html",
            ",,,;;;==q=",
        ] {
            assert!(!html(accept), "{accept}");
        }
        assert!(!prefers_html(std::iter::empty()));
    }

    #[test]
    fn scrapers_get_the_format_that_they_like_best() {
        let open_metrics =
            |accept: &str| prefers("application/openmetrics-text", [accept].into_iter());
        for accept in [
            // Prometheus 2 and 3.
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
             text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
            "Application/OpenMetrics-Text",
        ] {
            assert!(open_metrics(accept), "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "application/*",
            "text/plain;version=0.0.4",
            "text/plain, application/openmetrics-text",
            "application/openmetrics-text;q=0.2, text/plain;q=0.3",
            "application/openmetrics-text;q=0",
            "text/html, text/plain;x=\"application/openmetrics-text\"",
        ] {
            assert!(!open_metrics(accept), "{accept}");
        }
    }

    proptest! {
        /// Against the definition, on lists without quotes.
        #[test]
        fn what_is_liked_most_decides_and_the_first_of_equals(
            ranges in prop::collection::vec(
                (prop::sample::select(vec!["text/html", "a/b", "*/*", "text/*"]), 0..=1_000_u16),
                0..8,
            ),
        ) {
            let written: Vec<_> = ranges
                .iter()
                .map(|(kind, q)| format!("{kind};q={}.{:03}", q / 1_000, q % 1_000))
                .collect();
            let most = |wild: bool| {
                let of = ranges.iter().filter(|(kind, _)| kind.ends_with('*') == wild);
                of.map(|(_, q)| *q).max().unwrap_or(0)
            };
            let first = ranges
                .iter()
                .find(|(kind, q)| !kind.ends_with('*') && *q == most(false) && *q > 0);
            let wanted = first.is_some_and(|(kind, _)| *kind == "text/html")
                && most(false) >= most(true);
            prop_assert_eq!(html(&written.join(", ")), wanted);
            // Several lines are one list (RFC 9110, section 5.3).
            prop_assert_eq!(prefers_html(written.iter().map(String::as_str)), wanted);
        }

        #[test]
        fn any_text_is_read(accept in "[ -~]{0,60}|[,;=\"\\\\q/*.01a]{0,60}") {
            html(&accept);
        }
    }
}
