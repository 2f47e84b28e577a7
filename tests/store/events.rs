//! What happened to accounts.

use futures_util::{StreamExt, stream};
use image_vault::ids::{AccountId, EventId};
use image_vault::store::{EventKind, EventRow};

use crate::fresh::Fresh;
use crate::samples::{account_id, at, ended};

pub(crate) fn event(account: AccountId, second: i64) -> EventRow {
    EventRow {
        id: EventId::from_bytes(rand::random()),
        account,
        at: at(second),
        kind: EventKind::PasswordChanged,
        device: "Firefox on Linux, “Größe”".into(),
        address: "2001:db8::1".into(),
    }
}

pub(crate) async fn an_accounts_events_come_newest_first(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (ada, bob) = (account_id(), account_id());
    let rows = [event(ada, 1), event(ada, 3), event(ada, 2)];
    for row in rows.iter().chain(&[event(bob, 9)]) {
        records.insert_event(row).await.unwrap();
    }
    let [first, third, second] = rows;
    assert_eq!(
        records.events_of(&ada, 10).await.unwrap(),
        [third.clone(), second, first]
    );
    assert_eq!(records.events_of(&ada, 1).await.unwrap(), [third]);
    assert!(
        records
            .events_of(&account_id(), 10)
            .await
            .unwrap()
            .is_empty()
    );
}

const YEAR: i64 = 365 * 24 * 60 * 60;

pub(crate) async fn old_events_are_forgotten(fresh: &Fresh) {
    let records = &fresh.store.records;
    let ada = account_id();
    let kept = event(ada, 60);
    for row in [&event(ada, 10), &event(ada, 59), &kept] {
        records.insert_event(row).await.unwrap();
    }
    assert_eq!(ended(&**records, "events", at(59 + YEAR)).await, 2);
    assert_eq!(records.events_of(&ada, 10).await.unwrap(), [kept]);
}

/// Whoever proves to be the owner ten times a second fills no disk with what is noted of it.
pub(crate) async fn of_very_many_events_the_newest_stay(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (ada, bob) = (account_id(), account_id());
    records.insert_event(&event(bob, 0)).await.unwrap();
    let most = i64::from(EventRow::MOST);
    let some = |seconds: std::ops::Range<i64>| {
        stream::iter(seconds).for_each_concurrent(16, |second| async move {
            records.insert_event(&event(ada, second)).await.unwrap();
        })
    };
    some(0..most).await;
    assert_eq!(times(fresh, &ada).await.last(), Some(&at(0)), "all of them");
    some(most..most + 20).await;
    records.insert_event(&event(ada, most + 20)).await.unwrap();
    let kept = times(fresh, &ada).await;
    assert_eq!(kept.len() as i64, most);
    assert_eq!(kept.last(), Some(&at(21)));
    assert_eq!(times(fresh, &bob).await, [at(0)]);
}

async fn times(fresh: &Fresh, account: &AccountId) -> Vec<jiff::Timestamp> {
    let events = fresh.store.records.events_of(account, 10_000).await;
    events.unwrap().into_iter().map(|event| event.at).collect()
}
