//! A blob's header is taken exactly where it is the one that was sealed, whatever its segments'
//! length says within 4 KiB to 1 MiB; and no length makes the arithmetic of segments overflow.
#![no_main]

use arbitrary::Arbitrary;
use image_vault::crypto::{self, BlobContext, BlobOpener, BlobRole, DataKey, WrapKind};
use image_vault_fuzz::{Edit, edited, golden_key, golden_wrap};
use libfuzzer_sys::fuzz_target;

static SEALED: &[u8] = include_bytes!("../../tests/vectors/golden/blob_1.bin");

#[derive(Arbitrary, Debug)]
struct Input {
    log2: Option<u8>,
    edits: Vec<Edit>,
    len: u64,
    segment: u32,
}

fuzz_target!(|input: Input| {
    let mut original = SEALED[..crypto::HEADER_LEN].to_vec();
    original[10] = input.log2.unwrap_or(original[10]);
    let header = edited(&original, &input.edits);
    let (_, _, context) = golden_wrap(WrapKind::ImageKey, &[]);
    let context = BlobContext {
        owner: context.owner,
        image: context.subject,
        role: BlobRole::Thumbnail,
    };
    let key = golden_key::<DataKey>(WrapKind::ImageKey).role_key(context.role);
    let Some((header, _)) = header.split_first_chunk() else {
        return;
    };

    let opened = BlobOpener::new(&key, &context, header);
    let same = header[..10] == SEALED[..10] && header[11..] == SEALED[11..crypto::HEADER_LEN];
    assert_eq!(opened.is_ok(), same && (12..=20).contains(&header[10]));
    if let Ok(opener) = opened {
        let held = opener.plain_len(input.len);
        assert!(held.is_none_or(|held| held < input.len && held <= crypto::MAX_PLAIN_LEN));
        let stride = (opener.segment_len() + crypto::TAG_LEN) as u64;
        let start = opener.segment_offset(input.segment);
        assert_eq!(start, 96 + u64::from(input.segment) * stride);
    }
    match crypto::plain_len(input.len) {
        Some(plain) => assert_eq!(crypto::sealed_len(plain), input.len),
        None => assert!(crypto::sealed_len(input.len) > input.len || input.len == u64::MAX),
    }
});
