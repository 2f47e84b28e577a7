//! Which key is wrapped by which, and under what context: the vault's side of the key schedule in
//! `docs/CRYPTO.md`.

use super::error::{Result, VaultError};
use crate::crypto::BlobContext;
use crate::crypto::BlobRole;
use crate::crypto::DataKey;
use crate::crypto::MasterKey;
use crate::crypto::PasswordHashing;
use crate::crypto::PasswordKey;
use crate::crypto::RoleKey;
use crate::crypto::SecretKey;
use crate::crypto::WrapContext;
use crate::crypto::WrapKind;
use crate::crypto::WrappedKey;
use crate::ids::AccountId;
use crate::store::ImageRow;
use crate::store::KdfRow;

/// Wraps `child` under `parent`, bound to the account and a subject of 16 bytes.
pub(super) fn wrap(
    kind: WrapKind,
    owner: &AccountId,
    subject: &[u8; 16],
    parent: &impl SecretKey,
    child: &impl SecretKey,
) -> Result<Vec<u8>> {
    let wrapped = WrappedKey::wrap(parent, child, &context(kind, owner, subject, &[]))?;
    Ok(wrapped.as_bytes().to_vec())
}

/// The other way round.
pub(super) fn unwrap<K: SecretKey>(
    kind: WrapKind,
    owner: &AccountId,
    subject: &[u8; 16],
    parent: &impl SecretKey,
    wrapped: &[u8],
) -> Result<K> {
    let key = WrappedKey::from_slice(wrapped)?;
    Ok(key.unwrap(parent, &context(kind, owner, subject, &[]))?)
}

/// Wraps the master key under a password's key; the hash's cost and salt are bound in.
pub(super) fn wrap_by_password(
    owner: &AccountId,
    hashing: &PasswordHashing,
    key: &PasswordKey,
    master: &MasterKey,
) -> Result<Vec<u8>> {
    let params = hashing.associated_data();
    let context = context(WrapKind::Password, owner, owner.as_bytes(), &params);
    Ok(WrappedKey::wrap(key, master, &context)?.as_bytes().to_vec())
}

/// Opens the master key with a password's key. Failing is what a wrong password looks like.
pub(super) fn unwrap_by_password(
    owner: &AccountId,
    hashing: &PasswordHashing,
    key: &PasswordKey,
    wrapped: &[u8],
) -> Result<MasterKey> {
    let params = hashing.associated_data();
    let context = context(WrapKind::Password, owner, owner.as_bytes(), &params);
    WrappedKey::from_slice(wrapped)
        .and_then(|wrapped| wrapped.unwrap(key, &context))
        .map_err(|_| VaultError::WrongCredentials)
}

/// An image's data key.
pub(super) fn data_key(master: &MasterKey, row: &ImageRow) -> Result<DataKey> {
    unwrap(
        WrapKind::ImageKey,
        &row.account,
        row.id.as_bytes(),
        master,
        &row.key_wrap,
    )
}

/// The key and context of one of an image's blobs.
pub(super) fn blob_key(key: &DataKey, row: &ImageRow, role: BlobRole) -> (RoleKey, BlobContext) {
    (
        key.role_key(role),
        blob_context(&row.account, row.id.as_bytes(), role),
    )
}

/// The context of a blob of this owner and subject.
pub(super) fn blob_context(owner: &AccountId, subject: &[u8; 16], role: BlobRole) -> BlobContext {
    BlobContext {
        owner: *owner.as_bytes(),
        image: *subject,
        role,
    }
}

/// How a row says its password is hashed.
pub(super) fn hashing_of(row: &KdfRow) -> PasswordHashing {
    PasswordHashing {
        params: crate::crypto::KdfParams {
            memory_kib: row.memory_kib,
            passes: row.passes,
            lanes: row.lanes,
        },
        salt: row.salt,
        pepper_id: row.pepper_id,
    }
}

/// The row for a way of hashing.
pub(super) fn kdf_row(hashing: &PasswordHashing) -> KdfRow {
    KdfRow {
        memory_kib: hashing.params.memory_kib,
        passes: hashing.params.passes,
        lanes: hashing.params.lanes,
        salt: hashing.salt,
        pepper_id: hashing.pepper_id,
    }
}

fn context<'a>(
    kind: WrapKind,
    owner: &AccountId,
    subject: &[u8; 16],
    params: &'a [u8],
) -> WrapContext<'a> {
    WrapContext {
        kind,
        owner: *owner.as_bytes(),
        subject: *subject,
        params,
    }
}
