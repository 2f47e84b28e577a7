//! The bytes of each zip record, and their number. Nothing about where a record stands.
//!
//! One record per kind of APPNOTE 4.3: the local file header before an entry's content, the
//! entry's header in the central directory, and the records that end the archive. All numbers are
//! little-endian (4.4.1.1). A change of any byte here changes archives that are being resumed, so
//! it needs a new [version](super::frozen) of the frozen plan too.

use bytes::BufMut;

use super::plan::Entry;
use super::plan::MAX_NAME_LEN;

/// Each record's signature (4.3.7, 4.3.12, 4.3.14 to 4.3.16).
pub(super) const LOCAL_SIGNATURE: u32 = 0x0403_4b50;
pub(super) const CENTRAL_SIGNATURE: u32 = 0x0201_4b50;
pub(super) const ZIP64_END_SIGNATURE: u32 = 0x0606_4b50;
const ZIP64_LOCATOR_SIGNATURE: u32 = 0x0706_4b50;
pub(super) const END_SIGNATURE: u32 = 0x0605_4b50;

/// Bytes of a local file header beside its name and ZIP64 field (4.3.7).
const LOCAL_LEN: u64 = 30;
/// Bytes of a central directory header beside its name and ZIP64 field (4.3.12).
const CENTRAL_LEN: u64 = 46;
/// Bytes of the end of central directory record without a comment (4.3.16).
const END_LEN: u64 = 22;
/// Bytes of the ZIP64 end of central directory record (4.3.14).
const ZIP64_END_LEN: u64 = 56;
/// Bytes of the ZIP64 end of central directory locator (4.3.15).
const ZIP64_LOCATOR_LEN: u64 = 20;
/// Bytes of the tag and length before an extra field's data (4.5.1).
const EXTRA_TAG_LEN: u64 = 4;
/// Header ID of the ZIP64 extended information extra field (4.5.3).
pub(super) const ZIP64_TAG: u16 = 0x0001;

/// Version needed to extract (4.4.3.2): 2.0, the oldest that every reader knows.
const NEEDS_2_0: u16 = 20;
/// Version needed to extract with ZIP64 (4.4.3.2): 4.5.
const NEEDS_4_5: u16 = 45;
/// Made by (4.4.2): unix, so that the external attributes are read as a file mode, and 4.5.
const MADE_BY: u16 = (3 << 8) | NEEDS_4_5;
/// General purpose flags (4.4.4): only bit 11, the name is UTF-8. Not bit 3, which would put the
/// CRC and the sizes behind the content.
pub(super) const FLAGS: u16 = 1 << 11;
/// Compression method (4.4.5): stored. Pictures are compressed already.
pub(super) const STORED: u16 = 0;
/// External attributes (4.4.15) of a regular file, rw-r--r--, in unix's upper half.
const REGULAR_FILE: u32 = 0o100_644 << 16;

/// The longest record: a central header with the longest name and a full ZIP64 field.
pub(super) const MAX_RECORD_LEN: u64 = CENTRAL_LEN + MAX_NAME_LEN as u64 + EXTRA_TAG_LEN + 3 * 8;

/// Bytes of an entry's local header.
pub(super) fn local_header_len(entry: &Entry) -> u64 {
    LOCAL_LEN + entry.name.len() as u64 + extra_len(&local_zip64(entry))
}

/// Appends an entry's local header (4.3.7).
pub(super) fn put_local_header(entry: &Entry, out: &mut Vec<u8>) {
    let zip64 = local_zip64(entry);
    out.put_u32_le(LOCAL_SIGNATURE);
    put_shared_fields(entry, &zip64, out);
    out.put_slice(entry.name.as_bytes());
    put_extra(&zip64, out);
}

/// Bytes of the directory's header of an entry that begins at `offset`.
pub(super) fn central_header_len(entry: &Entry, offset: u64) -> u64 {
    CENTRAL_LEN + entry.name.len() as u64 + extra_len(&central_zip64(entry, offset))
}

/// Appends the directory's header (4.3.12) of an entry that begins at `offset`.
pub(super) fn put_central_header(entry: &Entry, offset: u64, out: &mut Vec<u8>) {
    let zip64 = central_zip64(entry, offset);
    out.put_u32_le(CENTRAL_SIGNATURE);
    out.put_u16_le(MADE_BY);
    put_shared_fields(entry, &zip64, out);
    out.put_u16_le(0); // no comment
    out.put_u16_le(0); // on the first and only disk
    out.put_u16_le(0); // internal attributes: not known to be text
    out.put_u32_le(REGULAR_FILE);
    out.put_u32_le(short(offset));
    out.put_slice(entry.name.as_bytes());
    put_extra(&zip64, out);
}

