//! No account keeps more than it may.

use futures_util::future::join_all;
use image_vault::store::{Admission, Allowance, ImageRow, Inserted, Quota, UsageRow};

use crate::fresh::Fresh;
use crate::samples::{account, account_id, at, insert};
use crate::usage::{BLOCK, at_most, kept, sized};

pub(crate) async fn what_does_not_fit_is_not_stored(fresh: &Fresh) {
    let records = &*fresh.store.records;
    let ada = account_id();
    let most = at_most(Some(12), Some(2));
    let first = sized(ada, 7);
    let insert = async |row: &ImageRow| insert(records, row, &most).await.unwrap();
    assert_eq!(insert(&first).await, Inserted::New);
    let large = sized(ada, 6);
    assert_eq!(insert(&large).await, Inserted::NoRoom);
    assert_eq!(records.image(&ada, &large.id).await.unwrap(), None);
    assert_eq!(records.sequence(&ada).await.unwrap(), 1);
    assert_eq!(insert(&sized(ada, 5)).await, Inserted::New, "the last byte");
    assert_eq!(insert(&sized(ada, 5)).await, Inserted::NoRoom, "the third");
    assert_eq!(
        insert(&first).await,
        Inserted::Duplicate(first.id),
        "what is there needs no room"
    );
    assert_eq!(kept(records, &ada).await, (2, 12 * BLOCK));

    records
        .remove_images(&ada, &[first.id], at(0))
        .await
        .unwrap();
    assert_eq!(insert(&large).await, Inserted::New);
    assert_eq!(kept(records, &ada).await, (2, 11 * BLOCK));
}

pub(crate) async fn of_twenty_who_race_for_the_last_room_as_many_get_it_as_fit(fresh: &Fresh) {
    let records = &*fresh.store.records;
    for (most, fit) in [(at_most(Some(54), None), 10), (at_most(None, Some(7)), 7)] {
        let account = account_id();
        let rows: Vec<ImageRow> = (0..20).map(|_| sized(account, 5)).collect();
        let outcomes = join_all(rows.iter().map(|row| insert(records, row, &most))).await;
        let stored = outcomes
            .into_iter()
            .filter(|outcome| *outcome.as_ref().unwrap() == Inserted::New);
        assert_eq!(stored.count(), fit);
        assert_eq!(
            kept(records, &account).await,
            (fit as u64, 5 * BLOCK * fit as u64)
        );
        assert_eq!(records.sequence(&account).await.unwrap(), fit as u64);
    }
}

pub(crate) async fn what_was_decided_about_an_account_replaces_the_default(fresh: &Fresh) {
    let records = &*fresh.store.records;
    let ada = account("Ada");
    records
        .insert_account(&ada, &Admission::Anyone)
        .await
        .unwrap();
    let most = at_most(Some(10), Some(1));
    let insert = async || {
        let row = sized(ada.id, 8);
        insert(records, &row, &most).await.unwrap()
    };
    let decide = async |images, bytes| {
        let decided = records.set_allowed(&ada.id, images, bytes).await.unwrap();
        assert!(decided);
        let usage = records.usage(&ada.id).await.unwrap();
        assert_eq!((usage.images_allowed, usage.bytes_allowed), (images, bytes));
    };
    // Before the account has anything, and so before it has a count.
    decide(Allowance::AtMost(0), Allowance::Default).await;
    assert_eq!(insert().await, Inserted::NoRoom);
    decide(Allowance::Unlimited, Allowance::Default).await;
    assert_eq!(insert().await, Inserted::New);
    assert_eq!(insert().await, Inserted::NoRoom, "too many bytes");
    decide(Allowance::AtMost(2), Allowance::AtMost(100 * BLOCK)).await;
    assert_eq!(insert().await, Inserted::New);
    assert_eq!(insert().await, Inserted::NoRoom, "too many images");
    decide(Allowance::Default, Allowance::Unlimited).await;
    assert_eq!(insert().await, Inserted::NoRoom);
    assert_eq!(kept(records, &ada.id).await, (2, 16 * BLOCK));
    assert_eq!(records.sequence(&ada.id).await.unwrap(), 2);
}

pub(crate) async fn an_account_that_is_gone_keeps_nothing(fresh: &Fresh) {
    let records = &*fresh.store.records;
    let ada = account("Ada");
    records
        .insert_account(&ada, &Admission::Anyone)
        .await
        .unwrap();
    let row = sized(ada.id, 80);
    insert(records, &row, &Quota::NONE).await.unwrap();
    let decided = Allowance::AtMost(9);
    assert!(
        records
            .set_allowed(&ada.id, decided, decided)
            .await
            .unwrap()
    );
    // In the order in which the vault does it: the pictures follow their account.
    records.remove_account(&ada.id, at(0)).await.unwrap();
    assert_eq!(records.usage(&ada.id).await.unwrap(), UsageRow::default());
    records
        .remove_images(&ada.id, &[row.id], at(0))
        .await
        .unwrap();
    assert_eq!(kept(records, &ada.id).await, (0, 0));
    records.remove_account(&ada.id, at(0)).await.unwrap();
    assert_eq!(records.usage(&ada.id).await.unwrap(), UsageRow::default());
    let late = records.set_allowed(&ada.id, decided, decided).await;
    assert!(!late.unwrap(), "nothing is decided about nobody");
    assert_eq!(records.usage(&ada.id).await.unwrap(), UsageRow::default());
}
