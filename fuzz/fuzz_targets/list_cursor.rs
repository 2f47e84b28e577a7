//! A cursor opens exactly where it is one that was sealed, and what was sealed opens to itself. The
//! order beside it in the URL reads back as it was written.
#![no_main]

use arbitrary::Arbitrary;
use image_vault::crypto::{MasterKey, WrapKind};
use image_vault::vault::Sort;
use image_vault_fuzz::{Edit, GOLDEN, bytes, edited, golden_key};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    edits: Vec<Edit>,
    bytes: &'a [u8],
    sort: &'a str,
}

fuzz_target!(|input: Input<'_>| {
    let key = golden_key::<MasterKey>(WrapKind::Session).cursor_key();
    let original = bytes(&GOLDEN["cursor"]["sealed"]);
    let cursor = edited(&original, &input.edits);
    match key.open(&cursor) {
        Ok(opened) => assert!(cursor == original && opened == b"beach.jpg"),
        Err(_) => assert_ne!(cursor, original),
    }

    assert!(key.open(input.bytes).is_err() || input.bytes == original);
    let sealed = key.seal(input.bytes).expect("the system's random bytes");
    assert_eq!(key.open(&sealed).as_deref(), Ok(input.bytes));

    if let Some((sort, descending)) = Sort::parse(input.sort) {
        let name = serde_json::to_value(sort).expect("a name");
        let sign = if descending { "-" } else { "" };
        assert_eq!(
            format!("{sign}{}", name.as_str().expect("a text")),
            input.sort
        );
    }
});
