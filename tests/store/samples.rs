//! Rows and blobs to store, every field with a value of its own.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use image_vault::ids::{AccountId, ArchiveId, BlobId, ImageId};
use image_vault::store::{
    AccountRow, ArchiveRow, Bearer, BlobRef, Blobs, ChunkSource, Edited, ImageRow, Inserted,
    KdfRow, MetadataChange, NOUNS, Noun, Quota, Records, Result, Role, SessionRow,
};
use jiff::Timestamp;

pub(crate) fn account_id() -> AccountId {
    AccountId::from_bytes(rand::random())
}

pub(crate) fn image_id() -> ImageId {
    ImageId::from_bytes(rand::random())
}

pub(crate) fn blob_id() -> BlobId {
    BlobId::from_bytes(rand::random())
}

/// New metadata for an image, made from this revision.
pub(crate) fn renewed(id: ImageId, revision: u64, metadata: &[u8]) -> MetadataChange {
    MetadataChange {
        id,
        revision,
        metadata: metadata.to_vec(),
    }
}

/// The changes that were made, where there is room for any.
#[track_caller]
pub(crate) fn done(edited: Result<Edited>) -> Vec<ImageId> {
    match edited.unwrap() {
        Edited::Done(ids) => ids,
        Edited::NoRoom => panic!("there is no quota"),
    }
}

/// The noun of this name.
pub(crate) fn noun(name: &str) -> &'static Noun {
    NOUNS.iter().find(|noun| noun.name == name).unwrap()
}

/// Removes the noun's rows that have ended by then; returns how many.
pub(crate) async fn ended(records: &dyn Records, name: &str, by: Timestamp) -> u64 {
    let removed = records.remove_ended(noun(name), by, 100).await.unwrap();
    removed.rows
}

/// A time so many seconds after some moment in 2023, to the millisecond.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_123 + second * 1_000).unwrap()
}

pub(crate) fn account(name: &str) -> AccountRow {
    AccountRow {
        id: account_id(),
        username: name.into(),
        username_key: name.to_lowercase(),
        username_skeleton: Some(format!("skeleton of {name}")),
        email: format!("{name}@Example.org"),
        email_key: format!("{}@example.org", name.to_lowercase()),
        display_name: format!("{name} the Great"),
        role: Role::User,
        created_at: at(0),
        kdf: KdfRow {
            memory_kib: 65_536,
            passes: 3,
            lanes: 1,
            salt: [1; 16],
            pepper_id: u32::MAX,
        },
        password_wrap: vec![2; 120],
        recovery_wrap: vec![3; 120],
        digest_wrap: vec![4; 120],
        public_key: [5; 32],
        secret_wrap: vec![6; 120],
        mk_generation: 7,
        password_set_at: at(8),
        recovery_made_at: at(9),
        recovery_proven_at: Some(at(10)),
        retired_wrap: Some(vec![7, 0, 255]),
        revision: 0,
    }
}

pub(crate) fn session(account: AccountId) -> SessionRow {
    SessionRow {
        digest: rand::random(),
        account,
        master_wrap: vec![0, 255, 1],
        created_at: at(0),
        last_seen_at: at(60),
        idle_at: at(1_860),
        expires_at: at(3_600),
        label: "Firefox, “Größe”".into(),
        address: "192.0.2.7".into(),
        scopes: None,
        mk_generation: 7,
    }
}

/// Stores an image by a session that lives, for cases that are not about sessions.
pub(crate) async fn insert(
    records: &dyn Records,
    row: &ImageRow,
    default: &Quota,
) -> Result<Inserted> {
    let by = signed_in(records, row.account).await?;
    records.insert_image(row, &by, default).await
}

/// The same as a method, which stands before that of [`Records`].
pub(crate) trait SignedIn {
    fn insert_image(
        &self,
        row: &ImageRow,
        default: &Quota,
    ) -> impl Future<Output = Result<Inserted>> + Send;
}

impl SignedIn for Arc<dyn Records> {
    async fn insert_image(&self, row: &ImageRow, default: &Quota) -> Result<Inserted> {
        insert(&**self, row, default).await
    }
}

/// A session of the account, in its first minutes.
pub(crate) async fn signed_in(records: &dyn Records, account: AccountId) -> Result<Bearer> {
    let session = session(account);
    records.insert_session(&session).await?;
    Ok(Bearer {
        session: session.digest,
        now: at(100),
    })
}

/// An API token of the account, which may do what these bits say.
pub(crate) fn api_token(account: AccountId, scopes: u8) -> SessionRow {
    SessionRow {
        label: "Backup".into(),
        scopes: Some(scopes),
        ..session(account)
    }
}

/// A new image, as the store gives it back once it is stored as the account's first.
pub(crate) fn image(account: AccountId) -> ImageRow {
    ImageRow {
        id: image_id(),
        account,
        seq: 1,
        revision: 0,
        uploaded_at: at(10),
        trashed_at: None,
        digest: rand::random(),
        key_wrap: vec![9; 120],
        mk_generation: 7,
        metadata: vec![0, 1, 254, 255],
        original: BlobRef {
            id: blob_id(),
            len: 5_000_000_000,
        },
        thumbnail: BlobRef {
            id: blob_id(),
            len: 20_000,
        },
        preview: None,
    }
}

pub(crate) fn archive(account: AccountId, expires_at: Timestamp) -> ArchiveRow {
    ArchiveRow {
        id: ArchiveId::from_bytes(rand::random()),
        account,
        created_at: at(0),
        expires_at,
        key_wrap: vec![8; 120],
        plan: BlobRef {
            id: blob_id(),
            len: 77,
        },
    }
}

/// Bytes in which every place is told from its neighbours.
pub(crate) fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i ^ (i >> 8) ^ (i >> 16)) as u8).collect()
}

/// The bytes in pieces of this size.
pub(crate) fn pieces(bytes: &[u8], size: usize) -> ChunkSource {
    let pieces: Vec<Bytes> = bytes.chunks(size).map(Bytes::copy_from_slice).collect();
    Box::new(pieces.into_iter())
}

/// Stores a blob under an id of its own.
pub(crate) async fn put(blobs: &dyn Blobs, bytes: &[u8]) -> BlobId {
    let id = blob_id();
    assert_eq!(
        blobs.put(&id, pieces(bytes, 65_552)).await.unwrap(),
        bytes.len() as u64
    );
    id
}

/// Reads a part of a blob, or the error that ends it.
pub(crate) async fn get(
    blobs: &dyn Blobs,
    id: &BlobId,
    offset: u64,
    len: Option<u64>,
) -> Result<Vec<u8>> {
    let pieces: Vec<Bytes> = blobs.read(id, offset, len).await?.try_collect().await?;
    assert!(pieces.iter().all(|piece| !piece.is_empty()));
    Ok(pieces.concat())
}
