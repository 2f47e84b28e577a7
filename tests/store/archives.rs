//! Archives' tickets.

use image_vault::store::Kept;

use crate::fresh::Fresh;
use crate::samples::{account_id, archive, at, noun};

pub(crate) async fn a_ticket_reads_back_for_its_owner(fresh: &Fresh) {
    let records = &fresh.store.records;
    let row = archive(account_id(), at(5));
    records.insert_archive(&row).await.unwrap();
    assert_eq!(
        records.archive(&row.account, &row.id).await.unwrap(),
        Some(row.clone())
    );
    assert_eq!(records.archive(&account_id(), &row.id).await.unwrap(), None);
}

pub(crate) async fn tickets_that_have_ended_hand_back_their_blobs_oldest_first(fresh: &Fresh) {
    let records = &fresh.store.records;
    let rows = [30, 10, 20, 40].map(|second| archive(account_id(), at(second)));
    for row in &rows {
        records.insert_archive(row).await.unwrap();
    }
    let [third, first, second, kept] = &rows;
    let ended = async |limit| {
        let archives = noun("archives");
        let removed = records.remove_ended(archives, at(39), limit).await.unwrap();
        assert_eq!(removed.rows, removed.blobs.len() as u64);
        removed.blobs
    };
    let mut removed = ended(2).await;
    removed.sort();
    let mut oldest = [first.plan.id, second.plan.id];
    oldest.sort();
    assert_eq!(removed, oldest);
    assert_eq!(ended(0).await, []);
    assert_eq!(ended(9).await, [third.plan.id]);
    assert_eq!(ended(9).await, []);
    let gone = records.archive(&first.account, &first.id).await.unwrap();
    assert_eq!(gone, None);
    let left = records.archive(&kept.account, &kept.id).await.unwrap();
    assert_eq!(left, Some(kept.clone()));
}

pub(crate) async fn the_tickets_before_an_accounts_newest_are_handed_back(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (ada, bob) = (account_id(), account_id());
    let made = |account, second, len| {
        let mut row = archive(account, at(99));
        (row.created_at, row.plan.len) = (at(second), len);
        row
    };
    let second = made(ada, 2, 5_000_000_000);
    let first = made(ada, 1, 1);
    let fourth = made(ada, 4, 10);
    let third = made(ada, 3, 10);
    let of_bob = made(bob, 0, 1);
    for row in [&second, &first, &fourth, &third, &of_bob] {
        records.insert_archive(row).await.unwrap();
    }
    let beyond = async |count, bytes, limit| {
        let kept = Kept { count, bytes };
        let gone = records.remove_archives_of(&ada, kept, limit).await;
        gone.unwrap()
    };
    assert_eq!(beyond(4, 5_000_000_021, 9).await, []);
    assert_eq!(beyond(3, u64::from(u32::MAX) * 2, 9).await, [first]);
    assert_eq!(beyond(9, 5_000_000_019, 9).await, [second]);
    assert_eq!(beyond(0, 0, 0).await, []);
    assert_eq!(beyond(1, 20, 9).await, [third]);
    assert_eq!(beyond(1, 9, 9).await, [fourth]);
    let left = records.archive(&bob, &of_bob.id).await.unwrap();
    assert_eq!(left, Some(of_bob));
}
