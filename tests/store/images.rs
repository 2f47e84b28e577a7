//! Images: identity, ownership, metadata, references.

use std::collections::HashSet;

use futures_util::future::join_all;
use image_vault::ids::{BlobId, ImageId};
use image_vault::store::{BlobRef, ImageRow, Inserted, Quota, Records};

use crate::fresh::Fresh;
use crate::samples::{
    SignedIn as _, account_id, archive, at, blob_id, done, ended, image, image_id, insert, renewed,
};

/// Stores so many images, and hands them back as they are stored.
pub(crate) async fn insert_some(records: &dyn Records, count: u64) -> Vec<ImageRow> {
    let account = account_id();
    let mut rows = Vec::new();
    for seq in 1..=count {
        let row = ImageRow {
            seq,
            ..image(account)
        };
        assert_eq!(
            insert(records, &row, &Quota::NONE).await.unwrap(),
            Inserted::New
        );
        rows.push(row);
    }
    rows
}

pub(crate) async fn an_image_reads_back(fresh: &Fresh) {
    let records = &fresh.store.records;
    let plain = image(account_id());
    // The store sets these two itself.
    let lying = ImageRow {
        seq: 99,
        revision: 99,
        ..plain.clone()
    };
    assert_eq!(
        records.insert_image(&lying, &Quota::NONE).await.unwrap(),
        Inserted::New
    );
    assert_eq!(
        records.image(&plain.account, &plain.id).await.unwrap(),
        Some(plain.clone())
    );
    assert_eq!(records.sequence(&plain.account).await.unwrap(), 1);

    let preview = Some(BlobRef {
        id: blob_id(),
        len: 1,
    });
    let viewed = ImageRow {
        seq: 2,
        preview,
        ..image(plain.account)
    };
    assert_eq!(
        records.insert_image(&viewed, &Quota::NONE).await.unwrap(),
        Inserted::New
    );
    assert_eq!(
        records.image(&viewed.account, &viewed.id).await.unwrap(),
        Some(viewed)
    );
}

pub(crate) async fn a_digest_is_stored_once_in_an_account(fresh: &Fresh) {
    let records = &fresh.store.records;
    let first = image(account_id());
    let twin = ImageRow {
        digest: first.digest,
        ..image(first.account)
    };
    let foreign = ImageRow {
        digest: first.digest,
        ..image(account_id())
    };
    assert_eq!(
        records.insert_image(&first, &Quota::NONE).await.unwrap(),
        Inserted::New
    );
    assert_eq!(
        records.insert_image(&twin, &Quota::NONE).await.unwrap(),
        Inserted::Duplicate(first.id)
    );
    assert_eq!(
        records.insert_image(&foreign, &Quota::NONE).await.unwrap(),
        Inserted::New
    );

    assert_eq!(records.image(&twin.account, &twin.id).await.unwrap(), None);
    assert_eq!(records.sequence(&first.account).await.unwrap(), 1);
    // Repeating a call whose answer was lost finds what it did the first time.
    assert_eq!(
        records.insert_image(&first, &Quota::NONE).await.unwrap(),
        Inserted::Duplicate(first.id)
    );
}

pub(crate) async fn of_twenty_equal_images_that_race_one_is_stored(fresh: &Fresh) {
    let records = &fresh.store.records;
    let first = image(account_id());
    let rows: Vec<ImageRow> = (0..20)
        .map(|_| ImageRow {
            id: image_id(),
            ..first.clone()
        })
        .collect();
    let outcomes = join_all(
        rows.iter()
            .map(|row| records.insert_image(row, &Quota::NONE)),
    )
    .await;
    let stored = records
        .images_by_digest(&first.account, &[first.digest])
        .await
        .unwrap();
    let [(_, winner)] = stored[..] else {
        panic!("{stored:?}")
    };
    for (row, outcome) in rows.iter().zip(outcomes) {
        let expected = if row.id == winner {
            Inserted::New
        } else {
            Inserted::Duplicate(winner)
        };
        assert_eq!(outcome.unwrap(), expected);
    }
    assert_eq!(records.sequence(&first.account).await.unwrap(), 1);
}

/// R1.22
pub(crate) async fn images_of_one_name_are_told_apart(fresh: &Fresh) {
    let records = &fresh.store.records;
    let one = image(account_id());
    let other = ImageRow {
        metadata: one.metadata.clone(),
        seq: 2,
        ..image(one.account)
    };
    records.insert_image(&one, &Quota::NONE).await.unwrap();
    records.insert_image(&other, &Quota::NONE).await.unwrap();
    let removed = records
        .remove_images(&one.account, &[one.id], at(0))
        .await
        .unwrap();
    assert_eq!(removed, std::slice::from_ref(&one));
    assert_eq!(records.image(&one.account, &one.id).await.unwrap(), None);
    assert_eq!(
        records.image(&one.account, &other.id).await.unwrap(),
        Some(other)
    );
}

