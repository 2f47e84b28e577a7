//! The crypto floor against what others published and what earlier versions wrote. (What each part
//! refuses is tested beside it, in `src/crypto`.)

#![allow(
    clippy::unwrap_used,
    reason = "clippy sees no test in the functions that tests call"
)]

#[path = "crypto/golden.rs"]
mod golden;
#[path = "crypto/golden_factor.rs"]
mod golden_factor;
#[path = "crypto/golden_rotation.rs"]
mod golden_rotation;
#[path = "crypto/golden_writer.rs"]
mod golden_writer;
#[path = "crypto/vectors.rs"]
mod vectors;

use std::path::PathBuf;

use serde_json::Value;

fn vectors_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// The bytes of a field that holds lower-case hexadecimal digits.
fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_else(|| panic!("no hex: {value}"));
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

/// As [`hex`], of a known length.
fn hex_array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().unwrap()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}
