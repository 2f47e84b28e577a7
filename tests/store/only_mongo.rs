//! What only the MongoDB store has: a server, and a connection to it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use image_vault::store::{self, Admission, Quota, Store, StoreChoice, StoreError};
use mongodb::bson::{Document, doc};
use mongodb::{Client, Database};

use crate::blobs::eventually;
use crate::fresh::{mongodb_uri, on_database};
use crate::proxy::Proxy;
use crate::samples::{SignedIn as _, account, account_id, blob_id, bytes, get, image, pieces, put};
use crate::usage::{BLOCK, tiny_pictures};

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
                .insert_account(&account(&blob_id().to_string()), &Admission::Anyone)
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

/// Documents and indexes, before MongoDB compresses them: it packs many small blobs into one block,
/// so tiny pictures count up to five blocks more than they take here.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_is_told_it_keeps_covers_what_mongodb_keeps_for_it() {
    for record_len in [700, 15_000] {
        on_database(async |uri, database| {
            let store = open(uri).await.unwrap();
            let told = tiny_pictures(&store, 1_000, record_len).await;
            let stats = database.run_command(doc! { "dbStats": 1 }).await.unwrap();
            let size = |field| stats.get_f64(field).unwrap() as u64;
            let (documents, indexes) = (size("dataSize"), size("indexSize"));
            println!("records of {record_len}: told {told}, {documents} + {indexes}");
            let blocks = 5 * 1_000;
            assert!(documents <= told && told <= documents + blocks * BLOCK);
        })
        .await;
    }
}