/// The central directory, as the records at the end describe it.
pub(super) struct Directory {
    /// Number of its headers.
    pub(super) entries: u64,
    /// Its offset in the archive.
    pub(super) offset: u64,
    /// Its length in bytes.
    pub(super) len: u64,
}

impl Directory {
    /// Bytes of the records after the directory.
    pub(super) fn end_len(&self) -> u64 {
        if self.needs_zip64() {
            ZIP64_END_LEN + ZIP64_LOCATOR_LEN + END_LEN
        } else {
            END_LEN
        }
    }

    /// Appends the records after the directory (4.3.14 to 4.3.16).
    pub(super) fn put_end(&self, out: &mut Vec<u8>) {
        if self.needs_zip64() {
            out.put_u32_le(ZIP64_END_SIGNATURE);
            out.put_u64_le(ZIP64_END_LEN - 12); // of what follows this field
            out.put_u16_le(MADE_BY);
            out.put_u16_le(NEEDS_4_5);
            out.put_u32_le(0); // this disk
            out.put_u32_le(0); // the directory's disk
            out.put_u64_le(self.entries); // on this disk
            out.put_u64_le(self.entries);
            out.put_u64_le(self.len);
            out.put_u64_le(self.offset);

            out.put_u32_le(ZIP64_LOCATOR_SIGNATURE);
            out.put_u32_le(0); // disk of the record above
            out.put_u64_le(self.offset + self.len); // where it begins
            out.put_u32_le(1); // disks
        }
        out.put_u32_le(END_SIGNATURE);
        out.put_u16_le(0); // this disk
        out.put_u16_le(0); // the directory's disk
        out.put_u16_le(self.short_entries()); // on this disk
        out.put_u16_le(self.short_entries());
        out.put_u32_le(short(self.len));
        out.put_u32_le(short(self.offset));
        out.put_u16_le(0); // no comment
    }

    /// All ones mean "see ZIP64", so 65,535 entries need it already (4.4.1.4).
    fn needs_zip64(&self) -> bool {
        self.short_entries() == u16::MAX || needs_zip64(self.len) || needs_zip64(self.offset)
    }

    fn short_entries(&self) -> u16 {
        u16::try_from(self.entries).unwrap_or(u16::MAX)
    }
}

/// The fields that a local and a central header have in common, in their common order.
fn put_shared_fields(entry: &Entry, zip64: &[u64], out: &mut Vec<u8>) {
    out.put_u16_le(if zip64.is_empty() {
        NEEDS_2_0
    } else {
        NEEDS_4_5
    });
    out.put_u16_le(FLAGS);
    out.put_u16_le(STORED);
    out.put_u32_le(entry.modified.packed());
    out.put_u32_le(entry.crc32);
    out.put_u32_le(short(entry.size)); // compressed, which is
    out.put_u32_le(short(entry.size)); // as uncompressed
    out.put_u16_le(entry.name.len() as u16); // at most MAX_NAME_LEN
    out.put_u16_le(extra_len(zip64) as u16); // at most 28
}

/// The numbers of an entry that its local header has no room for: both sizes or neither, as 4.5.3
/// asks. They are equal, since the entry is stored.
fn local_zip64(entry: &Entry) -> Vec<u64> {
    if needs_zip64(entry.size) {
        vec![entry.size, entry.size]
    } else {
        Vec::new()
    }
}

/// The numbers of an entry that its central header has no room for, in the order of 4.5.3.
fn central_zip64(entry: &Entry, offset: u64) -> Vec<u64> {
    let mut numbers = local_zip64(entry);
    if needs_zip64(offset) {
        numbers.push(offset);
    }
    numbers
}

fn extra_len(zip64: &[u64]) -> u64 {
    if zip64.is_empty() {
        0
    } else {
        EXTRA_TAG_LEN + 8 * zip64.len() as u64
    }
}

fn put_extra(zip64: &[u64], out: &mut Vec<u8>) {
    if zip64.is_empty() {
        return;
    }
    out.put_u16_le(ZIP64_TAG);
    out.put_u16_le(8 * zip64.len() as u16);
    for number in zip64 {
        out.put_u64_le(*number);
    }
}

/// The number as a 32-bit field shows it: itself, or all ones for "see ZIP64" (4.4.1.4).
fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Whether a 32-bit field has no room. All ones cannot stand for themselves.
fn needs_zip64(number: u64) -> bool {
    short(number) == u32::MAX
}

#[cfg(test)]
mod tests {
    use super::super::DosTime;
    use super::*;
    use jiff::civil::datetime;

    fn entry(size: u64) -> Entry {
        Entry {
            source: [0; 16],
            name: "ü.jpg".into(),
            size,
            crc32: 0x1234_5678,
            modified: DosTime::from(datetime(2026, 11, 20, 13, 37, 42, 0)),
        }
    }

    fn local(size: u64) -> Vec<u8> {
        let mut out = Vec::new();
        put_local_header(&entry(size), &mut out);
        out
    }

