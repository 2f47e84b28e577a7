//! An image's sealed record: everything about it that could tell somebody something.
//!
//! Stored as JSON, sealed as a blob of role 4 inside the image's row (`docs/CRYPTO.md` lists the
//! fields). A field that is added later has a default, so that old records stay readable.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::crypto;
use crate::crypto::{BlobRole, DataKey};
use crate::media::{CaptureTime, Inspected, Location};
use crate::store::ImageRow;
use crate::vault::error::{FieldErrors, Result, VaultError};
use crate::vault::keys;

const VERSION: u32 = 1;

/// What is known about an image. Wiped from memory when dropped.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Metadata {
    /// Layout of the record.
    version: u32,
    /// The file's name, as its owner calls it.
    pub name: String,
    /// Other names under which the same bytes were uploaded.
    #[serde(default)]
    pub also_named: Vec<String>,
    /// Media type of the original.
    pub content_type: String,
    /// Length of the original in bytes.
    pub size: u64,
    /// Width in pixels, as shown.
    pub width: u32,
    /// Height in pixels, as shown.
    pub height: u32,
    /// SHA-256 of the original, in lower-case hex.
    pub sha256: String,
    /// CRC-32 of the original, as zip archives have it.
    pub crc32: u32,
    /// The camera's wall clock when the picture was taken, as `2021-05-12T10:00:00`.
    #[serde(default)]
    taken_local: Option<String>,
    /// How far that clock was ahead of UTC, in seconds, where the camera said so.
    #[serde(default)]
    taken_offset: Option<i32>,
    /// Make and model.
    #[serde(default)]
    pub camera: Option<String>,
    /// Where it was taken, where the file said so.
    #[serde(default)]
    pub location: Option<Location>,
    /// Words given by the owner.
    #[serde(default)]
    pub tags: Vec<String>,
    /// A sentence given by the owner.
    #[serde(default)]
    pub caption: String,
    /// Whether the owner marked it.
    #[serde(default)]
    pub favourite: bool,
    /// A placeholder of some 25 bytes (<https://evanw.github.io/thumbhash/>).
    #[serde(default)]
    pub thumbhash: Vec<u8>,
}

impl Metadata {
    /// The record of a new upload.
    pub(super) fn new(name: String, content: &Content, image: &Inspected) -> Self {
        let (taken_local, taken_offset) = match &image.taken_at {
            Some(CaptureTime { local, offset }) => {
                (Some(local.to_string()), offset.map(Offset::seconds))
            }
            None => (None, None),
        };
        Self {
            version: VERSION,
            name,
            also_named: Vec::new(),
            content_type: image.format.content_type().to_owned(),
            size: content.size,
            width: image.width,
            height: image.height,
            sha256: data_encoding::HEXLOWER.encode(&content.sha256),
            crc32: content.crc32,
            taken_local,
            taken_offset,
            camera: image.camera.clone(),
            location: image.location,
            tags: Vec::new(),
            caption: String::new(),
            favourite: false,
            thumbhash: image.thumbhash.clone(),
        }
    }

    /// The camera's wall clock when the picture was taken.
    pub fn taken_local(&self) -> Option<DateTime> {
        self.taken_local.as_deref()?.parse().ok()
    }

    /// The moment the picture was taken; a wall clock without an offset is read as UTC.
    pub fn taken_at(&self) -> Option<Timestamp> {
        let offset = self
            .taken_offset
            .and_then(|seconds| Offset::from_seconds(seconds).ok());
        let zone = TimeZone::fixed(offset.unwrap_or(Offset::UTC));
        zone.to_timestamp(self.taken_local()?).ok()
    }

    /// Notes another name of the same bytes, where there is room for it.
    pub(super) fn add_name(&mut self, name: &str) -> bool {
        let known = self.name == name || self.also_named.iter().any(|other| other == name);
        if known || self.also_named.len() >= MAX_OTHER_NAMES {
            return false;
        }
        self.also_named.push(name.to_owned());
        let fits = written_len(&self.also_named) <= MAX_OTHER_NAMES_BYTES
            && crypto::sealed_len(written_len(self) as u64) <= MAX_RECORD as u64;
        if !fits {
            self.also_named.pop();
        }
        fits
    }

