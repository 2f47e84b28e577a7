//! Second factors: each change made by whoever read the row last; and what waits for one.

use futures_util::future::join_all;
use image_vault::ids::{AccountId, PasskeyId};
use image_vault::store::{
    Admission, AuthenticatorRow, FactorRow, PasskeyRow, PendingRow, SpareCodesRow, Updated,
};

use crate::fresh::Fresh;
use crate::samples::{account, account_id, at, ended, session};

/// A row that was never stored.
pub(crate) fn factor(account: AccountId) -> FactorRow {
    FactorRow {
        account,
        authenticator: Some(AuthenticatorRow {
            key_wrap: vec![1, 0, 255],
            begun_at: at(1),
            confirmed_at: Some(at(2)),
            last_step: 5_000_000_000,
        }),
        spare_codes: Some(SpareCodesRow {
            key_wrap: vec![2; 120],
            made_at: at(3),
            digests: vec![[7; 32], [8; 32]],
        }),
        passkeys: vec![passkey(1, Some(vec![0, 255])), passkey(2, None)],
        revision: 0,
    }
}

fn passkey(n: u8, master_wrap: Option<Vec<u8>>) -> PasskeyRow {
    PasskeyRow {
        id: PasskeyId::from_bytes([n; 16]),
        name: "Telephone, “Größe”".into(),
        credential: "{\"cred\": [1]}".into(),
        used_at: master_wrap.is_some().then(|| at(5)),
        master_wrap,
        added_at: at(4),
    }
}

pub(crate) fn pending(account: AccountId, expires: i64) -> PendingRow {
    PendingRow {
        digest: rand::random(),
        account: Some(account),
        payload: vec![0, 255, 7],
        expires_at: at(expires),
    }
}

fn stored(row: &FactorRow) -> FactorRow {
    FactorRow {
        revision: row.revision + 1,
        ..row.clone()
    }
}

pub(crate) async fn a_factor_reads_back_as_it_was_put(fresh: &Fresh) {
    let records = &fresh.store.records;
    let whole = factor(account_id());
    let begun = FactorRow {
        authenticator: whole.authenticator.clone().map(|app| AuthenticatorRow {
            confirmed_at: None,
            ..app
        }),
        spare_codes: None,
        passkeys: Vec::new(),
        ..factor(account_id())
    };
    let spent = FactorRow {
        authenticator: None,
        spare_codes: whole.spare_codes.clone().map(|spare| SpareCodesRow {
            digests: Vec::new(),
            ..spare
        }),
        ..factor(account_id())
    };
    for row in [whole, begun, spent] {
        assert_eq!(records.factor(&row.account).await.unwrap(), None);
        assert!(records.put_factor(&row).await.unwrap());
        let read = records.factor(&row.account).await.unwrap();
        assert_eq!(read, Some(stored(&row)));
    }
}

pub(crate) async fn a_factor_is_put_only_over_the_one_that_was_read(fresh: &Fresh) {
    let records = &fresh.store.records;
    let first = factor(account_id());
    let missing = FactorRow {
        revision: 3,
        ..first.clone()
    };
    assert!(!records.put_factor(&missing).await.unwrap());
    assert!(records.put_factor(&first).await.unwrap());
    assert!(!records.put_factor(&first).await.unwrap(), "it is there");
    let changed = FactorRow {
        spare_codes: None,
        ..stored(&first)
    };
    assert!(records.put_factor(&changed).await.unwrap());
    assert!(!records.put_factor(&stored(&first)).await.unwrap());
    let read = records.factor(&first.account).await.unwrap();
    assert_eq!(read, Some(stored(&changed)));
}

pub(crate) async fn of_twenty_who_use_one_code_up_one_has_done_so(fresh: &Fresh) {
    let records = &fresh.store.records;
    let first = factor(account_id());
    let inserted = join_all((0..20).map(|_| records.put_factor(&first))).await;
    let count = |all: Vec<image_vault::store::Result<bool>>| {
        let done = all.into_iter().filter(|done| *done.as_ref().unwrap());
        done.count()
    };
    assert_eq!(count(inserted), 1);
    let used = stored(&first);
    let put = join_all((0..20).map(|_| records.put_factor(&used))).await;
    assert_eq!(count(put), 1);
}

