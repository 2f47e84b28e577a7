//! The parts of an archive, and the offset of each. The bytes are [records], walking over them is
//! [pieces](super::pieces).

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::dos_time::DosTime;
use super::pieces::Pieces;
use super::records;
use super::records::Directory;

/// The most entries of one archive. Far beyond any collection; it bounds a hostile plan at about
/// 100 MB, and lets the directory's positions be 32 bits wide.
pub(super) const MAX_ENTRIES: usize = 1_000_000;

/// The longest name in bytes: four safe names as a path (dataset, split, label, file).
pub(super) const MAX_NAME_LEN: usize = 1024;

// `Plan::directory` counts in u32.
const _: () = assert!(MAX_ENTRIES as u64 * records::MAX_RECORD_LEN <= u32::MAX as u64);

/// One file of an archive.
///
/// It has no `Debug`, because the name is its owner's secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where the content comes from: the image's id, which means nothing to this floor.
    pub source: [u8; 16],
    /// The name in the archive, made by [`unique_names`](super::unique_names); in a dataset a path
    /// of such names with `/` between them.
    pub name: String,
    /// Bytes of content.
    pub size: u64,
    /// CRC-32 of the content (APPNOTE 4.4.7).
    pub crc32: u32,
    /// The file's time after unpacking.
    pub modified: DosTime,
}

/// Why there is no plan. An entry is named by its position, since its name is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// More entries than an archive may have.
    #[error("an archive holds at most {MAX_ENTRIES} files")]
    TooManyEntries,
    /// The archive would have 2^64 bytes or more.
    #[error("the archive would be larger than any file can be")]
    TooLarge,
    /// A name that is empty, too long, or would leave the folder it is unpacked in.
    #[error("file {entry} of the archive has a name that no archive may hold")]
    UnsafeName {
        /// Its position, from 0.
        entry: usize,
    },
    /// A name that an earlier entry has: unpacking would lose one of the two files.
    #[error("file {entry} of the archive has the name of an earlier one")]
    DuplicateName {
        /// Its position, from 0.
        entry: usize,
    },
    /// A frozen plan in a format that this version does not write: freeze it anew.
    #[error("the archive's plan has format {0}, which this version cannot read")]
    UnknownVersion(u8),
    /// A frozen plan that ends early, goes on too long, or contradicts itself.
    #[error("the archive's plan is damaged")]
    Damaged,
}

/// An archive, laid out to the byte.
///
/// A plan of 100,000 entries with names of up to 24 bytes takes 10 MB, of up to 40 bytes 11.6 MB:
/// per entry 56 bytes, the name's allocation, and 12 bytes of positions.
pub struct Plan {
    entries: Vec<Entry>,
    /// Offset of each entry's local header, and at last that of the directory.
    starts: Vec<u64>,
    /// Where each entry's central header begins, counted from the directory's begin, and at last
    /// where the directory ends.
    directory: Vec<u32>,
    total_bytes: u64,
}

/// A stretch of the archive that comes from one place.
#[derive(Clone, Copy)]
pub(super) enum Part {
    LocalHeader(usize),
    Content(usize),
    CentralHeader(usize),
    End,
}

