//! What the catalogue holds, without a store.

use futures_util::stream;
use proptest::prelude::*;
use serde_json::json;

use super::opening::{BATCH, take_in};
use super::*;
use crate::crypto::MasterKey;
use crate::ids::BlobId;
use crate::store::{BlobRef, StoreError};
use crate::vault::keys::Keyring;

impl Catalogue {
    /// These images, in this order.
    pub(in crate::vault) fn holding(images: impl Iterator<Item = Entry>, sort: Sort) -> Self {
        let mut catalogue = Self::default();
        catalogue.apply(images.map(|entry| Opened::Put(Box::new(entry))).collect());
        catalogue.build_order(sort);
        catalogue
    }
}

/// An image whose name, size, times, mark and tag follow from a number, and are not its alone.
pub(in crate::vault) fn entry(id: ImageId, state: ImageState, number: u64) -> Entry {
    let what = ["beach", "mountain"][number as usize % 2];
    let record = json!({
        "version": 1,
        "name": format!("{what} {}.jpg", number / 2 % 3),
        "content_type": "image/jpeg",
        "size": number / 4,
        "width": 4_000,
        "height": 3_000,
        "sha256": "",
        "crc32": 0,
        // Some cameras did not say.
        "taken_local": (number % 3 != 2).then(|| format!("1970-01-01T00:00:0{}", number % 4)),
        "favourite": number % 3 == 1,
        "tags": if number % 4 < 2 { vec!["sea"] } else { vec![] },
    });
    let blob = BlobRef {
        id: BlobId::from_bytes([0; 16]),
        len: 0,
    };
    let row = ImageRow {
        id,
        account: AccountId::from_bytes([0; 16]),
        seq: 0,
        revision: 0,
        state,
        uploaded_at: Timestamp::from_second(number as i64 % 5).unwrap(),
        trashed_at: None,
        digest: [0; 32],
        key_wrap: Vec::new(),
        mk_generation: 1,
        metadata: Vec::new(),
        original: blob.clone(),
        thumbnail: blob,
        preview: None,
    };
    Entry::new(&row, serde_json::from_value(record).unwrap())
}

/// Rows of the last change may be missing, so that one is read again.
#[tokio::test]
async fn what_was_read_before_an_error_is_applied() {
    let kept = |number| ImageId::from_bytes([number; 16]);
    let images = (0..2).map(|number| entry(kept(number), ImageState::Active, 0));
    let mut catalogue = Catalogue::holding(images, Sort::Size);
    let keyring = Keyring {
        master: Arc::new(MasterKey::generate().unwrap()),
        generation: 1,
        retired: None,
    };
    let gone = |number| {
        let (id, seq) = (kept(number), 7);
        Ok(Change::Gone { id, seq })
    };
    // More than one batch: the error comes while the first is on its way.
    let changes = std::iter::repeat_with(|| gone(0)).take(BATCH);
    let changes = changes.chain([Err(StoreError::NotFound), gone(1)]);
    let taken = take_in(&mut catalogue, &keyring, stream::iter(changes)).await;
    assert!(taken.is_err());
    let left: Vec<_> = catalogue.entries.keys().copied().collect();
    assert_eq!((left, catalogue.seq), (vec![kept(1)], 6));
}

proptest! {
    /// Lists say how many there are without counting them.
    #[test]
    fn a_tally_is_what_counting_gives(
        changes in prop::collection::vec((0..6_u8, 0..4_u8, 0..1_000_u64), 0..60),
    ) {
        let mut catalogue = Catalogue::default();
        for (number, kind, size) in changes {
            let id = ImageId::from_bytes([number; 16]);
            let put = |state| Opened::Put(Box::new(entry(id, state, size)));
            catalogue.apply(vec![match kind {
                0 => put(ImageState::Active),
                1 => put(ImageState::Trashed),
                2 => Opened::Gone(id),
                _ => Opened::Damaged(id),
            }]);
        }
        for state in [ImageState::Active, ImageState::Trashed] {
            let mut counted = Tally::default();
            let there = catalogue.entries.values();
            there.filter(|entry| entry.state == state).for_each(|entry| counted.add(entry));
            prop_assert_eq!(catalogue.tally(state), counted);
        }
    }
}
