//! Invitations: used once, and not for ever.

use futures_util::future::join_all;
use image_vault::store::{Admission, InvitationRow, Role, StoreError};

use crate::fresh::Fresh;
use crate::samples::{account, at, ended};

fn invitation(digest: u8, expires: i64) -> InvitationRow {
    InvitationRow {
        digest: [digest; 32],
        created_at: at(0),
        expires_at: at(expires),
    }
}

/// A store with its first account and this invitation.
async fn founded(fresh: &Fresh, row: &InvitationRow) {
    let records = &fresh.store.records;
    let ada = account("Ada");
    records
        .insert_account(&ada, &Admission::OnlyFirst)
        .await
        .unwrap();
    records.insert_invitation(row).await.unwrap();
}

fn invited(row: &InvitationRow, second: i64) -> Admission {
    Admission::Invited {
        digest: row.digest,
        now: at(second),
    }
}

/// Of two processes, too.
pub(crate) async fn an_invitation_lets_one_of_twenty_in(fresh: &Fresh) {
    let row = invitation(1, 60);
    founded(fresh, &row).await;
    let (here, there) = (&fresh.store, fresh.reopen().await);
    let rows: Vec<_> = (0..20).map(|n| account(&format!("guest{n}"))).collect();
    let admission = invited(&row, 10);
    let outcomes = join_all(rows.iter().enumerate().map(|(n, guest)| {
        let store = if n % 2 == 0 { here } else { &there };
        store.records.insert_account(guest, &admission)
    }))
    .await;
    let mut admitted = 0;
    for (guest, outcome) in rows.iter().zip(outcomes) {
        let stored = here.records.account(&guest.id).await.unwrap().is_some();
        match outcome {
            Ok(role) => assert!(role == Role::User && stored),
            Err(StoreError::NotAdmitted) => assert!(!stored),
            Err(other) => panic!("{other}"),
        }
        admitted += u32::from(stored);
    }
    assert_eq!(admitted, 1);
    assert_eq!(here.records.invitation(&row.digest).await.unwrap(), None);
}

pub(crate) async fn an_invitation_is_spent_with_the_account_or_not_at_all(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = invitation(1, 60);
    // The first leaves it to the next.
    records.insert_invitation(&row).await.unwrap();
    let ada = account("Ada");
    records
        .insert_account(&ada, &invited(&row, 10))
        .await
        .unwrap();
    let rival = account("Ada");
    let refused = records.insert_account(&rival, &invited(&row, 10)).await;
    assert!(matches!(refused, Err(StoreError::Taken(_))), "{refused:?}");
    let kept = records.invitation(&row.digest).await.unwrap();
    assert_eq!(kept.as_ref(), Some(&row));
    let bob = account("Bob");
    records
        .insert_account(&bob, &invited(&row, 10))
        .await
        .unwrap();
    let carol = account("Carol");
    let refused = records.insert_account(&carol, &invited(&row, 10)).await;
    assert!(
        matches!(refused, Err(StoreError::NotAdmitted)),
        "{refused:?}"
    );
}

pub(crate) async fn an_invitation_that_has_ended_lets_nobody_in(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (early, late) = (invitation(1, 10), invitation(2, 20));
    founded(fresh, &early).await;
    records.insert_invitation(&late).await.unwrap();
    let bob = account("Bob");
    for admission in [invited(&early, 10), invited(&invitation(9, 60), 1)] {
        let refused = records.insert_account(&bob, &admission).await;
        assert!(
            matches!(refused, Err(StoreError::NotAdmitted)),
            "{refused:?}"
        );
    }
    assert_eq!(ended(&**records, "invitations", at(10)).await, 1);
    let left = [&early, &late].map(|row| row.digest);
    assert_eq!(records.invitation(&left[0]).await.unwrap(), None);
    assert_eq!(records.invitation(&left[1]).await.unwrap(), Some(late));
}

pub(crate) async fn a_store_knows_whether_it_ever_had_an_account(fresh: &Fresh) {
    let records = &fresh.store.records;
    assert!(!records.has_accounts().await.unwrap());
    let ada = account("Ada");
    records
        .insert_account(&ada, &Admission::Anyone)
        .await
        .unwrap();
    assert!(records.has_accounts().await.unwrap());
    records.remove_account(&ada.id, at(1)).await.unwrap();
    assert!(records.has_accounts().await.unwrap());
}
