//! How a recovery secret is written on paper and typed in again.
//!
//! 35 bytes, the secret and three of a checksum, are exactly 56 base32 characters: fourteen groups
//! of four. Out of the 36 digits and letters, each set that is easily confused on paper counts as
//! one character (0 and O; 1, I and L; 8 and B), which leaves exactly 32.

use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use zeroize::{Zeroize, Zeroizing};

use super::CryptoError;
use super::keys::{KeyBytes, RecoverySecret, SecretKey};
use super::sha256;

const SECRET_LEN: usize = 32;
const CHECK_LEN: usize = 3;
const CHARS: usize = 56;
const GROUP: usize = 4;

/// Room for generous separators; longer texts are no codes.
const LONGEST_TEXT: usize = 512;

pub(super) static ALPHABET: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789ACDEFGHJKMNPQRSTUVWXYZ");
    spec.translate
        .from
        .push_str("acdefghjkmnpqrstuvwxyzOoIiLlBb");
    spec.translate.to.push_str("ACDEFGHJKMNPQRSTUVWXYZ00111188");
    spec.encoding()
        .expect("32 distinct symbols, and translations of others only")
});

impl RecoverySecret {
    /// The code to show once: fourteen groups of four characters, with hyphens.
    pub fn to_code(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; SECRET_LEN + CHECK_LEN]);
        bytes[..SECRET_LEN].copy_from_slice(&self.key().0);
        bytes[SECRET_LEN..].copy_from_slice(&checksum(&self.key().0));
        let chars = Zeroizing::new(ALPHABET.encode(&*bytes));

        let mut code = Zeroizing::new(String::with_capacity(CHARS + CHARS / GROUP));
        for (i, char) in chars.chars().enumerate() {
            if i > 0 && i % GROUP == 0 {
                code.push('-');
            }
            code.push(char);
        }
        code
    }

    /// Reads a code back, whatever its case, however it is grouped, and with any of the characters
    /// that look alike.
    ///
    /// # Errors
    /// [`CryptoError::Open`] where it is no code or was mistyped. A mistake passes unnoticed once
    /// in 16 million; the code then fails to unwrap the master key, which tells the same.
    pub fn from_code(text: &str) -> Result<Self, CryptoError> {
        if text.len() > LONGEST_TEXT {
            return Err(CryptoError::Open);
        }
        let mut chars = Zeroizing::new(String::with_capacity(text.len()));
        chars.extend(text.chars().filter(|c| !is_separator(*c)));
        if chars.len() != CHARS {
            return Err(CryptoError::Open);
        }
        let mut bytes = Zeroizing::new([0; SECRET_LEN + CHECK_LEN]);
        ALPHABET
            .decode_mut(chars.as_bytes(), bytes.as_mut_slice())
            .map_err(|_| CryptoError::Open)?;

        let mut secret = KeyBytes([0; SECRET_LEN]);
        secret.0.copy_from_slice(&bytes[..SECRET_LEN]);
        if bytes[SECRET_LEN..] != checksum(&secret.0) {
            return Err(CryptoError::Open);
        }
        Ok(Self::from_key(secret))
    }
}

/// Against mistakes, not against attackers: anybody who sees it sees the secret beside it.
fn checksum(secret: &[u8; SECRET_LEN]) -> [u8; CHECK_LEN] {
    let mut digest = sha256(secret);
    let check = [digest[0], digest[1], digest[2]];
    digest.zeroize();
    check
}

/// Spaces, and the hyphens and dashes into which programs turn one another.
pub(super) fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secret(bytes: [u8; 32]) -> RecoverySecret {
        RecoverySecret::from_key(KeyBytes(bytes))
    }

    fn read(code: &str) -> Option<[u8; 32]> {
        RecoverySecret::from_code(code)
            .ok()
            .map(|secret| secret.key().0)
    }

    #[test]
    fn a_code_is_fourteen_groups_of_four() {
        let code = secret([0xff; 32]).to_code();
        let groups: Vec<&str> = code.split('-').collect();
        assert_eq!(groups.len(), 14);
        assert!(groups.iter().all(|group| group.len() == 4));
    }

    #[test]
    fn characters_that_look_alike_are_the_same() {
        // Bytes whose code has a 0, a 1 and an 8 in every group of eight.
        let bytes = [0x00, 0x44, 0x32, 0x14, 0xc7].repeat(7)[..32]
            .try_into()
            .unwrap();
        let code = secret(bytes).to_code();
        assert!(
            code.contains('0') && code.contains('1') && code.contains('8'),
            "{}",
            *code
        );
        for (digit, others) in [("0", ["O", "o"]), ("1", ["I", "l"]), ("8", ["B", "b"])] {
            for other in others {
                assert_eq!(read(&code.replace(digit, other)), Some(bytes));
            }
        }
        assert_eq!(read(&code.replace('1', "L").replace('8', "b")), Some(bytes));
    }

    proptest! {
        #[test]
        fn a_code_reads_back_however_it_is_typed(bytes: [u8; 32]) {
            let code = secret(bytes).to_code();
            prop_assert_eq!(read(&code), Some(bytes));
            prop_assert_eq!(read(&code.to_lowercase()), Some(bytes));
            prop_assert_eq!(read(&code.replace('-', "")), Some(bytes));
            prop_assert_eq!(read(&code.replace('-', "  ")), Some(bytes));
            prop_assert_eq!(read(&format!(" {}\n", code.replace('-', "\u{2013}"))), Some(bytes));
        }

        #[test]
        fn a_mistyped_group_is_noticed(bytes: [u8; 32], group in 0_usize..14, typed in "[02-9ACDEFGHJKMNPQRSTUVWXYZ]{4}") {
            let mut code = secret(bytes).to_code().to_string();
            let at = group * 5;
            prop_assume!(code[at..at + 4] != typed);
            code.replace_range(at..at + 4, &typed);
            prop_assert!(read(&code).is_none());
        }

        #[test]
        fn two_swapped_groups_are_noticed(bytes: [u8; 32], a in 0_usize..14, b in 0_usize..14) {
            let code = secret(bytes).to_code();
            let mut groups: Vec<&str> = code.split('-').collect();
            prop_assume!(groups[a] != groups[b]);
            groups.swap(a, b);
            prop_assert!(read(&groups.join("-")).is_none());
        }

        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = RecoverySecret::from_code(&text);
        }
    }

    #[test]
    fn a_missing_or_extra_character_is_refused() {
        let code = secret([9; 32]).to_code();
        assert!(read(&code[1..]).is_none());
        assert!(read(&format!("{}7", *code)).is_none());
        assert!(read("").is_none());
        assert!(read(&"0".repeat(100_000)).is_none());
    }
}
