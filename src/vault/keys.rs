//! Which key is wrapped by which, and under what context: the vault's side of the key schedule in
//! `docs/CRYPTO.md`.

use std::sync::Arc;

use crate::crypto::{
    AccountSecret, BlobContext, BlobRole, DataKey, DigestKey, MasterKey, PasswordHashing,
    PasswordKey, RoleKey, SecretKey, WrapContext, WrapKind, WrappedKey,
};
use crate::ids::{AccountId, ImageId};
use crate::store::{AccountRow, ImageRow, KdfRow};
use crate::vault::error::{Result, VaultError};

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

/// Unwraps a key that [`wrap`] wrapped with the same account and subject.
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

/// Unwraps the master key with a password's key; with a wrong password that fails.
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

/// The keys that open an account's images: its master key and, while a rotation is under way, the
/// retired one too.
#[derive(Clone)]
pub(super) struct Keyring {
    /// The current master key.
    pub(super) master: Arc<MasterKey>,
    /// Its generation: the number of rotations so far.
    pub(super) generation: u32,
    /// The master key before it, which wraps the data keys that the rotation has not reached.
    pub(super) retired: Option<Arc<MasterKey>>,
}

impl Keyring {
    /// An image's data key.
    ///
    /// # Errors
    /// [`VaultError::Unauthenticated`] where the master key has been replaced since this one was
    /// opened, and its session ended with it.
    pub(super) fn data_key(&self, row: &ImageRow) -> Result<DataKey> {
        let master = match &self.retired {
            Some(retired) if row.mk_generation < self.generation => retired,
            _ if self.is_outdated_by(row) => return Err(VaultError::Unauthenticated),
            _ => &self.master,
        };
        data_key(master, &row.account, &row.id, &row.key_wrap)
    }

    /// Whether the row's data key is wrapped by a later master key.
    pub(super) fn is_outdated_by(&self, row: &ImageRow) -> bool {
        row.mk_generation > self.generation
    }
}

/// The keyring of the account whose master key this is. A retired key that does not open is left
/// out: only the images that need it miss it.
pub(super) fn open_keyring(account: &AccountRow, master: MasterKey) -> Keyring {
    let subject = account.id.as_bytes();
    let open = |wrapped: &Vec<u8>| {
        let kind = WrapKind::RetiredMaster;
        unwrap(kind, &account.id, subject, &master, wrapped)
            .inspect_err(|_| tracing::error!(account = %account.id, "a retired key does not open"))
            .ok()
            .map(Arc::new)
    };
    Keyring {
        retired: account.retired_wrap.as_ref().and_then(open),
        generation: account.mk_generation,
        master: Arc::new(master),
    }
}

/// Whether this is the account's current master key: it opens one of the two keys that the
/// account's row holds wrapped by it. (Either, so that a damaged one locks nobody out.)
pub(super) fn belongs_to(master: &MasterKey, account: &AccountRow) -> bool {
    let (id, subject) = (&account.id, account.id.as_bytes());
    let digest = unwrap::<DigestKey>(
        WrapKind::DigestKey,
        id,
        subject,
        master,
        &account.digest_wrap,
    );
    let secret = || {
        let kind = WrapKind::AccountSecret;
        unwrap::<AccountSecret>(kind, id, subject, master, &account.secret_wrap)
    };
    digest.is_ok() || secret().is_ok()
}

/// Unwraps an image's data key with the master key that wraps it.
pub(super) fn data_key(
    master: &MasterKey,
    account: &AccountId,
    image: &ImageId,
    wrapped: &[u8],
) -> Result<DataKey> {
    unwrap(
        WrapKind::ImageKey,
        account,
        image.as_bytes(),
        master,
        wrapped,
    )
}

/// Wraps an image's data key by this master key.
pub(super) fn wrap_data_key(
    master: &MasterKey,
    account: &AccountId,
    image: &ImageId,
    key: &DataKey,
) -> Result<Vec<u8>> {
    wrap(WrapKind::ImageKey, account, image.as_bytes(), master, key)
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

/// The cost and salt with which a row says its password is hashed.
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

/// The row for this cost and salt.
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
