//! Sequence numbers, and the stream of changes that follows them.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use futures_util::{StreamExt, TryStreamExt};
use image_vault::ids::{AccountId, ImageId};
use image_vault::store::{Change, ImageState, Quota, Records};

use crate::fresh::Fresh;
use crate::images::insert_some;
use crate::samples::{SignedIn as _, account_id, at, ended, image, renewed};

async fn changes(records: &dyn Records, account: &AccountId, after: u64) -> Vec<Change> {
    records
        .changes_since(account, after)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap()
}

fn seq(change: &Change) -> u64 {
    match change {
        Change::Put(row) => row.seq,
        Change::Gone { seq, .. } => *seq,
    }
}

/// What somebody who applies the changes holds.
#[derive(Default)]
struct Catalogue {
    seq: u64,
    images: BTreeMap<ImageId, u64>,
}

impl Catalogue {
    async fn follow(&mut self, records: &dyn Records, account: &AccountId) {
        for change in changes(records, account, self.seq).await {
            self.apply(change);
        }
    }

    fn apply(&mut self, change: Change) {
        assert!(seq(&change) >= self.seq, "a change came out of order");
        self.seq = seq(&change);
        match change {
            Change::Put(row) => drop(self.images.insert(row.id, row.seq)),
            Change::Gone { id, .. } => drop(self.images.remove(&id)),
        }
    }
}

async fn read(records: &dyn Records, account: &AccountId) -> Catalogue {
    let mut catalogue = Catalogue::default();
    catalogue.follow(records, account).await;
    catalogue
}

pub(crate) async fn changes_come_in_the_order_of_their_numbers(fresh: &Fresh) {
    let records = &fresh.store.records;
    let rows = insert_some(&**records, 4).await;
    let account = rows[0].account;
    records
        .remove_images(&account, &[rows[1].id], at(0))
        .await
        .unwrap();
    records
        .update_metadata(&account, &[renewed(rows[0].id, 0, b"new")], &Quota::NONE)
        .await
        .unwrap();

    let row = |i: usize| records.image(&account, &rows[i].id);
    let put = async |i| Change::Put(Box::new(row(i).await.unwrap().unwrap()));
    let gone = Change::Gone {
        id: rows[1].id,
        seq: 5,
    };
    let expected = [put(2).await, put(3).await, gone, put(0).await];
    assert_eq!(changes(&**records, &account, 2).await, expected);
    assert_eq!(changes(&**records, &account, 3).await, expected[1..]);
    assert_eq!(changes(&**records, &account, 6).await, []);
    assert_eq!(changes(&**records, &account, u64::MAX).await, []);

    // From the beginning, with or without the tombstone.
    let mut all = changes(&**records, &account, 0).await;
    all.retain(|change| matches!(change, Change::Put(_)));
    assert_eq!(all, [put(2).await, put(3).await, put(0).await]);
}

pub(crate) async fn a_call_that_changes_nothing_raises_no_number(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = insert_some(&**records, 1).await.remove(0);
    let account = row.account;
    records.insert_image(&row, &Quota::NONE).await.unwrap();
    records
        .update_metadata(&account, &[renewed(row.id, 7, b"stale")], &Quota::NONE)
        .await
        .unwrap();
    records
        .set_state(&account, &[row.id], ImageState::Active, at(0))
        .await
        .unwrap();
    records
        .set_state(&account, &[], ImageState::Trashed, at(0))
        .await
        .unwrap();
    records
        .remove_images(&account, &[ImageId::from_bytes([0; 16])], at(0))
        .await
        .unwrap();
    assert_eq!(records.sequence(&account).await.unwrap(), 1);
    assert_eq!(changes(&**records, &account, 1).await, []);
}

pub(crate) async fn accounts_count_apart(fresh: &Fresh) {
    let records = &fresh.store.records;
    let ours = insert_some(&**records, 2).await;
    let theirs = insert_some(&**records, 1).await;
    assert_eq!(records.sequence(&ours[0].account).await.unwrap(), 2);
    assert_eq!(records.sequence(&theirs[0].account).await.unwrap(), 1);
    let expected = [Change::Put(Box::new(theirs[0].clone()))];
    assert_eq!(changes(&**records, &theirs[0].account, 0).await, expected);
    assert_eq!(changes(&**records, &account_id(), 0).await, []);
}