    /// Seals the record under the image's data key. `replaced` is the length of the sealed record
    /// that this one takes the place of, and 0 for a new image: a record that was longer than
    /// allowed before there was a limit may stay so, and become shorter.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] where it is longer than [`MAX_RECORD`], naming what makes it so.
    pub(in crate::vault) fn seal(
        &self,
        key: &DataKey,
        owner: &crate::ids::AccountId,
        image: &crate::ids::ImageId,
        replaced: usize,
    ) -> Result<Vec<u8>> {
        let mut json = Zeroizing::new(
            serde_json::to_vec(self).map_err(|error| VaultError::Internal(error.to_string()))?,
        );
        if self.favourite {
            // `true` is shorter than `false`: padded, the record's length tells nobody which images
            // are favourites, and marking one needs no room.
            json.push(b' ');
        }
        // A record that is too long since before there was a limit may stay so, and lose its mark,
        // which makes it one byte longer: such records were stored without the padding.
        let most = MAX_RECORD.max(replaced.saturating_add(1));
        if crypto::sealed_len(json.len() as u64) > most as u64 {
            return Err(self.too_long());
        }
        let context = keys::blob_context(owner, image.as_bytes(), BlobRole::Metadata);
        Ok(crypto::seal(
            &key.role_key(BlobRole::Metadata),
            &context,
            &json,
        )?)
    }

    /// Names the words that take most of the record.
    fn too_long(&self) -> VaultError {
        let words = [
            ("name", written_len(&self.name)),
            ("caption", written_len(&self.caption)),
            ("tags", written_len(&self.tags)),
        ];
        let longest = words.iter().map(|(_, len)| *len).max().unwrap_or(0);
        let message = format!(
            "All that is said about a picture takes at most {} KiB together: make this shorter.",
            MAX_RECORD >> 10
        );
        let long = words.iter().filter(|(_, len)| *len >= longest / 2);
        let errors = long.map(|(field, _)| ((*field).into(), message.clone()));
        VaultError::Invalid(errors.collect::<FieldErrors>())
    }

    /// Bytes of memory behind its fields.
    pub(in crate::vault) fn weight(&self) -> usize {
        let texts = [&self.name, &self.content_type, &self.sha256, &self.caption];
        let texts = texts.into_iter().chain(&self.taken_local);
        let texts = texts.chain(&self.camera).chain(&self.also_named);
        let texts = texts
            .chain(&self.tags)
            .map(|text| allocated(text.capacity()));
        let lists = [&self.also_named, &self.tags];
        let lists = lists.map(|list| allocated(list.capacity() * size_of::<String>()));
        let thumbhash = allocated(self.thumbhash.capacity());
        texts.sum::<usize>() + lists.iter().sum::<usize>() + thumbhash
    }

    /// Opens the record of a row.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] where it does not open or is no record.
    pub(in crate::vault) fn open(key: &DataKey, row: &ImageRow) -> Result<Self> {
        let (role_key, context) = keys::blob_key(key, row, BlobRole::Metadata);
        let json = crypto::open(&role_key, &context, &row.metadata)?;
        let mut metadata: Self = serde_json::from_slice(&json)
            .map_err(|_| VaultError::Damaged("a record is not in the form we write"))?;
        // A hundred thousand records may stay in memory, and parsed lists have spare capacity.
        metadata.tags.shrink_to_fit();
        metadata.also_named.shrink_to_fit();
        if metadata.version > VERSION {
            return Err(VaultError::Damaged("a record is newer than this program"));
        }
        Ok(metadata)
    }
}

/// Other names kept beside the first: enough for every copy a person makes, too few to grow a
/// record without bound.
pub(in crate::vault) const MAX_OTHER_NAMES: usize = 20;
/// Bytes that the other names take in a record, so that they leave room for what the owner says.
const MAX_OTHER_NAMES_BYTES: usize = 4 << 10;
/// Longest sealed record, in bytes: sixteen times an ordinary one's, and what bounds the memory that
/// a list, or a batch of records being opened, takes.
pub(in crate::vault) const MAX_RECORD: usize = 16 << 10;

/// Bytes of memory that an allocation takes: as glibc's malloc rounds them, which needs eight for
/// itself and gives no less than 32 (`MALLOC_ALIGNMENT` and `MINSIZE` of a 64-bit machine). With
/// jemalloc small ones take less, and ones beyond 128 bytes up to a fifth more.
pub(in crate::vault) const fn allocated(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        1..=24 => 32,
        _ => (bytes + 8).next_multiple_of(16),
    }
}

/// Bytes that a value takes in a record.
fn written_len(value: &impl Serialize) -> usize {
    // Numbers and strings always make JSON.
    Zeroizing::new(serde_json::to_vec(value).unwrap_or_default()).len()
}

/// Length and checksums of an upload, before anything is known about the picture.
pub(super) struct Content {
    pub(super) size: u64,
    pub(in crate::vault) sha256: [u8; 32],
    pub(super) crc32: u32,
}

