//! Bytes are refused as a frozen plan, or freeze to the same bytes again and can be walked.
#![no_main]

use std::sync::Arc;

use image_vault::archive::{Piece, Plan};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(plan) = Plan::decode(data) else {
        return;
    };
    assert_eq!(plan.encode(), data);
    let plan = Arc::new(plan);
    let lens = plan.pieces(0..u64::MAX).map(|piece| match piece {
        Piece::Bytes(bytes) => bytes.len() as u64,
        Piece::Content { range, .. } => range.end - range.start,
    });
    assert_eq!(lens.sum::<u64>(), plan.total_bytes());
});
