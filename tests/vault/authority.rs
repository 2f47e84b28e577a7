//! What an ended session can no longer do, though a request still holds it.

use std::time::Duration;

use futures_util::StreamExt;
use image_vault::store::ImageState;
use image_vault::vault::{Added, ImageEdit, Selection, Unlocked, VaultError};
use tokio::time::{sleep, timeout};

use crate::Fixture;

/// More than the time after which it is looked again.
const A_WHILE: Duration = Duration::from_millis(2_500);

fn is_refused<T>(outcome: Result<T, VaultError>) -> bool {
    matches!(outcome, Err(VaultError::Unauthenticated))
}

/// Two requests of a session, and another session of the same person.
async fn requests(fixture: &Fixture) -> [Unlocked; 3] {
    let (who, token) = fixture.person().await;
    let beside = fixture.vault.unlock(&token).await.unwrap();
    [who, beside, fixture.sign_in().await]
}

pub(crate) async fn each_step_of_a_bulk_change_looks_whether_its_session_has_ended(
    fixture: &Fixture,
) {
    let [late, who, other] = requests(fixture).await;
    let ids = vec![fixture.add(&who, 1).await, fixture.add(&who, 2).await];
    let vault = &fixture.vault;
    let trashed = vault.trash(&who, Selection::Ids(vec![ids[1]])).await;
    assert_eq!(trashed.unwrap().0, 1);
    vault.sign_out(&who).await.unwrap();
    let all = || Selection::Ids(ids.clone());
    let edit = ImageEdit {
        favourite: Some(true),
        ..ImageEdit::default()
    };
    assert!(is_refused(vault.trash(&late, all()).await));
    assert!(is_refused(vault.restore(&late, all()).await));
    assert!(is_refused(vault.edit_all(&late, all(), edit).await));
    let active = ImageState::Active;
    assert!(is_refused(vault.delete(&late, all(), active).await));
    // Not even what is in the vault already, which would leave the trash.
    let again = vault.add_image(&late, "again.png", Fixture::picture(2));
    assert!(is_refused(again.await));
    let new = vault.add_image(&late, "new.png", Fixture::picture(3));
    assert!(is_refused(new.await));
    assert_eq!(fixture.count(&other, active).await, 1);
    assert_eq!(fixture.count(&other, ImageState::Trashed).await, 1);
    let first = vault.open_image(&other, &ids[0]).await.unwrap();
    assert!(!first.image.metadata.favourite);
    // The other goes on.
    let new = vault.add_image(&other, "new.png", Fixture::picture(3));
    assert!(matches!(new.await, Ok(Added::New(_))));
}

pub(crate) async fn a_stream_gives_nothing_of_what_it_has_read_once_its_session_has_ended(
    fixture: &Fixture,
) {
    let [who, beside, other] = requests(fixture).await;
    let id = fixture.add(&who, 1).await;
    let vault = &fixture.vault;
    let read = async |who: &Unlocked| {
        let image = vault.open_image(who, &id).await.unwrap();
        vault.read_original(&image, 0..image.image.metadata.size)
    };
    let (mut ended, mut running) = (read(&who).await, read(&other).await);
    // All of it is open, and waits for its reader.
    vault.sign_out(&beside).await.unwrap();
    sleep(A_WHILE).await;
    assert!(is_refused(ended.next().await.unwrap()));
    assert!(ended.next().await.is_none());
    assert!(running.next().await.unwrap().is_ok());
    assert!(running.next().await.is_none());
}

pub(crate) async fn who_ends_their_own_session_may_finish_and_what_runs_beside_may_not(
    fixture: &Fixture,
) {
    let [who, beside, other] = requests(fixture).await;
    fixture.vault.sign_out(&who).await.unwrap();
    let (own, beside, other) = tokio::join!(
        timeout(A_WHILE, who.watch().ended()),
        timeout(A_WHILE, beside.watch().ended()),
        timeout(A_WHILE, other.watch().ended()),
    );
    assert!(own.is_err() && other.is_err());
    assert!(matches!(beside, Ok(VaultError::Unauthenticated)));
}
