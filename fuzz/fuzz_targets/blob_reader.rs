//! Of a blob that was changed in any way nothing opens but the segments which are as they were, each
//! in its place, and the whole only where it is the original.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use image_vault::crypto::{self, BlobContext, BlobOpener, BlobRole, DataKey, WrapKind};
use image_vault_fuzz::{Edit, edited, golden_key, golden_wrap};
use libfuzzer_sys::fuzz_target;

static BLOBS: [(BlobRole, &[u8]); 4] = [
    (
        BlobRole::Thumbnail,
        include_bytes!("../../tests/vectors/golden/blob_1.bin"),
    ),
    (
        BlobRole::Metadata,
        include_bytes!("../../tests/vectors/golden/blob_65536.bin"),
    ),
    (
        BlobRole::ArchivePlan,
        include_bytes!("../../tests/vectors/golden/blob_65537.bin"),
    ),
    (
        BlobRole::Original,
        include_bytes!("../../tests/vectors/golden/blob_200000.bin"),
    ),
];

/// What the blobs hold: SHA-256 of 0, 1, 2 …
static PLAIN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    (0..6250u64)
        .flat_map(|i| crypto::sha256(&i.to_be_bytes()))
        .collect()
});

#[derive(Arbitrary, Debug)]
struct Input {
    blob: u8,
    edits: Vec<Edit>,
    /// Segments to open alone: which, where from, and whether as the last.
    reads: Vec<(u8, u8, bool)>,
}

fuzz_target!(|input: Input| {
    let (role, original) = BLOBS[usize::from(input.blob) % BLOBS.len()];
    let plain =
        &PLAIN[..crypto::plain_len(original.len() as u64).expect("a blob's length") as usize];
    let (_, _, context) = golden_wrap(WrapKind::ImageKey, &[]);
    let context = BlobContext {
        owner: context.owner,
        image: context.subject,
        role,
    };
    let key = golden_key::<DataKey>(WrapKind::ImageKey).role_key(role);
    let sealed = edited(original, &input.edits);

    match crypto::open(&key, &context, &sealed) {
        Ok(opened) => assert!(sealed == original && *opened == plain),
        Err(_) => assert!(sealed != original),
    }
    let Some(Ok(opener)) = sealed
        .first_chunk()
        .map(|h| BlobOpener::new(&key, &context, h))
    else {
        return;
    };
    for (index, from, last) in input.reads.into_iter().take(16) {
        let start = sealed
            .len()
            .min(opener.segment_offset(from.into()) as usize);
        let end = sealed
            .len()
            .min(opener.segment_offset(u32::from(from) + 1) as usize);
        let mut segment = sealed[start..end].to_vec();
        let place = usize::from(index) * crypto::SEGMENT_LEN;
        if opener
            .open_segment(index.into(), last, &mut segment, 0)
            .is_ok()
        {
            let ends = place + segment.len() == plain.len();
            assert!(plain[place..].starts_with(&segment) && ends == last);
        } else {
            assert!(segment.is_empty(), "ciphertext was left in the buffer");
        }
    }
});
