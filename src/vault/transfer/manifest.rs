//! `image-vault.json`, the first file of an export: what is in the zip, and what its owner said
//! about each picture. `docs/EXPORT.md` is its description.
//!
//! It is written for people and other programs too: one picture a line, and read line by line. A
//! field that is added later has a default, so that old exports can be imported.

use std::io;
use std::io::Write;
use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::ids::ImageId;
use crate::media::Location;
use crate::vault::json_time::JsonTime;
use crate::vault::library::Entry;

/// The manifest's name in the zip.
pub(super) const NAME: &str = "image-vault.json";
const FORMAT: &str = "image-vault-export";
const VERSION: u32 = 1;
/// Longest manifest that is written or read: some 500,000 pictures with a sentence each.
pub(super) const MAX_BYTES: u64 = 256 << 20;
/// Longest line of a picture: all that may be said about one, escaped, is a third of it.
const MAX_LINE: usize = 1 << 20;
/// Longest part before the pictures.
const MAX_HEAD: usize = 4 << 10;
/// Longest part behind the pictures. Parsed, it takes twice as much memory at most.
pub(super) const MAX_TAIL: usize = 16 << 20;
/// What stands before the first picture.
const OPENING: &str = "\"pictures\": [\n";

/// A manifest that was read. Its pictures stay text until their turn comes, since a parsed record
/// can take many times the memory of its text.
pub(super) struct Manifest {
    bytes: Bytes,
    /// Where the pictures are, a line each.
    pictures: Range<usize>,
    /// How many.
    pub(super) total: usize,
    /// Bytes of the largest picture.
    pub(super) largest: u64,
    /// Pictures that could not be read for the export and are not in the zip.
    pub(super) damaged: Vec<LeftOut>,
}

#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

#[derive(Deserialize)]
struct Tail {
    #[serde(default)]
    damaged: Vec<LeftOut>,
}

/// One picture of an export.
#[derive(Serialize, Deserialize)]
pub(super) struct Listed {
    /// Its place in the zip.
    pub(super) path: String,
    /// The file's name, exactly as its owner calls it.
    pub(super) name: String,
    #[serde(default)]
    pub(super) also_named: Vec<String>,
    /// SHA-256 of the file, in lower-case hex.
    pub(in crate::vault) sha256: String,
    /// Bytes of the file.
    pub(super) size: u64,
    #[serde(default)]
    content_type: String,
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
    pub(super) uploaded_at: JsonTime,
    #[serde(default)]
    pub(in crate::vault) trashed_at: Option<JsonTime>,
    /// The file itself says all that follows, and an import reads it there.
    #[serde(default)]
    taken_at: Option<JsonTime>,
    #[serde(default)]
    taken_local: Option<jiff::civil::DateTime>,
    #[serde(default)]
    camera: Option<String>,
    #[serde(default)]
    location: Option<Location>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) caption: String,
    #[serde(default)]
    pub(super) favourite: bool,
    /// Always empty: there are no albums yet.
    #[serde(default)]
    albums: Vec<String>,
}

impl Listed {
    /// A picture that will be at this path; `None` where the entry is without its record.
    pub(super) fn new(entry: &Entry, path: &str) -> Option<Self> {
        let about = entry.metadata.as_deref()?;
        Some(Self {
            path: path.to_owned(),
            name: about.name.clone(),
            also_named: about.also_named.clone(),
            sha256: about.sha256.clone(),
            size: about.size,
            content_type: about.content_type.clone(),
            width: about.width,
            height: about.height,
            uploaded_at: entry.uploaded_at.into(),
            trashed_at: entry.trashed_at.map(JsonTime),
            taken_at: about.taken_at().map(JsonTime),
            taken_local: about.taken_local(),
            camera: about.camera.clone(),
            location: about.location,
            tags: about.tags.clone(),
            caption: about.caption.clone(),
            favourite: about.favourite,
            albums: Vec::new(),
        })
    }

    /// Reads one of [`Manifest::lines`].
    ///
    /// # Errors
    /// [`Unreadable::Foreign`].
    pub(super) fn read(line: &[u8]) -> std::result::Result<Self, Unreadable> {
        parsed(line)
    }

    /// Its SHA-256, where the list gives one.
    pub(super) fn sum(&self) -> Option<[u8; 32]> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(self.sha256.as_bytes());
        bytes.ok()?.try_into().ok()
    }
}

