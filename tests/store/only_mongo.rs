//! What only the MongoDB store has: a server, and a connection to it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use image_vault::store::{self, Quota, Store, StoreChoice, StoreError};
use mongodb::bson::{Document, doc};
use mongodb::{Client, Database};

use crate::blobs::eventually;
use crate::fresh::{mongodb_uri, on_database};
use crate::proxy::Proxy;
use crate::samples::{account, account_id, at, blob_id, bytes, get, image, pieces, put, session};

const MIB: usize = 1 << 20;

pub(crate) async fn open(uri: &str) -> store::Result<Store> {
    store::open(&StoreChoice::Mongodb {
        uri: uri.to_owned(),
    })
    .await
}

pub(crate) fn collection(database: &Database, name: &str) -> mongodb::Collection<Document> {
    database.collection(name)
}

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
        store.records.insert_account(&ada).await.unwrap();
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
async fn what_an_older_version_kept_is_counted() {
    on_database(async |uri, database| {
        let store = open(uri).await.unwrap();
        let [ada, ben, cleo] = [(); 3].map(|()| account_id());
        for owner in [ada, ada, ben, cleo] {
            let row = image(owner);
            let inserted = store.records.insert_image(&row, &Quota::NONE);
            inserted.await.unwrap();
            if owner == cleo {
                let gone = [row.id];
                let removed = store.records.remove_images(&cleo, &gone, at(0));
                removed.await.unwrap();
            }
        }
        let uncounted = doc! { "$unset": {
            "images": 1, "bytes": 1, "images_allowed": 1, "bytes_allowed": 1,
        } };
        let sequences = collection(database, "sequences");
        sequences.update_many(doc! {}, uncounted).await.unwrap();
        let older = doc! { "$set": { "version": 3_i64 } };
        let meta = collection(database, "meta");
        meta.update_one(doc! { "_id": "schema" }, older)
            .await
            .unwrap();
        let (one, other) = tokio::join!(open(uri), open(uri));
        for store in [one.unwrap(), other.unwrap()] {
            for (owner, images) in [(ada, 2), (ben, 1), (cleo, 0)] {
                let usage = store.records.usage(&owner).await.unwrap();
                let counted = (usage.images, usage.bytes);
                assert_eq!(counted, (images, images * 5_000_000_000));
            }
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

/// The index of a version that did not end the oldest.
#[tokio::test]
async fn tickets_are_found_by_age_also_in_an_older_database() {
    on_database(async |uri, database| {
        open(uri).await.unwrap();
        let archives = collection(database, "archives");
        let names = async || {
            let mut names = archives.list_index_names().await.unwrap();
            names.sort();
            names
        };
        let today = names().await;
        archives.drop_index("by_account_and_age").await.unwrap();
        let old = mongodb::options::IndexOptions::builder().name("by_account".to_owned());
        let index = mongodb::IndexModel::builder()
            .keys(doc! { "account": 1 })
            .options(old.build());
        archives.create_index(index.build()).await.unwrap();
        let older = doc! { "$set": { "version": 6_i64 } };
        let meta = collection(database, "meta");
        meta.update_one(doc! { "_id": "schema" }, older)
            .await
            .unwrap();
        open(uri).await.unwrap();
        assert_eq!(names().await, today);
    })
    .await;
}

/// R0.1
#[tokio::test]
async fn somebody_elses_database_is_refused_and_left_alone() {
    on_database(async |uri, database| {
        collection(database, "images")
            .insert_one(doc! { "name": "cat" })
            .await
            .unwrap();
        let refused = open(uri).await.err().unwrap();
        assert!(matches!(refused, StoreError::Incompatible(_)), "{refused}");
        assert_eq!(database.list_collection_names().await.unwrap(), ["images"]);
    })
    .await;
}

#[tokio::test]
async fn a_standalone_server_is_refused_with_a_sentence() {
    if mongodb_uri().is_none() {
        return;
    }
    let (standalone, _dir) = Standalone::start();
    let uri = format!(
        "mongodb://127.0.0.1:{}/?serverSelectionTimeoutMS=30000",
        standalone.port
    );
    let refused = open(&uri).await.err().unwrap();
    assert!(matches!(refused, StoreError::Incompatible(_)), "{refused}");
    assert!(refused.to_string().contains("--replSet"), "{refused}");
}

struct Standalone {
    process: Child,
    port: u16,
}

impl Standalone {
    fn start() -> (Self, tempfile::TempDir) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/mongod");
        let found = Command::new(script).arg("path").output().unwrap();
        let binary = String::from_utf8(found.stdout).unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let dir = tempfile::tempdir().unwrap();
        let process = Command::new(binary.trim())
            .arg("--dbpath")
            .arg(dir.path())
            .args([
                "--bind_ip",
                "127.0.0.1",
                "--nounixsocket",
                "--port",
                &port.to_string(),
            ])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        (Self { process, port }, dir)
    }
}

impl Drop for Standalone {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// R1.54: before the driver by itself, which looks for half a minute. Needs no server, on the
/// contrary.
#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_soon() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let uri = format!("mongodb://127.0.0.1:{port}/");
    let driver = Client::with_uri_str(&uri).await.unwrap();
    let opened = tokio::select! {
        biased; // were all of this halted for a minute, both would be ready
        opened = open(&uri) => opened,
        found = driver.list_database_names() => panic!("no sooner than the driver: {found:?}"),
    };
    let refused = opened.err().unwrap();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
}

/// Neither printed for people nor for developers, nor in a source.
#[tokio::test]
async fn no_error_holds_the_password() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut uris = vec![
        format!("mongodb://ada:sekret@127.0.0.1:{port}/?serverSelectionTimeoutMS=200"),
        "mongodb://ada:sekret@".into(),
        "mongodb://ada:sek/ret@127.0.0.1/".into(),
        "mongodb://ada:x@sekret@127.0.0.1/".into(),
        "mongodb://ada:x:sekret@127.0.0.1/".into(),
        "mongodb://ada:%sekret@127.0.0.1/".into(),
        "mongodb://ada:sekret@127.0.0.1:port/".into(),
        "mongodb://ada:sekret@127.0.0.1/?tls=perhaps".into(),
        "mongodb://ada:sekret@127.0.0.1/?authMechanism=SEKRET".into(),
        "mongo://ada:sekret@127.0.0.1/".into(),
    ];
    if let Some(server) = mongodb_uri() {
        uris.push(server.replacen("://", "://ada:sekret@", 1));
    }
    for uri in uris {
        let error = open(&uri).await.err().unwrap();
        let mut texts = vec![format!("{error} {error:?}")];
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            texts.push(format!("{cause} {cause:?}"));
            source = cause.source();
        }
        assert!(
            !texts.concat().to_lowercase().contains("sekret"),
            "{uri}: {texts:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_string_without_credentials_is_explained() {
    let refused = open("mongodb://127.0.0.1/?tls=perhaps")
        .await
        .err()
        .unwrap();
    assert!(matches!(refused, StoreError::Incompatible(_)), "{refused}");
    assert!(refused.to_string().contains("tls"), "{refused}");
}

/// R1.54
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_an_error_and_its_return_is_enough() {
    on_database(async |uri, database| {
        let proxy = Arc::new(Proxy::before(uri).await);
        let store = open(&proxy.uri(database.name())).await.unwrap();
        let row = image(account_id());
        store
            .records
            .insert_image(&row, &Quota::NONE)
            .await
            .unwrap();
        let whole = bytes(20 * MIB);
        let blob = put(&*store.blobs, &whole).await;
        let mut download = store.blobs.read(&blob, 0, None).await.unwrap();
        download.next().await.unwrap().unwrap();

        // In the middle of an upload, which pulls these pieces.
        let wire = Arc::clone(&proxy);
        let pieces = pieces(&whole, MIB).enumerate().map(move |(i, piece)| {
            if i == 9 {
                wire.connect(false);
            }
            piece
        });
        let half = blob_id();
        let upload = store.blobs.put(&half, Box::new(pieces)).await;
        assert_given_up(upload);
        let rest: Result<Vec<Bytes>, StoreError> = download.try_collect().await;
        assert_given_up(rest);
        assert_given_up(
            store
                .records
                .insert_image(&image(row.account), &Quota::NONE)
                .await,
        );
        assert_given_up(store.records.image(&row.account, &row.id).await);
        assert_given_up(store.records.ping().await);

        proxy.connect(true);
        eventually(async || store.records.ping().await.is_ok()).await;
        assert_eq!(
            store.records.image(&row.account, &row.id).await.unwrap(),
            Some(row)
        );
        assert!(get(&*store.blobs, &blob, 0, None).await.unwrap() == whole);
        let read = get(&*store.blobs, &half, 0, None).await;
        assert!(matches!(read, Err(StoreError::NotFound)));
    })
    .await;
}

/// Unavailable because the driver said so, which looks for a server half a second here, and not
/// because the store's own patience with a call that never ends ran out.
#[track_caller]
fn assert_given_up<T>(outcome: Result<T, StoreError>) {
    let Err(StoreError::Unavailable(reason)) = outcome else {
        panic!("{:?}", outcome.map(drop));
    };
    let reason = reason.to_string();
    assert!(!reason.contains("gave no answer within"), "{reason}");
}

/// R1.54
#[tokio::test(flavor = "multi_thread")]
async fn all_calls_share_a_pool_of_connections() {
    on_database(async |uri, database| {
        let proxy = Proxy::before(uri).await;
        let store = open(&proxy.uri(database.name())).await.unwrap();
        for _ in 0..30 {
            store.records.ping().await.unwrap();
            store
                .records
                .insert_account(&account(&blob_id().to_string()))
                .await
                .unwrap();
            get(&*store.blobs, &put(&*store.blobs, b"bytes").await, 0, None)
                .await
                .unwrap();
        }
        // Two of them watch the server.
        assert!(proxy.accepted() <= 5, "{} connections", proxy.accepted());
    })
    .await;
}
