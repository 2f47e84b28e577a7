//! The wrapped keys of images, and the generations of the master key that wraps them.

use futures_util::future::join_all;
use image_vault::ids::AccountId;
use image_vault::store::{Admission, ImageRow, Inserted, KeyRow, Quota, Records, Updated};

use crate::fresh::Fresh;
use crate::samples::{SignedIn as _, account, account_id, image, insert};

/// That of the samples.
const GENERATION: u32 = 7;

async fn images(records: &dyn Records, account: AccountId, count: usize) -> Vec<ImageRow> {
    let mut rows: Vec<ImageRow> = (0..count).map(|_| image(account)).collect();
    for row in &rows {
        assert_eq!(
            insert(records, row, &Quota::NONE).await.unwrap(),
            Inserted::New
        );
    }
    rows.sort_by_key(|row| row.id.to_string());
    rows
}

pub(crate) async fn keys_of_a_generation_come_by_id_and_are_replaced_once(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (ada, bob) = (account_id(), account_id());
    let rows = images(&**records, ada, 5).await;
    let others = images(&**records, bob, 1).await;
    let keys: Vec<KeyRow> = rows
        .iter()
        .map(|row| KeyRow {
            id: row.id,
            key_wrap: row.key_wrap.clone(),
        })
        .collect();
    let from = async |after, limit| {
        let found = records.keys_of_generation(&ada, GENERATION, after, limit);
        found.await.unwrap()
    };
    assert_eq!(from(None, 9).await, keys);
    assert_eq!(from(None, 2).await, keys[..2]);
    assert_eq!(from(Some(&keys[1].id), 2).await, keys[2..4]);
    assert_eq!(from(Some(&keys[4].id), 2).await, []);

    let seq = records.sequence(&ada).await.unwrap();
    let fresh_keys = |mark: u8| -> Vec<KeyRow> {
        let ids = [rows[0].id, rows[3].id, others[0].id];
        let key = |id| KeyRow {
            id,
            key_wrap: vec![mark; 120],
        };
        ids.map(key).to_vec()
    };
    for mark in [1, 2] {
        let keys = fresh_keys(mark);
        let replaced = records.replace_keys(&ada, GENERATION, &keys);
        replaced.await.unwrap();
    }
    records.replace_keys(&ada, GENERATION, &[]).await.unwrap();
    let left = records.count_keys_of_generation(&ada, GENERATION);
    assert_eq!(left.await.unwrap(), 3);
    assert_eq!(
        from(None, 9).await,
        [&keys[1..3], &keys[4..]].concat(),
        "those that were not named"
    );
    let first = records.image(&ada, &rows[0].id).await.unwrap().unwrap();
    let expected = ImageRow {
        key_wrap: vec![1; 120],
        mk_generation: GENERATION + 1,
        seq: first.seq,
        ..rows[0].clone()
    };
    assert_eq!(first, expected, "the second time there was nothing to do");
    let other = records.image(&bob, &others[0].id).await.unwrap().unwrap();
    assert_eq!(other.key_wrap, others[0].key_wrap, "another account's");
    assert_eq!(records.sequence(&ada).await.unwrap(), seq);
}

/// However many are on their way when the master key is replaced.
pub(crate) async fn no_image_comes_under_a_master_key_that_was_replaced(fresh: &Fresh) {
    let records = &fresh.store.records;
    let mut ada = account("ada");
    records
        .insert_account(&ada, &Admission::Anyone)
        .await
        .unwrap();
    let before = images(&**records, ada.id, 2).await.len();
    let rows: Vec<ImageRow> = (0..24).map(|_| image(ada.id)).collect();
    let insert = |row| records.insert_image(row, &Quota::NONE);
    // Some are asked for before, some after it.
    let early = join_all(rows[..12].iter().map(insert));
    let late = join_all(rows[12..].iter().map(insert));
    ada.mk_generation += 1;
    let replace = async {
        loop {
            // A transaction that meets too many others is told to come again.
            if let Ok(replaced) = records.replace_credentials(&ada, None).await {
                break (
                    replaced,
                    records
                        .count_keys_of_generation(&ada.id, GENERATION)
                        .await
                        .unwrap(),
                );
            }
        }
    };
    let (early, (replaced, old), late) = futures_util::future::join3(early, replace, late).await;
    assert_eq!(replaced, Updated::Done);
    let came = early
        .iter()
        .chain(&late)
        .filter(|answer| matches!(answer, Ok(Inserted::New)))
        .count();
    let now = records.count_keys_of_generation(&ada.id, GENERATION);
    assert_eq!(
        now.await.unwrap(),
        old,
        "one came after the key was replaced"
    );
    assert_eq!(old, (before + came) as u64);
    let late = image(ada.id);
    assert_eq!(
        records.insert_image(&late, &Quota::NONE).await.unwrap(),
        Inserted::Stale
    );
    assert_eq!(records.image(&ada.id, &late.id).await.unwrap(), None);
    let current = ImageRow {
        mk_generation: ada.mk_generation,
        ..late
    };
    assert_eq!(
        records.insert_image(&current, &Quota::NONE).await.unwrap(),
        Inserted::New
    );
}
