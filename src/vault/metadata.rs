//! An image's sealed record: everything about it that could tell somebody something.
//!
//! Stored as JSON, sealed as a blob of role 4 inside the image's row (`docs/CRYPTO.md` lists the
//! fields). A field that is added later has a default, so that old records stay readable.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::error::{Result, VaultError};
use super::keys;
use crate::crypto;
use crate::crypto::BlobRole;
use crate::crypto::DataKey;
use crate::media::CaptureTime;
use crate::media::Inspected;
use crate::media::Location;
use crate::store::ImageRow;

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

    /// The wall clock for an archive's entry: the camera's, else the upload's in UTC.
    pub(super) fn modified(&self, uploaded_at: Timestamp) -> DateTime {
        self.taken_local().unwrap_or_else(|| {
            // Rounded down, so that no entry is from the future.
            let whole = uploaded_at
                - SignedDuration::from_nanos(i64::from(uploaded_at.subsec_nanosecond()));
            TimeZone::UTC.to_datetime(whole)
        })
    }

    /// Notes another name of the same bytes.
    pub(super) fn add_name(&mut self, name: &str) -> bool {
        let known = self.name == name || self.also_named.iter().any(|other| other == name);
        let full = self.also_named.len() >= MAX_OTHER_NAMES;
        if !known && !full {
            self.also_named.push(name.to_owned());
        }
        !known && !full
    }

    /// Seals the record under the image's data key.
    pub(super) fn seal(
        &self,
        key: &DataKey,
        owner: &crate::ids::AccountId,
        image: &crate::ids::ImageId,
    ) -> Result<Vec<u8>> {
        let mut json = Zeroizing::new(
            serde_json::to_vec(self).map_err(|error| VaultError::Internal(error.to_string()))?,
        );
        if self.favourite {
            // `true` is shorter than `false`: the length of a record tells nobody what is marked, and
            // a mark takes no room and needs none.
            json.push(b' ');
        }
        let context = keys::blob_context(owner, image.as_bytes(), BlobRole::Metadata);
        Ok(crypto::seal(
            &key.role_key(BlobRole::Metadata),
            &context,
            &json,
        )?)
    }

    /// Opens the record of a row.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] where it does not open or is no record.
    pub(super) fn open(key: &DataKey, row: &ImageRow) -> Result<Self> {
        let (role_key, context) = keys::blob_key(key, row, BlobRole::Metadata);
        let json = crypto::open(&role_key, &context, &row.metadata)?;
        let metadata: Self = serde_json::from_slice(&json)
            .map_err(|_| VaultError::Damaged("a record is not in the form we write"))?;
        if metadata.version > VERSION {
            return Err(VaultError::Damaged("a record is newer than this program"));
        }
        Ok(metadata)
    }
}

/// Other names kept beside the first: enough for every copy a person makes, too few to grow a
/// record without bound.
pub(super) const MAX_OTHER_NAMES: usize = 20;

/// What an upload's bytes are, before anything is known about the picture.
pub(super) struct Content {
    pub(super) size: u64,
    pub(super) sha256: [u8; 32],
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
            record.seal(&key, &owner, &image).unwrap().len()
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