pub(crate) async fn anothers_image_is_not_found(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = image(account_id());
    records.insert_image(&row, &Quota::NONE).await.unwrap();
    let (stranger, ids) = (account_id(), [row.id]);
    let preview = BlobRef {
        id: blob_id(),
        len: 1,
    };
    let active = image_vault::store::ImageState::Trashed;

    assert_eq!(records.image(&stranger, &row.id).await.unwrap(), None);
    assert_eq!(records.images(&stranger, &ids).await.unwrap(), []);
    assert_eq!(
        records
            .images_by_digest(&stranger, &[row.digest])
            .await
            .unwrap(),
        []
    );
    let update = records
        .update_metadata(&stranger, &[renewed(row.id, 0, b"mine now")], &Quota::NONE)
        .await;
    assert_eq!(done(update), []);
    assert!(
        !records
            .set_preview(&stranger, &row.id, &preview, &Quota::NONE)
            .await
            .unwrap()
    );
    assert_eq!(
        records
            .set_state(&stranger, &ids, active, at(0))
            .await
            .unwrap(),
        []
    );
    assert_eq!(
        records.remove_images(&stranger, &ids, at(0)).await.unwrap(),
        []
    );

    assert_eq!(
        records.image(&row.account, &row.id).await.unwrap(),
        Some(row)
    );
    assert_eq!(records.sequence(&stranger).await.unwrap(), 0);
}

pub(crate) async fn a_thousand_ids_are_looked_up_at_once(fresh: &Fresh) {
    let records = &fresh.store.records;
    let rows = insert_some(&**records, 20).await;
    let account = rows[0].account;

    let unknown = (0..980).map(|_| image_id());
    let ids: Vec<ImageId> = rows.iter().map(|row| row.id).chain(unknown).collect();
    let mut found = records.images(&account, &ids).await.unwrap();
    found.sort_by_key(|row| row.seq);
    assert_eq!(found, rows);

    let unknown = (0..980).map(|_| rand::random());
    let digests: Vec<[u8; 32]> = rows.iter().map(|row| row.digest).chain(unknown).collect();
    let found = records.images_by_digest(&account, &digests).await.unwrap();
    let expected: HashSet<_> = rows.iter().map(|row| (row.digest, row.id)).collect();
    assert_eq!(found.len(), 20);
    assert_eq!(found.into_iter().collect::<HashSet<_>>(), expected);

    let unknown = (0..960).map(|_| blob_id());
    let named: HashSet<BlobId> = rows
        .iter()
        .flat_map(ImageRow::blobs)
        .map(|blob| blob.id)
        .collect();
    let blobs: Vec<BlobId> = named.iter().copied().chain(unknown).collect();
    assert_eq!(records.referenced_blobs(&blobs).await.unwrap(), named);

    assert_eq!(records.images(&account, &[]).await.unwrap(), []);
    assert_eq!(records.images_by_digest(&account, &[]).await.unwrap(), []);
    assert!(records.referenced_blobs(&[]).await.unwrap().is_empty());
    assert_eq!(
        records
            .remove_images(&account, &ids, at(0))
            .await
            .unwrap()
            .len(),
        20
    );
    assert_eq!(
        records.remove_images(&account, &[], at(0)).await.unwrap(),
        []
    );
}

pub(crate) async fn a_stale_metadata_update_conflicts(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = image(account_id());
    let update = async |revision, metadata| {
        let change = [renewed(row.id, revision, metadata)];
        let none = Quota::NONE;
        let changed = records.update_metadata(&row.account, &change, &none).await;
        !done(changed).is_empty()
    };
    assert!(!update(0, b"too early").await);
    records.insert_image(&row, &Quota::NONE).await.unwrap();
    assert!(update(0, b"first").await);
    assert!(!update(0, b"stale").await);
    assert!(update(1, b"second").await);

    let changed = ImageRow {
        seq: 3,
        revision: 2,
        metadata: b"second".to_vec(),
        ..row.clone()
    };
    assert_eq!(
        records.image(&row.account, &row.id).await.unwrap(),
        Some(changed)
    );
    assert_eq!(records.sequence(&row.account).await.unwrap(), 3);
}

