//! Accounts: uniqueness, the founder, compare-and-swap.

use futures_util::StreamExt;
use futures_util::future::join_all;
use image_vault::store::{
    AccountRow, Admission, DepartedRow, Kept, Quota, Records, Role, SessionKind, StoreError,
    UniqueField, Updated,
};

use crate::fresh::Fresh;
use crate::samples::{SignedIn as _, account, account_id, archive, at, image, session};

pub(crate) async fn an_account_reads_back_by_id_and_by_either_login(fresh: &Fresh) {
    let records = &fresh.store.records;
    let mut row = account("Ada");
    row.role = records
        .insert_account(&row, &Admission::Anyone)
        .await
        .unwrap();

    assert_eq!(records.account(&row.id).await.unwrap(), Some(row.clone()));
    assert_eq!(
        records.account_by_login("ada").await.unwrap(),
        Some(row.clone())
    );
    assert_eq!(
        records.account_by_login("ada@example.org").await.unwrap(),
        Some(row.clone())
    );
    // The keys are compared, not what was typed.
    assert_eq!(records.account_by_login("Ada").await.unwrap(), None);
    assert_eq!(records.account(&account_id()).await.unwrap(), None);
    assert_eq!(records.sequence(&row.id).await.unwrap(), 0);
}

pub(crate) async fn the_first_account_becomes_administrator_and_no_later_one(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (first, second) = (account("first"), account("second"));
    assert_eq!(
        records
            .insert_account(&first, &Admission::Anyone)
            .await
            .unwrap(),
        Role::Administrator
    );
    assert_eq!(
        records
            .insert_account(&second, &Admission::Anyone)
            .await
            .unwrap(),
        Role::User
    );
    // A later row has the role it asks for.
    let third = AccountRow {
        role: Role::Administrator,
        ..account("third")
    };
    assert_eq!(
        records
            .insert_account(&third, &Admission::Anyone)
            .await
            .unwrap(),
        Role::Administrator
    );

    for (row, role) in [(first, Role::Administrator), (second, Role::User)] {
        assert_eq!(records.account(&row.id).await.unwrap().unwrap().role, role);
    }
}

pub(crate) async fn of_twenty_who_race_to_be_first_one_becomes_administrator(fresh: &Fresh) {
    let rows: Vec<AccountRow> = (0..20).map(|i| account(&format!("racer{i}"))).collect();
    let roles = insert_all(fresh, &rows).await;
    let founders = roles
        .iter()
        .filter(|role| matches!(role, Ok(Role::Administrator)))
        .count();
    assert_eq!(founders, 1);
    assert!(roles.iter().all(Result::is_ok));
}

