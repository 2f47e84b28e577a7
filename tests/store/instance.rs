//! Opening a store, and what belongs to the whole of it.

use futures_util::future::join_all;
use image_vault::store::{self, Admission};

use crate::fresh::Fresh;
use crate::samples::{account, bytes, get, put};

pub(crate) async fn the_first_check_value_is_kept(fresh: &Fresh) {
    let records = &fresh.store.records;
    assert_eq!(records.existing_instance_check().await.unwrap(), None);
    assert_eq!(records.instance_check(&[1; 32]).await.unwrap(), [1; 32]);
    assert_eq!(records.instance_check(&[2; 32]).await.unwrap(), [1; 32]);
    assert_eq!(
        records.existing_instance_check().await.unwrap(),
        Some([1; 32])
    );
}

pub(crate) async fn of_twenty_check_values_that_race_one_is_kept(fresh: &Fresh) {
    let values: Vec<[u8; 32]> = (0..20).map(|i| [i; 32]).collect();
    let kept = join_all(
        values
            .iter()
            .map(|value| fresh.store.records.instance_check(value)),
    )
    .await;
    let first = *kept[0].as_ref().unwrap();
    assert!(kept.iter().all(|value| *value.as_ref().unwrap() == first));
}

/// R0.1
pub(crate) async fn a_later_start_leaves_existing_data_alone(fresh: &Fresh) {
    let row = account("Ada");
    fresh
        .store
        .records
        .insert_account(&row, &Admission::Anyone)
        .await
        .unwrap();
    let blob = put(&*fresh.store.blobs, &bytes(3_000_000)).await;

    let later = fresh.reopen().await;
    assert_eq!(
        later
            .records
            .account_by_login("ada")
            .await
            .unwrap()
            .unwrap()
            .id,
        row.id
    );
    assert_eq!(
        get(&*later.blobs, &blob, 0, None).await.unwrap(),
        bytes(3_000_000)
    );
    // Nor is anybody founder a second time.
    let role = later
        .records
        .insert_account(&account("Grace"), &Admission::Anyone)
        .await
        .unwrap();
    assert_eq!(role, store::Role::User);
}

/// R0.1
pub(crate) async fn two_starts_at_once_both_succeed(fresh: &Fresh) {
    let opened = join_all((0..5).map(|_| store::open(&fresh.choice))).await;
    for store in opened {
        store.unwrap().records.ping().await.unwrap();
    }
}

pub(crate) async fn a_store_that_is_there_answers_a_ping(fresh: &Fresh) {
    fresh.store.records.ping().await.unwrap();
}
