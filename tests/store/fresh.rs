//! An empty store for each case, and a look behind it.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;

use futures_util::{FutureExt, TryStreamExt};
use image_vault::ids::BlobId;
use image_vault::store::{self, Store, StoreChoice};
use mongodb::bson::{Document, doc};
use mongodb::{Client, Database};

/// A store that nobody else uses.
pub(crate) struct Fresh {
    pub(crate) store: Store,
    pub(crate) choice: StoreChoice,
    inside: Inside,
}

enum Inside {
    Embedded(PathBuf),
    Mongo(Database),
}

impl Fresh {
    /// Opens the same store once more, as a second process or a later start does.
    pub(crate) async fn reopen(&self) -> Store {
        store::open(&self.choice).await.unwrap()
    }

    /// Files or documents that belong to blobs, whole or not.
    pub(crate) async fn remains(&self) -> u64 {
        match &self.inside {
            Inside::Embedded(dir) => files_below(dir).len() as u64,
            Inside::Mongo(database) => {
                let count = async |name| {
                    database
                        .collection::<Document>(name)
                        .count_documents(doc! {})
                        .await
                        .unwrap()
                };
                count("blobs.files").await + count("blobs.chunks").await
            }
        }
    }

    /// The names of all tables or collections, but those of single values and of blobs.
    pub(crate) async fn tables(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = match &self.inside {
            Inside::Embedded(dir) => {
                let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
                query(dir, tables).into_iter().flatten().collect()
            }
            Inside::Mongo(database) => {
                let names = database.list_collection_names().await.unwrap();
                names.into_iter().collect()
            }
        };
        names.retain(|name| !["meta", "blobs.files", "blobs.chunks"].contains(&name.as_str()));
        names
    }

    /// What each row of a table or collection holds, as text.
    pub(crate) async fn rows(&self, table: &str) -> Vec<String> {
        match &self.inside {
            Inside::Embedded(dir) => {
                let rows = query(dir, &format!("SELECT * FROM {table}"));
                rows.into_iter().map(|row| row.join(" ")).collect()
            }
            Inside::Mongo(database) => {
                let rows = database.collection::<Document>(table).find(doc! {}).await;
                let rows: Vec<Document> = rows.unwrap().try_collect().await.unwrap();
                rows.iter().map(Document::to_string).collect()
            }
        }
    }

    /// Takes away the last byte of a stored blob.
    pub(crate) async fn cut(&self, id: &BlobId) {
        self.change_last_piece(id, |bytes| bytes.truncate(bytes.len() - 1))
            .await;
    }

    /// Adds a byte to a stored blob.
    pub(crate) async fn lengthen(&self, id: &BlobId) {
        self.change_last_piece(id, |bytes| bytes.push(0)).await;
    }

    async fn change_last_piece(&self, id: &BlobId, change: impl FnOnce(&mut Vec<u8>)) {
        match &self.inside {
            Inside::Embedded(dir) => {
                let path = blob_file(dir, id);
                let mut bytes = fs::read(&path).unwrap();
                change(&mut bytes);
                fs::write(&path, bytes).unwrap();
            }
            Inside::Mongo(database) => {
                let chunks = database.collection::<Document>("blobs.chunks");
                let last = chunks
                    .find_one(doc! { "files_id": id.to_string() })
                    .sort(doc! { "n": -1 })
                    .await
                    .unwrap()
                    .unwrap();
                let mut bytes = last.get_binary_generic("data").unwrap().clone();
                change(&mut bytes);
                let data = mongodb::bson::Binary {
                    subtype: 0.into(),
                    bytes,
                };
                let this = doc! { "_id": last.get_object_id("_id").unwrap() };
                chunks
                    .update_one(this, doc! { "$set": { "data": data } })
                    .await
                    .unwrap();
            }
        }
    }
}

/// The texts in each row that a statement finds in a data directory's database.
fn query(dir: &Path, sql: &str) -> Vec<Vec<String>> {
    let database = rusqlite::Connection::open(dir.join("vault.db")).unwrap();
    let mut select = database.prepare(sql).unwrap();
    let columns = select.column_count();
    let texts = |row: &rusqlite::Row<'_>| {
        let texts = (0..columns).filter_map(|at| row.get::<_, String>(at).ok());
        Ok(texts.collect())
    };
    let rows = select.query_map((), texts).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

/// Runs a case on an embedded store.
pub(crate) async fn on_embedded(case: impl AsyncFnOnce(&Fresh)) {
    let dir = tempfile::tempdir().unwrap();
    let choice = StoreChoice::Embedded {
        dir: dir.path().to_owned(),
    };
    let store = store::open(&choice).await.unwrap();
    let inside = Inside::Embedded(dir.path().to_owned());
    case(&Fresh {
        store,
        choice,
        inside,
    })
    .await;
}

/// Runs a case on a database of its own, which is dropped afterwards.
pub(crate) async fn on_mongo(case: impl AsyncFnOnce(&Fresh)) {
    on_database(async |uri, database| {
        let choice = StoreChoice::Mongodb {
            uri: uri.to_owned(),
        };
        let store = store::open(&choice).await.unwrap();
        case(&Fresh {
            store,
            choice,
            inside: Inside::Mongo(database.clone()),
        })
        .await;
    })
    .await;
}

/// Runs a case with the URI of an empty database and the database itself, which is dropped
/// afterwards.
pub(crate) async fn on_database(case: impl AsyncFnOnce(&str, &Database)) {
    let Some(server) = mongodb_uri() else {
        return;
    };
    let name = format!("image_vault_test_{:016x}", rand::random::<u64>());
    let uri = with_database(&server, &name);
    let database = Client::with_uri_str(&uri).await.unwrap().database(&name);
    let outcome = AssertUnwindSafe(case(&uri, &database)).catch_unwind().await;
    database.drop().await.unwrap();
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// The server to test against, if there is one; says so where there is none.
pub(crate) fn mongodb_uri() -> Option<String> {
    static SAID: Once = Once::new();
    if let Ok(uri) = env::var("IMAGE_VAULT_TEST_MONGODB") {
        return Some(uri);
    }
    assert!(
        env::var_os("IMAGE_VAULT_TEST_ALL").is_none(),
        "IMAGE_VAULT_TEST_ALL is set, but IMAGE_VAULT_TEST_MONGODB names no server"
    );
    // Not `eprintln!`, which the harness keeps to itself when a test succeeds.
    SAID.call_once(|| {
        let said = "LEFT OUT: the store's suite on MongoDB. To run it: \
                    scripts/mongod run -- cargo test --test store\n";
        std::io::stderr().write_all(said.as_bytes()).unwrap();
    });
    None
}

fn with_database(uri: &str, name: &str) -> String {
    let (server, options) = uri.split_once('?').unwrap_or((uri, ""));
    format!("{}/{name}?{options}", server.trim_end_matches('/'))
}

/// The one file of a blob.
pub(crate) fn blob_file(dir: &Path, id: &BlobId) -> PathBuf {
    let name = id.to_string();
    let mut found = files_below(dir);
    found.retain(|path| path.file_name().unwrap().to_str() == Some(&name));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.join("blobs"), dir.join("staging")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path)
            } else {
                files.push(path)
            }
        }
    }
    files
}
