//! `IVWK`: one key, sealed under another. 120 bytes that may lie in a database.
//!
//! | offset | bytes | |
//! | --- | --- | --- |
//! | 0 | 4 | `IVWK` |
//! | 4 | 1 | version, 1 |
//! | 5 | 1 | [`WrapKind`] |
//! | 6 | 2 | zero |
//! | 8 | 32 | salt, fresh on every write |
//! | 40 | 32 | commitment to the wrapping key |
//! | 72 | 32 | the key, AES-256-GCM |
//! | 104 | 16 | tag |

use std::ops::Range;

use subtle::ConstantTimeEq;

use super::keys::{KeyBytes, SecretKey};
use super::schedule::{self, CommittedKey};
use super::single_use;
use super::{CryptoError, random};

const LEN: usize = 120;
const HEADER: Range<usize> = 0..8;
const SALT: Range<usize> = 8..40;
const COMMITMENT: Range<usize> = 40..72;
const CIPHERTEXT: Range<usize> = 72..104;
const TAG: Range<usize> = 104..120;

/// The bytes before the ciphertext, which are authenticated with it.
const PREFIX: Range<usize> = 0..72;

const MAGIC: &[u8; 4] = b"IVWK";
const VERSION: u8 = 1;

/// The purpose of a wrapped key. The numbers are written down; none is ever used again for
/// something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum WrapKind {
    /// A master key under a password's key.
    Password = 1,
    /// A master key under a recovery secret.
    Recovery = 2,
    /// A master key under a session's secret.
    Session = 3,
    /// An image's data key under its owner's master key.
    ImageKey = 4,
    /// A key of a share under its link's secret.
    Share = 5,
    /// A master key under an API token's secret.
    ApiToken = 6,
    /// An account's X25519 secret under its master key.
    AccountSecret = 7,
    /// An account's digest key under its master key.
    DigestKey = 8,
    /// A master key under a passkey's PRF output.
    Passkey = 9,
    /// A key of a drop under its token's secret.
    Drop = 10,
    /// A key of a running job under the instance's.
    JobGrant = 11,
    /// A key of a published image under the instance's.
    PublicImage = 12,
    /// The data key of a library item under the instance's.
    LibraryItem = 13,
    /// The data key of an archive's plan under its owner's master key.
    ArchivePlan = 14,
    /// An authenticator app's key under its owner's master key.
    Authenticator = 15,
    /// The key of an account's spare codes under its master key.
    SpareCodes = 16,
    /// A master key under the secret of a sign-in that waits for its second factor.
    PendingSignIn = 17,
    /// The master key before a rotation under the one after it.
    RetiredMaster = 18,
}

impl WrapKind {
    /// Each of them, in the order of their numbers.
    pub const ALL: [Self; 18] = [
        Self::Password,
        Self::Recovery,
        Self::Session,
        Self::ImageKey,
        Self::Share,
        Self::ApiToken,
        Self::AccountSecret,
        Self::DigestKey,
        Self::Passkey,
        Self::Drop,
        Self::JobGrant,
        Self::PublicImage,
        Self::LibraryItem,
        Self::ArchivePlan,
        Self::Authenticator,
        Self::SpareCodes,
        Self::PendingSignIn,
        Self::RetiredMaster,
    ];
}

/// The associated data of a wrapped key: it opens only where all of this is given again. So a row
/// that was copied to another account, image or purpose is noticed.
#[derive(Debug, Clone, Copy)]
pub struct WrapContext<'a> {
    /// The purpose of the key.
    pub kind: WrapKind,
    /// The owner: the account's id.
    pub owner: [u8; 16],
    /// The subject: the id of the image, session, archive … and of the account itself for keys of
    /// which an account has one.
    pub subject: [u8; 16],
    /// Anything else that must not change; [`super::PasswordHashing::associated_data`] for
    /// [`WrapKind::Password`] and empty for all others so far.
    pub params: &'a [u8],
}

