//! Archives' tickets.

use image_vault::store::ArchiveRow;

use crate::fresh::Fresh;
use crate::samples::{account_id, archive, at};

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

pub(crate) async fn expired_tickets_are_handed_back_oldest_first(fresh: &Fresh) {
    let records = &fresh.store.records;
    let rows = [30, 10, 20, 40].map(|second| archive(account_id(), at(second)));
    for row in &rows {
        records.insert_archive(row).await.unwrap();
    }
    let [third, first, second, kept] = &rows;
    let mut removed = records.remove_expired_archives(at(40), 2).await.unwrap();
    removed.sort_by_key(|row: &ArchiveRow| row.expires_at);
    assert_eq!(removed, [first.clone(), second.clone()]);
    assert_eq!(
        records.remove_expired_archives(at(40), 0).await.unwrap(),
        []
    );
    assert_eq!(
        records.remove_expired_archives(at(40), 9).await.unwrap(),
        std::slice::from_ref(third)
    );
    assert_eq!(
        records.remove_expired_archives(at(40), 9).await.unwrap(),
        []
    );
    assert_eq!(
        records.archive(&first.account, &first.id).await.unwrap(),
        None
    );
    assert_eq!(
        records.archive(&kept.account, &kept.id).await.unwrap(),
        Some(kept.clone())
    );
}

pub(crate) async fn the_tickets_before_an_accounts_newest_are_handed_back(fresh: &Fresh) {
    let records = &fresh.store.records;
    let (ada, bob) = (account_id(), account_id());
    let made = |account, second| ArchiveRow {
        created_at: at(second),
        ..archive(account, at(99))
    };
    let rows = [made(ada, 2), made(ada, 1), made(ada, 3), made(bob, 0)];
    for row in &rows {
        records.insert_archive(row).await.unwrap();
    }
    let beyond = |keep, limit| records.remove_archives_of(&ada, keep, limit);
    assert_eq!(beyond(3, 9).await.unwrap(), []);
    assert_eq!(beyond(2, 9).await.unwrap(), [rows[1].clone()]);
    assert_eq!(beyond(0, 0).await.unwrap(), []);
    assert_eq!(beyond(0, 9).await.unwrap().len(), 2);
    let of_bob = records.archive(&bob, &rows[3].id).await.unwrap();
    assert_eq!(of_bob, Some(rows[3].clone()));
}