pub(crate) async fn of_twenty_metadata_updates_of_one_revision_one_is_done(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = image(account_id());
    records.insert_image(&row, &Quota::NONE).await.unwrap();
    let texts: Vec<[u8; 1]> = (0..20).map(|i| [i]).collect();
    let updates = texts.iter().map(async |text| {
        let change = [renewed(row.id, 0, text)];
        let none = Quota::NONE;
        records.update_metadata(&row.account, &change, &none).await
    });
    let outcomes = join_all(updates).await;
    let stored = records.image(&row.account, &row.id).await.unwrap().unwrap();
    for (text, outcome) in texts.iter().zip(outcomes) {
        assert_eq!(!done(outcome).is_empty(), stored.metadata == text);
    }
    assert_eq!((stored.revision, stored.seq), (1, 2));
}

pub(crate) async fn a_preview_is_noted_once(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = image(account_id());
    let [first, second] = [1, 2].map(|len| BlobRef { id: blob_id(), len });
    assert!(
        !records
            .set_preview(&row.account, &row.id, &first, &Quota::NONE)
            .await
            .unwrap()
    );
    records.insert_image(&row, &Quota::NONE).await.unwrap();
    assert!(
        records
            .set_preview(&row.account, &row.id, &first, &Quota::NONE)
            .await
            .unwrap()
    );
    assert!(
        !records
            .set_preview(&row.account, &row.id, &second, &Quota::NONE)
            .await
            .unwrap()
    );

    let viewed = ImageRow {
        preview: Some(first),
        ..row.clone()
    };
    assert_eq!(
        records.image(&row.account, &row.id).await.unwrap(),
        Some(viewed)
    );
    assert_eq!(records.sequence(&row.account).await.unwrap(), 1);
}

pub(crate) async fn a_blob_is_referenced_while_a_row_names_it(fresh: &Fresh) {
    let records = &fresh.store.records;
    let preview = BlobRef {
        id: blob_id(),
        len: 1,
    };
    let row = ImageRow {
        preview: Some(preview),
        ..image(account_id())
    };
    let ticket = archive(row.account, at(5));
    records.insert_image(&row, &Quota::NONE).await.unwrap();
    records.insert_archive(&ticket).await.unwrap();

    let of_image: HashSet<BlobId> = row.blobs().map(|blob| blob.id).collect();
    assert_eq!(of_image.len(), 3);
    let mut all: Vec<BlobId> = of_image.iter().copied().collect();
    all.extend([ticket.plan.id, blob_id()]);
    // One of several blobs of a row is found without the others.
    for id in &all[..4] {
        assert_eq!(
            records.referenced_blobs(&[*id]).await.unwrap(),
            HashSet::from([*id])
        );
    }
    assert_eq!(records.referenced_blobs(&all).await.unwrap().len(), 4);

    records
        .remove_images(&row.account, &[row.id], at(0))
        .await
        .unwrap();
    let left = HashSet::from([ticket.plan.id]);
    assert_eq!(records.referenced_blobs(&all).await.unwrap(), left);
    assert_eq!(ended(&**records, "archives", at(6)).await, 1);
    assert!(records.referenced_blobs(&all).await.unwrap().is_empty());
}

pub(crate) async fn many_metadata_updates_are_one_change_and_name_those_that_were_made(
    fresh: &Fresh,
) {
    let records = &fresh.store.records;
    let account = account_id();
    let mut rows = Vec::new();
    for _ in 0..4 {
        let row = image(account);
        records.insert_image(&row, &Quota::NONE).await.unwrap();
        rows.push(row);
    }
    let changes = [
        renewed(rows[0].id, 0, b"one"),
        renewed(rows[1].id, 3, b"made from another revision"),
        renewed(rows[2].id, 0, b"two"),
        renewed(image_id(), 0, b"nobody's"),
    ];
    let none = Quota::NONE;
    let changed = records.update_metadata(&account, &changes, &none).await;
    let mut changed = done(changed);
    changed.sort();
    let mut expected = [rows[0].id, rows[2].id];
    expected.sort();
    assert_eq!(changed, expected);
    assert_eq!(records.sequence(&account).await.unwrap(), 5);
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    for stored in records.images(&account, &ids).await.unwrap() {
        let new = expected.contains(&stored.id);
        assert_eq!((stored.seq == 5, stored.revision), (new, u64::from(new)));
    }
    let nothing = records.update_metadata(&account, &[], &none).await;
    assert_eq!(done(nothing), []);
    assert_eq!(records.sequence(&account).await.unwrap(), 5);
}