impl Plan {
    /// Lays out an archive of these entries, in this order.
    ///
    /// An archive of nothing is a valid zip of 22 bytes.
    ///
    /// # Errors
    /// Where the entries make no archive that unpacks everywhere; see [`PlanError`].
    pub fn new(mut entries: Vec<Entry>) -> Result<Self, PlanError> {
        if entries.len() > MAX_ENTRIES {
            return Err(PlanError::TooManyEntries);
        }
        check_names(&entries)?;
        entries.shrink_to_fit();

        let mut starts = Vec::with_capacity(entries.len() + 1);
        let mut directory = Vec::with_capacity(entries.len() + 1);
        let mut start = 0_u64;
        let mut listed = 0_u64;
        for entry in &entries {
            starts.push(start);
            directory.push(listed as u32); // fits: asserted above
            listed += records::central_header_len(entry, start);
            start = start
                .checked_add(records::local_header_len(entry))
                .and_then(|content| content.checked_add(entry.size))
                .ok_or(PlanError::TooLarge)?;
        }
        starts.push(start);
        directory.push(listed as u32);

        let end_len = Directory {
            entries: entries.len() as u64,
            offset: start,
            len: listed,
        }
        .end_len();
        let total_bytes = start
            .checked_add(listed + end_len)
            .ok_or(PlanError::TooLarge)?;
        Ok(Self {
            entries,
            starts,
            directory,
            total_bytes,
        })
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the archive holds no file.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries, in the archive's order; [`Piece::Content`](super::Piece::Content) names one by
    /// its position here.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Length of the whole archive in bytes.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// The pieces of a range of the archive's bytes, made as they are asked for.
    ///
    /// One after the other they are exactly that range. What lies beyond the archive's end is left
    /// out. The same plan gives the same bytes each time, so a download resumes at any byte.
    pub fn pieces(self: &Arc<Self>, range: Range<u64>) -> Pieces {
        Pieces::new(Arc::clone(self), range)
    }

    /// The part that holds the byte `at`, and the range of the archive that is this part.
    ///
    /// `at` is below [`Plan::total_bytes`].
    pub(super) fn part_at(&self, at: u64) -> (Part, Range<u64>) {
        let Directory {
            entries: _,
            offset,
            len,
        } = self.directory();
        if at < offset {
            let entry = self.starts.partition_point(|start| *start <= at) - 1;
            let content = self.starts[entry] + records::local_header_len(&self.entries[entry]);
            if at < content {
                (Part::LocalHeader(entry), self.starts[entry]..content)
            } else {
                (Part::Content(entry), content..self.starts[entry + 1])
            }
        } else if at < offset + len {
            let position = |header: &u32| offset + u64::from(*header);
            let entry = self
                .directory
                .partition_point(|header| position(header) <= at)
                - 1;
            let (start, end) = (&self.directory[entry], &self.directory[entry + 1]);
            (Part::CentralHeader(entry), position(start)..position(end))
        } else {
            (Part::End, offset + len..self.total_bytes)
        }
    }

    /// Appends all bytes of a part. Content is the caller's: nothing is appended for it.
    pub(super) fn put(&self, part: Part, out: &mut Vec<u8>) {
        match part {
            Part::LocalHeader(entry) => records::put_local_header(&self.entries[entry], out),
            Part::CentralHeader(entry) => {
                records::put_central_header(&self.entries[entry], self.starts[entry], out);
            }
            Part::End => self.directory().put_end(out),
            Part::Content(_) => {}
        }
    }

    fn directory(&self) -> Directory {
        Directory {
            entries: self.entries.len() as u64,
            offset: self.starts[self.entries.len()],
            len: u64::from(self.directory[self.entries.len()]),
        }
    }
}

/// The last line of defence behind [`safe_name`](super::safe_name), which makes better names: here
/// only that unpacking stays inside its folder and loses no file.
fn check_names(entries: &[Entry]) -> Result<(), PlanError> {
    let mut seen = HashSet::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        if !stays_inside(&entry.name) {
            return Err(PlanError::UnsafeName { entry: at });
        }
        if !seen.insert(entry.name.as_str()) {
            return Err(PlanError::DuplicateName { entry: at });
        }
    }
    Ok(())
}

