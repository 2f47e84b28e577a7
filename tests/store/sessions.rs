//! Sessions: their lives.

use futures_util::{StreamExt, stream};
use image_vault::store::{Admission, SessionKind, SessionRow};

use crate::fresh::Fresh;
use crate::samples::{account, account_id, api_token, at, ended, session};

const SIGN_IN: SessionKind = SessionKind::SignIn;

pub(crate) async fn a_session_reads_back(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = session(account_id());
    records.insert_session(&row).await.unwrap();
    assert_eq!(records.session(&row.digest).await.unwrap(), Some(row));
    assert_eq!(records.session(&[0; 32]).await.unwrap(), None);
}

pub(crate) async fn a_session_comes_with_its_account(fresh: &Fresh) {
    let records = &fresh.store.records;
    let mut account = account("ada");
    account.role = records
        .insert_account(&account, &Admission::Anyone)
        .await
        .unwrap();
    let row = session(account.id);
    records.insert_session(&row).await.unwrap();
    let orphan = session(account_id());
    records.insert_session(&orphan).await.unwrap();

    let both = records.session_and_account(&row.digest).await.unwrap();
    assert_eq!(both, Some((row, account)));
    for digest in [orphan.digest, [0; 32]] {
        assert_eq!(records.session_and_account(&digest).await.unwrap(), None);
    }
}

pub(crate) async fn a_use_is_noted_and_never_undone(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = session(account_id());
    records.insert_session(&row).await.unwrap();
    records
        .touch_session(&row.digest, at(300), at(2_100))
        .await
        .unwrap();
    // Another process was slower to note an earlier use.
    records
        .touch_session(&row.digest, at(120), at(1_920))
        .await
        .unwrap();
    let touched = SessionRow {
        last_seen_at: at(300),
        idle_at: at(2_100),
        ..row
    };
    assert_eq!(
        records.session(&touched.digest).await.unwrap(),
        Some(touched)
    );
}

pub(crate) async fn a_session_that_is_gone_stays_gone(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = session(account_id());
    records.insert_session(&row).await.unwrap();
    records.delete_session(&row.digest).await.unwrap();
    records.delete_session(&row.digest).await.unwrap();
    records
        .touch_session(&row.digest, at(300), at(2_100))
        .await
        .unwrap();
    assert_eq!(records.session(&row.digest).await.unwrap(), None);
}

pub(crate) async fn expired_and_idle_sessions_are_removed(fresh: &Fresh) {
    let records = &fresh.store.records;
    let kept = session(account_id());
    let expired = SessionRow {
        expires_at: at(1_000),
        ..session(account_id())
    };
    let idle = SessionRow {
        idle_at: at(999),
        ..session(account_id())
    };
    for row in [&kept, &expired, &idle] {
        records.insert_session(row).await.unwrap();
    }
    // A session ends at its last moment.
    assert_eq!(ended(&**records, "sessions", at(1_000)).await, 2);
    assert_eq!(records.session(&kept.digest).await.unwrap(), Some(kept));
    assert_eq!(records.session(&expired.digest).await.unwrap(), None);
    assert_eq!(records.session(&idle.digest).await.unwrap(), None);
}

pub(crate) async fn an_accounts_sessions_are_listed_and_ended_but_one(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (ada, bob) = (account_id(), account_id());
    let begun = |account, second| SessionRow {
        created_at: at(second),
        ..session(account)
    };
    let rows = [begun(ada, 1), begun(ada, 3), begun(ada, 2)];
    let other = begun(bob, 4);
    for row in rows.iter().chain([&other]) {
        records.insert_session(row).await.unwrap();
    }
    let [first, third, second] = rows;
    assert_eq!(
        records.sessions_of(&ada, SIGN_IN, at(0), 10).await.unwrap(),
        [third.clone(), second.clone(), first]
    );
    assert_eq!(
        records.sessions_of(&ada, SIGN_IN, at(0), 1).await.unwrap(),
        [third]
    );
    let ended = records
        .sessions_of(&ada, SIGN_IN, at(1_860), 10)
        .await
        .unwrap();
    assert!(ended.is_empty(), "idle for too long");
    assert_eq!(
        records.delete_sign_ins(&ada, &second.digest).await.unwrap(),
        2
    );
    assert_eq!(
        records.sessions_of(&ada, SIGN_IN, at(0), 10).await.unwrap(),
        [second]
    );
    assert_eq!(
        records.sessions_of(&bob, SIGN_IN, at(0), 10).await.unwrap(),
        [other]
    );
}

pub(crate) async fn api_tokens_are_listed_apart_and_stay_when_sign_ins_end(fresh: &Fresh) {
    let records = &fresh.store.records;
    let ada = account_id();
    let (login, token) = (session(ada), api_token(ada, 5));
    for row in [&login, &token] {
        records.insert_session(row).await.unwrap();
        assert_eq!(
            records.session(&row.digest).await.unwrap().as_ref(),
            Some(row)
        );
    }
    let of = async |kind| records.sessions_of(&ada, kind, at(0), 10).await.unwrap();
    assert_eq!(of(SIGN_IN).await, [login]);
    assert_eq!(
        of(SessionKind::ApiToken).await,
        std::slice::from_ref(&token)
    );
    assert_eq!(records.delete_sign_ins(&ada, &[0; 32]).await.unwrap(), 1);
    assert_eq!(of(SIGN_IN).await, []);
    assert_eq!(of(SessionKind::ApiToken).await, [token]);
}

/// Whoever signs in again and again fills no disk.
pub(crate) async fn of_very_many_sign_ins_the_newest_stay_and_every_token(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (ada, bob) = (account_id(), account_id());
    let later = |row: SessionRow, second| SessionRow {
        created_at: at(second),
        ..row
    };
    let token = later(api_token(ada, 1), -9);
    let bobs = later(session(bob), -9);
    let first = later(session(ada), 0);
    for row in [&token, &bobs, &first] {
        records.insert_session(row).await.unwrap();
    }
    let most = i64::from(SessionRow::MOST_SIGN_INS);
    let some = |seconds: std::ops::Range<i64>| {
        stream::iter(seconds).for_each_concurrent(16, |second| async move {
            let row = later(session(ada), second);
            records.insert_session(&row).await.unwrap();
        })
    };
    some(1..most).await;
    assert!(records.session(&first.digest).await.unwrap().is_some());
    some(most..most + 20).await;
    some(most + 20..most + 21).await;
    let kept = records.sessions_of(&ada, SIGN_IN, at(0), 10_000).await;
    let kept = kept.unwrap();
    assert_eq!(kept.len() as i64, most);
    assert_eq!(kept.last().unwrap().created_at, at(21));
    for row in [&token, &bobs] {
        assert!(records.session(&row.digest).await.unwrap().is_some());
    }
}
