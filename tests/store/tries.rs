//! Failed tries: counted by whoever comes first.

use futures_util::future::join_all;
use image_vault::store::TriesRow;

use crate::fresh::Fresh;
use crate::samples::{at, ended};

const KEY: [u8; 32] = [7; 32];

fn tries(count: u32, second: i64) -> TriesRow {
    TriesRow {
        key: KEY,
        count,
        last_at: at(second),
    }
}

pub(crate) async fn tries_are_replaced_only_by_who_knows_them(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (one, two) = (tries(1, 10), tries(2, 20));
    assert_eq!(records.tries(&KEY).await.unwrap(), None);
    assert!(!records.replace_tries(Some(&one), &two).await.unwrap());
    assert!(records.replace_tries(None, &one).await.unwrap());
    assert!(!records.replace_tries(None, &two).await.unwrap());
    for stale in [tries(1, 11), tries(2, 10)] {
        assert!(!records.replace_tries(Some(&stale), &two).await.unwrap());
    }
    assert_eq!(records.tries(&KEY).await.unwrap(), Some(one.clone()));
    assert!(records.replace_tries(Some(&one), &two).await.unwrap());
    assert_eq!(records.tries(&KEY).await.unwrap(), Some(two));
    assert_eq!(records.tries(&[8; 32]).await.unwrap(), None);
}

pub(crate) async fn of_twenty_who_count_at_once_one_does(fresh: &Fresh) {
    let records = &fresh.store.records;
    let rivals: Vec<TriesRow> = (0..20).map(|n| tries(1, n)).collect();
    let counted = join_all(rivals.iter().map(|row| records.replace_tries(None, row))).await;
    let done = counted.into_iter().filter(|done| *done.as_ref().unwrap());
    assert_eq!(done.count(), 1);
}

pub(crate) async fn tries_are_forgotten_one_by_one_or_by_age(fresh: &Fresh) {
    let records = &fresh.store.records;
    for n in 0..4_u8 {
        let row = TriesRow {
            key: [n; 32],
            ..tries(1, i64::from(n) * 10)
        };
        assert!(records.replace_tries(None, &row).await.unwrap());
    }
    records.delete_tries(&[3; 32]).await.unwrap();
    records.delete_tries(&[3; 32]).await.unwrap();
    assert_eq!(records.tries(&[3; 32]).await.unwrap(), None);
    assert_eq!(ended(&**records, "tries", at(19 + 32 * 60 * 60)).await, 2);
    assert_eq!(records.tries(&[1; 32]).await.unwrap(), None);
    assert!(records.tries(&[2; 32]).await.unwrap().is_some());
}
