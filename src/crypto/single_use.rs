//! AES-256-GCM under a key that seals one short message and no other.
//!
//! The nonce is all zero. That is sound because every caller derives the key from a salt drawn for
//! this one message; it must never be called twice with one key.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};

use super::CryptoError;

/// Bytes of the tag that follows each ciphertext.
pub(super) const TAG_LEN: usize = 16;

const NONCE: [u8; 12] = [0; 12];

/// Encrypts in place and returns the tag. `key` must be fresh.
pub(super) fn seal(key: &[u8; 32], associated_data: &[u8], message: &mut [u8]) -> [u8; TAG_LEN] {
    Aes256Gcm::new(key.into())
        .encrypt_inout_detached(&Nonce::from(NONCE), associated_data, message.into())
        .expect("a message in memory is shorter than GCM's 64 GiB")
        .into()
}

/// Decrypts in place. After a failure `message` is still the ciphertext.
pub(super) fn open(
    key: &[u8; 32],
    associated_data: &[u8],
    message: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<(), CryptoError> {
    Aes256Gcm::new(key.into())
        .decrypt_inout_detached(
            &Nonce::from(NONCE),
            associated_data,
            message.into(),
            tag.into(),
        )
        .map_err(|_| CryptoError::Open)
}
