//! Replacing the master key: nothing is lost, whatever is interrupted.

use image_vault::ids::ImageId;
use image_vault::store::{ImageRow, Inserted};
use image_vault::vault::{Proof, Removal, Unlocked, VaultError};

use crate::{Fixture, here};

const PASSWORD: &str = "correct horse battery staple";

async fn rotate(fixture: &Fixture, who: &Unlocked) -> image_vault::vault::Opened {
    let proof = Proof::new(PASSWORD.to_owned().into(), None);
    let here = here();
    let rotated = fixture.vault.rotate_master_key(who, proof, &here);
    rotated.await.unwrap()
}

async fn sign_in(fixture: &Fixture) -> Unlocked {
    fixture.sign_in().await
}

async fn rows(fixture: &Fixture, who: &Unlocked, ids: &[ImageId]) -> Vec<ImageRow> {
    fixture.store.records.images(who.id(), ids).await.unwrap()
}

async fn is_readable(fixture: &Fixture, who: &Unlocked, id: &ImageId) -> bool {
    let opened = fixture.vault.open_image(who, id).await;
    opened.is_ok() && fixture.vault.thumbnail(who, id).await.is_ok()
}

/// Until the pass in the background has done what it can.
async fn left_at_last(fixture: &Fixture, who: &Unlocked, expected: Option<u64>) {
    for _ in 0..3_000 {
        let row = fixture.store.records.account(who.id()).await.unwrap();
        let generation = row.as_ref().unwrap().mk_generation;
        let left = fixture
            .store
            .records
            .count_keys_of_generation(who.id(), generation - 1)
            .await
            .unwrap();
        let left = row.unwrap().retired_wrap.map(|_| left);
        if left == expected {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it never came to {expected:?}");
}

pub(crate) async fn a_new_master_key_opens_all_pictures_before_and_after_they_are_re_wrapped(
    fixture: &Fixture,
) {
    let (who, token) = fixture.person().await;
    let mut ids = Vec::new();
    for seed in 0..5 {
        ids.push(fixture.add(&who, seed).await);
    }
    // Nobody signs in: as if the server had died at once.
    drop(rotate(fixture, &who).await);
    let old = rows(fixture, &who, &ids).await;
    assert!(old.iter().all(|row| row.mk_generation == 1));
    let opened = fixture.vault.unlock(&token).await;
    assert!(matches!(opened, Err(VaultError::Unauthenticated)));

    let who = sign_in(fixture).await;
    for id in &ids {
        assert!(is_readable(fixture, &who, id).await, "before or while");
    }
    left_at_last(fixture, &who, None).await;
    let new = rows(fixture, &who, &ids).await;
    assert!(new.iter().all(|row| row.mk_generation == 2));
    for (old, new) in old.iter().zip(&new) {
        assert_ne!(old.key_wrap, new.key_wrap);
        assert_eq!(old.original, new.original, "no picture is touched");
    }
    let who = sign_in(fixture).await;
    for id in &ids {
        assert!(is_readable(fixture, &who, id).await, "after");
    }
    // What was known before is known still.
    assert_eq!(
        fixture
            .count(&who, image_vault::store::ImageState::Active)
            .await,
        5
    );
    let sixth = fixture.add(&who, 9).await;
    assert_eq!(rows(fixture, &who, &[sixth]).await[0].mk_generation, 2);
}

pub(crate) async fn an_upload_that_a_rotation_overtakes_is_refused_and_leaves_nothing(
    fixture: &Fixture,
) {
    let (who, _) = fixture.person().await;
    fixture.add(&who, 1).await;
    drop(rotate(fixture, &who).await);
    let bytes = Fixture::picture(7);
    let late = fixture.vault.add_image(&who, "late.png", bytes).await;
    assert!(matches!(late, Err(VaultError::Unauthenticated)));
    let who = sign_in(fixture).await;
    left_at_last(fixture, &who, None).await;
    let active = image_vault::store::ImageState::Active;
    assert_eq!(fixture.count(&who, active).await, 1);
}

/// The retired key stays, in case the row is mended; and no second rotation forgets it.
pub(crate) async fn a_key_that_does_not_open_holds_up_no_other(fixture: &Fixture) {
    let (who, _) = fixture.person().await;
    let whole = fixture.add(&who, 1).await;
    let mut damaged = rows(fixture, &who, &[whole]).await.remove(0);
    damaged.id = ImageId::from_bytes([9; 16]);
    damaged.digest = [9; 32];
    assert_eq!(fixture.insert(&damaged).await, Inserted::New);
    drop(rotate(fixture, &who).await);
    let who = sign_in(fixture).await;
    left_at_last(fixture, &who, Some(1)).await;
    assert!(is_readable(fixture, &who, &whole).await);

    let proof = Proof::new(PASSWORD.to_owned().into(), None);
    let here = here();
    let again = fixture.vault.rotate_master_key(&who, proof, &here);
    let again = again.await;
    assert!(matches!(
        again,
        Err(VaultError::RotationUnderWay { left: 1 })
    ));
    let removed = fixture.vault.remove(&who, &damaged.id, Removal::ForGood);
    removed.await.unwrap();
    // It is looked at again after a while, when its owner comes.
    fixture.wait(15 * 60);
    let who = sign_in(fixture).await;
    left_at_last(fixture, &who, None).await;
    drop(rotate(fixture, &who).await);
}