pub(crate) async fn reset_credentials_end_sessions_and_factor_in_one_change(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (ada, bob) = (account("Ada"), account("Bob"));
    for row in [&ada, &bob] {
        records
            .insert_account(row, &Admission::Anyone)
            .await
            .unwrap();
        assert!(records.put_factor(&factor(row.id)).await.unwrap());
    }
    let login = session(ada.id);
    records.insert_session(&login).await.unwrap();
    let mut changed = records.account(&ada.id).await.unwrap().unwrap();
    changed.password_wrap = vec![9; 120];
    let stale = image_vault::store::AccountRow {
        revision: 7,
        ..changed.clone()
    };
    // Nothing of a change that does not happen happens.
    let conflict = records.reset_credentials(&stale).await.unwrap();
    assert_eq!(conflict, Updated::Conflict);
    let before = records.factor(&ada.id).await.unwrap().unwrap();
    assert!(before.authenticator.is_some());
    assert!(records.session(&login.digest).await.unwrap().is_some());

    let done = records.reset_credentials(&changed).await.unwrap();
    assert_eq!(done, Updated::Done);
    assert_eq!(records.session(&login.digest).await.unwrap(), None);
    let after = records.factor(&ada.id).await.unwrap().unwrap();
    assert_eq!((after.authenticator, after.spare_codes), (None, None));
    assert_eq!(after.passkeys, []);
    // Who has read it before does not bring it back.
    assert!(!records.put_factor(&before).await.unwrap());
    let others = records.factor(&bob.id).await.unwrap().unwrap();
    assert!(others.authenticator.is_some());
}

pub(crate) async fn what_is_pending_is_taken_by_one_of_twenty(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = pending(account_id(), 60);
    let nobodys = PendingRow {
        account: None,
        ..pending(account_id(), 60)
    };
    records.insert_pending(&nobodys).await.unwrap();
    let read = records.pending(&nobodys.digest, at(59)).await.unwrap();
    assert_eq!(read, Some(nobodys));
    records.insert_pending(&row).await.unwrap();
    let read = records.pending(&row.digest, at(59)).await.unwrap();
    assert_eq!(read.as_ref(), Some(&row));
    let taken = join_all((0..20).map(|_| records.take_pending(&row.digest, at(1)))).await;
    let taken: Vec<_> = taken.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(taken, std::slice::from_ref(&row));
    assert_eq!(records.pending(&row.digest, at(1)).await.unwrap(), None);
}

pub(crate) async fn what_is_pending_ends_by_itself(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (over, kept) = (pending(account_id(), 10), pending(account_id(), 20));
    for row in [&over, &kept] {
        records.insert_pending(row).await.unwrap();
    }
    assert_eq!(records.pending(&over.digest, at(10)).await.unwrap(), None);
    let taken = records.take_pending(&over.digest, at(10)).await.unwrap();
    assert_eq!(taken, None);
    assert_eq!(ended(&**records, "pending", at(10)).await, 1);
    assert_eq!(records.pending(&over.digest, at(9)).await.unwrap(), None);
    let left = records.pending(&kept.digest, at(10)).await.unwrap();
    assert_eq!(left, Some(kept));
}

pub(crate) async fn a_removed_account_leaves_neither_factor_nor_what_is_pending(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (ada, bob) = (account("Ada"), account("Bob"));
    let waiting = [pending(ada.id, 60), pending(bob.id, 60)];
    for (row, waits) in [&ada, &bob].into_iter().zip(&waiting) {
        records
            .insert_account(row, &Admission::Anyone)
            .await
            .unwrap();
        assert!(records.put_factor(&factor(row.id)).await.unwrap());
        records.insert_pending(waits).await.unwrap();
    }
    records.remove_account(&ada.id, at(1)).await.unwrap();
    assert_eq!(records.factor(&ada.id).await.unwrap(), None);
    assert!(records.factor(&bob.id).await.unwrap().is_some());
    let [gone, left] = &waiting;
    assert_eq!(records.pending(&gone.digest, at(0)).await.unwrap(), None);
    let left = records.pending(&left.digest, at(0)).await.unwrap();
    assert!(left.is_some());
}

