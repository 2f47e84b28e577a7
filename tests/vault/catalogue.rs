//! What lists show, when there is more than is read and opened at a time.

use image_vault::ids::{BlobId, ImageId};
use image_vault::store::{ImageRow, ImageState, Inserted, StoreChoice};
use image_vault::vault::{ListRequest, Proof, Removal, SignIn, Unlocked, VaultError};
use jiff::Timestamp;

use crate::{Fixture, here};

/// More than two batches of the catalogue.
const MANY: u16 = 1_100;
/// As many as one change may have: it ends within a batch.
const AT_ONCE: usize = 1_000;
const PASSWORD: &str = "correct horse battery staple";

/// The ids that a list shows, the oldest last, and how many more do not open.
async fn list(fixture: &Fixture, who: &Unlocked) -> (Vec<ImageId>, usize) {
    list_of(ImageState::Active, fixture, who).await
}

async fn list_of(state: ImageState, fixture: &Fixture, who: &Unlocked) -> (Vec<ImageId>, usize) {
    let mut request = ListRequest::default();
    request.filter.state = Some(state);
    let page = fixture.vault.list(who, request).await.unwrap();
    let ids: Vec<_> = page.items.iter().map(|image| image.id).collect();
    assert_eq!(page.total, ids.len());
    (ids, page.damaged)
}

fn forged_id(number: u16) -> ImageId {
    ImageId::from_bytes(number.to_be_bytes().repeat(8).try_into().unwrap())
}

/// Copies of a row, each as another picture: none of them opens.
async fn forge(fixture: &Fixture, row: &ImageRow, numbers: std::ops::Range<u16>) {
    for number in numbers {
        let bytes = number.to_be_bytes();
        let mut copy = row.clone();
        copy.id = forged_id(number);
        copy.digest = bytes.repeat(16).try_into().unwrap();
        copy.original.id =
            BlobId::from_bytes([bytes, [1; 2]].concat().repeat(4).try_into().unwrap());
        copy.thumbnail.id =
            BlobId::from_bytes([bytes, [2; 2]].concat().repeat(4).try_into().unwrap());
        assert!(matches!(fixture.insert(&copy).await, Inserted::New));
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
    fixture.wait(1);
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
    a_change_of_many_is_seen_whole(fixture, &who, choice, &token, [last, middle, first]).await;
}

/// All of its rows have one number, also those that are in the next batch.
async fn a_change_of_many_is_seen_whole(
    fixture: &Fixture,
    who: &Unlocked,
    choice: &StoreChoice,
    token: &str,
    [last, middle, first]: [ImageId; 3],
) {
    let forged = (0..).map(forged_id).take(AT_ONCE - 2);
    let ids: Vec<_> = forged.chain([first, middle]).collect();
    let records = &fixture.store.records;
    let trashed = records.set_state(who.id(), &ids, ImageState::Trashed, Timestamp::now());
    assert_eq!(trashed.await.unwrap().len(), AT_ONCE);
    let other = Fixture::on(choice).await;
    let there = other.vault.unlock(token).await.unwrap();
    let damaged = usize::from(MANY);
    for (process, who) in [(fixture, who), (&other, &there)] {
        assert_eq!(list(process, who).await, (vec![last], damaged));
        let trash = list_of(ImageState::Trashed, process, who).await;
        assert_eq!(trash, (vec![middle, first], damaged));
    }

    // Who signed in before the master key was replaced reads no further than to what is under the
    // new one: here the last row, behind others that have one number.
    let late = Fixture::on(choice).await;
    let before = late.vault.unlock(token).await.unwrap();
    let proof = Proof::new(PASSWORD.to_owned().into(), None);
    let here = here();
    let rotated = fixture.vault.rotate_master_key(who, proof, &here).await;
    drop(rotated.unwrap());
    let row = records.image(who.id(), &last).await.unwrap();
    let mut row = row.unwrap();
    row.mk_generation += 1;
    forge(fixture, &row, MANY..MANY + 1).await;
    let broken_off = late.vault.list(&before, ListRequest::default()).await;
    assert!(matches!(broken_off, Err(VaultError::Unauthenticated)));

    let sign_in = SignIn {
        login: "ada".into(),
        password: PASSWORD.to_owned().into(),
        code: None,
        keep: false,
    };
    let started = late.vault.sign_in(sign_in, &here).await.unwrap();
    let after = late.vault.unlock(&started.token).await.unwrap();
    assert_eq!(list(&late, &after).await, (vec![last], damaged + 1));
    let trash = list_of(ImageState::Trashed, &late, &after).await;
    assert_eq!(trash, (vec![middle, first], damaged + 1));
}