impl WrapContext<'_> {
    /// The associated data: all but the last part have a fixed length, so no two contexts give the
    /// same bytes.
    pub(super) fn bind(&self, prefix: &[u8]) -> Vec<u8> {
        [prefix, &self.owner, &self.subject, self.params].concat()
    }
}

/// A key sealed under another one.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey([u8; LEN]);

impl WrappedKey {
    /// Seals `child` under `parent`.
    ///
    /// # Errors
    /// [`CryptoError::Random`].
    pub fn wrap(
        parent: &impl SecretKey,
        child: &impl SecretKey,
        context: &WrapContext<'_>,
    ) -> Result<Self, CryptoError> {
        let salt = random()?;
        let keys = schedule::wrap(parent.key(), &salt, context);
        let mut record = [0; LEN];
        record[HEADER].copy_from_slice(&header(context.kind));
        record[SALT].copy_from_slice(&salt);
        record[COMMITMENT].copy_from_slice(&keys.commitment);
        let (ciphertext, tag) = seal_key(&keys, &context.bind(&record[PREFIX]), child.key());
        record[CIPHERTEXT].copy_from_slice(&ciphertext);
        record[TAG].copy_from_slice(&tag);
        Ok(Self(record))
    }

    /// Opens what [`Self::wrap`] sealed under the same parent in the same context. The kind decides
    /// which key type `K` is; knowing that is the caller's part.
    ///
    /// # Errors
    /// [`CryptoError::Open`], whatever is wrong.
    pub fn unwrap<K: SecretKey>(
        &self,
        parent: &impl SecretKey,
        context: &WrapContext<'_>,
    ) -> Result<K, CryptoError> {
        let record = &self.0;
        if record[HEADER] != header(context.kind) {
            return Err(CryptoError::Open);
        }
        let keys = schedule::wrap(parent.key(), array(&record[SALT]), context);
        let associated_data = context.bind(&record[PREFIX]);
        open_key(
            &keys,
            array(&record[COMMITMENT]),
            &associated_data,
            array(&record[CIPHERTEXT]),
            array(&record[TAG]),
        )
        .map(K::from_key)
    }

    /// A record as it was stored.
    ///
    /// # Errors
    /// [`CryptoError::Open`] where it has not 120 bytes. All else is checked by [`Self::unwrap`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, CryptoError> {
        bytes.try_into().map(Self).map_err(|_| CryptoError::Open)
    }

    /// The record, to be stored.
    pub fn as_bytes(&self) -> &[u8; 120] {
        &self.0
    }
}

fn header(kind: WrapKind) -> [u8; 8] {
    let [a, b, c, d] = *MAGIC;
    [a, b, c, d, VERSION, kind as u8, 0, 0]
}

/// Seals a key with freshly derived keys.
pub(super) fn seal_key(
    keys: &CommittedKey,
    associated_data: &[u8],
    child: &KeyBytes,
) -> ([u8; 32], [u8; 16]) {
    let mut bytes = child.0;
    let tag = single_use::seal(&keys.key, associated_data, &mut bytes);
    (bytes, tag)
}

/// Opens a sealed key, the commitment first.
pub(super) fn open_key(
    keys: &CommittedKey,
    commitment: &[u8; 32],
    associated_data: &[u8],
    ciphertext: &[u8; 32],
    tag: &[u8; 16],
) -> Result<KeyBytes, CryptoError> {
    if !bool::from(keys.commitment.ct_eq(commitment)) {
        return Err(CryptoError::Open);
    }
    let mut key = KeyBytes(*ciphertext);
    single_use::open(&keys.key, associated_data, &mut key.0, tag)?;
    Ok(key)
}

/// The bytes of a field, whose range has exactly this length.
pub(super) fn array<const N: usize>(field: &[u8]) -> &[u8; N] {
    field
        .try_into()
        .expect("each field's range is a constant beside its array type")
}

#[cfg(test)]
mod tests;
