//! What somebody types from paper is refused, or is a code: then it says the same in its own
//! spelling, and again in small letters with spaces.
#![no_main]

use image_vault::crypto::RecoverySecret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let Ok(secret) = RecoverySecret::from_code(&text) else {
        return;
    };
    assert!((56..=512).contains(&text.len()));
    let code = secret.to_code();
    for spelling in [code.to_string(), code.to_lowercase().replace('-', " ")] {
        let again = RecoverySecret::from_code(&spelling).expect("its own spelling");
        assert_eq!(*again.to_code(), *code);
    }
});
