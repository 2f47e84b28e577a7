//! Invitations: used once, and not for ever.

use futures_util::future::join_all;
use image_vault::store::InvitationRow;

use crate::fresh::Fresh;
use crate::samples::at;

fn invitation(digest: u8, expires: i64) -> InvitationRow {
    InvitationRow {
        digest: [digest; 32],
        created_at: at(0),
        expires_at: at(expires),
    }
}

pub(crate) async fn an_invitation_is_taken_by_one_of_twenty(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = invitation(1, 60);
    records.insert_invitation(&row).await.unwrap();
    let taken = join_all((0..20).map(|_| records.take_invitation(&row.digest, at(10)))).await;
    let taken: Vec<_> = taken.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(taken, std::slice::from_ref(&row));
    // Given back, it can be taken again.
    records.insert_invitation(&row).await.unwrap();
    let again = records.take_invitation(&row.digest, at(10)).await.unwrap();
    assert_eq!(again, Some(row));
}

pub(crate) async fn an_invitation_that_has_ended_lets_nobody_in(fresh: &Fresh) {
    let records = &fresh.store.records;
    for row in [invitation(1, 10), invitation(2, 20)] {
        records.insert_invitation(&row).await.unwrap();
    }
    assert_eq!(
        records.take_invitation(&[1; 32], at(10)).await.unwrap(),
        None
    );
    assert_eq!(
        records.take_invitation(&[9; 32], at(1)).await.unwrap(),
        None
    );
    assert_eq!(records.purge_invitations(at(10)).await.unwrap(), 1);
    let left = records.take_invitation(&[2; 32], at(10)).await.unwrap();
    assert_eq!(left, Some(invitation(2, 20)));
}

pub(crate) async fn a_store_knows_whether_it_ever_had_an_account(fresh: &Fresh) {
    let records = &fresh.store.records;
    assert!(!records.has_accounts().await.unwrap());
    let ada = crate::samples::account("Ada");
    records.insert_account(&ada).await.unwrap();
    assert!(records.has_accounts().await.unwrap());
    records.remove_account(&ada.id, at(1)).await.unwrap();
    assert!(records.has_accounts().await.unwrap());
}
