//! The file name in the head of a part, as the clients that there are write it.
//!
//! By RFC 7578 it is `filename="…"` in UTF-8. Browsers write three characters of it in another way
//! (HTML, "multipart/form-data encoding"), older programs put a backslash before a quotation mark,
//! write Latin-1, or take the `filename*` of RFC 8187, which forms were not to have.

use std::borrow::Cow;

/// What browsers write for the characters that would end the name or the line. They write a percent
/// sign itself as it is, so nothing else is an escape.
const ESCAPES: [(&str, &str); 3] = [("%22", "\""), ("%0D", "\r"), ("%0A", "\n")];

/// The file name in a `Content-Disposition`; `None` where the part is no file. Not longer than twice
/// the header, which the caller bounds.
pub(super) fn file_name(disposition: &[u8]) -> Option<String> {
    if let Some(name) = parameter(disposition, b"filename") {
        let escaped = |name: String, (escape, char)| name.replace(escape, char);
        return Some(ESCAPES.into_iter().fold(text(name), escaped));
    }
    parameter(disposition, b"filename*").map(|value| extended(&value))
}

/// The first parameter of this name. Spaces around `=` and missing quotation marks are overlooked.
fn parameter<'h>(header: &'h [u8], wanted: &[u8]) -> Option<Cow<'h, [u8]>> {
    let is_between = |byte: &u8| *byte == b';' || byte.is_ascii_whitespace();
    let mut rest = header;
    loop {
        let start = rest.iter().position(|byte| !is_between(byte))?;
        rest = &rest[start..];
        let end = rest
            .iter()
            .position(|byte| *byte == b'=' || is_between(byte));
        let (name, behind) = rest.split_at(end.unwrap_or(rest.len()));
        let Some(value) = behind.trim_ascii_start().strip_prefix(b"=") else {
            // A word alone, such as `form-data`.
            rest = behind;
            continue;
        };
        let (value, behind) = value_of(value.trim_ascii_start())?;
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = behind;
    }
}

/// The value that a text begins with, and what follows it; `None` where its quotation mark is never
/// closed.
fn value_of(text: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let end = text
            .iter()
            .position(|byte| *byte == b';' || byte.is_ascii_whitespace());
        let (value, behind) = text.split_at(end.unwrap_or(text.len()));
        return Some((value.into(), behind));
    };
    let mut end = memchr::memchr(b'"', quoted)?;
    let mut value = Cow::Borrowed(&quoted[..end]);
    // A backslash elsewhere is one: old browsers sent whole paths of Windows.
    while value.ends_with(b"\\") {
        let more = &quoted[end + 1..];
        let next = memchr::memchr(b'"', more)?;
        let whole = value.to_mut();
        whole.pop();
        whole.push(b'"');
        whole.extend_from_slice(&more[..next]);
        end += 1 + next;
    }
    Some((value, &quoted[end + 1..]))
}

/// An `ext-value` of RFC 8187: `UTF-8'en'%e2%82%ac.jpg`. A percent sign that begins no byte is one.
fn extended(value: &[u8]) -> String {
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    let (charset, coded) = match (parts.next(), parts.next(), parts.next()) {
        (Some(charset), Some(_), Some(coded)) => (charset, coded),
        _ => (&b""[..], value),
    };
    let bytes: Vec<u8> = percent_encoding::percent_decode(coded).collect();
    match charset.eq_ignore_ascii_case(b"ISO-8859-1") {
        true => latin_1(&bytes),
        false => text(bytes.into()),
    }
}

/// UTF-8, or else Latin-1: bytes of that are hardly ever valid UTF-8.
fn text(bytes: Cow<'_, [u8]>) -> String {
    String::from_utf8(bytes.into_owned()).unwrap_or_else(|error| latin_1(error.as_bytes()))
}

