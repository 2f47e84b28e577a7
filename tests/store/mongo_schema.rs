//! Databases that another version of the program wrote.

use image_vault::store::{AccountRow, Admission, Quota, StoreError};
use mongodb::bson::doc;

use crate::fresh::on_database;
use crate::only_mongo::{collection, open};
use crate::samples::{SignedIn as _, account, account_id, at, image, session};

/// R0.1
#[tokio::test]
async fn a_newer_schema_is_refused_with_a_sentence() {
    on_database(async |uri, database| {
        open(uri).await.unwrap();
        let newer = doc! { "$set": { "version": 1_000_i64 } };
        collection(database, "meta")
            .update_one(doc! { "_id": "schema" }, newer)
            .await
            .unwrap();
        let refused = open(uri).await.err().unwrap();
        assert!(matches!(refused, StoreError::Incompatible(_)), "{refused}");
        assert!(
            refused.to_string().contains("newer Image Vault"),
            "{refused}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_version_1_wrote_is_complete_in_version_2() {
    on_database(async |uri, database| {
        let store = open(uri).await.unwrap();
        let (ada, login) = (account("Ada"), session(account_id()));
        store
            .records
            .insert_account(&ada, &Admission::Anyone)
            .await
            .unwrap();
        store.records.insert_session(&login).await.unwrap();
        let new_fields = doc! { "$unset": {
            "password_set_at": 1, "recovery_made_at": 1, "recovery_proven_at": 1,
            "idle_at": 1, "address": 1,
        } };
        for name in ["accounts", "sessions"] {
            let rows = collection(database, name);
            rows.update_many(doc! {}, new_fields.clone()).await.unwrap();
        }
        let older = doc! { "$set": { "version": 1_i64 } };
        let meta = collection(database, "meta");
        meta.update_one(doc! { "_id": "schema" }, older)
            .await
            .unwrap();
        let store = open(uri).await.unwrap();
        let row = store.records.account(&ada.id).await.unwrap().unwrap();
        assert_eq!(row.password_set_at, ada.created_at);
        assert_eq!(row.recovery_made_at, ada.created_at);
        assert_eq!(row.recovery_proven_at, None);
        let row = store.records.session(&login.digest).await.unwrap().unwrap();
        assert_eq!(row.idle_at, at(60 + 30 * 60));
        assert_eq!(row.address, "");
    })
    .await;
}

/// By two processes that start at once, as on every later start.
#[tokio::test(flavor = "multi_thread")]
async fn what_older_versions_kept_is_counted_anew() {
    on_database(async |uri, database| {
        let store = open(uri).await.unwrap();
        let [ada, ben, cleo, dan] = [(); 4].map(|()| account_id());
        for owner in [ada, ada, ben, cleo, dan] {
            let row = image(owner);
            let inserted = store.records.insert_image(&row, &Quota::NONE);
            inserted.await.unwrap();
            if owner == cleo {
                let gone = [row.id];
                let removed = store.records.remove_images(&cleo, &gone, at(0));
                removed.await.unwrap();
            }
        }
        // An original, a thumbnail, a block more for each, and a record.
        let counted_one = (1_220_704 + 5 + 2 + 1) * 4_096;
        let sequences = collection(database, "sequences");
        let meta = collection(database, "meta");
        // Counted nothing, counted originals, and was interrupted behind the first account.
        let uncounted = doc! { "$unset": {
            "images": 1, "kept": 1, "images_allowed": 1, "bytes_allowed": 1,
        } };
        let of_originals = doc! {
            "$set": { "images": 7_i64, "bytes": 7_i64 }, "$unset": { "kept": 1 },
        };
        let others = doc! { "_id": { "$ne": ada.to_string() } };
        for (version, those, written) in [
            (3_i64, doc! {}, uncounted),
            (7, doc! {}, of_originals.clone()),
            (7, others, of_originals),
        ] {
            sequences.update_many(those, written).await.unwrap();
            let older = doc! { "$set": { "version": version } };
            meta.update_one(doc! { "_id": "schema" }, older)
                .await
                .unwrap();
            let (one, other) = tokio::join!(open(uri), open(uri));
            for store in [one.unwrap(), other.unwrap()] {
                for (owner, images) in [(ada, 2), (ben, 1), (cleo, 0), (dan, 1)] {
                    let usage = store.records.usage(&owner).await.unwrap();
                    let counted = (usage.images, usage.bytes);
                    assert_eq!(counted, (images, images * counted_one));
                }
            }
            let leftover = sequences.count_documents(doc! { "bytes": { "$exists": true } });
            assert_eq!(leftover.await.unwrap(), 0);
        }
        // Who comes late with an old count changes nothing.
        store
            .records
            .insert_image(&image(ben), &Quota::NONE)
            .await
            .unwrap();
        let older = doc! { "$set": { "version": 3_i64 } };
        meta.update_one(doc! { "_id": "schema" }, older)
            .await
            .unwrap();
        let store = open(uri).await.unwrap();
        assert_eq!(store.records.usage(&ben).await.unwrap().images, 2);
    })
    .await;
}

/// The indexes of versions that did not end the oldest.
#[tokio::test]
async fn what_has_an_oldest_is_found_by_age_also_in_an_older_database() {
    on_database(async |uri, database| {
        open(uri).await.unwrap();
        for (name, version) in [("archives", 6_i64), ("pending", 7)] {
            let rows = collection(database, name);
            let names = async || {
                let mut names = rows.list_index_names().await.unwrap();
                names.sort();
                names
            };
            let today = names().await;
            rows.drop_index("by_account_and_age").await.unwrap();
            let old = mongodb::options::IndexOptions::builder().name("by_account".to_owned());
            let index = mongodb::IndexModel::builder()
                .keys(doc! { "account": 1 })
                .options(old.build());
            rows.create_index(index.build()).await.unwrap();
            let older = doc! { "$set": { "version": version } };
            let meta = collection(database, "meta");
            meta.update_one(doc! { "_id": "schema" }, older)
                .await
                .unwrap();
            open(uri).await.unwrap();
            assert_eq!(names().await, today, "{name}");
        }
    })
    .await;
}

/// By two processes that start at once, as on every later start.
#[tokio::test(flavor = "multi_thread")]
async fn names_of_an_older_database_have_no_look_and_two_new_ones_not_the_same() {
    on_database(async |uri, database| {
        let store = open(uri).await.unwrap();
        let accounts = collection(database, "accounts");
        let insert = async |name: &str, skeleton: &str| {
            let row = AccountRow {
                username_skeleton: Some(skeleton.into()),
                ..account(name)
            };
            store.records.insert_account(&row, &Admission::Anyone).await
        };
        insert("Ada", "a").await.unwrap();
        insert("Bob", "b").await.unwrap();
        let unset = doc! { "$unset": { "username_skeleton": 1 } };
        accounts.update_many(doc! {}, unset).await.unwrap();
        for name in ["username_skeleton", "by_skeleton"] {
            accounts.drop_index(name).await.unwrap();
        }
        let older = doc! { "$set": { "version": 9_i64 } };
        let meta = collection(database, "meta");
        meta.update_one(doc! { "_id": "schema" }, older)
            .await
            .unwrap();
        let (one, other) = tokio::join!(open(uri), open(uri));
        for store in [one.unwrap(), other.unwrap()] {
            let without = store.records.accounts_without_skeleton(None, 9);
            assert_eq!(without.await.unwrap().len(), 2);
        }
        insert("Cleo", "c").await.unwrap();
        let refused = insert("Cléo", "c").await;
        assert!(matches!(refused, Err(StoreError::Taken(_))), "{refused:?}");
    })
    .await;
}
