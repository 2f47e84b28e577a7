//! An archive of any names and sizes is refused, or is exactly as long as announced: its pieces are
//! its bytes without a gap, from any byte on, and no content is given out twice.
#![no_main]

use std::sync::Arc;

use arbitrary::Arbitrary;
use image_vault::archive::{DosTime, Entry, Piece, Pieces, Plan, PlanError, unique_names};
use jiff::civil::DateTime;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    /// Names and sizes; a size is also tried as so many bytes below 4 GiB.
    files: Vec<(&'a str, u64, bool)>,
    cleaned: bool,
    cut: u64,
    end: u64,
}

/// The pieces, those joined that only a walk in two parts tears apart, and their length.
fn joined(pieces: impl Iterator<Item = Piece>) -> (Vec<Piece>, u64) {
    let (mut all, mut len) = (Vec::<Piece>::new(), 0);
    for piece in pieces {
        match (all.last_mut(), piece) {
            (Some(Piece::Bytes(before)), Piece::Bytes(bytes)) => {
                assert!(!bytes.is_empty());
                len += bytes.len() as u64;
                before.extend(bytes);
            }
            (
                Some(Piece::Content {
                    entry: before,
                    range: done,
                }),
                Piece::Content { entry, range },
            ) if *before == entry => {
                assert!(!range.is_empty() && done.end == range.start);
                len += range.end - range.start;
                done.end = range.end;
            }
            (_, piece) => {
                len += match &piece {
                    Piece::Bytes(bytes) => bytes.len() as u64,
                    Piece::Content { range, .. } => range.end - range.start,
                };
                all.push(piece);
            }
        }
    }
    (all, len)
}

fuzz_target!(|input: Input<'_>| {
    let given = input.files.iter().map(|file| file.0);
    let names = match input.cleaned {
        true => unique_names(given),
        false => given.map(str::to_owned).collect(),
    };
    let entries = names.into_iter().zip(&input.files).enumerate();
    let entries = entries.map(|(at, (name, (_, size, near)))| Entry {
        source: [at as u8; 16],
        name,
        size: if *near {
            u64::from(u32::MAX).saturating_sub(*size % 200)
        } else {
            *size
        },
        crc32: *size as u32,
        modified: DosTime::from(DateTime::MIN),
    });
    let plan = match Plan::new(entries.collect()) {
        Ok(plan) => Arc::new(plan),
        Err(error) => return assert!(!input.cleaned || error == PlanError::TooLarge, "{error}"),
    };

    let total = plan.total_bytes();
    let pieces = |range| -> Pieces { plan.pieces(range) };
    let (whole, len) = joined(pieces(0..total));
    assert_eq!(len, total);
    let sizes = plan
        .entries()
        .iter()
        .map(|entry| entry.size)
        .filter(|size| *size > 0);
    let content = whole.iter().filter_map(|piece| match piece {
        Piece::Content { range, .. } => Some((range.start, range.end)),
        Piece::Bytes(_) => None,
    });
    assert!(content.eq(sizes.map(|size| (0, size))));

    let cut = input.cut % (total + 1);
    assert!(joined(pieces(0..cut).chain(pieces(cut..u64::MAX))).0 == whole);
    let (_, len) = joined(pieces(cut..input.end));
    assert_eq!(len, input.end.min(total).saturating_sub(cut));
    assert!(Plan::decode(&plan.encode()).is_ok_and(|again| again.entries() == plan.entries()));
});