/// Most bytes that a picture takes in the list: its record's, its path, and the fields' names.
pub(super) fn room_for(entry: &Entry) -> u64 {
    entry.record_len as u64 + 1_024
}

/// A picture that is not in the zip.
#[derive(Serialize, Deserialize)]
pub(super) struct LeftOut {
    pub(super) id: ImageId,
    /// `None` where not even the name could be read.
    #[serde(default)]
    pub(super) name: Option<String>,
}

impl LeftOut {
    /// The name that people see: the picture's, or else its id.
    pub(super) fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.id.to_string())
    }
}

/// Writes the manifest.
///
/// # Errors
/// What `out` refuses.
pub(super) fn write(
    out: &mut impl Write,
    at: JsonTime,
    pictures: impl Iterator<Item = Listed>,
    damaged: &[LeftOut],
) -> io::Result<()> {
    write!(
        out,
        "{{\n\"format\": \"{FORMAT}\",\n\"version\": {VERSION},\n\"exported_at\": \"{at}\",\n\"pictures\": "
    )?;
    put_list(out, pictures)?;
    out.write_all(b",\n\"damaged\": ")?;
    put_list(out, damaged.iter())?;
    out.write_all(b"\n}\n")
}

/// Counts what is written, and refuses more than an import would read.
#[derive(Default)]
pub(super) struct Length(pub(super) u64);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        match self.0 > MAX_BYTES {
            true => Err(io::ErrorKind::FileTooLarge.into()),
            false => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn put_list<T: Serialize>(out: &mut impl Write, items: impl Iterator<Item = T>) -> io::Result<()> {
    out.write_all(b"[\n")?;
    for (at, item) in items.enumerate() {
        out.write_all(if at == 0 { b"" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &item)?;
    }
    out.write_all(b"\n]")
}

/// Why bytes are no manifest of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Another format, or ours written differently.
    Foreign,
    /// From a version to come.
    Newer,
}

impl Manifest {
    /// Reads what [`write()`] wrote.
    ///
    /// # Errors
    /// [`Unreadable`], also where one of the pictures is no record.
    pub(super) fn read(bytes: Bytes) -> std::result::Result<Self, Unreadable> {
        let (start, tail) = parts(&bytes).ok_or(Unreadable::Foreign)?;
        let head = [&bytes[..start], b"]}"].concat();
        let head: Head = parsed(&head)?;
        match head.version {
            _ if head.format != FORMAT => return Err(Unreadable::Foreign),
            0 => return Err(Unreadable::Foreign),
            1..=VERSION => {}
            _ => return Err(Unreadable::Newer),
        }
        let rest = [b"{\"pictures\": [", &bytes[tail..]].concat();
        let Tail { damaged } = parsed(&rest)?;
        let mut manifest = Self {
            bytes,
            pictures: start..tail,
            total: 0,
            largest: 0,
            damaged,
        };
        let (mut total, mut largest) = (0, 0);
        for line in manifest.lines() {
            // A line that is parsed takes many times its length in memory.
            if line.len() > MAX_LINE {
                return Err(Unreadable::Foreign);
            }
            let listed = Listed::read(line)?;
            total += 1;
            largest = listed.size.max(largest);
        }
        (manifest.total, manifest.largest) = (total, largest);
        Ok(manifest)
    }

    /// The pictures in the zip's order, for [`Listed::read`].
    pub(super) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.bytes[self.pictures.clone()].split(|byte| *byte == b'\n');
        let lines = lines.map(|line| line.strip_suffix(b",").unwrap_or(line));
        lines.filter(|line| !line.is_empty())
    }
}

/// Where the pictures begin, and where the bracket stands that ends them: no picture's line begins
/// with a bracket.
fn parts(bytes: &[u8]) -> Option<(usize, usize)> {
    let head = &bytes[..bytes.len().min(MAX_HEAD)];
    let mut places = head.windows(OPENING.len());
    let start = places.position(|place| place == OPENING.as_bytes())? + OPENING.len();
    let mut at = start;
    for line in bytes[start..].split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b"]") {
            return (bytes.len() - at <= MAX_TAIL).then_some((start, at));
        }
        at += line.len();
    }
    None
}

