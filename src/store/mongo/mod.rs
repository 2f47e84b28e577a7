//! The backend that grows: MongoDB for the rows, GridFS for the sealed blobs.
//!
//! Ids are kept as their text (base32) and times as BSON dates, so that a person with a shell can
//! read a document, and ordinary GridFS tools can fetch a (sealed) blob by its name. Everything is
//! written with `{w: "majority", j: true}` and read from the primary with read concern `majority`,
//! whatever the connection string says.
//!
//! The driver's errors and types stop in this directory.

mod accounts;
mod archives;
mod blobs;
mod catalogue;
mod changes;
mod documents;
mod download;
mod errors;
mod factor_documents;
mod factors;
mod image_keys;
mod images;
mod meta;
mod nouns;
mod rows;
mod schema;
mod sessions;
mod tries;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use futures_util::future::{BoxFuture, FutureExt, TryFutureExt};
use mongodb::action::Find;
use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::error::Result as DriverResult;
use mongodb::options::{
    Acknowledgment, ClientOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};
use mongodb::{Client, ClientSession, Collection, Database};
use serde::de::DeserializeOwned;

use super::row::Noun;
use super::{Records, Result, Store, StoreError};
use blobs::GridFsBlobs;

/// The database where the connection string names none.
const DEFAULT_DATABASE: &str = "image_vault";

/// How long to look for a primary, unless the connection string says.
const SERVER_SELECTION: Duration = Duration::from_secs(5);

/// How long a server that was found may take for one call. The driver itself would wait for ever
/// for an answer, and retry a transaction for two minutes, even where nobody is there.
const ANSWER: Duration = Duration::from_secs(15);

/// MongoDB 5.0, the first with snapshot reads outside transactions.
const MIN_WIRE_VERSION: i32 = 13;

/// Connects, and brings the schema forward.
///
/// # Errors
/// See [`super::open`]. None holds any part of a connection string that has credentials.
pub(super) async fn open(uri: &str) -> Result<Store> {
    let mut options = ClientOptions::parse(uri)
        .await
        .map_err(|error| errors::parsing(uri, error))?;
    let selection = *options
        .server_selection_timeout
        .get_or_insert(SERVER_SELECTION);
    options.app_name.get_or_insert_with(|| "image-vault".into());
    options.write_concern = Some(
        WriteConcern::builder()
            .w(Acknowledgment::Majority)
            .journal(true)
            .build(),
    );
    options.read_concern = Some(ReadConcern::majority());
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));

    let client = Client::with_options(options).map_err(|error| errors::parsing(uri, error))?;
    let database = client
        .default_database()
        .unwrap_or_else(|| client.database(DEFAULT_DATABASE));
    let mongo = Arc::new(Mongo {
        client,
        database,
        patience: selection + ANSWER,
    });
    mongo.refuse_unfit_server().await?;
    schema::bring_forward(&mongo).await?;
    Ok(Store {
        records: Arc::clone(&mongo) as Arc<dyn Records>,
        blobs: Arc::new(GridFsBlobs::new(mongo)),
    })
}

impl Records for Mongo {}

/// A database, and how it is talked to. Cheap to clone.
#[derive(Clone)]
struct Mongo {
    client: Client,
    database: Database,
    patience: Duration,
}

impl Mongo {
    fn meta(&self) -> Collection<Document> {
        self.database.collection("meta")
    }

    fn files(&self) -> Collection<Document> {
        self.database.collection("blobs.files")
    }

    fn chunks(&self) -> Collection<RawDocumentBuf> {
        self.database.collection("blobs.chunks")
    }

    /// Waits for the server's answer, but not for ever. Every call goes through here.
    async fn answer<T>(&self, call: impl IntoFuture<Output = DriverResult<T>>) -> Result<T> {
        match tokio::time::timeout(self.patience, call).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(StoreError::Unavailable(
                format!(
                    "MongoDB gave no answer within {} s",
                    self.patience.as_secs()
                )
                .into(),
            )),
        }
    }

    /// All that a query finds.
    async fn collect<T: DeserializeOwned + Send + Sync>(
        &self,
        find: Find<'_, T>,
    ) -> Result<Vec<T>> {
        self.answer(async { find.await?.try_collect().await }).await
    }

    /// Removes what the filter finds but for the newest, by a time that has an index with it. What is
    /// of the same moment as the last of those stays as well.
    async fn keep_newest(
        &self,
        noun: &Noun,
        mut those: Document,
        time: &str,
        most: u32,
    ) -> Result<()> {
        let collection = self.collection(noun).clone_with_type::<Document>();
        let last = collection
            .find_one(those.clone())
            .sort(doc! { time: -1 })
            .skip(u64::from(most.saturating_sub(1)))
            .projection(doc! { time: 1 });
        let Some(last) = self
            .answer(last)
            .await?
            .and_then(|mut last| last.remove(time))
        else {
            return Ok(());
        };
        those.insert(time, doc! { "$lt": last });
        self.answer(collection.delete_many(those)).await?;
        Ok(())
    }

    /// Runs a transaction, again when it met another one. Where `body` aborts it and succeeds,
    /// nothing is changed and its value returned all the same. (The context is handed back at each
    /// try because the compiler cannot see that an async closure with borrows is `Send`.)
    async fn transact<C: Send, T: 'static>(
        &self,
        context: C,
        mut body: impl for<'a> FnMut(&'a mut ClientSession, &'a mut C) -> BoxFuture<'a, DriverResult<T>>,
    ) -> Result<T> {
        let mut session = self.answer(self.client.start_session()).await?;
        let transaction = session
            .start_transaction()
            .read_concern(ReadConcern::snapshot())
            .and_run(context, |session, context| {
                body(session, context)
                    .map_err(errors::without_retry)
                    .boxed()
            });
        self.answer(transaction).await
    }

    async fn refuse_unfit_server(&self) -> Result<()> {
        let hello = self
            .answer(self.database.run_command(doc! { "hello": 1 }))
            .await?;
        let sentence = if hello.get_i32("maxWireVersion").unwrap_or(0) < MIN_WIRE_VERSION {
            "this MongoDB is too old: Image Vault needs 5.0 or newer"
        } else if !hello.contains_key("setName") && hello.get_str("msg") != Ok("isdbgrid") {
            "this MongoDB is a standalone server, and Image Vault needs transactions: make it a \
             replica set of one node by starting mongod with --replSet rs0 and running \
             rs.initiate() once in mongosh"
        } else {
            return Ok(());
        };
        Err(StoreError::Incompatible(sentence.into()))
    }
}
