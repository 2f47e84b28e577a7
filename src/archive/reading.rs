//! Reading what this floor writes, forward and without seeking: the headers before each file.
//!
//! A header of ours says how long its file is and holds nothing that is only known afterwards, so
//! the bytes behind it need no directory. Zips of other programs are refused where they differ:
//! guessing where a file ends would mix one up with the next. Not here: where bytes come from, and
//! whether a file's content is right.

use bytes::Buf;

use super::plan::MAX_NAME_LEN;
use super::records::{CENTRAL_SIGNATURE, END_SIGNATURE, FLAGS, LOCAL_SIGNATURE};
use super::records::{STORED, ZIP64_END_SIGNATURE, ZIP64_TAG};

/// Bytes of the signature that says which section comes next.
pub const SIGNATURE_LEN: usize = 4;
/// Bytes of a file's header between its signature and its name (APPNOTE 4.3.7).
pub const FILE_HEAD_LEN: usize = 26;

/// Why bytes are no zip of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No zip at all.
    #[error("this is no zip")]
    NotAZip,
    /// A zip, made or packed again by another program.
    #[error("this zip was made or changed by another program")]
    Foreign,
}

/// The section that begins at a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// A file.
    File,
    /// The directory: there are no more files.
    Directory,
}

impl Section {
    /// The section that these bytes begin.
    ///
    /// # Errors
    /// [`ReadError::NotAZip`].
    pub fn at(signature: [u8; SIGNATURE_LEN]) -> Result<Self, ReadError> {
        match u32::from_le_bytes(signature) {
            LOCAL_SIGNATURE => Ok(Self::File),
            CENTRAL_SIGNATURE | ZIP64_END_SIGNATURE | END_SIGNATURE => Ok(Self::Directory),
            _ => Err(ReadError::NotAZip),
        }
    }
}

/// The part of a file's header that has a fixed length.
#[derive(Debug, Clone, Copy)]
pub struct FileHead {
    crc32: u32,
    size: u32,
    name_len: usize,
    extra_len: usize,
}

impl FileHead {
    /// Reads what follows the signature.
    ///
    /// # Errors
    /// [`ReadError::Foreign`] for a file that is not stored as it is, or whose length is not told
    /// beforehand.
    pub fn parse(bytes: &[u8; FILE_HEAD_LEN]) -> Result<Self, ReadError> {
        let mut bytes = &bytes[2..]; // whatever version it needs
        let (flags, method) = (bytes.get_u16_le(), bytes.get_u16_le());
        bytes.advance(4); // time and date
        let crc32 = bytes.get_u32_le();
        let (compressed, size) = (bytes.get_u32_le(), bytes.get_u32_le());
        let head = Self {
            crc32,
            size,
            name_len: bytes.get_u16_le().into(),
            extra_len: bytes.get_u16_le().into(),
        };
        let ours = flags == FLAGS && method == STORED && compressed == size;
        let fits = head.name_len <= MAX_NAME_LEN && head.extra_len == head.zip64_len();
        if ours && fits {
            Ok(head)
        } else {
            Err(ReadError::Foreign)
        }
    }

    /// Bytes of the name and of the fields between it and the content: at most 1,044.
    pub fn rest_len(&self) -> usize {
        self.name_len + self.extra_len
    }

    /// Reads the name and what follows it; `rest` has [`FileHead::rest_len`] bytes.
    ///
    /// # Errors
    /// [`ReadError::Foreign`].
    pub fn complete(self, rest: &[u8]) -> Result<PackedFile, ReadError> {
        let (name, mut extra) = rest
            .split_at_checked(self.name_len)
            .filter(|_| rest.len() == self.rest_len())
            .ok_or(ReadError::Foreign)?;
        let name = str::from_utf8(name).map_err(|_| ReadError::Foreign)?;
        let size = if extra.is_empty() {
            u64::from(self.size)
        } else {
            let (tag, len) = (extra.get_u16_le(), extra.get_u16_le());
            let (size, compressed) = (extra.get_u64_le(), extra.get_u64_le());
            let needed = size >= u64::from(u32::MAX);
            if (tag, len) != (ZIP64_TAG, 16) || size != compressed || !needed {
                return Err(ReadError::Foreign);
            }
            size
        };
        Ok(PackedFile {
            name: name.to_owned(),
            size,
            crc32: self.crc32,
        })
    }

    /// Two numbers of 64 bits behind a tag and a length, where 32 bits have no room (4.5.3).
    fn zip64_len(&self) -> usize {
        if self.size == u32::MAX { 4 + 16 } else { 0 }
    }
}

