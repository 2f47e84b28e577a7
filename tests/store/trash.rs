//! Images on their way out.

use image_vault::ids::ImageId;
use image_vault::store::{ImageRow, ImageState, Inserted, Quota};

use crate::fresh::Fresh;
use crate::images::insert_some;
use crate::samples::{SignedIn as _, at, image, image_id};

pub(crate) async fn an_image_goes_to_the_trash_and_back(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = insert_some(&*fresh.store.records, 1).await.remove(0);
    let ids = [row.id];

    let moved = records
        .set_state(&row.account, &ids, ImageState::Trashed, at(50))
        .await
        .unwrap();
    assert_eq!(moved, ids);
    let trashed = ImageRow {
        seq: 2,
        trashed_at: Some(at(50)),
        ..row.clone()
    };
    assert_eq!(
        records.image(&row.account, &row.id).await.unwrap(),
        Some(trashed)
    );

    let moved = records
        .set_state(&row.account, &ids, ImageState::Active, at(60))
        .await
        .unwrap();
    assert_eq!(moved, ids);
    let restored = ImageRow {
        seq: 3,
        ..row.clone()
    };
    assert_eq!(
        records.image(&row.account, &row.id).await.unwrap(),
        Some(restored)
    );
    assert_eq!(records.trashed_before(at(1_000), 10).await.unwrap(), []);
}

pub(crate) async fn only_images_that_move_are_returned(fresh: &Fresh) {
    let records = &fresh.store.records;
    let rows = insert_some(&**records, 3).await;
    let account = rows[0].account;
    let ids: Vec<ImageId> = rows.iter().map(|row| row.id).collect();
    records
        .set_state(&account, &ids[..1], ImageState::Trashed, at(50))
        .await
        .unwrap();

    let asked = [&ids[..], &[image_id()]].concat();
    let mut moved = records
        .set_state(&account, &asked, ImageState::Trashed, at(70))
        .await
        .unwrap();
    moved.sort();
    let mut expected = ids[1..].to_vec();
    expected.sort();
    assert_eq!(moved, expected);
    // The first was there already, since a time of its own.
    let first = records.image(&account, &ids[0]).await.unwrap().unwrap();
    assert_eq!((first.trashed_at, first.seq), (Some(at(50)), 4));
    // Images that move together share a number.
    for id in &ids[1..] {
        assert_eq!(records.image(&account, id).await.unwrap().unwrap().seq, 5);
    }
}

pub(crate) async fn the_oldest_trash_comes_first(fresh: &Fresh) {
    let records = &fresh.store.records;
    let rows = insert_some(&**records, 4).await;
    let account = rows[0].account;
    for (row, second) in rows.iter().zip([30, 10, 20, 40]) {
        records
            .set_state(&account, &[row.id], ImageState::Trashed, at(second))
            .await
            .unwrap();
    }
    let [third, first, second, _] = [0, 1, 2, 3].map(|i: usize| (account, rows[i].id));
    assert_eq!(
        records.trashed_before(at(40), 10).await.unwrap(),
        [first, second, third]
    );
    assert_eq!(
        records.trashed_before(at(40), 2).await.unwrap(),
        [first, second]
    );
    assert_eq!(records.trashed_before(at(40), 0).await.unwrap(), []);
    assert_eq!(records.trashed_before(at(10), 10).await.unwrap(), []);
}

pub(crate) async fn a_removed_image_leaves_its_rows_blobs_to_the_caller(fresh: &Fresh) {
    let records = &fresh.store.records;
    let rows = insert_some(&**records, 2).await;
    let account = rows[0].account;
    let ids = [rows[0].id, rows[1].id, image_id()];
    let mut removed = records.remove_images(&account, &ids, at(0)).await.unwrap();
    removed.sort_by_key(|row| row.seq);
    assert_eq!(removed, rows);
    // A second try finds nothing, so that a retried job converges.
    assert_eq!(
        records.remove_images(&account, &ids, at(0)).await.unwrap(),
        []
    );
    assert_eq!(records.sequence(&account).await.unwrap(), 3);
}

pub(crate) async fn an_image_restored_in_the_last_moment_is_not_removed_as_old_trash(
    fresh: &Fresh,
) {
    let records = &fresh.store.records;
    let rows = insert_some(&**records, 3).await;
    let (account, ids) = (rows[0].account, [rows[0].id, rows[1].id, rows[2].id]);
    let trash = ImageState::Trashed;
    records
        .set_state(&account, &ids[..2], trash, at(10))
        .await
        .unwrap();
    records
        .set_state(&account, &ids[2..], trash, at(50))
        .await
        .unwrap();
    records
        .set_state(&account, &ids[..1], ImageState::Active, at(20))
        .await
        .unwrap();
    let removed = records
        .remove_trashed(&account, &ids, at(40), at(60))
        .await
        .unwrap();
    assert_eq!(
        removed.iter().map(|row| row.id).collect::<Vec<_>>(),
        [ids[1]]
    );
    assert_eq!(records.images(&account, &ids).await.unwrap().len(), 2);
}

pub(crate) async fn a_removed_digest_may_be_stored_again(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = insert_some(&**records, 1).await.remove(0);
    records
        .remove_images(&row.account, &[row.id], at(0))
        .await
        .unwrap();
    let again = ImageRow {
        digest: row.digest,
        seq: 3,
        ..image(row.account)
    };
    assert_eq!(
        records.insert_image(&again, &Quota::NONE).await.unwrap(),
        Inserted::New
    );
    assert_eq!(
        records.image(&again.account, &again.id).await.unwrap(),
        Some(again)
    );
}
