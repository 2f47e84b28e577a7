//! What the catalogue holds, without a store.

use futures_util::stream;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::super::search::Searchable;
use super::kept::SLIM;
use super::opening::{BATCH, apply_changes};
use super::*;
use crate::crypto::{DataKey, MasterKey};
use crate::ids::{AccountId, BlobId};
use crate::store::{BlobRef, ImageRow, StoreError};
use crate::vault::keys::{Keyring, wrap_data_key};
use crate::vault::pictures::{MAX_RECORD, Metadata};

impl Catalogue {
    /// These images, in this order, with records in so much memory.
    pub(in crate::vault) fn holding(
        images: impl Iterator<Item = Entry>,
        sort: Sort,
        part: usize,
    ) -> Self {
        let mut catalogue = Self::new(part);
        catalogue.apply(images.map(|entry| Opened::Put(Box::new(entry))).collect());
        catalogue.build_order(sort);
        catalogue
    }
}

/// Longest record of [`entry`].
pub(in crate::vault) const MOST_RECORD: usize = 600;

/// An image whose name, size, times, mark and tag follow from a number; other numbers share them.
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
    let row = row(id, state, number);
    Entry::new(&row, serde_json::from_value(record).unwrap())
}

fn row(id: ImageId, state: ImageState, number: u64) -> ImageRow {
    let blob = BlobRef {
        id: BlobId::from_bytes([0; 16]),
        len: 0,
    };
    ImageRow {
        id,
        account: AccountId::from_bytes([0; 16]),
        seq: 0,
        revision: 0,
        uploaded_at: Timestamp::from_second(number as i64 % 5).unwrap(),
        trashed_at: (state == ImageState::Trashed).then_some(Timestamp::UNIX_EPOCH),
        digest: [0; 32],
        key_wrap: Vec::new(),
        mk_generation: 1,
        metadata: vec![0; number as usize * 100 % (MOST_RECORD + 100)],
        original: blob.clone(),
        thumbnail: blob,
        preview: None,
    }
}

/// Rows of the last change may be missing, so that change is read again.
#[tokio::test]
async fn what_was_read_before_an_error_is_applied() {
    let kept = |number| ImageId::from_bytes([number; 16]);
    let images = (0..2).map(|number| entry(kept(number), ImageState::Active, 0));
    let mut catalogue = Catalogue::holding(images, Sort::Size, usize::MAX);
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
    let taken = apply_changes(&mut catalogue, &keyring, stream::iter(changes), |_| true).await;
    assert!(taken.is_err());
    let left: Vec<_> = catalogue.entries.keys().copied().collect();
    assert_eq!((left, catalogue.seq), (vec![kept(1)], 6));
}

/// Whatever was stored before there was a limit is shown.
#[tokio::test]
async fn a_record_longer_than_allowed_today_opens_and_weighs_no_more_than_it_must() {
    let keyring = Keyring {
        master: Arc::new(MasterKey::generate().unwrap()),
        generation: 1,
        retired: None,
    };
    let id = ImageId::from_bytes([1; 16]);
    let mut row = row(id, ImageState::Active, 0);
    let mut metadata = Metadata::clone(weighty(1, 0).metadata.as_ref().unwrap());
    metadata.caption = "\u{fdfa}".repeat(20_000);
    let key = DataKey::generate().unwrap();
    row.key_wrap = wrap_data_key(&keyring.master, &row.account, &id, &key).unwrap();
    row.metadata = metadata.seal(&key, &row.account, &id, usize::MAX).unwrap();
    assert!(row.metadata.len() > 3 * MAX_RECORD);
    let mut catalogue = Catalogue::new(usize::MAX);
    let changes = stream::iter([Ok(Change::Put(Box::new(row)))]);
    apply_changes(&mut catalogue, &keyring, changes, |_| true)
        .await
        .unwrap();
    let entry = catalogue.get(&id).unwrap();
    assert_eq!(entry.metadata.as_ref().unwrap().caption, metadata.caption);
    assert!(
        entry.weight() < metadata.caption.len() + (20 << 10),
        "{}",
        entry.weight()
    );
}

