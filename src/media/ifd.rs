//! TIFF directories: the lists of numbered fields that both TIFF files and EXIF blocks consist of
//! (TIFF 6.0, section 2). What the numbers mean is for `exif` and `survey`.
//!
//! Why not the `kamadak-exif` crate: it follows every EXIF pointer of a directory and keeps every
//! entry it meets, so 64 KB of 2,700 pointers to one directory of 2,700 entries took 350 MB, and a
//! third level multiplies again. We want a dozen fields; this reader allocates nothing and visits
//! three directories.

/// A TIFF structure in memory. Offsets inside it count from its first byte.
#[derive(Clone, Copy)]
pub(super) struct Tiff<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

/// One field of a directory, its value cut out of the structure.
pub(super) struct Field<'a> {
    pub(super) tag: u16,
    kind: u16,
    value: &'a [u8],
    big_endian: bool,
}

const BYTE: u16 = 1;
const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;

impl<'a> Tiff<'a> {
    /// Reads the byte order; `None` if there is none.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let big_endian = match bytes.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        Some(Self { bytes, big_endian })
    }

    /// The fields of the first directory, which describes the main picture.
    pub(super) fn main(self) -> impl Iterator<Item = Field<'a>> {
        let at = self.bytes.get(4..8).map(|b| number(b, self.big_endian));
        self.directory(at.unwrap_or(u32::MAX))
    }

    /// How many values each field of the first directory claims to have, by tag: also of fields
    /// whose values lie outside.
    pub(super) fn claims(self) -> impl Iterator<Item = (u16, u32)> {
        let at = self.bytes.get(4..8).map(|b| number(b, self.big_endian));
        let read = move |bytes| number(bytes, self.big_endian);
        self.entries(at.unwrap_or(u32::MAX))
            .map(move |entry| (read(&entry[..2]) as u16, read(&entry[4..8])))
    }

    /// The fields of the directory at this offset; none where it lies outside. Fields whose value
    /// lies outside, or is of a type we never read, are left out.
    pub(super) fn directory(self, at: u32) -> impl Iterator<Item = Field<'a>> {
        self.entries(at).filter_map(move |entry| self.field(entry))
    }

    fn entries(self, at: u32) -> impl Iterator<Item = &'a [u8]> {
        let start = at as usize;
        let count = self.bytes.get(start..).and_then(|b| b.get(..2));
        let count = count.map_or(0, |b| number(b, self.big_endian)) as usize;
        let entries = self.bytes.get(start..).and_then(|b| b.get(2..));
        entries.unwrap_or_default().chunks_exact(12).take(count)
    }

    fn field(self, entry: &'a [u8]) -> Option<Field<'a>> {
        let read = |bytes| number(bytes, self.big_endian);
        let kind = read(&entry[2..4]) as u16;
        let unit = match kind {
            BYTE | ASCII => 1,
            SHORT => 2,
            LONG => 4,
            RATIONAL => 8,
            _ => return None,
        };
        let length = (read(&entry[4..8]) as usize).checked_mul(unit)?;
        let value = if length <= 4 {
            &entry[8..8 + length]
        } else {
            self.bytes
                .get(read(&entry[8..12]) as usize..)?
                .get(..length)?
        };
        Some(Field {
            tag: read(&entry[..2]) as u16,
            kind,
            value,
            big_endian: self.big_endian,
        })
    }
}

impl<'a> Field<'a> {
    /// The first number of a BYTE, SHORT or LONG field.
    pub(super) fn first_number(&self) -> Option<u32> {
        let unit = match self.kind {
            BYTE => 1,
            SHORT => 2,
            LONG => 4,
            _ => return None,
        };
        Some(number(self.value.get(..unit)?, self.big_endian))
    }

    /// The three fractions of a RATIONAL field, each a finite number; `None` where there are fewer or
    /// more, or one has no value.
    pub(super) fn three_fractions(&self) -> Option<[f64; 3]> {
        let fraction = |at: usize| {
            let part = |from| Some(number(self.value.get(from..from + 4)?, self.big_endian));
            let (above, below) = (part(at * 8)?, part(at * 8 + 4)?);
            (below != 0).then(|| f64::from(above) / f64::from(below))
        };
        let whole = self.kind == RATIONAL && self.value.len() == 3 * 8;
        whole.then_some([fraction(0)?, fraction(1)?, fraction(2)?])
    }

    /// The bytes of an ASCII field up to its first NUL.
    pub(super) fn text(&self) -> Option<&'a [u8]> {
        (self.kind == ASCII).then(|| self.value.split(|&b| b == 0).next())?
    }
}

/// An unsigned number of up to four bytes.
fn number(bytes: &[u8], big_endian: bool) -> u32 {
    let shift_in = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
    if big_endian {
        bytes.iter().fold(0, shift_in)
    } else {
        bytes.iter().rev().fold(0, shift_in)
    }
}
