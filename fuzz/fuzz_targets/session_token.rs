//! What comes in a cookie, a bearer header or a path: a text is either refused, or the one text of
//! the token or id it says. No two texts are the same token.
#![no_main]

use std::str::FromStr;

use image_vault::crypto::SessionToken;
use image_vault::ids::ImageId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    match SessionToken::parse(&text) {
        Ok(token) => {
            assert_eq!(*token.to_text(), *text);
            let csrf = token.secret().csrf_token();
            assert!(token.secret().csrf_matches(&csrf) && !token.secret().csrf_matches(&text));
        }
        Err(_) => {
            let in_alphabet = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            assert!(text.len() != 64 || !text.bytes().all(in_alphabet));
        }
    }
    if let Ok(id) = ImageId::from_str(&text) {
        assert_eq!(id.to_string(), text);
    }
});
