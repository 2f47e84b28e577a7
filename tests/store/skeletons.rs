//! What user names look like: unique where it is stored, and missing where it cannot be.

use futures_util::future::join_all;
use image_vault::store::{AccountRow, Admission, Role, StoreError, UniqueField, Updated};

use crate::fresh::Fresh;
use crate::samples::account;

/// An account of this name and look; a name from before there were skeletons has none.
fn looking(name: &str, skeleton: Option<&str>) -> AccountRow {
    AccountRow {
        username_skeleton: skeleton.map(str::to_owned),
        ..account(name)
    }
}

fn is_taken<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Taken(UniqueField::Username)))
}

pub(crate) async fn a_name_that_looks_like_a_taken_one_is_refused(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (ada, rival) = (looking("ada", Some("ada")), looking("аdа", Some("ada")));
    let insert = async |row| records.insert_account(row, &Admission::Anyone).await;
    assert_eq!(insert(&ada).await.unwrap(), Role::Administrator);
    assert!(is_taken(&insert(&rival).await));
    assert_eq!(records.account(&rival.id).await.unwrap(), None);
    let found = records.account_by_skeleton("ada").await.unwrap();
    assert_eq!(found.map(|row| row.id), Some(ada.id));
    assert_eq!(records.account_by_skeleton("Ada").await.unwrap(), None);
    // Who is not let in does not learn who is there.
    let shut_out = records.insert_account(&rival, &Admission::OnlyFirst).await;
    assert!(matches!(shut_out, Err(StoreError::NotAdmitted)));
    // A look is free again with its account.
    let now = crate::samples::at(1);
    records.remove_account(&ada.id, now).await.unwrap();
    insert(&rival).await.unwrap();
}

/// Of two processes, with names and addresses of their own.
pub(crate) async fn of_twenty_who_race_for_a_look_one_wins(fresh: &Fresh) {
    let (here, there) = (&fresh.store, fresh.reopen().await);
    let rows: Vec<_> = (0..20)
        .map(|n| looking(&format!("racer{n}"), Some("racer")))
        .collect();
    let outcomes = join_all(rows.iter().enumerate().map(|(n, row)| {
        let store = if n % 2 == 0 { here } else { &there };
        store.records.insert_account(row, &Admission::Anyone)
    }))
    .await;
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let lost = outcomes.iter().filter(|outcome| is_taken(outcome)).count();
    assert_eq!((won, lost), (1, 19), "{outcomes:?}");
}

pub(crate) async fn names_from_before_have_no_look_until_one_of_those_alike_gets_it(fresh: &Fresh) {
    let records = &fresh.store.records;
    let mut old: Vec<_> = (0..5).map(|n| looking(&format!("old{n}"), None)).collect();
    for row in &mut old {
        row.role = records
            .insert_account(row, &Admission::Anyone)
            .await
            .unwrap();
    }
    let new = looking("new", Some("new"));
    records
        .insert_account(&new, &Admission::Anyone)
        .await
        .unwrap();
    old.sort_by_key(|row| row.id.to_string());
    let without = async |after: Option<usize>, limit| {
        let after = after.map(|at| &old[at].id);
        let found = records.accounts_without_skeleton(after, limit).await;
        found.unwrap()
    };
    assert_eq!(without(None, 9).await, old);
    assert_eq!(without(None, 2).await, old[..2]);
    assert_eq!(without(Some(1), 2).await, old[2..4]);
    assert_eq!(without(Some(4), 2).await, []);
    // All of them look the same: the first who is given that look keeps it.
    let given = |row: &AccountRow, look: &str| AccountRow {
        username_skeleton: Some(look.into()),
        ..row.clone()
    };
    let done = records.update_account(&given(&old[3], "old")).await;
    assert_eq!(done.unwrap(), Updated::Done);
    for look in ["old", "new"] {
        let refused = records.update_account(&given(&old[1], look)).await;
        assert!(is_taken(&refused), "{refused:?}");
    }
    let left = [&old[..3], &old[4..]].concat();
    assert_eq!(without(None, 9).await, left);
    // Any other change goes on, with and without.
    for row in [&old[1], &given(&old[3], "old")] {
        let stored = records.account(&row.id).await.unwrap().unwrap();
        let renamed = AccountRow {
            display_name: "Another".into(),
            ..stored
        };
        let done = records.update_account(&renamed).await;
        assert_eq!(done.unwrap(), Updated::Done);
        let stored = records.account(&row.id).await.unwrap().unwrap();
        assert_eq!(stored.username_skeleton, row.username_skeleton);
    }
}
