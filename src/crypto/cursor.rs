//! Sealed list cursors. A cursor says where a page of a list ended, which may be a picture's name,
//! and it travels in URLs, which reach logs.
//!
//! `salt (16) | ciphertext | tag (16)`, under a key made from the salt. They are not kept: a format
//! change costs somebody a reload.

use super::keys::{CursorKey, SecretKey};
use super::single_use::{self, TAG_LEN};
use super::{CryptoError, random, schedule};

const SALT_LEN: usize = 16;

impl CursorKey {
    /// Seals the bytes; the result is 32 bytes longer.
    ///
    /// # Errors
    /// [`CryptoError::Random`].
    pub fn seal(&self, bytes: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let salt: [u8; SALT_LEN] = random()?;
        let key = schedule::cursor(self.key(), &salt);
        let mut sealed = Vec::with_capacity(SALT_LEN + bytes.len() + TAG_LEN);
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(bytes);
        let tag = single_use::seal(&key, &[], &mut sealed[SALT_LEN..]);
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] returned under the same key.
    ///
    /// # Errors
    /// [`CryptoError::Open`] for everything else.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let (salt, rest) = sealed
            .split_first_chunk::<SALT_LEN>()
            .ok_or(CryptoError::Open)?;
        let (ciphertext, tag) = rest
            .split_last_chunk::<TAG_LEN>()
            .ok_or(CryptoError::Open)?;
        let mut bytes = ciphertext.to_vec();
        single_use::open(&schedule::cursor(self.key(), salt), &[], &mut bytes, tag)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::MasterKey;
    use super::*;
    use proptest::prelude::*;

    fn key() -> CursorKey {
        MasterKey::generate().unwrap().cursor_key()
    }

    proptest! {
        #[test]
        fn a_cursor_opens_under_its_own_key_only(bytes: Vec<u8>) {
            let (ours, theirs) = (key(), key());
            let sealed = ours.seal(&bytes).unwrap();
            prop_assert_eq!(sealed.len(), bytes.len() + 32);
            prop_assert_eq!(ours.open(&sealed).unwrap(), bytes);
            prop_assert!(theirs.open(&sealed).is_err());
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(key().open(&bytes).is_err());
        }
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let key = key();
        let sealed = key.seal(b"beach.jpg").unwrap();
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert_eq!(key.open(&changed), Err(CryptoError::Open), "byte {i}");
            assert!(key.open(&sealed[..i]).is_err());
        }
    }

    #[test]
    fn two_cursors_of_one_place_look_different() {
        let key = key();
        assert_ne!(
            key.seal(b"beach.jpg").unwrap()[16..],
            key.seal(b"beach.jpg").unwrap()[16..]
        );
    }
}
