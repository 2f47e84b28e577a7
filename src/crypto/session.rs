//! The token of a session: the value of the cookie, and the bearer token of the API.

use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use super::keys::{SecretKey, SessionSecret};
use super::{CryptoError, random, sha256};

const ID_LEN: usize = 16;
const TOKEN_LEN: usize = 48;
const TEXT_LEN: usize = 64;

/// A session's id and secret. The server keeps the id's digest, and the master key wrapped by the
/// secret; only the client has the token itself.
pub struct SessionToken {
    id: [u8; ID_LEN],
    secret: SessionSecret,
}

impl SessionToken {
    /// Draws a new one.
    ///
    /// # Errors
    /// [`CryptoError::Random`].
    pub fn generate() -> Result<Self, CryptoError> {
        Ok(Self {
            id: random()?,
            secret: SessionSecret::generate()?,
        })
    }

    /// Reads the 64 characters of [`Self::to_text`].
    ///
    /// # Errors
    /// [`CryptoError::Open`] for every other text.
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        if text.len() != TEXT_LEN {
            return Err(CryptoError::Open);
        }
        let mut bytes = Zeroizing::new([0; TOKEN_LEN]);
        BASE64URL_NOPAD
            .decode_mut(text.as_bytes(), bytes.as_mut_slice())
            .map_err(|_| CryptoError::Open)?;
        let (mut id, mut secret) = ([0; ID_LEN], Zeroizing::new([0; 32]));
        id.copy_from_slice(&bytes[..ID_LEN]);
        secret.copy_from_slice(&bytes[ID_LEN..]);
        Ok(Self {
            id,
            secret: SessionSecret::from_bytes(*secret),
        })
    }

    /// The token as text: base64url (RFC 4648) of id and secret, 64 characters without padding.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; TOKEN_LEN]);
        bytes[..ID_LEN].copy_from_slice(&self.id);
        bytes[ID_LEN..].copy_from_slice(&self.secret.key().0);
        Zeroizing::new(BASE64URL_NOPAD.encode(&*bytes))
    }

    /// The id, which is the subject of the session's wrapped key.
    pub fn id(&self) -> &[u8; 16] {
        &self.id
    }

    /// SHA-256 of the id: the store finds the session by it, without holding the cookie's value.
    pub fn digest(&self) -> [u8; 32] {
        sha256(&self.id)
    }

    /// The subject of the wrapped key of an API token: the first 16 bytes of SHA-256 of a label,
    /// the id and `terms`. So a row whose terms were altered opens nothing.
    pub fn subject_under(&self, terms: &[u8]) -> [u8; 16] {
        let bound = [b"image-vault api token v1\0".as_slice(), &self.id, terms].concat();
        let mut subject = [0; 16];
        subject.copy_from_slice(&sha256(&bound)[..16]);
        subject
    }

    /// The half that wraps the master key.
    pub fn secret(&self) -> &SessionSecret {
        &self.secret
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_is_64_characters_that_need_no_escaping() {
        let text = SessionToken::generate().unwrap().to_text();
        assert_eq!(text.len(), 64);
        assert!(
            text.chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        );
    }

    #[test]
    fn a_token_reads_back() {
        let token = SessionToken::generate().unwrap();
        let again = SessionToken::parse(&token.to_text()).unwrap();
        assert_eq!(again.id(), token.id());
        assert_eq!(again.secret().key().0, token.secret().key().0);
        assert_eq!(again.digest(), sha256(token.id()));
    }

    #[test]
    fn other_terms_or_another_id_make_another_subject() {
        let token = SessionToken::generate().unwrap();
        let other = SessionToken::generate().unwrap();
        assert_eq!(token.subject_under(b"read"), token.subject_under(b"read"));
        assert_ne!(token.subject_under(b"read"), token.subject_under(b"write"));
        assert_ne!(token.subject_under(b"read"), other.subject_under(b"read"));
    }

    #[test]
    fn another_length_or_alphabet_is_no_token() {
        for text in [
            "",
            "A",
            &"A".repeat(63),
            &"A".repeat(65),
            &"=".repeat(64),
            &"+".repeat(64),
        ] {
            assert!(SessionToken::parse(text).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,70}") {
            let _ = SessionToken::parse(&text);
        }

        #[test]
        fn each_token_has_exactly_one_text(text in "[A-Za-z0-9_-]{64}") {
            prop_assert_eq!(&*SessionToken::parse(&text).unwrap().to_text(), &text);
        }
    }
}
