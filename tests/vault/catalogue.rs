//! What lists show, when there is more than is read and opened at a time.

use image_vault::ids::{BlobId, ImageId};
use image_vault::store::{ImageRow, Inserted, Quota, StoreChoice};
use image_vault::vault::{ListRequest, Removal, Unlocked};

use crate::Fixture;

/// More than two batches of the catalogue.
const MANY: u16 = 1_100;

/// The ids that a list shows, the oldest last, and how many more do not open.
async fn list(fixture: &Fixture, who: &Unlocked) -> (Vec<ImageId>, usize) {
    let page = fixture.vault.list(who, ListRequest::default()).await;
    let page = page.unwrap();
    let ids: Vec<_> = page.items.iter().map(|image| image.id).collect();
    assert_eq!(page.total, ids.len());
    (ids, page.damaged)
}

/// Copies of a row, each as another picture: none of them opens.
async fn forge(fixture: &Fixture, row: &ImageRow, numbers: std::ops::Range<u16>) {
    for number in numbers {
        let bytes = number.to_be_bytes();
        let mut copy = row.clone();
        copy.id = ImageId::from_bytes(bytes.repeat(8).try_into().unwrap());
        copy.digest = bytes.repeat(16).try_into().unwrap();
        copy.original.id =
            BlobId::from_bytes([bytes, [1; 2]].concat().repeat(4).try_into().unwrap());
        copy.thumbnail.id =
            BlobId::from_bytes([bytes, [2; 2]].concat().repeat(4).try_into().unwrap());
        let inserted = fixture.store.records.insert_image(&copy, &Quota::NONE);
        assert!(matches!(inserted.await.unwrap(), Inserted::New));
    }
}

pub(crate) async fn however_much_is_new_a_list_is_whole_and_without_what_is_gone(
    fixture: &Fixture,
    choice: &StoreChoice,
) {
    let (who, token) = fixture.person().await;
    let first = fixture.add(&who, 1).await;
    assert_eq!(list(fixture, &who).await, (vec![first], 0));
    let row = fixture.store.records.image(who.id(), &first).await;
    let row = row.unwrap().unwrap();
    forge(fixture, &row, 0..MANY / 2).await;
    let middle = fixture.add(&who, 2).await;
    let gone = fixture.add(&who, 3).await;
    let damaged = usize::from(MANY / 2);
    assert_eq!(
        list(fixture, &who).await,
        (vec![gone, middle, first], damaged)
    );

    forge(fixture, &row, MANY / 2..MANY).await;
    let last = fixture.add(&who, 4).await;
    for how in [Removal::OneStep, Removal::ForGood] {
        fixture.vault.remove(&who, &gone, how).await.unwrap();
    }
    let expected = (vec![last, middle, first], usize::from(MANY));
    assert_eq!(list(fixture, &who).await, expected);
    // Another process reads all of it at once.
    let other = Fixture::on(choice).await;
    let there = other.vault.unlock(&token).await.unwrap();
    assert_eq!(list(&other, &there).await, expected);
}