/// R0.3
pub(crate) async fn of_twenty_who_race_for_a_name_one_wins(fresh: &Fresh) {
    let rows: Vec<AccountRow> = (0..20)
        .map(|i| AccountRow {
            email_key: format!("{i}@example.org"),
            ..account("Ada")
        })
        .collect();
    let outcomes = insert_all(fresh, &rows).await;
    let mut winners = Vec::new();
    for (row, outcome) in rows.iter().zip(outcomes) {
        match outcome {
            Ok(role) => winners.push((row.id, role)),
            Err(StoreError::Taken(UniqueField::Username)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    // The losers did not use up the founding either.
    let stored = fresh
        .store
        .records
        .account_by_login("ada")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(winners, [(stored.id, Role::Administrator)]);
}

/// R1.2
pub(crate) async fn a_taken_name_is_refused_and_its_account_untouched(fresh: &Fresh) {
    let rival = AccountRow {
        email_key: "other@example.org".into(),
        ..account("Ada")
    };
    check_refused(&*fresh.store.records, rival, UniqueField::Username).await;
}

/// R0.3
pub(crate) async fn a_taken_address_is_refused_and_its_account_untouched(fresh: &Fresh) {
    let rival = AccountRow {
        username_key: "other".into(),
        username_skeleton: None,
        ..account("Ada")
    };
    check_refused(&*fresh.store.records, rival, UniqueField::Email).await;
}

async fn check_refused(records: &dyn Records, rival: AccountRow, expected: UniqueField) {
    let mut ada = account("Ada");
    ada.role = records
        .insert_account(&ada, &Admission::Anyone)
        .await
        .unwrap();
    match records.insert_account(&rival, &Admission::Anyone).await {
        Err(StoreError::Taken(field)) => assert_eq!(field, expected),
        other => panic!("{other:?}"),
    }
    assert_eq!(records.account(&ada.id).await.unwrap(), Some(ada));
    assert_eq!(records.account(&rival.id).await.unwrap(), None);
}

pub(crate) async fn names_differ_when_one_byte_differs(fresh: &Fresh) {
    let records = &fresh.store.records;
    // Folding is done above the store. Here composed and decomposed letters, letters of other
    // scripts, invisible ones, operators of query languages and a NUL are just bytes.
    let names = [
        "é",
        "e\u{301}",
        "a",
        "а",
        "a\u{200b}",
        "a ",
        "ß",
        "ss",
        "🦀",
        "$ne",
        "{\"$gt\":\"\"}",
        "' OR 1=1 --",
        "%",
        "_",
        "a\0b",
        "a\0c",
        "index: email_key dup key",
        "\u{202e}a",
    ];
    for name in names {
        let row = AccountRow {
            username_key: name.into(),
            ..account(name)
        };
        records
            .insert_account(&row, &Admission::Anyone)
            .await
            .unwrap_or_else(|error| panic!("{name:?}: {error}"));
    }
    for name in names {
        let found = records.account_by_login(name).await.unwrap().unwrap();
        assert_eq!(found.username, name);
        let rival = AccountRow {
            username_key: name.into(),
            email_key: format!("second {name}"),
            ..account("x")
        };
        let refused = records.insert_account(&rival, &Admission::Anyone).await;
        assert!(
            matches!(refused, Err(StoreError::Taken(UniqueField::Username))),
            "{name:?}"
        );
    }
}

pub(crate) async fn a_stale_update_conflicts(fresh: &Fresh) {
    let records = &fresh.store.records;
    let mut row = account("Ada");
    row.role = records
        .insert_account(&row, &Admission::Anyone)
        .await
        .unwrap();

    row.display_name = "Countess".into();
    row.password_wrap = vec![77; 120];
    assert_eq!(records.update_account(&row).await.unwrap(), Updated::Done);
    assert_eq!(
        records.update_account(&row).await.unwrap(),
        Updated::Conflict
    );
    row.revision = 1;
    assert_eq!(records.account(&row.id).await.unwrap(), Some(row));
}

pub(crate) async fn of_twenty_updates_of_one_revision_one_is_done(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = account("Ada");
    records
        .insert_account(&row, &Admission::Anyone)
        .await
        .unwrap();
    let rivals: Vec<AccountRow> = (0..20)
        .map(|i| AccountRow {
            display_name: format!("name {i}"),
            ..row.clone()
        })
        .collect();
    let outcomes = join_all(rivals.iter().map(|rival| records.update_account(rival))).await;
    let stored = records.account(&row.id).await.unwrap().unwrap();
    let mut done = Vec::new();
    for (rival, outcome) in rivals.into_iter().zip(outcomes) {
        match outcome.unwrap() {
            Updated::Done => done.push(rival.display_name),
            other => assert_eq!(other, Updated::Conflict),
        }
    }
    assert_eq!(done, [stored.display_name]);
    assert_eq!(stored.revision, 1);
}

pub(crate) async fn an_update_cannot_take_anothers_address(fresh: &Fresh) {
    let records = &fresh.store.records;
    records
        .insert_account(&account("Ada"), &Admission::Anyone)
        .await
        .unwrap();
    let grace = account("Grace");
    records
        .insert_account(&grace, &Admission::Anyone)
        .await
        .unwrap();
    let thief = AccountRow {
        email_key: "ada@example.org".into(),
        ..grace.clone()
    };
    let refused = records.update_account(&thief).await;
    assert!(matches!(
        refused,
        Err(StoreError::Taken(UniqueField::Email))
    ));
    assert_eq!(records.account(&grace.id).await.unwrap(), Some(grace));
}

pub(crate) async fn an_account_that_is_not_there_cannot_be_updated(fresh: &Fresh) {
    let row = account("nobody");
    assert_eq!(
        fresh.store.records.update_account(&row).await.unwrap(),
        Updated::Missing
    );
    assert_eq!(fresh.store.records.account(&row.id).await.unwrap(), None);
}

/// Of two processes, too.
pub(crate) async fn of_twenty_who_race_where_only_the_first_is_let_in_one_is(fresh: &Fresh) {
    let (here, there) = (&fresh.store, fresh.reopen().await);
    let rows: Vec<AccountRow> = (0..20).map(|i| account(&format!("racer{i}"))).collect();
    let outcomes = join_all(rows.iter().enumerate().map(|(n, row)| {
        let store = if n % 2 == 0 { here } else { &there };
        store.records.insert_account(row, &Admission::OnlyFirst)
    }))
    .await;
    let mut founders = 0;
    for (row, outcome) in rows.iter().zip(outcomes) {
        match outcome {
            Ok(role) => {
                assert_eq!(role, Role::Administrator);
                founders += 1;
            }
            Err(StoreError::NotAdmitted) => {
                assert_eq!(here.records.account(&row.id).await.unwrap(), None);
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(founders, 1);
    // Who is not let in does not learn who is there.
    let taken = &rows[0];
    let again = here.records.insert_account(taken, &Admission::OnlyFirst);
    assert!(matches!(again.await, Err(StoreError::NotAdmitted)));
}

async fn insert_all(fresh: &Fresh, rows: &[AccountRow]) -> Vec<Result<Role, StoreError>> {
    join_all(
        rows.iter()
            .map(|row| fresh.store.records.insert_account(row, &Admission::Anyone)),
    )
    .await
}

pub(crate) async fn new_credentials_end_the_old_sessions_in_one_change(fresh: &Fresh) {
    let records = &fresh.store.records;
    let mut row = account("Ada");
    row.role = records
        .insert_account(&row, &Admission::Anyone)
        .await
        .unwrap();
    let (kept, ended) = (session(row.id), session(row.id));
    let others = session(account_id());
    for session in [&kept, &ended, &others] {
        records.insert_session(session).await.unwrap();
    }
    let changed = AccountRow {
        password_wrap: vec![9; 120],
        ..row.clone()
    };
    let stale = AccountRow {
        revision: 7,
        ..changed.clone()
    };
    // Nothing of a change that does not happen happens.
    assert_eq!(
        records.replace_credentials(&stale, None).await.unwrap(),
        Updated::Conflict
    );
    assert!(records.session(&ended.digest).await.unwrap().is_some());
    let missing = account("nobody");
    assert_eq!(
        records.replace_credentials(&missing, None).await.unwrap(),
        Updated::Missing
    );
    let keep = Some(&kept.digest);
    assert_eq!(
        records.replace_credentials(&changed, keep).await.unwrap(),
        Updated::Done
    );
    let stored = records.account(&row.id).await.unwrap().unwrap();
    assert_eq!(stored.password_wrap, [9; 120]);
    assert_eq!(stored.revision, row.revision + 1);
    assert!(records.session(&kept.digest).await.unwrap().is_some());
    assert_eq!(records.session(&ended.digest).await.unwrap(), None);
    assert!(records.session(&others.digest).await.unwrap().is_some());
}

pub(crate) async fn a_removed_account_takes_everything_with_it_and_nothing_of_others(
    fresh: &Fresh,
) {
    let records = &fresh.store.records;
    let (ada, bob) = (account("Ada"), account("Bob"));
    for row in [&ada, &bob] {
        records
            .insert_account(row, &Admission::Anyone)
            .await
            .unwrap();
        records
            .insert_archive(&archive(row.id, at(5)))
            .await
            .unwrap();
        records
            .insert_image(&image(row.id), &Quota::NONE)
            .await
            .unwrap();
    }
    let ids = |id| async move {
        let changes = records.changes_since(id, 0).await.unwrap();
        changes.count().await
    };
    let tickets = records
        .remove_archives_of(&ada.id, Kept::NOTHING, 5)
        .await
        .unwrap();
    assert_eq!(tickets.len(), 1);
    assert!(
        records
            .remove_archives_of(&ada.id, Kept::NOTHING, 5)
            .await
            .unwrap()
            .is_empty()
    );
    for _ in 0..2 {
        records.remove_account(&ada.id, at(1)).await.unwrap();
    }
    assert_eq!(records.account(&ada.id).await.unwrap(), None);
    assert!(
        records
            .sessions_of(&ada.id, SessionKind::SignIn, at(0), 5)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(records.sequence(&ada.id).await.unwrap(), 0);
    assert!(records.account(&bob.id).await.unwrap().is_some());
    assert_eq!(
        records
            .sessions_of(&bob.id, SessionKind::SignIn, at(0), 5)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(records.sequence(&bob.id).await.unwrap(), 1);
    assert_eq!(ids(&bob.id).await, 1);
    assert_eq!(
        records
            .remove_archives_of(&bob.id, Kept::NOTHING, 5)
            .await
            .unwrap()
            .len(),
        1
    );
    // Its name is free.
    records
        .insert_account(&account("Ada"), &Admission::Anyone)
        .await
        .unwrap();
}

pub(crate) async fn an_account_that_departs_is_noted_until_it_is_forgotten(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (ada, bob) = (account_id(), account_id());
    records.remove_account(&ada, at(20)).await.unwrap();
    records.remove_account(&bob, at(10)).await.unwrap();
    records.remove_account(&ada, at(30)).await.unwrap();
    let noted = [(bob, 10), (ada, 20)].map(|(account, second)| DepartedRow {
        account,
        at: at(second),
    });
    assert_eq!(records.departed(at(99), 5).await.unwrap(), noted);
    assert_eq!(records.departed(at(99), 1).await.unwrap(), noted[..1]);
    assert_eq!(records.departed(at(10), 5).await.unwrap(), noted[..1]);
    records.delete_departed(&bob).await.unwrap();
    records.delete_departed(&bob).await.unwrap();
    assert_eq!(records.departed(at(99), 5).await.unwrap(), noted[1..]);
}