impl Content {
    /// Reads the bytes once for each sum. Takes milliseconds a file: not for an async thread.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self {
            size: bytes.len() as u64,
            sha256: crypto::sha256(bytes),
            crc32: crc32fast::hash(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record as version 1 wrote it before pictures had a place.
    const OLDER: &str = r#"{"version":1,"name":"a.jpg","also_named":[],"content_type":"image/jpeg",
        "size":3,"width":4,"height":2,"sha256":"00","crc32":7,"taken_local":"2021-05-12T10:00:00",
        "taken_offset":3600,"camera":"X","tags":["sea"],"caption":"","favourite":true,
        "thumbhash":[1]}"#;

    #[test]
    fn a_record_from_before_places_still_opens() {
        let older: Metadata = serde_json::from_str(OLDER).unwrap();
        assert!(older.location.is_none());
        assert!(older.favourite && older.name == "a.jpg");
    }

    fn sealed(record: &Metadata, replaced: usize) -> Result<Vec<u8>> {
        let (owner, image) = ([1; 16], [2; 16]);
        let key = DataKey::generate().unwrap();
        let owner = crate::ids::AccountId::from_bytes(owner);
        record.seal(
            &key,
            &owner,
            &crate::ids::ImageId::from_bytes(image),
            replaced,
        )
    }

    fn refused(record: &Metadata, replaced: usize) -> Vec<String> {
        match sealed(record, replaced) {
            Err(VaultError::Invalid(errors)) => errors.into_keys().map(|key| key.into()).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_record_is_bounded_and_what_makes_it_long_is_named() {
        let mut record: Metadata = serde_json::from_str(OLDER).unwrap();
        // Each field as long as it may be, and then made of characters that JSON escapes.
        (record.name, record.caption) = ("n".repeat(1_024), "c".repeat(4_096));
        record.tags = vec!["t".repeat(100); 100];
        let whole = sealed(&record, 0).unwrap();
        assert!((15 << 10..=MAX_RECORD).contains(&whole.len()));
        record.caption = "\u{1}".repeat(4_096);
        assert_eq!(refused(&record, 0), ["caption"]);
        record.tags = vec!["\u{1}".repeat(100); 100];
        assert_eq!(refused(&record, 0), ["tags"]);
        record.caption = "c".repeat(31_000);
        assert_eq!(refused(&record, 0), ["caption", "tags"]);
    }

    #[test]
    fn what_was_longer_before_there_was_a_limit_may_become_shorter() {
        let mut record: Metadata = serde_json::from_str(OLDER).unwrap();
        (record.caption, record.favourite) = ("c".repeat(2 * MAX_RECORD), false);
        let before = sealed(&record, usize::MAX).unwrap().len();
        // Marked, and not any more.
        for favourite in [true, false] {
            record.favourite = favourite;
            assert!(sealed(&record, before - usize::from(!favourite)).is_ok());
        }
        assert!(!record.add_name("another"));
        record.caption.pop();
        assert!(sealed(&record, before).is_ok());
        record.caption.push_str("ccc");
        record.favourite = true;
        assert_eq!(refused(&record, before), ["caption"]);
    }

    #[test]
    fn other_names_leave_room_for_what_is_said() {
        let mut record: Metadata = serde_json::from_str(OLDER).unwrap();
        let long = |n: usize| format!("{n:01024}");
        let kept = (0..20).filter(|n| record.add_name(&long(*n))).count();
        assert_eq!((kept, record.also_named.len()), (3, 3));
        assert!(record.add_name("short"), "there is room for this one");
        assert!(!record.add_name("short"), "it is known");
    }

    #[test]
    fn a_mark_changes_the_length_of_no_record() {
        let (key, owner) = (
            DataKey::generate().unwrap(),
            crate::ids::AccountId::from_bytes([1; 16]),
        );
        let image = crate::ids::ImageId::from_bytes([2; 16]);
        let mut record: Metadata = serde_json::from_str(OLDER).unwrap();
        let lengths = [true, false].map(|marked| {
            record.favourite = marked;
            record.seal(&key, &owner, &image, 0).unwrap().len()
        });
        assert_eq!(lengths[0], lengths[1]);
    }

    #[test]
    fn a_place_survives_its_record_to_the_last_digit() {
        let mut record: Metadata = serde_json::from_str(OLDER).unwrap();
        let place = Location {
            latitude: -33.856_784_1,
            longitude: 151.215_297_3,
        };
        record.location = Some(place);
        let written = serde_json::to_vec(&record).unwrap();
        let read: Metadata = serde_json::from_slice(&written).unwrap();
        assert!(read.location == Some(place));
    }
}
