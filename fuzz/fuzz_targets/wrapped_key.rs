//! A stored key record (`IVWK`) or box (`IVBX`) opens exactly where it is, byte for byte, the one
//! that was sealed; every other answer is an error.
#![no_main]

use arbitrary::Arbitrary;
use image_vault::crypto::{AccountSecret, DataKey, SealedBox, WrapKind, WrappedKey};
use image_vault_fuzz::{Edit, GOLDEN, bytes, edited, golden_key, golden_wrap};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    kind: u8,
    edits: Vec<Edit>,
    /// Whether the kind is taken from the record, as no caller does.
    believe: bool,
}

fuzz_target!(|input: Input| {
    let kind = WrapKind::ALL[usize::from(input.kind) % WrapKind::ALL.len()];
    let params = bytes(&GOLDEN["wraps"][kind as usize - 1]["params"]);
    let (original, parent, mut context) = golden_wrap(kind, &params);
    let record = edited(&original, &input.edits);
    if input.believe {
        let told = record.get(5).copied().unwrap_or_default();
        context.kind = *WrapKind::ALL
            .iter()
            .find(|kind| **kind as u8 == told)
            .unwrap_or(&kind);
    }
    match WrappedKey::from_slice(&record) {
        Ok(wrapped) => {
            assert_eq!(wrapped.as_bytes()[..], record);
            let opened = wrapped.unwrap::<DataKey>(&parent, &context);
            assert_eq!(opened.is_ok(), record == original);
        }
        Err(_) => assert_ne!(record.len(), 120),
    }

    let original = bytes(&GOLDEN["boxes"][0]["box"]);
    let sealed = edited(&original, &input.edits);
    let account = golden_key::<AccountSecret>(WrapKind::AccountSecret);
    let (_, _, context) = golden_wrap(WrapKind::ImageKey, &[]);
    match SealedBox::from_slice(&sealed) {
        Ok(sealed_box) => {
            let opened = sealed_box.open::<DataKey>(&account, &context);
            assert_eq!(opened.is_ok(), sealed == original);
        }
        Err(_) => assert_ne!(sealed.len(), 136),
    }
});