pub(crate) async fn numbers_become_visible_in_order(fresh: &Fresh) {
    let account = account_id();
    let writers = join_all((0..6).map(async |_| {
        for _ in 0..5 {
            fresh
                .store
                .records
                .insert_image(&image(account), &Quota::NONE)
                .await
                .unwrap();
        }
    }));
    // A second process looks on. Each insertion raises the number by one, so whoever sees a number
    // must see all the rows below it.
    let observer = fresh.reopen().await;
    let watch = async {
        loop {
            let seen = observer.records.sequence(&account).await.unwrap();
            let rows = changes(&*observer.records, &account, 0).await;
            let numbers: Vec<u64> = rows.iter().map(seq).collect();
            assert!(numbers.len() as u64 >= seen);
            assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
            if seen == 30 {
                break;
            }
        }
    };
    tokio::join!(writers, watch);
}

/// More rows than any backend reads in one go.
const MANY: u64 = 300;

pub(crate) async fn a_large_catalogue_comes_whole(fresh: &Fresh) {
    let records = &fresh.store.records;
    let rows = insert_some(&**records, MANY).await;
    let account = rows[0].account;
    let mut ids: Vec<ImageId> = rows.iter().map(|row| row.id).collect();
    let mut catalogue = read(&**records, &account).await;
    assert_eq!(
        catalogue.images,
        rows.iter().map(|row| (row.id, row.seq)).collect()
    );

    // As many of one number, and some that are gone.
    records
        .set_state(&account, &ids, ImageState::Trashed, at(0))
        .await
        .unwrap();
    let gone = ids.split_off(280);
    records.remove_images(&account, &gone, at(0)).await.unwrap();
    let expected = (MANY + 2, ids.iter().map(|id| (*id, MANY + 1)).collect());
    catalogue.follow(&**records, &account).await;
    assert_eq!((catalogue.seq, catalogue.images), expected);
    let anew = read(&**records, &account).await;
    assert_eq!(anew.images, expected.1);
}

pub(crate) async fn what_changes_while_it_is_read_is_not_lost(fresh: &Fresh) {
    let records = &fresh.store.records;
    let rows = insert_some(&**records, MANY).await;
    let account = rows[0].account;
    let mut ids: Vec<ImageId> = rows.iter().map(|row| row.id).collect();
    let mut catalogue = read(&**records, &account).await;
    records
        .set_state(&account, &ids, ImageState::Trashed, at(0))
        .await
        .unwrap();

    let mut stream = records
        .changes_since(&account, catalogue.seq)
        .await
        .unwrap();
    catalogue.apply(stream.next().await.unwrap().unwrap());
    // Some that were read, some that were not, and a new one.
    ids.sort();
    let gone = [&ids[..5], &ids[295..]].concat();
    records.remove_images(&account, &gone, at(0)).await.unwrap();
    records
        .update_metadata(&account, &[renewed(ids[290], 0, b"new")], &Quota::NONE)
        .await
        .unwrap();
    records
        .insert_image(&image(account), &Quota::NONE)
        .await
        .unwrap();
    while let Some(change) = stream.next().await {
        catalogue.apply(change.unwrap());
    }

    catalogue.follow(&**records, &account).await;
    assert_eq!((catalogue.images.len(), catalogue.seq), (291, MANY + 4));
    assert_eq!(catalogue.images, read(&**records, &account).await.images);
}

const DAY: i64 = 24 * 60 * 60;

pub(crate) async fn old_tombstones_are_forgotten(fresh: &Fresh) {
    let records = &fresh.store.records;
    let rows = insert_some(&**records, 2).await;
    let account = rows[0].account;
    records
        .remove_images(&account, &[rows[0].id], at(10))
        .await
        .unwrap();
    records
        .remove_images(&account, &[rows[1].id], at(20))
        .await
        .unwrap();
    assert_eq!(ended(&**records, "tombstones", at(9 + DAY)).await, 0);
    assert_eq!(ended(&**records, "tombstones", at(19 + DAY)).await, 1);
    let left = [Change::Gone {
        id: rows[1].id,
        seq: 4,
    }];
    assert_eq!(changes(&**records, &account, 2).await, left);
}
