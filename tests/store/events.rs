//! What happened to accounts.

use image_vault::ids::EventId;
use image_vault::store::{EventKind, EventRow};

use crate::fresh::Fresh;
use crate::samples::{account_id, at};

fn event(account: image_vault::ids::AccountId, second: i64) -> EventRow {
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

pub(crate) async fn old_events_are_forgotten(fresh: &Fresh) {
    let records = &fresh.store.records;
    let ada = account_id();
    let kept = event(ada, 60);
    for row in [&event(ada, 10), &event(ada, 59), &kept] {
        records.insert_event(row).await.unwrap();
    }
    assert_eq!(records.purge_events(at(60)).await.unwrap(), 2);
    assert_eq!(records.events_of(&ada, 10).await.unwrap(), [kept]);
}