    fn central(size: u64, offset: u64) -> Vec<u8> {
        let mut out = Vec::new();
        put_central_header(&entry(size), offset, &mut out);
        out
    }

    fn end(entries: u64, offset: u64, len: u64) -> Vec<u8> {
        let mut out = Vec::new();
        Directory {
            entries,
            offset,
            len,
        }
        .put_end(&mut out);
        out
    }

    /// Bytes out of hexadecimal digits, written in groups as the specification lists the fields.
    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER_PERMISSIVE
            .decode(text.replace([' ', '\n'], "").as_bytes())
            .unwrap()
    }

    // R1.41: the name is flagged as UTF-8 (the flags' second byte, 08).
    #[test]
    fn a_local_header_is_this_to_the_byte() {
        let golden =
            "504b0304 1400 0008 0000 b56c 745d 78563412 e8030000 e8030000 0600 0000 c3bc2e6a7067";
        assert_eq!(local(1000), hex(golden));
    }

    #[test]
    fn a_central_header_is_this_to_the_byte() {
        let golden = "504b0102 2d03 1400 0008 0000 b56c 745d 78563412 e8030000 e8030000 0600 0000
                      0000 0000 0000 0000a481 d2040000 c3bc2e6a7067";
        assert_eq!(central(1000, 1234), hex(golden));
    }

    #[test]
    fn the_end_of_a_small_archive_is_this_to_the_byte() {
        assert_eq!(
            end(2, 0x1122, 0x33),
            hex("504b0506 0000 0000 0200 0200 33000000 22110000 0000")
        );
    }

    #[test]
    fn the_end_of_a_large_archive_is_this_to_the_byte() {
        let golden = "504b0606 2c00000000000000 2d03 2d00 00000000 00000000
                      0200000000000000 0200000000000000 3300000000000000 0000000001000000
                      504b0607 00000000 3300000001000000 01000000
                      504b0506 0000 0000 0200 0200 33000000 ffffffff 0000";
        assert_eq!(end(2, 1 << 32, 0x33), hex(golden));
    }

    #[test]
    fn a_local_header_moves_both_sizes_to_zip64_from_four_gib_less_one() {
        assert_eq!(local(0xffff_fffe)[18..26], hex("feffffff feffffff"));
        assert_eq!(local(0xffff_fffe).len(), 36);

        let large = local(0xffff_ffff);
        assert_eq!(large[4..6], hex("2d00"));
        assert_eq!(large[18..26], hex("ffffffff ffffffff"));
        assert_eq!(large[28..30], hex("1400"));
        assert_eq!(
            large[36..],
            hex("0100 1000 ffffffff00000000 ffffffff00000000")
        );
    }

    #[test]
    fn a_central_header_moves_just_what_has_no_room() {
        assert_eq!(central(0xffff_fffe, 0xffff_fffe).len(), 52);

        let late = central(5, 0xffff_ffff);
        assert_eq!(late[6..8], hex("2d00"));
        assert_eq!(late[20..28], hex("05000000 05000000"));
        assert_eq!(late[42..46], hex("ffffffff"));
        assert_eq!(late[52..], hex("0100 0800 ffffffff00000000"));

        let large = central(0x1_0000_0000, 7);
        assert_eq!(large[42..46], hex("07000000"));
        assert_eq!(
            large[52..],
            hex("0100 1000 0000000001000000 0000000001000000")
        );

        let both = central(0x1_0000_0000, 0x2_0000_0000);
        assert_eq!(
            both[52..],
            hex("0100 1800 0000000001000000 0000000001000000 0000000002000000")
        );
    }

    #[test]
    fn the_end_needs_zip64_from_65_535_entries_and_from_four_gib_less_one() {
        assert_eq!(end(65_534, 0xffff_fffe, 1).len(), 22);
        assert_eq!(end(65_535, 0, 1).len(), 98);
        assert_eq!(end(65_536, 0, 1)[76 + 8..76 + 12], hex("ffff ffff"));
        assert_eq!(end(1, 0xffff_ffff, 1).len(), 98);
        assert_eq!(end(1, 0, 0xffff_ffff).len(), 98);
    }

    #[test]
    fn every_length_is_known_without_writing() {
        for size in [0, 0xffff_fffe, 0xffff_ffff, u64::MAX] {
            assert_eq!(local_header_len(&entry(size)), local(size).len() as u64);
            for offset in [0, 0xffff_fffe, 0xffff_ffff] {
                let len = central_header_len(&entry(size), offset);
                assert_eq!(len, central(size, offset).len() as u64);
                let directory = Directory {
                    entries: 1,
                    offset,
                    len,
                };
                assert_eq!(directory.end_len(), end(1, offset, len).len() as u64);
            }
        }
    }
}