/// A file whose content comes next.
///
/// It has no `Debug`, because the name is its owner's secret.
#[derive(Clone, PartialEq, Eq)]
pub struct PackedFile {
    /// Its name in the zip. Anybody could have written it: it is no path to be trusted.
    pub name: String,
    /// Bytes of its content, as the header says.
    pub size: u64,
    /// CRC-32 of its content, as the header says.
    pub crc32: u32,
}

#[cfg(test)]
mod tests {
    use super::super::records::put_local_header;
    use super::super::{DosTime, Entry};
    use super::*;
    use jiff::civil::datetime;
    use proptest::prelude::*;

    fn header(name: &str, size: u64, crc32: u32) -> Vec<u8> {
        let entry = Entry {
            source: [0; 16],
            name: name.to_owned(),
            size,
            crc32,
            modified: DosTime::from(datetime(2026, 11, 20, 13, 37, 42, 0)),
        };
        let mut out = Vec::new();
        put_local_header(&entry, &mut out);
        out
    }

    fn read(bytes: &[u8]) -> Result<PackedFile, ReadError> {
        let (signature, rest) = bytes.split_first_chunk().ok_or(ReadError::NotAZip)?;
        assert_eq!(Section::at(*signature)?, Section::File);
        let (head, rest) = rest.split_first_chunk().ok_or(ReadError::Foreign)?;
        FileHead::parse(head)?.complete(rest)
    }

    #[test]
    fn the_end_of_the_files_is_told_by_each_record_that_can_follow_them() {
        for signature in [*b"PK\x01\x02", *b"PK\x05\x06", *b"PK\x06\x06"] {
            assert_eq!(Section::at(signature), Ok(Section::Directory));
        }
        for signature in [*b"PK\x07\x08", *b"\x89PNG", [0; 4]] {
            assert_eq!(Section::at(signature), Err(ReadError::NotAZip));
        }
    }

    #[test]
    fn what_other_programs_write_is_refused() {
        let ours = header("a.jpg", 1000, 7);
        let changed = |at: usize, to: u8| {
            let mut bytes = ours.clone();
            bytes[at] = to;
            read(&bytes).err()
        };
        assert!(read(&ours).is_ok());
        let cases = [
            ("a length that follows the content", 6, 8),
            ("an encrypted file", 6, 1),
            ("a name that is no UTF-8 by its flag", 7, 0),
            ("deflate", 8, 8),
            ("two lengths", 18, 9),
            ("a longer name", 26, 6),
            ("a field behind the name", 28, 9),
            ("a name that is no UTF-8", 30, 0xff),
        ];
        for (what, at, to) in cases {
            assert_eq!(changed(at, to), Some(ReadError::Foreign), "{what}");
        }
    }

    #[test]
    fn a_name_longer_than_any_of_ours_is_refused_before_it_is_read() {
        let mut bytes = header("a", 1, 0);
        bytes[26..28].copy_from_slice(&u16::MAX.to_le_bytes());
        let head = bytes[4..30].try_into().unwrap();
        assert_eq!(FileHead::parse(head).err(), Some(ReadError::Foreign));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(name in "\\PC{1,60}", size: u64, crc32: u32) {
            let read = read(&header(&name, size, crc32)).unwrap();
            let same = read == PackedFile { name, size, crc32 };
            prop_assert!(same);
        }

        #[test]
        fn around_four_gib_too(over in 0..4u64) {
            let size = u64::from(u32::MAX) - 2 + over;
            prop_assert_eq!(read(&header("a", size, 1)).unwrap().size, size);
        }

        #[test]
        fn a_changed_header_is_refused_or_the_one_we_would_write(
            size in prop_oneof![0..9u64, Just(1 << 32)], at: prop::sample::Index, to: u8,
        ) {
            let mut changed = header("über.jpg", size, 7);
            let at = at.index(changed.len() - 4) + 4;
            changed[at] = to;
            if let Ok(file) = read(&changed) {
                let mut ours = header(&file.name, file.size, file.crc32);
                // The version that is needed and the file's time may be any.
                for bytes in [&mut changed, &mut ours] {
                    bytes[4..6].fill(0);
                    bytes[10..14].fill(0);
                }
                prop_assert_eq!(changed, ours);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(head: [u8; FILE_HEAD_LEN], rest: Vec<u8>) {
            if let Ok(head) = FileHead::parse(&head) {
                prop_assert!(head.rest_len() <= MAX_NAME_LEN + 20);
                let _ = head.complete(&rest);
            }
        }
    }
}
