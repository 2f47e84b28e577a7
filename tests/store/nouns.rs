//! What holds for every kind of row: the cases walk the table of nouns, so a new noun that has no
//! sample here fails them, and so does a table or a collection that the table does not name.

use std::collections::{BTreeSet, HashSet};

use image_vault::ids::{AccountId, BlobId};
use image_vault::store::{
    Admission, Allowance, BlobRef, DepartedRow, InvitationRow, NOUNS, Noun, Quota, Records, Store,
    TriesRow,
};

use crate::events::event;
use crate::factors::{factor, pending};
use crate::fresh::Fresh;
use crate::samples::{account, account_id, archive, at, blob_id, ended, image, insert, session};

/// Later than any row of a sample lives.
const LATER: i64 = 10 * 365 * 24 * 60 * 60;

/// Stores a row of the noun, an account's where it has an owner; returns the blobs that it holds.
async fn store_sample(records: &dyn Records, noun: &Noun, ada: AccountId) -> Vec<BlobId> {
    match noun.name {
        "accounts" => {
            let row = image_vault::store::AccountRow {
                id: ada,
                ..account(&format!("{ada}"))
            };
            let stored = records.insert_account(&row, &Admission::Anyone).await;
            stored.map(drop).unwrap();
        }
        "departed" => {
            let gone = account_id();
            records.remove_account(&gone, at(0)).await.unwrap();
            let noted = records.departed(at(9), 99).await.unwrap();
            let noted_one = DepartedRow {
                account: gone,
                at: at(0),
            };
            assert!(noted.contains(&noted_one));
        }
        "sessions" => records.insert_session(&session(ada)).await.unwrap(),
        "invitations" => {
            let row = InvitationRow {
                digest: rand::random(),
                created_at: at(0),
                expires_at: at(60),
            };
            records.insert_invitation(&row).await.unwrap();
        }
        "events" => records.insert_event(&event(ada, 1)).await.unwrap(),
        "factors" => assert!(records.put_factor(&factor(ada)).await.unwrap()),
        "pending" => records.insert_pending(&pending(ada, 60)).await.unwrap(),
        "tries" => {
            let row = TriesRow {
                key: rand::random(),
                count: 1,
                last_at: at(0),
            };
            assert!(records.replace_tries(None, &row).await.unwrap());
        }
        "sequences" => {
            let decided = Allowance::AtMost(1 << 40);
            assert!(records.set_allowed(&ada, decided, decided).await.unwrap());
        }
        "images" => {
            let row = image(ada);
            insert(records, &row, &Quota::NONE).await.unwrap();
            let (id, len) = (blob_id(), 9);
            let preview = BlobRef { id, len };
            let noted = records.set_preview(&ada, &row.id, &preview, &Quota::NONE);
            assert!(noted.await.unwrap());
            let blobs = row.blobs().map(|blob| blob.id);
            return blobs.chain([id]).collect();
        }
        "tombstones" => {
            let row = image(ada);
            insert(records, &row, &Quota::NONE).await.unwrap();
            let removed = records.remove_images(&ada, &[row.id], at(0)).await;
            assert_eq!(removed.unwrap().len(), 1);
        }
        "archives" => {
            let row = archive(ada, at(60));
            records.insert_archive(&row).await.unwrap();
            return vec![row.plan.id];
        }
        other => panic!("no sample of {other:?}: what ends, goes or stays of it is under no test"),
    }
    Vec::new()
}

/// A row of every noun, of two accounts; returns the accounts and the blobs of each.
async fn stored(store: &Store) -> [(AccountId, HashSet<BlobId>); 2] {
    let mut people = [(); 2].map(|()| (account_id(), HashSet::new()));
    for (who, blobs) in &mut people {
        for noun in NOUNS {
            let held = store_sample(&*store.records, noun, *who).await;
            assert_eq!(held.is_empty(), !noun.holds_blobs(), "{}", noun.name);
            blobs.extend(held);
        }
    }
    people
}

pub(crate) async fn every_table_is_of_a_noun(fresh: &Fresh) {
    stored(&fresh.store).await;
    let known: BTreeSet<String> = NOUNS.iter().map(|noun| noun.name.to_owned()).collect();
    assert_eq!(fresh.tables().await, known);
    for noun in NOUNS {
        let rows = fresh.rows(noun.name).await;
        assert!(!rows.is_empty(), "{} has no row", noun.name);
    }
}

pub(crate) async fn every_blob_of_a_row_is_referenced_until_the_row_is_gone(fresh: &Fresh) {
    let [(ada, of_ada), (_, of_ben)] = stored(&fresh.store).await;
    let records = &fresh.store.records;
    let unknown = blob_id();
    let all: Vec<BlobId> = of_ada
        .iter()
        .chain(&of_ben)
        .copied()
        .chain([unknown])
        .collect();
    let referenced = async || records.referenced_blobs(&all).await.unwrap();
    assert_eq!(referenced().await, &of_ada | &of_ben);
    let mut followed = HashSet::new();
    for noun in NOUNS {
        // In several goes.
        loop {
            let removed = records.remove_owned(noun, &ada, 1).await.unwrap();
            followed.extend(removed.blobs);
            if removed.rows == 0 {
                break;
            }
        }
    }
    assert_eq!(
        followed, of_ada,
        "all are handed back, for their bytes to follow"
    );
    assert_eq!(referenced().await, of_ben);
}

pub(crate) async fn nothing_names_an_account_that_departed_but_the_note_of_it(fresh: &Fresh) {
    let [(ada, _), (ben, _)] = stored(&fresh.store).await;
    let records = &fresh.store.records;
    let naming = async |account: AccountId| {
        let mut naming = Vec::new();
        for noun in NOUNS {
            let rows = fresh.rows(noun.name).await;
            let id = account.to_string();
            if rows.iter().any(|row| row.contains(&id)) {
                naming.push(noun.name);
            }
        }
        naming
    };
    let owned: Vec<&str> = NOUNS
        .iter()
        .filter(|noun| noun.is_owned())
        .map(|noun| noun.name)
        .collect();
    assert_eq!(naming(ada).await, owned, "each row says whose it is");
    records.remove_account(&ada, at(1)).await.unwrap();
    for noun in NOUNS.iter().filter(|noun| noun.holds_blobs()) {
        records.remove_owned(noun, &ada, 99).await.unwrap();
    }
    assert_eq!(naming(ada).await, ["departed"]);
    assert_eq!(naming(ben).await, owned, "another's rows stay");
}

pub(crate) async fn what_ends_by_itself_is_removed_at_its_time_and_nothing_else(fresh: &Fresh) {
    stored(&fresh.store).await;
    let records = &fresh.store.records;
    let counted = async |noun: &Noun| fresh.rows(noun.name).await.len();
    for noun in NOUNS {
        let before = counted(noun).await;
        assert_eq!(
            ended(&**records, noun.name, at(1)).await,
            0,
            "{}",
            noun.name
        );
        assert_eq!(counted(noun).await, before, "{}", noun.name);
        let gone = ended(&**records, noun.name, at(LATER)).await;
        let left = if noun.ends() { 0 } else { before };
        assert_eq!(counted(noun).await, left, "{}", noun.name);
        assert_eq!(gone as usize, before - left, "{}", noun.name);
    }
}
