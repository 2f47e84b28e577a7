//! Where a server under test keeps its things, and what a thief, a broken disk or an auditor does
//! with them. Nothing of HTTP.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::TryStreamExt;
use mongodb::bson::{Binary, Bson, Document, RawDocumentBuf, doc, spec::BinarySubtype};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Which of the two stores a story is told on.
#[derive(Clone)]
pub(super) enum Backend {
    Embedded,
    /// With the address of a replica set.
    Mongodb(String),
}

impl Backend {
    /// MongoDB, where there is one to test with.
    pub(super) fn mongodb() -> Option<Self> {
        std::env::var("IMAGE_VAULT_TEST_MONGODB")
            .ok()
            .map(Self::Mongodb)
    }
}

/// A folder, and for MongoDB a database, that go away when the test ends.
pub(super) struct Store {
    dir: TempDir,
    database: Option<Database>,
}

struct Database {
    uri: String,
    name: String,
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static NEXT: AtomicU32 = AtomicU32::new(0);

impl Store {
    pub(super) fn new(backend: &Backend) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("tmp")).unwrap();
        let database = match backend {
            Backend::Embedded => None,
            Backend::Mongodb(base) => {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let name = format!("http_{}_{number}", std::process::id());
                let uri = base.replacen("/?", &format!("/{name}?"), 1);
                assert!(uri.contains(&name), "an address without a database: {base}");
                Some(Database { uri, name })
            }
        };
        Self { dir, database }
    }

    /// What `IMAGE_VAULT_STORE` is set to.
    pub(super) fn setting(&self) -> &str {
        self.database
            .as_ref()
            .map_or("embedded", |database| &database.uri)
    }

    /// The data folder; the program makes it.
    pub(super) fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The program's temporary directory.
    pub(super) fn temp_dir(&self) -> PathBuf {
        self.dir.path().join("tmp")
    }

    /// Where its standard error goes.
    pub(super) fn log_file(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// How many sealed files are kept.
    pub(super) fn blob_count(&self) -> usize {
        match &self.database {
            None => self.blob_files().len(),
            Some(database) => {
                let files = database.documents("blobs.files").len();
                let chunks = database.documents("blobs.chunks");
                let mut owners: Vec<_> = chunks.iter().map(|chunk| chunk.get("files_id")).collect();
                owners.dedup();
                assert!(owners.len() <= files, "chunks that belong to no file");
                files
            }
        }
    }

    /// Flips one bit in the later half of the largest sealed file.
    pub(super) fn damage_largest_blob(&self) {
        self.damage_largest_blob_at(75);
    }

    /// Flips one bit of the largest sealed file, so many hundredths of its length from its start. In
    /// GridFS, of its last chunk.
    pub(super) fn damage_largest_blob_at(&self, percent: usize) {
        let Some(database) = &self.database else {
            let size = |path: &PathBuf| fs::metadata(path).unwrap().len();
            let path = self.blob_files().into_iter().max_by_key(size).unwrap();
            let mut bytes = fs::read(&path).unwrap();
            let at = bytes.len() * percent / 100;
            bytes[at] ^= 1;
            return fs::write(path, bytes).unwrap();
        };
        let largest = database.documents("blobs.files").into_iter();
        let largest = largest.max_by_key(|file| match file.get("length") {
            Some(Bson::Int64(length)) => *length,
            Some(Bson::Int32(length)) => i64::from(*length),
            other => panic!("a length of {other:?}"),
        });
        let files_id = largest.unwrap().get("_id").unwrap().clone();
        let chunks = database.documents("blobs.chunks").into_iter();
        let last = chunks.filter(|chunk| chunk.get("files_id") == Some(&files_id));
        let last = last
            .max_by_key(|chunk| chunk.get_i32("n").unwrap())
            .unwrap();
        let mut bytes = last.get_binary_generic("data").unwrap().clone();
        let at = bytes.len() * percent / 100;
        bytes[at] ^= 1;
        let damaged = Binary {
            subtype: BinarySubtype::Generic,
            bytes,
        };
        let which = doc! { "_id": last.get("_id").unwrap() };
        RUNTIME.block_on(async {
            let chunks = database.open().await.collection::<Document>("blobs.chunks");
            let change = doc! { "$set": { "data": damaged } };
            let done = chunks.update_one(which, change).await.unwrap();
            assert_eq!(done.modified_count, 1);
        });
    }

    /// Everything that is stored, as a thief would carry it off: each file of the data folder and
    /// the temporary one, each document of each collection. With where it was found.
    pub(super) fn everything(&self) -> Vec<(String, Vec<u8>)> {
        let mut all = Vec::new();
        for dir in [self.data_dir(), self.temp_dir()] {
            for path in files_below(&dir) {
                let bytes = fs::read(&path).unwrap();
                all.push((path.display().to_string(), bytes));
                // A name in a path would be as plain as one in a file.
                all.push(("a path".into(), path.display().to_string().into_bytes()));
            }
        }
        if let Some(database) = &self.database {
            all.extend(database.dump());
        }
        all
    }

    /// Each account's binary values of 16 bytes and more: salts, wrapped keys, whatever there is.
    pub(super) fn account_secrets(&self) -> Vec<Vec<Vec<u8>>> {
        let Some(database) = &self.database else {
            let mut files = files_below(&self.data_dir()).into_iter();
            let is_database =
                |path: &PathBuf| fs::read(path).unwrap().starts_with(b"SQLite format 3\0");
            let file = files.find(is_database).unwrap();
            let connection = rusqlite::Connection::open(file).unwrap();
            let mut statement = connection.prepare("SELECT * FROM accounts").unwrap();
            let columns = statement.column_count();
            let rows = statement.query_map([], |row| {
                let values = (0..columns).filter_map(|column| match row.get_ref(column) {
                    Ok(rusqlite::types::ValueRef::Blob(bytes)) => Some(bytes.to_vec()),
                    _ => None,
                });
                Ok(values.filter(|bytes| bytes.len() >= 16).collect())
            });
            return rows.unwrap().map(Result::unwrap).collect();
        };
        let accounts = database.documents("accounts").into_iter();
        accounts
            .map(|account| binaries(Bson::Document(account)))
            .collect()
    }

    fn blob_files(&self) -> Vec<PathBuf> {
        files_below(&self.data_dir().join("blobs"))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(database) = &self.database {
            // The server may be gone already where a test stops it.
            drop(RUNTIME.block_on(async { database.open().await.drop().await }));
        }
    }
}

