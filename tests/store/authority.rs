//! What comes by a session comes before its end or not at all.

use std::time::Duration;

use image_vault::ids::AccountId;
use image_vault::store::{
    AccountRow, Admission, Bearer, Inserted, Quota, Records, SessionRow, Store, Updated,
};

use crate::fresh::Fresh;
use crate::samples::{account, account_id, api_token, at, image, session, signed_in};

/// Who insert at the same moment.
const SENDERS: usize = 4;
/// How often each way to end a session is raced.
const ROUNDS: u32 = 2;

pub(crate) async fn an_image_by_a_session_that_has_ended_is_not_stored(fresh: &Fresh) {
    let records = &*fresh.store.records;
    let ada = account_id();
    let by = signed_in(records, ada).await.unwrap();
    let later = |second| Bearer {
        now: at(second),
        ..by
    };
    let idle = SessionRow {
        idle_at: at(99),
        ..session(ada)
    };
    records.insert_session(&idle).await.unwrap();
    let idle = Bearer {
        session: idle.digest,
        now: at(99),
    };
    let never = Bearer {
        session: [7; 32],
        ..by
    };
    let of_another = signed_in(records, account_id()).await.unwrap();
    for ended in [later(1_860), later(3_600), idle, never, of_another] {
        let row = image(ada);
        let outcome = records.insert_image(&row, &ended, &Quota::NONE).await;
        assert_eq!(outcome.unwrap(), Inserted::Stale);
        assert_eq!(records.image(&ada, &row.id).await.unwrap(), None);
    }
    assert_eq!(records.sequence(&ada).await.unwrap(), 0);
    assert_eq!(records.usage(&ada).await.unwrap().images, 0);

    let row = image(ada);
    let insert = || records.insert_image(&row, &by, &Quota::NONE);
    assert_eq!(insert().await.unwrap(), Inserted::New);
    records.delete_session(&by.session).await.unwrap();
    // Who repeats a commit whose answer was lost still finds its own row.
    assert_eq!(insert().await.unwrap(), Inserted::Duplicate(row.id));
    let outcome = records.insert_image(&image(ada), &by, &Quota::NONE).await;
    assert_eq!(outcome.unwrap(), Inserted::Stale);
    // The row of a session reads back as ever after something came by it.
    let token = api_token(ada, 2);
    records.insert_session(&token).await.unwrap();
    let by = Bearer {
        session: token.digest,
        now: at(10),
    };
    let outcome = records.insert_image(&image(ada), &by, &Quota::NONE).await;
    assert_eq!(outcome.unwrap(), Inserted::New);
    let stored = records.session(&token.digest).await.unwrap();
    assert_eq!(stored, Some(token));
}

/// Whichever way it ends, and on whichever process.
pub(crate) async fn once_a_sessions_end_is_stored_nothing_comes_by_it(fresh: &Fresh) {
    let other = fresh.reopen().await;
    for round in 0..ROUNDS {
        for end in [End::SignOut, End::OtherSignIns, End::Password, End::Account] {
            race(&fresh.store, &other, round, end).await;
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum End {
    SignOut,
    OtherSignIns,
    Password,
    Account,
}

impl End {
    async fn come(self, records: &dyn Records, account: &AccountRow, by: &Bearer) {
        match self {
            Self::SignOut => records.delete_session(&by.session).await.unwrap(),
            Self::OtherSignIns => {
                let ended = records.delete_sign_ins(&account.id, &[0; 32]).await;
                assert_eq!(ended.unwrap(), 1);
            }
            Self::Password => {
                let replaced = records.replace_credentials(account, None).await;
                assert_eq!(replaced.unwrap(), Updated::Done);
            }
            Self::Account => records.remove_account(&account.id, at(0)).await.unwrap(),
        }
    }
}

async fn race(store: &Store, other: &Store, round: u32, end: End) {
    let records = &*store.records;
    let account = account(&format!("{end:?}{round}"));
    let admission = Admission::Anyone;
    records.insert_account(&account, &admission).await.unwrap();
    let by = signed_in(records, account.id).await.unwrap();
    let senders = (0..SENDERS).map(|n| {
        let records = [store, other][n % 2].records.clone();
        let id = account.id;
        tokio::spawn(async move {
            loop {
                match records.insert_image(&image(id), &by, &Quota::NONE).await {
                    Ok(Inserted::New) => {}
                    Ok(Inserted::Stale) => return,
                    outcome => panic!("{outcome:?}"),
                }
            }
        })
    });
    let senders: Vec<_> = senders.collect();
    while records.usage(&account.id).await.unwrap().images == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    end.come(&*other.records, &account, &by).await;
    let at_the_end = count(records, &account.id).await;
    for sender in senders {
        sender.await.unwrap();
    }
    assert_eq!(count(records, &account.id).await, at_the_end, "{end:?}");
}

async fn count(records: &dyn Records, account: &AccountId) -> usize {
    use futures_util::StreamExt;
    let changes = records.changes_since(account, 0).await.unwrap();
    changes.count().await
}