/// The bytes of Latin-1 are the first 256 characters of Unicode.
fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(parameters: &str) -> Option<String> {
        file_name(format!("form-data; {parameters}").as_bytes())
    }

    #[test]
    fn three_escapes_of_browsers_are_undone_and_nothing_else() {
        for (sent, name) in [
            ("a%22b.jpg", "a\"b.jpg"),
            ("%22%22%0D%0A.jpg", "\"\"\r\n.jpg"),
            ("100%25 %2F%2e%0d%0a%00.jpg", "100%25 %2F%2e%0d%0a%00.jpg"),
            ("%2522 %%22 %2", "%2522 %\" %2"),
            ("图 片;=.png", "图 片;=.png"),
        ] {
            let found = named(&format!("name=\"file\"; filename=\"{sent}\""));
            assert_eq!(found.as_deref(), Some(name));
        }
    }

    #[test]
    fn older_ways_to_write_a_name_are_read() {
        for (parameters, name) in [
            ("filename=\"a\\\"b\\\".jpg\"; name=x", "a\"b\".jpg"),
            ("filename=\"C:\\Pictures\\a.jpg\"", "C:\\Pictures\\a.jpg"),
            ("name=file; filename=a.jpg", "a.jpg"),
            ("NAME=file;FileName = \"a b.jpg\" ;x", "a b.jpg"),
            ("filename=", ""),
            ("filename=\"\"", ""),
            ("name=\"a; filename=b\"; filename=\"c\"", "c"),
        ] {
            assert_eq!(named(parameters).as_deref(), Some(name), "{parameters}");
        }
    }

    #[test]
    fn an_extended_name_is_read_where_there_is_no_other() {
        for (parameters, name) in [
            ("filename*=UTF-8''%e2%82%AC%20a.jpg", "€ a.jpg"),
            ("filename*=utf-8'en'it%27s%22.jpg", "it's\".jpg"),
            ("filename*=iso-8859-1''caf%e9.jpg", "café.jpg"),
            ("filename*=\"UTF-8''a%20b.jpg\"", "a b.jpg"),
            ("filename*=UTF-8''caf%e9.jpg", "café.jpg"),
            ("filename*=a%20b%zz%2.jpg", "a b%zz%2.jpg"),
            ("filename*=UTF-8''", ""),
            ("filename*=UTF-8''b.jpg; filename=\"a.jpg\"", "a.jpg"),
        ] {
            assert_eq!(named(parameters).as_deref(), Some(name), "{parameters}");
        }
    }

    #[test]
    fn a_name_in_latin_1_is_read() {
        let found = file_name(b"form-data; name=file; filename=\"\xe4\xf6\xfc %22\xdf.jpg\"");
        assert_eq!(found.as_deref(), Some("äöü \"ß.jpg"));
    }

    #[test]
    fn a_part_without_a_file_name_is_no_file() {
        for parameters in [
            "",
            "name=\"file\"",
            "name=\"filename\"",
            "name=\"a; filename=b\"",
            "name=\"a\"; xfilename=b; filename-x=c",
            "filename",
            "filename=\"never closed",
            "filename=\"never closed\\\"",
        ] {
            assert_eq!(named(parameters), None, "{parameters}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_in_time_and_space_of_its_length(
            header in prop::collection::vec(
                prop::sample::select(b"filename*=\"\"\"\\\\;; %2'\xe4F".to_vec()), 0..200,
            ),
            bytes: Vec<u8>,
        ) {
            for header in [header, bytes] {
                let name = file_name(&[&b"filename="[..], &header].concat());
                prop_assert!(name.is_none_or(|name| name.len() <= 2 * header.len()));
                file_name(&header);
            }
        }

        /// What a browser writes is read as it was.
        #[test]
        fn a_name_survives_a_browser(name in "[a%2\"\r\nD0é;= ]{0,20}|\\PC{0,20}") {
            // The browser's own escapes say the same twice.
            prop_assume!(ESCAPES.iter().all(|(escape, _)| !name.contains(escape)));
            prop_assume!(!name.contains('\\'));
            let written = ESCAPES.iter().fold(name.clone(), |name, (escape, char)| name.replace(char, escape));
            prop_assert_eq!(named(&format!("filename=\"{written}\"")), Some(name));
        }
    }
}