impl Database {
    async fn open(&self) -> mongodb::Database {
        let mut options = mongodb::options::ClientOptions::parse(&self.uri)
            .await
            .unwrap();
        options.server_selection_timeout = Some(std::time::Duration::from_secs(2));
        mongodb::Client::with_options(options)
            .unwrap()
            .database(&self.name)
    }

    fn documents(&self, collection: &str) -> Vec<Document> {
        RUNTIME.block_on(async {
            let found = self
                .open()
                .await
                .collection::<Document>(collection)
                .find(doc! {})
                .await;
            found.unwrap().try_collect().await.unwrap()
        })
    }

    fn dump(&self) -> Vec<(String, Vec<u8>)> {
        RUNTIME.block_on(async {
            let mut all = Vec::new();
            let database = self.open().await;
            for name in database.list_collection_names().await.unwrap() {
                let found = database
                    .collection::<RawDocumentBuf>(&name)
                    .find(doc! {})
                    .await;
                let rows: Vec<RawDocumentBuf> = found.unwrap().try_collect().await.unwrap();
                all.extend(
                    rows.iter()
                        .map(|row| (name.clone(), row.as_bytes().to_vec())),
                );
            }
            all
        })
    }
}

/// Every file below a folder; none where the folder does not exist.
pub(super) fn files_below(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn binaries(value: Bson) -> Vec<Vec<u8>> {
    match value {
        Bson::Binary(binary) if binary.bytes.len() >= 16 => vec![binary.bytes],
        Bson::Document(document) => document
            .into_iter()
            .flat_map(|(_, value)| binaries(value))
            .collect(),
        Bson::Array(values) => values.into_iter().flat_map(binaries).collect(),
        _ => Vec::new(),
    }
}