pub(crate) async fn nothing_made_before_credentials_were_reset_comes_after_it(fresh: &Fresh) {
    let records = &fresh.store.records;
    let ada = account("Ada");
    records
        .insert_account(&ada, &Admission::Anyone)
        .await
        .unwrap();
    let done = records.reset_credentials(&ada).await.unwrap();
    assert_eq!(done, Updated::Done);
    assert!(!records.put_factor(&factor(ada.id)).await.unwrap());
    let left = records.factor(&ada.id).await.unwrap();
    assert_eq!(left, Some(stored(&FactorRow::none(ada.id))));
}

pub(crate) async fn credentials_and_factor_are_rotated_together_or_not_at_all(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (mut ada, bob) = (account("ada"), account("bob"));
    records
        .insert_account(&ada, &Admission::Anyone)
        .await
        .unwrap();
    records.insert_session(&session(ada.id)).await.unwrap();
    let sessions = async || {
        let kind = image_vault::store::SessionKind::SignIn;
        let found = records.sessions_of(&ada.id, kind, at(0), 9).await;
        found.unwrap().len()
    };
    let row = factor(ada.id);
    assert!(records.put_factor(&row).await.unwrap());
    let mut rotated = ada.clone();
    rotated.mk_generation += 1;
    let current = FactorRow {
        revision: 1,
        passkeys: Vec::new(),
        ..row.clone()
    };
    // None is told of, an older one is, and then an older account.
    let [none, none_of_bob] = [ada.id, bob.id].map(FactorRow::none);
    let rotate = async |account, factor| records.rotate_credentials(account, factor).await.unwrap();
    assert_eq!(rotate(&rotated, &none).await, Updated::Conflict);
    assert_eq!(rotate(&rotated, &row).await, Updated::Conflict);
    let mut stale = rotated.clone();
    stale.revision += 7;
    assert_eq!(rotate(&stale, &current).await, Updated::Conflict);
    assert_eq!(sessions().await, 1);
    let unchanged = records.account(&ada.id).await.unwrap().unwrap();
    assert_eq!(unchanged.mk_generation, ada.mk_generation);
    assert_eq!(
        records.factor(&ada.id).await.unwrap().unwrap().passkeys,
        row.passkeys
    );

    assert_eq!(rotate(&rotated, &current).await, Updated::Done);
    assert_eq!(sessions().await, 0);
    ada = records.account(&ada.id).await.unwrap().unwrap();
    assert_eq!(ada.mk_generation, rotated.mk_generation);
    let after = records.factor(&ada.id).await.unwrap().unwrap();
    assert_eq!((after.passkeys, after.revision), (Vec::new(), 2));
    // Who has no second factor rotates as well.
    records
        .insert_account(&bob, &Admission::Anyone)
        .await
        .unwrap();
    assert_eq!(rotate(&bob, &none_of_bob).await, Updated::Done);
    // And who made one under the old key at that moment does not get it in.
    assert!(!records.put_factor(&factor(bob.id)).await.unwrap());
    let left = records.factor(&bob.id).await.unwrap();
    assert_eq!(left, Some(stored(&none_of_bob)));
}

/// Challenges cost next to nothing to ask for, and have some kilobytes each.
pub(crate) async fn of_very_much_that_is_pending_the_newest_stays(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (ada, bob) = (account_id(), account_id());
    let bobs = pending(bob, 0);
    let nobodys = PendingRow {
        account: None,
        ..pending(bob, 0)
    };
    let most = i64::from(PendingRow::MOST);
    let rows: Vec<PendingRow> = (0..most + 3).map(|second| pending(ada, second)).collect();
    for row in [&bobs, &nobodys].into_iter().chain(&rows) {
        records.insert_pending(row).await.unwrap();
    }
    let is_there = async |row: &PendingRow| {
        let found = records.pending(&row.digest, at(-1)).await;
        found.unwrap().is_some()
    };
    for (n, row) in rows.iter().enumerate() {
        assert_eq!(is_there(row).await, n >= 3, "{n}");
    }
    assert!(is_there(&bobs).await && is_there(&nobodys).await);
}
