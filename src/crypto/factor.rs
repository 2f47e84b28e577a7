//! The codes of a second factor: those of an authenticator app (TOTP, RFC 6238), and spare ones on
//! paper.
//!
//! A spare code is twelve characters of the recovery code's alphabet, so 60 bits. The store has
//! their digests under a key that only the master key opens: a thief of the store can try none.

use data_encoding::BASE32_NOPAD;
use totp_rs::{Builder, Secret};
use zeroize::{Zeroize, Zeroizing};

use super::keys::{AuthenticatorKey, SecretKey, SpareCodeKey};
use super::recovery::{ALPHABET, is_separator};
use super::{CryptoError, random, schedule};

/// How long a code of an app is shown (RFC 6238, 5.2).
pub const TOTP_STEP_SECS: u64 = 30;
/// Clocks may differ by one step (RFC 6238, 5.2).
const TOTP_SKEW: u16 = 1;
/// Digits that every app shows; 6 is the least (RFC 4226, 5.3).
const TOTP_DIGITS: u8 = 6;

/// Spare codes that an account gets at once.
pub const SPARE_CODES: usize = 10;
const SPARE_CHARS: usize = 12;
const SPARE_GROUP: usize = 4;
/// Twelve characters hold 60 bits: seven and a half bytes.
const SPARE_BYTES: usize = 8;

/// Room for generous separators; longer texts are no codes.
const LONGEST_TEXT: usize = 64;

/// A code of the second factor as it was typed, told apart by its form.
pub enum FactorCode {
    /// Six digits of an app.
    Totp(Zeroizing<String>),
    /// A spare code's characters.
    Spare(Zeroizing<String>),
}

impl FactorCode {
    /// Reads a code, however it is grouped; a spare one whatever its case, and with any of the
    /// characters that look alike.
    ///
    /// # Errors
    /// [`CryptoError::Open`] for a text that has the form of no code.
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        if text.len() > LONGEST_TEXT {
            return Err(CryptoError::Open);
        }
        let mut chars = Zeroizing::new(String::with_capacity(text.len()));
        chars.extend(text.chars().filter(|c| !is_separator(*c)));
        let is_totp = chars.len() == usize::from(TOTP_DIGITS);
        match is_totp && chars.bytes().all(|c| c.is_ascii_digit()) {
            true => Ok(Self::Totp(chars)),
            false => canonical(&chars).map(Self::Spare),
        }
    }
}

/// The characters as the alphabet writes them.
fn canonical(chars: &str) -> Result<Zeroizing<String>, CryptoError> {
    if chars.len() != SPARE_CHARS {
        return Err(CryptoError::Open);
    }
    // Only whole bytes can be decoded: four characters fill them up.
    let mut whole = Zeroizing::new(chars.to_owned());
    whole.push_str("0000");
    let decoded = ALPHABET.decode(whole.as_bytes());
    let bytes = Zeroizing::new(decoded.map_err(|_| CryptoError::Open)?);
    let mut chars = Zeroizing::new(ALPHABET.encode(&bytes));
    chars.truncate(SPARE_CHARS);
    Ok(chars)
}

impl AuthenticatorKey {
    /// The app's secret in base32 (RFC 4648), as people type it and `otpauth:` has it.
    pub fn secret_text(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(&*schedule::totp(self.key())))
    }

    /// The time step that six digits belong to, if they are right at this time (in seconds since
    /// 1970) or a step before or after. The caller must see to it that no step is taken twice.
    pub fn step_of(&self, digits: &str, now_secs: u64) -> Option<u64> {
        let secret = schedule::totp(self.key());
        let totp = Builder::new()
            .with_secret(Secret::new_stack(*secret))
            .with_digits(TOTP_DIGITS)
            .with_skew(TOTP_SKEW)
            .with_step_duration(TOTP_STEP_SECS)
            .build_noncompliant();
        totp.check(digits, now_secs)
    }
}

