//! Bytes are refused as a zip of ours, or each of its files has the very header that we would write.
#![no_main]

use std::sync::Arc;

use image_vault::archive::{
    DosTime, Entry, FILE_HEAD_LEN, FileHead, PackedFile, Piece, Plan, SIGNATURE_LEN, Section,
};
use jiff::civil::date;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut left = data;
    while let Some((file, header, rest)) = next_file(left) {
        if let Some(mut ours) = written(&file) {
            // The version that is needed and the file's time are whatever they are.
            let mut theirs = header.to_vec();
            for bytes in [&mut ours, &mut theirs] {
                bytes[4..6].fill(0);
                bytes[10..14].fill(0);
            }
            assert_eq!(theirs, ours);
        }
        let Some(behind) = usize::try_from(file.size)
            .ok()
            .and_then(|size| rest.get(size..))
        else {
            return;
        };
        left = behind;
    }
});

/// The next file, its header, and what follows that.
fn next_file(data: &[u8]) -> Option<(PackedFile, &[u8], &[u8])> {
    let (signature, rest) = data.split_first_chunk::<SIGNATURE_LEN>()?;
    if Section::at(*signature).ok()? == Section::Directory {
        return None;
    }
    let (head, rest) = rest.split_first_chunk::<FILE_HEAD_LEN>()?;
    let head = FileHead::parse(head).ok()?;
    assert!(head.rest_len() <= 1_044);
    let (name, rest) = rest.split_at_checked(head.rest_len())?;
    let file = head.complete(name).ok()?;
    let header_len = SIGNATURE_LEN + FILE_HEAD_LEN + name.len();
    Some((file, &data[..header_len], rest))
}

/// Our header for such a file; nothing where we would write none of this name or length.
fn written(file: &PackedFile) -> Option<Vec<u8>> {
    let entry = Entry {
        source: [0; 16],
        name: file.name.clone(),
        size: file.size,
        crc32: file.crc32,
        modified: DosTime::from(date(2026, 11, 21).at(0, 0, 0, 0)),
    };
    let plan = Arc::new(Plan::new(vec![entry]).ok()?);
    match plan.pieces(0..u64::MAX).next()? {
        // An empty file is followed by the directory at once.
        Piece::Bytes(bytes) if file.size > 0 => Some(bytes),
        _ => None,
    }
}
