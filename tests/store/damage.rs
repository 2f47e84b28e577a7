//! Stored bytes that are not what was written. (R1.29: a changed byte is for the cipher to find;
//! the store answers for lengths and places.)

use image_vault::ids::BlobId;
use image_vault::store::{BlobRef, StoreError};

use crate::fresh::Fresh;
use crate::samples::{bytes, get, put};

const LEN: usize = 5 * (1 << 20) + 100;

/// R1.29
pub(crate) async fn a_cut_blob_is_never_passed_off_as_whole(fresh: &Fresh) {
    let id = put(&*fresh.store.blobs, &bytes(LEN)).await;
    fresh.cut(&id).await;
    match read(fresh, &id).await {
        Ok(read) => assert!(read == bytes(LEN)[..LEN - 1]),
        Err(error) => assert!(matches!(error, StoreError::Damaged(_)), "{error}"),
    }
}

/// R1.29
pub(crate) async fn bytes_added_behind_a_blob_are_never_passed_off_as_its_own(fresh: &Fresh) {
    let id = put(&*fresh.store.blobs, &bytes(LEN)).await;
    fresh.lengthen(&id).await;
    // Too many bytes are for the reader above to refuse, as are too few.
    match read(fresh, &id).await {
        Ok(read) => assert_eq!(read.len(), LEN + 1),
        Err(error) => assert!(matches!(error, StoreError::Damaged(_)), "{error}"),
    }
}

/// R1.29
pub(crate) async fn a_small_blob_of_another_length_is_damaged(fresh: &Fresh) {
    let blobs = &fresh.store.blobs;
    for size in [1_000, LEN] {
        let shorter = put(&**blobs, &bytes(size)).await;
        let longer = put(&**blobs, &bytes(size)).await;
        fresh.cut(&shorter).await;
        fresh.lengthen(&longer).await;
        for id in [shorter, longer] {
            let len = size as u64;
            let whole = blobs.get(&BlobRef { id, len }).await;
            assert!(matches!(whole, Err(StoreError::Damaged(_))), "{size} bytes");
        }
    }
}

async fn read(fresh: &Fresh, id: &BlobId) -> Result<Vec<u8>, StoreError> {
    get(&*fresh.store.blobs, id, 0, None).await
}