fn stays_inside(name: &str) -> bool {
    name.len() <= MAX_NAME_LEN
        && !name.contains(|c: char| matches!(c, '\\' | ':') || c.is_control())
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use jiff::civil::datetime;

    pub(in super::super) fn entry(name: &str, size: u64) -> Entry {
        let modified = DosTime::from(datetime(2026, 11, 20, 13, 37, 42, 0));
        Entry {
            source: [7; 16],
            name: name.into(),
            size,
            crc32: 0,
            modified,
        }
    }

    /// A plan of entries `0.jpg`, `1.jpg` … of these sizes.
    pub(in super::super) fn plan_of(sizes: &[u64]) -> Arc<Plan> {
        let named = sizes
            .iter()
            .enumerate()
            .map(|(at, size)| entry(&format!("{at}.jpg"), *size));
        Arc::new(Plan::new(named.collect()).unwrap())
    }

    fn refusal(names: &[&str]) -> Option<PlanError> {
        Plan::new(names.iter().map(|name| entry(name, 1)).collect()).err()
    }

    #[test]
    fn an_archive_of_nothing_is_just_its_end() {
        let plan = plan_of(&[]);
        assert!(plan.is_empty());
        assert_eq!(plan.total_bytes(), 22);
    }

    // R1.39: beyond 4 GiB. Every number below is the specification's: 30 + 5 and 46 + 5 bytes of
    // headers, 22 at the end; with ZIP64 20 more in a large entry's headers, 12 more in a late
    // entry's central header, 76 more at the end.
    #[test]
    fn zip64_is_paid_for_only_where_it_is_needed() {
        let just_below = 0xffff_fffe - 35;
        assert_eq!(plan_of(&[just_below]).total_bytes(), 0xffff_fffe + 51 + 22);
        assert_eq!(
            plan_of(&[just_below + 1]).total_bytes(),
            0xffff_ffff + 51 + 76 + 22
        );
        assert_eq!(
            plan_of(&[just_below, 1]).total_bytes(),
            0xffff_fffe + 36 + 2 * 51 + 76 + 22
        );
        assert_eq!(
            plan_of(&[just_below + 1, 1]).total_bytes(),
            0xffff_ffff + 36 + 2 * 51 + 12 + 76 + 22
        );
        assert_eq!(
            plan_of(&[0xffff_fffe]).total_bytes(),
            0xffff_fffe + 35 + 51 + 76 + 22
        );
        assert_eq!(
            plan_of(&[0xffff_ffff]).total_bytes(),
            0xffff_ffff + 55 + 71 + 76 + 22
        );
    }

    #[test]
    fn zip64_begins_with_65_535_entries() {
        let names = |count: u64| {
            (0..count)
                .map(|at| format!("{at}.jpg").len() as u64)
                .sum::<u64>()
        };
        for (count, end) in [(65_534, 22), (65_535, 98), (65_536, 98)] {
            let plan = plan_of(&vec![9; count as usize]);
            assert_eq!(
                plan.total_bytes(),
                count * (30 + 9 + 46) + 2 * names(count) + end
            );
        }
    }

    #[test]
    fn a_size_beyond_64_bits_is_refused() {
        let refusal = |sizes: &[u64]| {
            let named = sizes
                .iter()
                .enumerate()
                .map(|(at, size)| entry(&format!("{at}.jpg"), *size));
            Plan::new(named.collect()).err()
        };
        assert_eq!(refusal(&[u64::MAX]), Some(PlanError::TooLarge));
        assert_eq!(
            refusal(&[u64::MAX / 2, u64::MAX / 2, 9]),
            Some(PlanError::TooLarge)
        );
        let (local, central, end) = (30 + 5 + 20, 46 + 5 + 20, 98);
        let largest = u64::MAX - local - central - end;
        assert_eq!(refusal(&[largest]), None);
        assert_eq!(refusal(&[largest + 1]), Some(PlanError::TooLarge));
    }

    #[test]
    fn more_than_a_million_entries_are_refused() {
        let many = vec![entry("", 0); MAX_ENTRIES + 1];
        assert_eq!(Plan::new(many).err(), Some(PlanError::TooManyEntries));
    }

    // R1.41
    #[test]
    fn a_name_that_could_leave_its_folder_is_refused() {
        for name in [
            "", ".", "..", "/a", "a/", "a//b", "a/../b", "./a", "a\\b", "C:a", "a\0", "a\nb",
        ] {
            assert_eq!(
                refusal(&["fine", name]),
                Some(PlanError::UnsafeName { entry: 1 }),
                "{name:?}"
            );
        }
        assert_eq!(refusal(&["cats/train/tabby/1.jpg", "...jpg", "..a"]), None);
        assert_eq!(refusal(&[&"a".repeat(1024)]), None);
        assert_eq!(
            refusal(&[&"a".repeat(1025)]),
            Some(PlanError::UnsafeName { entry: 0 })
        );
    }

    // R1.41
    #[test]
    fn two_entries_of_one_name_are_refused() {
        assert_eq!(
            refusal(&["a", "b", "a"]),
            Some(PlanError::DuplicateName { entry: 2 })
        );
    }

    #[test]
    fn no_refusal_tells_a_name() {
        let refusal = refusal(&["marker/../x"]).unwrap();
        assert!(!format!("{refusal} {refusal:?}").contains("marker"));
    }

    #[test]
    fn a_plan_of_100_000_entries_takes_less_than_12_mb() {
        let named =
            (0..100_000).map(|at| entry(&format!("IMG_20261120_{at:06} holiday.jpg"), 4_000_000));
        let plan = Plan::new(named.collect()).unwrap();
        let name_allocation = |name: &String| (name.capacity() + 8).next_multiple_of(16).max(32);
        let bytes = plan.entries.capacity() * size_of::<Entry>()
            + plan
                .entries
                .iter()
                .map(|entry| name_allocation(&entry.name))
                .sum::<usize>()
            + plan.starts.capacity() * size_of::<u64>()
            + plan.directory.capacity() * size_of::<u32>();
        assert!(bytes < 12_000_000, "{bytes}");
    }
}