impl SpareCodeKey {
    /// Draws a code: its text to show, in groups, and its digest.
    ///
    /// # Errors
    /// [`CryptoError::Random`].
    pub fn draw(&self) -> Result<(Zeroizing<String>, [u8; 32]), CryptoError> {
        let mut bytes: [u8; SPARE_BYTES] = random()?;
        let mut chars = Zeroizing::new(ALPHABET.encode(&bytes));
        bytes.zeroize();
        chars.truncate(SPARE_CHARS);
        let mut code = Zeroizing::new(String::with_capacity(SPARE_CHARS + 2));
        for (i, char) in chars.chars().enumerate() {
            if i > 0 && i % SPARE_GROUP == 0 {
                code.push('-');
            }
            code.push(char);
        }
        Ok((code, self.digest(&chars)))
    }

    /// The digest of a code's characters, as [`FactorCode::Spare`] has them.
    pub fn digest(&self, chars: &str) -> [u8; 32] {
        schedule::spare_code(self.key(), chars.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::KeyBytes;
    use super::*;
    use proptest::prelude::*;

    fn authenticator() -> AuthenticatorKey {
        AuthenticatorKey::from_key(KeyBytes([7; 32]))
    }

    /// A code as an app computes it, from the secret it was shown.
    fn app(key: &AuthenticatorKey, at_secs: u64) -> String {
        let secret = BASE32_NOPAD.decode(key.secret_text().as_bytes()).unwrap();
        let secret = Secret::new_stack(secret.try_into().unwrap());
        let totp = Builder::new().with_secret(secret).build().unwrap();
        totp.generate(at_secs).to_string()
    }

    /// RFC 6238, appendix B, SHA-1: the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = Secret::new_stack(*b"12345678901234567890");
        let totp = Builder::new().with_secret(secret).build().unwrap();
        let vectors = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (at, code) in vectors {
            assert_eq!(totp.generate(at).to_string(), code);
        }
    }

    #[test]
    fn a_code_is_right_for_its_step_and_the_two_beside_it() {
        let (key, now) = (authenticator(), 1_800_000_015);
        let code = app(&key, now);
        for apart in [-30_i64, 0, 30] {
            let at = now.checked_add_signed(apart).unwrap();
            assert_eq!(
                key.step_of(&code, at),
                Some(now / TOTP_STEP_SECS),
                "{apart}"
            );
        }
        for apart in [-90_i64, -60, 60, 90] {
            let at = now.checked_add_signed(apart).unwrap();
            assert_eq!(key.step_of(&code, at), None, "{apart}");
        }
        let another = AuthenticatorKey::from_key(KeyBytes([8; 32]));
        assert_eq!(another.step_of(&code, now), None);
    }

    #[test]
    fn codes_are_told_apart_by_their_form() {
        for text in ["123456", "123 456", "123-456", " 123456\n"] {
            assert!(matches!(
                FactorCode::parse(text),
                Ok(FactorCode::Totp(digits)) if *digits == "123456"
            ));
        }
        for text in [
            "",
            "12345",
            "1234567",
            "12345a",
            "１２３４５６",
            &"1".repeat(500),
        ] {
            assert!(FactorCode::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_two_spare_codes_are_alike() {
        let key = SpareCodeKey::generate().unwrap();
        let (one, digest) = key.draw().unwrap();
        assert_eq!(one.len(), 14);
        assert_ne!(key.draw().unwrap().1, digest);
    }

    proptest! {
        #[test]
        fn a_spare_code_reads_back_however_it_is_typed(bytes: [u8; 32]) {
            let key = SpareCodeKey::from_key(KeyBytes(bytes));
            let (code, digest) = key.draw().unwrap();
            let typed = [
                code.to_string(),
                code.to_lowercase().replace('-', " "),
                code.replace('-', "").replace('0', "o").replace('1', "l").replace('8', "b"),
            ];
            for text in typed {
                match FactorCode::parse(&text) {
                    Ok(FactorCode::Spare(chars)) => prop_assert_eq!(key.digest(&chars), digest),
                    _ => prop_assert!(false, "{text}"),
                }
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = FactorCode::parse(&text);
        }
    }
}
