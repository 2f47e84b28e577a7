//! Walking over an archive's bytes. The [plan](super::plan) knows where they are.

use std::ops::Range;
use std::sync::Arc;

use super::plan::Part;
use super::plan::Plan;
use super::records::MAX_RECORD_LEN;

/// The most bytes of headers and directory in one piece.
const MAX_BYTES: usize = 64 * 1024;

// Every record must fit into an empty piece, or the walk would stand still.
const _: () = assert!(MAX_RECORD_LEN <= MAX_BYTES as u64);

/// The next bytes of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes: headers or directory, never empty, at most 64 KiB.
    Bytes(Vec<u8>),
    /// Bytes of an entry's content, which the caller has.
    Content {
        /// The entry, as a position in [`Plan::entries`].
        entry: usize,
        /// The range of the entry's content; never empty.
        range: Range<u64>,
    },
}

/// The pieces of a range of an archive, from [`Plan::pieces`].
///
/// It owns a reference to the plan, so a task can keep it, and holds one position besides.
pub struct Pieces {
    plan: Arc<Plan>,
    at: u64,
    end: u64,
}

impl Pieces {
    pub(super) fn new(plan: Arc<Plan>, range: Range<u64>) -> Self {
        let end = range.end.min(plan.total_bytes());
        Self {
            plan,
            at: range.start,
            end,
        }
    }
}

impl Iterator for Pieces {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let mut bytes = Vec::new();
        let mut record = Vec::new();
        while self.at < self.end {
            let (part, place) = self.plan.part_at(self.at);
            let stop = place.end.min(self.end);
            let wanted = self.at - place.start..stop - place.start;
            if let Part::Content(entry) = part {
                if bytes.is_empty() {
                    self.at = stop;
                    return Some(Piece::Content {
                        entry,
                        range: wanted,
                    });
                }
                break;
            }
            record.clear();
            self.plan.put(part, &mut record);
            let wanted = &record[wanted.start as usize..wanted.end as usize];
            if bytes.len() + wanted.len() > MAX_BYTES {
                break;
            }
            bytes.extend_from_slice(wanted);
            self.at = stop;
        }
        (!bytes.is_empty()).then_some(Piece::Bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::plan_of;
    use super::*;
    use proptest::prelude::*;

    /// The pieces' bytes. An entry's content is its position and the offset, so that a wrong range
    /// shows.
    fn bytes_of(pieces: Pieces) -> Vec<u8> {
        let content = |entry: usize, at: u64| (entry as u64 * 37 + at) as u8;
        let mut all = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => {
                    assert!(!bytes.is_empty() && bytes.len() <= MAX_BYTES);
                    all.extend(bytes);
                }
                Piece::Content { entry, range } => {
                    assert!(!range.is_empty());
                    all.extend(range.map(|at| content(entry, at)));
                }
            }
        }
        all
    }

    proptest! {
        // R1.39: complete, also when it is resumed.
        #[test]
        fn a_download_cut_anywhere_and_resumed_is_the_same_bytes(
            sizes in prop::collection::vec(0_u64..300, 0..12),
            mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let plan = plan_of(&sizes);
            let total = plan.total_bytes();
            let whole = bytes_of(plan.pieces(0..total));
            prop_assert_eq!(whole.len() as u64, total);

            let mut borders: Vec<u64> =
                cuts.drain(..).map(|cut| cut.index(total as usize + 1) as u64).chain([0, total]).collect();
            borders.sort_unstable();
            let mut parts = Vec::new();
            for border in borders.windows(2) {
                parts.extend(bytes_of(plan.pieces(border[0]..border[1])));
            }
            prop_assert!(parts == whole);
        }
    }

    #[test]
    fn every_single_byte_can_be_asked_for() {
        let plan = plan_of(&[3, 0, 1]);
        let whole = bytes_of(plan.pieces(0..u64::MAX));
        for (at, byte) in (0..).zip(&whole) {
            assert_eq!(bytes_of(plan.pieces(at..at + 1)), [*byte]);
        }
    }

    #[test]
    fn nothing_lies_beyond_the_end() {
        let plan = plan_of(&[3]);
        let total = plan.total_bytes();
        assert_eq!(plan.pieces(total..u64::MAX).count(), 0);
        assert_eq!(plan.pieces(u64::MAX..u64::MAX).count(), 0);
        #[expect(clippy::reversed_empty_ranges)]
        let reversed = plan.pieces(20..10);
        assert_eq!(reversed.count(), 0);
        assert_eq!(bytes_of(plan.pieces(total - 1..u64::MAX)).len(), 1);
    }

    #[test]
    fn a_piece_of_the_directory_is_at_most_64_kib_and_not_much_less() {
        let plan = plan_of(&[0; 5_000]);
        let sizes: Vec<usize> = plan
            .pieces(0..u64::MAX)
            .map(|piece| match piece {
                Piece::Bytes(bytes) => bytes.len(),
                Piece::Content { .. } => panic!("the entries are empty"),
            })
            .collect();
        let (last, full) = sizes.split_last().unwrap();
        assert!(
            full.iter()
                .all(|len| (MAX_BYTES - 100..=MAX_BYTES).contains(len)),
            "{sizes:?}"
        );
        assert!(*last <= MAX_BYTES);
    }

    #[test]
    fn pieces_can_be_sent_from_another_task() {
        fn check<T: Send + 'static>(_: T) {}
        check(plan_of(&[]).pieces(0..1));
    }
}