fn parsed<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> std::result::Result<T, Unreadable> {
    serde_json::from_slice(bytes).map_err(|_| Unreadable::Foreign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listed(n: usize) -> Listed {
        let text = format!(
            r#"{{"path": "originals/{n}", "name": "]\n{n}", "sha256": "{n:064x}", "size": {n},
                "uploaded_at": "2026-11-21T10:00:00Z"}}"#
        );
        parsed(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_line_that_says_too_much_is_refused_before_it_is_read() {
        let whole = written(1, &[]);
        let at = whole.windows(9).position(|at| at == b"originals").unwrap();
        let long = vec![b'x'; MAX_LINE];
        let bytes = [&whole[..at], &long, &whole[at..]].concat();
        assert!(Manifest::read(whole.into()).is_ok());
        assert!(matches!(
            Manifest::read(bytes.into()),
            Err(Unreadable::Foreign)
        ));
    }

    fn written(count: usize, damaged: &[LeftOut]) -> Vec<u8> {
        let at = jiff::Timestamp::from_second(1_795_000_000).unwrap().into();
        let (mut length, mut written) = (Length::default(), Vec::new());
        write(&mut length, at, (0..count).map(listed), damaged).unwrap();
        write(&mut written, at, (0..count).map(listed), damaged).unwrap();
        assert_eq!(written.len() as u64, length.0);
        written
    }

    #[test]
    fn what_is_written_is_plain_json_and_reads_back() {
        let lost = LeftOut {
            id: ImageId::from_bytes([7; 16]),
            name: None,
        };
        let bytes = written(3, &[lost]);
        let json: serde_json::Value = parsed(&bytes).unwrap();
        assert_eq!(json["pictures"][2]["name"], "]\n2");
        assert_eq!(json["pictures"][2]["albums"], serde_json::json!([]));
        let manifest = Manifest::read(bytes.into()).unwrap();
        assert_eq!((manifest.total, manifest.largest), (3, 2));
        assert_eq!(
            manifest.damaged[0].title(),
            ImageId::from_bytes([7; 16]).to_string()
        );
        let names = manifest
            .lines()
            .map(|line| Listed::read(line).unwrap().name.clone());
        assert_eq!(names.collect::<Vec<_>>(), ["]\n0", "]\n1", "]\n2"]);
    }

    #[test]
    fn fields_of_a_version_to_come_are_passed_over() {
        let text = String::from_utf8(written(1, &[])).unwrap();
        let text = text.replace("\"size\"", "\"rating\":{\"stars\":[5]},\"size\"");
        assert!(Manifest::read(text.into()).is_ok());
    }

    #[test]
    fn another_format_and_another_version_are_told_apart() {
        let text = String::from_utf8(written(1, &[])).unwrap();
        let refusal = |from: &str, to: &str| {
            assert!(text.contains(from));
            Manifest::read(text.replace(from, to).into()).err()
        };
        assert_eq!(refusal("1,\n\"exp", "2,\n\"exp"), Some(Unreadable::Newer));
        assert_eq!(refusal("1,\n\"exp", "0,\n\"exp"), Some(Unreadable::Foreign));
        assert_eq!(
            refusal("vault-export", "box-export"),
            Some(Unreadable::Foreign)
        );
        assert_eq!(
            refusal("\"size\":0", "\"size\":-1"),
            Some(Unreadable::Foreign)
        );
        assert_eq!(
            refusal("2026-11-21", "2026-13-21"),
            Some(Unreadable::Foreign)
        );
        assert_eq!(refusal("[\n", "[ "), Some(Unreadable::Foreign));
    }

    proptest! {
        #[test]
        fn a_changed_manifest_is_read_or_refused(
            at: prop::sample::Index, to: u8, count in 0..4usize,
        ) {
            let mut bytes = written(count, &[]);
            let place = at.index(bytes.len());
            bytes[place] = to;
            if let Ok(manifest) = Manifest::read(bytes.into()) {
                let readable = manifest.lines().filter(|line| Listed::read(line).is_ok());
                prop_assert_eq!(readable.count(), manifest.total);
            }
        }
    }

    #[test]
    fn a_manifest_that_ends_early_is_refused() {
        let bytes = written(2, &[]);
        for len in 0..bytes.len() - 1 {
            assert!(
                Manifest::read(bytes[..len].to_vec().into()).is_err(),
                "{len}"
            );
        }
    }
}
