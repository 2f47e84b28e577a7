//! What the catalogue holds, without a store.

use proptest::prelude::*;
use serde_json::json;

use super::*;

impl Catalogue {
    /// These images, in this order.
    pub(in crate::vault) fn holding(images: impl Iterator<Item = Entry>, sort: Sort) -> Self {
        let mut catalogue = Self::default();
        catalogue.apply(images.map(|entry| Opened::Put(Box::new(entry))).collect());
        catalogue.build_order(sort);
        catalogue
    }
}

/// An image called `beach.jpg`.
pub(in crate::vault) fn entry(id: ImageId, state: ImageState, size: u64) -> Entry {
    let record = json!({
        "version": 1,
        "name": "beach.jpg",
        "content_type": "image/jpeg",
        "size": size,
        "width": 4_000,
        "height": 3_000,
        "sha256": "",
        "crc32": 0,
    });
    Entry {
        id,
        revision: 0,
        state,
        uploaded_at: Timestamp::UNIX_EPOCH,
        trashed_at: None,
        taken_ms: 0,
        metadata: Arc::new(serde_json::from_value(record).unwrap()),
        searchable: Arc::default(),
    }
}

#[test]
fn searching_ignores_case_and_accents() {
    assert_eq!(fold("Ärger ÉTÉ ﬁn"), "arger ete fin");
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
