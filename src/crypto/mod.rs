//! Keys, and the formats of everything that is sealed under them. `docs/CRYPTO.md` describes every
//! byte; this floor writes and opens them.
//!
//! Pure: no I/O but the system's random numbers, no async, and nothing of the rest of the crate.
//! Ids arrive as 16 bytes, because here they are only associated data. What a key is *for* is told
//! by its type ([`MasterKey`], [`DataKey`] …), and its bytes are visible on this floor only. No
//! caller chooses a salt or a nonce.
//!
//! Everything that is opened may have been written by an attacker. Whatever is wrong with it, the
//! answer is [`CryptoError::Open`].

mod blob;
mod cursor;
mod factor;
mod kdf;
mod keys;
mod recovery;
mod schedule;
mod sealed_box;
mod session;
mod single_use;
mod tail;
mod wrap;

use rand::TryRng;
use rand::rngs::SysRng;
use sha2::{Digest, Sha256};

pub use blob::{
    BlobContext, BlobOpener, BlobRole, HEADER_LEN, MAX_PLAIN_LEN, SEALED_SEGMENT_LEN, SEGMENT_LEN,
    SealedChunks, TAG_LEN, open, plain_len, seal, seal_chunks, sealed_len, segment_offset,
};
pub use factor::{FactorCode, SPARE_CODES, TOTP_STEP_SECS};
pub use kdf::{KdfParams, PasswordHashing};
pub use keys::{
    AccountSecret, AuthenticatorKey, CursorKey, DataKey, DigestKey, InstanceSecret, MasterKey,
    PasskeySecret, PasswordKey, Pepper, RecoverySecret, RoleKey, SecretKey, SessionSecret,
    SpareCodeKey,
};
pub use sealed_box::SealedBox;
pub use session::SessionToken;
pub use wrap::{WrapContext, WrapKind, WrappedKey};

/// Why an operation of this floor failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The operating system gave no random bytes. Nothing can be sealed safely.
    #[error("the system's random number generator failed")]
    Random,
    /// Something does not open: a wrong key, a wrong owner, a damaged or truncated value. Which of
    /// them is deliberately not told.
    #[error("this cannot be opened with the given key")]
    Open,
    /// A number is outside what this program accepts, such as a key derivation that would exhaust
    /// the memory.
    #[error("a parameter is outside the range that is accepted")]
    Parameters,
}

/// Fresh bytes from the operating system's generator, for ids and salts. Keys are made by their
/// own `generate`.
///
/// # Errors
/// [`CryptoError::Random`].
pub fn random<const N: usize>() -> Result<[u8; N], CryptoError> {
    let mut bytes = [0; N];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|_| CryptoError::Random)?;
    Ok(bytes)
}

/// SHA-256 (FIPS 180-4) of the bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 of bytes that come piece by piece.
#[derive(Default)]
pub struct RunningSha256(Sha256);

impl RunningSha256 {
    /// Adds the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The sum of all pieces.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
