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
