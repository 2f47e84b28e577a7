//! The key schedule: every label, every size and every derivation of the program on one page.
//!
//! Nothing is derived anywhere else, so that no two keys can come from one label by accident. The
//! labels are fixed for ever; a new version of a format brings its own.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::blob::{BlobContext, BlobRole};
use super::keys::KeyBytes;
use super::wrap::WrapContext;

// The zero byte ends the label, so that no label is the beginning of another one's input.
const WRAP: &[u8] = b"image-vault wrap v1\0";
const BOX: &[u8] = b"image-vault box v1\0";
const ROLE: &[u8] = b"image-vault role v1\0";
const BLOB: &[u8] = b"image-vault blob v1\0";
const CURSOR_KEY: &[u8] = b"image-vault cursor key v1\0";
const CURSOR: &[u8] = b"image-vault cursor v1\0";
const PEPPER: &[u8] = b"image-vault pepper v1\0";
const INSTANCE_CHECK: &[u8] = b"image-vault instance check v1\0";
const TOTP: &[u8] = b"image-vault totp v1\0";
const CSRF: &[u8] = b"csrf";

// HKDF without a salt (RFC 5869, 2.2): the input key is random, and keys derived from the same one
// are told apart by the label.
const NO_SALT: &[u8] = &[];

/// A key and the value that commits to it: AES-GCM alone would let one ciphertext open under
/// several keys.
pub(super) struct CommittedKey {
    pub(super) key: Zeroizing<[u8; 32]>,
    pub(super) commitment: [u8; 32],
}

/// The key that seals the segments of one blob, and its commitment.
pub(super) struct BlobKeys {
    pub(super) key: Zeroizing<[u8; 32]>,
    pub(super) commitment: [u8; 32],
    pub(super) nonce_prefix: [u8; 7],
}

/// Key of one `IVWK` record.
pub(super) fn wrap(parent: &KeyBytes, salt: &[u8; 32], context: &WrapContext<'_>) -> CommittedKey {
    committed(hkdf(
        salt,
        &parent.0,
        &[
            WRAP,
            &[context.kind as u8],
            &context.owner,
            &context.subject,
        ],
    ))
}

/// Key of one `IVBX` box.
///
/// The HKDF salt holds both public keys, so that the box is bound to them whatever X25519 makes of
/// their spare bits.
pub(super) fn sealed_box(
    shared: &[u8; 32],
    salt: &[u8; 16],
    ephemeral_public: &[u8; 32],
    recipient_public: &[u8; 32],
    context: &WrapContext<'_>,
) -> CommittedKey {
    let mut long_salt = [0; 80];
    long_salt[..16].copy_from_slice(salt);
    long_salt[16..48].copy_from_slice(ephemeral_public);
    long_salt[48..].copy_from_slice(recipient_public);
    committed(hkdf(
        &long_salt,
        shared,
        &[BOX, &[context.kind as u8], &context.owner, &context.subject],
    ))
}

/// Key of an image's blob in one role.
pub(super) fn role(data_key: &KeyBytes, role: BlobRole) -> KeyBytes {
    KeyBytes(*hkdf(NO_SALT, &data_key.0, &[ROLE, &[role as u8]]))
}

/// Keys of one blob.
pub(super) fn blob(
    role_key: &KeyBytes,
    salt: &[u8; 32],
    suite: u8,
    context: &BlobContext,
) -> BlobKeys {
    let okm = hkdf::<71>(
        salt,
        &role_key.0,
        &[
            BLOB,
            &[suite, context.role as u8],
            &context.owner,
            &context.image,
        ],
    );
    let mut keys = BlobKeys {
        key: Zeroizing::new([0; 32]),
        commitment: [0; 32],
        nonce_prefix: [0; 7],
    };
    keys.key.copy_from_slice(&okm[..32]);
    keys.commitment.copy_from_slice(&okm[32..64]);
    keys.nonce_prefix.copy_from_slice(&okm[64..]);
    keys
}

/// Key of an account's list cursors.
pub(super) fn cursor_key(master: &KeyBytes) -> KeyBytes {
    KeyBytes(*hkdf(NO_SALT, &master.0, &[CURSOR_KEY]))
}

/// Key of one cursor.
pub(super) fn cursor(cursor_key: &KeyBytes, salt: &[u8; 16]) -> Zeroizing<[u8; 32]> {
    hkdf(salt, &cursor_key.0, &[CURSOR])
}

/// Argon2id's secret input.
pub(super) fn pepper(instance: &KeyBytes) -> KeyBytes {
    KeyBytes(*hkdf(NO_SALT, &instance.0, &[PEPPER]))
}

/// The value by which a store recognises its instance secret.
pub(super) fn instance_check(instance: &KeyBytes) -> [u8; 32] {
    *hkdf(NO_SALT, &instance.0, &[INSTANCE_CHECK])
}

/// The token that proves a form came from our own page.
pub(super) fn csrf(session: &KeyBytes) -> [u8; 32] {
    hmac(session, CSRF)
}

/// The secret that an authenticator app is given, of 160 bits (RFC 4226, 4, R6).
pub(super) fn totp(authenticator: &KeyBytes) -> Zeroizing<[u8; 20]> {
    hkdf(NO_SALT, &authenticator.0, &[TOTP])
}

/// Digest of a spare code, from its twelve characters.
pub(super) fn spare_code(spare_code_key: &KeyBytes, chars: &[u8]) -> [u8; 32] {
    hmac(spare_code_key, chars)
}

/// Digest of content under a key of its owner, from the content's SHA-256.
pub(super) fn digest(digest_key: &KeyBytes, sha256_of_content: &[u8; 32]) -> [u8; 32] {
    hmac(digest_key, sha256_of_content)
}

/// HKDF-SHA256 (RFC 5869), with `info` in parts.
fn hkdf<const N: usize>(salt: &[u8], key: &[u8; 32], info: &[&[u8]]) -> Zeroizing<[u8; N]> {
    let mut okm = Zeroizing::new([0; N]);
    Hkdf::<Sha256>::new(Some(salt), key)
        .expand_multi_info(info, okm.as_mut_slice())
        .expect("the longest output here is 71 bytes, and HKDF-SHA256 gives up to 8160");
    okm
}

/// HMAC-SHA256 (RFC 2104).
fn hmac(key: &KeyBytes, message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn committed(okm: Zeroizing<[u8; 64]>) -> CommittedKey {
    let mut keys = CommittedKey {
        key: Zeroizing::new([0; 32]),
        commitment: [0; 32],
    };
    keys.key.copy_from_slice(&okm[..32]);
    keys.commitment.copy_from_slice(&okm[32..]);
    keys
}
