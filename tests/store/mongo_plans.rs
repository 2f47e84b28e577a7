//! What only the MongoDB store has: a server that says how it found the documents.

use futures_util::{StreamExt, TryStreamExt};
use image_vault::store::{
    Admission, Allowance, BlobRef, ImageState, Kept, KeyRow, NOUNS, Quota, SessionKind, Store,
    StoreError, TriesRow,
};
use mongodb::bson::{Document, doc};

use crate::blobs::later;
use crate::factors::{factor, pending};
use crate::fresh::on_database;
use crate::only_mongo::{collection, open};
use crate::samples::{
    SignedIn as _, account, archive, at, blob_id, bytes, get, image, image_id, put, renewed,
    session,
};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn no_call_reads_a_whole_collection_or_sorts() {
    on_database(async |uri, database| {
        let store = open(uri).await.unwrap();
        database.run_command(doc! { "profile": 2 }).await.unwrap();
        call_everything(&store).await;
        database.run_command(doc! { "profile": 0 }).await.unwrap();

        let profile = collection(database, "system.profile");
        let slow =
            doc! { "$or": [{ "planSummary": { "$regex": "COLLSCAN" } }, { "hasSortStage": true }] };
        let slow: Vec<Document> = profile
            .find(slow)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        let slow: Vec<&Document> = slow
            .iter()
            .filter_map(|entry| entry.get_document("command").ok())
            .collect();
        assert!(slow.is_empty(), "{slow:#?}");
        let profiled = profile.count_documents(doc! { "planSummary": { "$exists": true } });
        assert!(profiled.await.unwrap() > 30, "the profiler saw too little");
    })
    .await;
}

async fn call_everything(store: &Store) {
    let records = &store.records;
    records.instance_check(&[0; 32]).await.unwrap();
    records.existing_instance_check().await.unwrap();
    let ada = account("Ada");
    records
        .insert_account(&ada, &Admission::Anyone)
        .await
        .unwrap();
    records.account(&ada.id).await.unwrap();
    records.account_by_login("ada").await.unwrap();
    records.update_account(&ada).await.unwrap();
    let login = session(ada.id);
    records.insert_session(&login).await.unwrap();
    records.session(&login.digest).await.unwrap();
    records.session_and_account(&login.digest).await.unwrap();
    records
        .touch_session(&login.digest, at(99), at(999))
        .await
        .unwrap();
    records
        .sessions_of(&ada.id, SessionKind::SignIn, at(0), 5)
        .await
        .unwrap();
    records
        .keys_of_generation(&ada.id, 6, None, 5)
        .await
        .unwrap();
    records.count_keys_of_generation(&ada.id, 6).await.unwrap();
    let key = KeyRow {
        id: image_id(),
        key_wrap: vec![1],
    };
    records.replace_keys(&ada.id, 6, &[key]).await.unwrap();
    records.departed(at(9), 5).await.unwrap();
    records.delete_departed(&ada.id).await.unwrap();
    records
        .replace_credentials(&account("Bob"), Some(&login.digest))
        .await
        .unwrap();
    records
        .delete_sign_ins(&ada.id, &login.digest)
        .await
        .unwrap();
    records.delete_session(&login.digest).await.unwrap();
    let factor = factor(ada.id);
    records.put_factor(&factor).await.unwrap();
    records.put_factor(&factor).await.unwrap();
    records.factor(&ada.id).await.unwrap();
    records.reset_credentials(&account("Bob")).await.unwrap();
    let waiting = pending(ada.id, 60);
    records.insert_pending(&waiting).await.unwrap();
    records.pending(&waiting.digest, at(0)).await.unwrap();
    records.take_pending(&waiting.digest, at(0)).await.unwrap();
    records.has_accounts().await.unwrap();
    records.account_by_skeleton("ada").await.unwrap();
    for after in [None, Some(&ada.id)] {
        let without = records.accounts_without_skeleton(after, 5).await;
        without.unwrap();
    }
    records.invitation(&[1; 32]).await.unwrap();
    let invited = Admission::Invited {
        digest: [1; 32],
        now: at(0),
    };
    let refused = records.insert_account(&account("Cleo"), &invited).await;
    assert!(matches!(refused, Err(StoreError::NotAdmitted)));
    records.events_of(&ada.id, 5).await.unwrap();
    let tries = TriesRow {
        key: [1; 32],
        count: 1,
        last_at: at(0),
    };
    records.replace_tries(None, &tries).await.unwrap();
    records.replace_tries(Some(&tries), &tries).await.unwrap();
    records.tries(&[1; 32]).await.unwrap();
    records.delete_tries(&[1; 32]).await.unwrap();
    let row = image(ada.id);
    let ids = [row.id];
    records.insert_image(&row, &Quota::NONE).await.unwrap();
    records.image(&ada.id, &row.id).await.unwrap();
    records.images(&ada.id, &ids).await.unwrap();
    records
        .images_by_digest(&ada.id, &[row.digest])
        .await
        .unwrap();
    records
        .update_metadata(&ada.id, &[renewed(row.id, 0, b"new")], &Quota::NONE)
        .await
        .unwrap();
    records
        .set_preview(&ada.id, &row.id, &row.thumbnail, &Quota::NONE)
        .await
        .unwrap();
    records
        .set_state(&ada.id, &ids, ImageState::Trashed, at(0))
        .await
        .unwrap();
    records.trashed_before(at(1), 5).await.unwrap();
    records
        .set_state(&ada.id, &ids, ImageState::Active, at(0))
        .await
        .unwrap();
    records
        .referenced_blobs(&[row.original.id, blob_id()])
        .await
        .unwrap();
    records.remove_images(&ada.id, &ids, at(0)).await.unwrap();
    let changes = records.changes_since(&ada.id, 0).await.unwrap();
    assert_eq!(changes.count().await, 1);
    records.sequence(&ada.id).await.unwrap();
    records.usage(&ada.id).await.unwrap();
    let decided = Allowance::AtMost(9);
    records
        .set_allowed(&ada.id, decided, decided)
        .await
        .unwrap();
    let ticket = archive(ada.id, at(5));
    records.insert_archive(&ticket).await.unwrap();
    records.archive(&ada.id, &ticket.id).await.unwrap();
    records
        .remove_archives_of(&ada.id, Kept::NOTHING, 5)
        .await
        .unwrap();
    for noun in NOUNS {
        records.remove_ended(noun, at(9), 5).await.unwrap();
        records.remove_owned(noun, &ada.id, 5).await.unwrap();
    }
    records.remove_account(&ada.id, at(0)).await.unwrap();
    let blob = put(&*store.blobs, &bytes(MIB + 1)).await;
    get(&*store.blobs, &blob, 0, None).await.unwrap();
    let len = (MIB + 1) as u64;
    store.blobs.get(&BlobRef { id: blob, len }).await.unwrap();
    store
        .blobs
        .list_before(later())
        .await
        .unwrap()
        .count()
        .await;
    store.blobs.delete(&blob).await.unwrap();
}