/// Bytes of this process in memory (`VmRSS`), as Linux tells it.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: usize = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kib << 10
}

/// As the store gives them: an ordinary record, and one of which much is said.
fn weighty(number: u32, words: usize) -> Entry {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    let mut entry = entry(ImageId::from_bytes(bytes), ImageState::Active, 4);
    let record = json!({
        "version": 1,
        "name": format!("IMG_{number:06}.jpg"),
        "content_type": "image/jpeg",
        "size": 4_000_000,
        "width": 4_000,
        "height": 3_000,
        "sha256": "0".repeat(64),
        "crc32": 0,
        "taken_local": "2021-05-12T10:00:00",
        "camera": "Canon EOS R6",
        "tags": vec!["\u{fdfa}".repeat(10); words],
        "caption": "A sentence about it",
        "thumbhash": vec![7; 25],
    });
    let mut metadata: Metadata = serde_json::from_value(record).unwrap();
    metadata.tags.shrink_to_fit();
    let texts = [&metadata.name, &metadata.caption].into_iter();
    entry.searchable = Arc::new(Searchable::new(texts.chain(&metadata.tags)));
    entry.metadata = Some(Arc::new(metadata));
    entry
}

const ALONE: &str = "IMAGE_VAULT_TEST_ALONE";

/// In a process of its own, since other tests take memory as well.
#[test]
fn what_a_catalogue_weighs_is_what_it_takes() {
    if std::env::var_os(ALONE).is_none() {
        let name = "vault::catalogue::tests::what_a_catalogue_weighs_is_what_it_takes";
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        let alone = alone.args(["--exact", name, "--nocapture"]).env(ALONE, "1");
        assert!(alone.status().unwrap().success());
        return;
    }
    for (what, images, words, part) in [
        // The code itself comes into memory when it is used first.
        ("the first", 100, 1, 0),
        ("ordinary", 12_000, 1, usize::MAX),
        ("weighty", 400, 100, usize::MAX),
        ("without records", 10_000, 1, 0),
    ] {
        let before = resident();
        let mut catalogue = Catalogue::new(part);
        for number in 0..images {
            catalogue.put(weighty(number, words));
        }
        for sort in [Sort::UploadedAt, Sort::TakenAt, Sort::Name, Sort::Size] {
            catalogue.build_order(sort);
        }
        let (takes, weighs) = (resident().saturating_sub(before), catalogue.weight());
        println!("{what}: {takes} bytes, {weighs} as weighed");
        if what == "the first" {
            continue;
        }
        assert!(
            takes < weighs * 5 / 4,
            "{what}: {takes} bytes weigh {weighs}"
        );
        assert!(
            takes > weighs * 4 / 5,
            "{what}: {takes} bytes weigh {weighs}"
        );
        // The next one takes new memory.
        std::mem::forget(catalogue);
    }
}

/// An account may have one for each so many bytes of memory.
#[test]
fn an_image_without_its_record_weighs_little() {
    let mut longest = weighty(1, 100);
    longest.searchable = Arc::new(Searchable::new(&["\u{fdfa}".repeat(341)]));
    assert!(longest.slim().weight() <= 2 * SLIM as usize);
    assert!(weighty(1, 1).slim().weight() <= 3 * SLIM as usize / 4);
}

proptest! {
    /// Lists say how many there are without counting them.
    #[test]
    fn a_tally_is_what_counting_gives(
        changes in prop::collection::vec((0..6_u8, 0..4_u8, 0..1_000_u64), 0..60),
        part in 0..8_000_usize,
    ) {
        let mut catalogue = Catalogue::new(part);
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
        let there = catalogue.entries.values();
        prop_assert_eq!(catalogue.weight, there.map(|entry| entry.weight()).sum::<usize>());
        let slim = |entry: &&Arc<Entry>| entry.metadata.is_none();
        prop_assert_eq!(catalogue.slim, catalogue.entries.values().filter(slim).count());
    }
}
