//! Collections, indexes, and the version of their layout.
//!
//! The version is a document `{_id: "schema", version: N}` in `meta`. It is written before
//! anything else (as 0), so that a database with other collections and no such document is
//! somebody else's. Every step may be repeated, since two processes may take it at once.

use mongodb::IndexModel;
use mongodb::bson::{Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::IndexOptions;

use super::super::{Result, StoreError};
use super::Mongo;
use super::usage;

/// The version that this program reads and writes.
const CURRENT: i64 = 10;

const NAMESPACE_EXISTS: i32 = 48;
const INDEX_NOT_FOUND: i32 = 27;

/// Creates what is missing, or refuses what it does not know.
pub(super) async fn bring_forward(mongo: &Mongo) -> Result<()> {
    // Named first and read second: whoever creates collections has written the version before.
    let collections = mongo.answer(mongo.database.list_collection_names()).await?;
    let version = match version(mongo).await? {
        Some(version) => version,
        None if collections.iter().any(|name| name != "meta") => {
            return Err(StoreError::Incompatible(format!(
                "the MongoDB database {:?} holds collections that Image Vault did not make: name \
                 another database in the connection string",
                mongo.database.name()
            )));
        }
        None => {
            raise_version(mongo, 0).await?;
            0
        }
    };
    if version > CURRENT {
        return Err(StoreError::Incompatible(format!(
            "the MongoDB database {:?} was written by a newer Image Vault (schema {version}, this \
             program knows up to {CURRENT}): start that one, or restore an older backup",
            mongo.database.name()
        )));
    }
    if version < 1 {
        create_everything(mongo).await?;
    }
    if version < 2 {
        add_trust(mongo).await?;
        raise_version(mongo, 2).await?;
    }
    if version < 3 {
        let by_end = index("by_end", doc! { "expires_at": 1 });
        let invitations = mongo.database.collection::<Document>("invitations");
        mongo.answer(invitations.create_index(by_end)).await?;
        let departed = mongo.database.collection::<Document>("departed");
        let by_age = index("by_age", doc! { "at": 1 });
        mongo.answer(departed.create_index(by_age)).await?;
        raise_version(mongo, 3).await?;
    }
    if version < 4 {
        let keys = doc! { "account": 1, "mk_generation": 1, "_id": 1 };
        let images = mongo.database.collection::<Document>("images");
        let created = images.create_index(index("by_generation", keys));
        mongo.answer(created).await?;
        raise_version(mongo, 4).await?;
    }
    if version < 6 {
        add_second_factor(mongo).await?;
        raise_version(mongo, 6).await?;
    }
    if version < 7 {
        let archives = mongo.database.collection::<Document>("archives");
        let by_age = index("by_account_and_age", doc! { "account": 1, "created_at": 1 });
        mongo.answer(archives.create_index(by_age)).await?;
        let dropped = async { gone_now(archives.drop_index("by_account").await) };
        mongo.answer(dropped).await?;
        raise_version(mongo, 7).await?;
    }
    if version < 8 {
        // Schema 5 counted the originals alone.
        usage::count_all(mongo).await?;
        let pending = mongo.database.collection::<Document>("pending");
        let by_age = index("by_account_and_age", doc! { "account": 1, "expires_at": 1 });
        mongo.answer(pending.create_index(by_age)).await?;
        let dropped = async { gone_now(pending.drop_index("by_account").await) };
        mongo.answer(dropped).await?;
        raise_version(mongo, 8).await?;
    }
    if version < 9 {
        fill_what_was_absent(mongo).await?;
        raise_version(mongo, 9).await?;
    }
    if version < 10 {
        add_skeletons(mongo).await?;
        raise_version(mongo, 10).await?;
    }
    Ok(())
}

async fn version(mongo: &Mongo) -> Result<Option<i64>> {
    let found = mongo
        .answer(mongo.meta().find_one(doc! { "_id": "schema" }))
        .await?;
    let Some(found) = found else {
        return Ok(None);
    };
    match found.get_i64("version") {
        Ok(version) => Ok(Some(version)),
        Err(_) => Err(StoreError::Damaged(
            "the schema's version is no number".into(),
        )),
    }
}

async fn raise_version(mongo: &Mongo, version: i64) -> Result<()> {
    let raise = doc! { "$max": { "version": version } };
    mongo
        .answer(
            mongo
                .meta()
                .update_one(doc! { "_id": "schema" }, raise)
                .upsert(true),
        )
        .await?;
    Ok(())
}

/// Schema 1. Made beforehand, as a transaction that has to create a collection meets others that
/// do.
async fn create_everything(mongo: &Mongo) -> Result<()> {
    let created = async { exists_now(mongo.database.create_collection("sequences").await) };
    mongo.answer(created).await?;
    for (name, indexes) in indexes() {
        let collection = mongo.database.collection::<Document>(name);
        mongo.answer(collection.create_indexes(indexes)).await?;
    }
    Ok(())
}

/// Schema 2: events, failed tries, and sessions that know when they are idle.
async fn add_trust(mongo: &Mongo) -> Result<()> {
    for (name, indexes) in trust_indexes() {
        let collection = mongo.database.collection::<Document>(name);
        mongo.answer(collection.create_indexes(indexes)).await?;
    }
    let sessions = mongo.database.collection::<Document>("sessions");
    let old = doc! { "idle_at": { "$exists": false } };
    let half_an_hour = doc! { "$add": ["$last_seen_at", 30 * 60 * 1_000] };
    let filled = vec![doc! { "$set": { "idle_at": half_an_hour, "address": "" } }];
    mongo.answer(sessions.update_many(old, filled)).await?;
    mongo
        .answer(async { gone_now(sessions.drop_index("by_use").await) })
        .await
}

/// Schema 6: second factors, and what waits for one. A transaction may be the first to touch the
/// former, so it is made beforehand.
async fn add_second_factor(mongo: &Mongo) -> Result<()> {
    let created = async { exists_now(mongo.database.create_collection("factors").await) };
    mongo.answer(created).await?;
    let indexes = [
        index("by_account", doc! { "account": 1 }),
        index("by_end", doc! { "expires_at": 1 }),
    ];
    let pending = mongo.database.collection::<Document>("pending");
    mongo.answer(pending.create_indexes(indexes)).await?;
    Ok(())
}

/// Schema 9: members that rows of older versions have not, and that were guessed at each reading.
async fn fill_what_was_absent(mongo: &Mongo) -> Result<()> {
    // As old as the account.
    let without = doc! { "$or": [{ "password_set_at": null }, { "recovery_made_at": null }] };
    let created = |name: &str| doc! { "$ifNull": [name, "$created_at"] };
    let filled = vec![doc! { "$set": {
        "password_set_at": created("$password_set_at"),
        "recovery_made_at": created("$recovery_made_at"),
    } }];
    let accounts = mongo.accounts();
    mongo.answer(accounts.update_many(without, filled)).await?;
    // Before there were rotations, all were of the first generation.
    let without = doc! { "mk_generation": null };
    let filled = doc! { "$set": { "mk_generation": 1_i64 } };
    let sessions = mongo.sessions();
    mongo.answer(sessions.update_many(without, filled)).await?;
    Ok(())
}

/// Schema 10: what user names look like. The vault fills it in at its next start; those of accounts
/// that look alike already stay absent but for one.
async fn add_skeletons(mongo: &Mongo) -> Result<()> {
    let mut unique = unique("username_skeleton", doc! { "username_skeleton": 1 });
    if let Some(options) = &mut unique.options {
        options.sparse = Some(true);
    }
    // Which accounts are without one no sparse index knows.
    let keys = doc! { "username_skeleton": 1, "_id": 1 };
    let indexes = [unique, index("by_skeleton", keys)];
    mongo
        .answer(mongo.accounts().create_indexes(indexes))
        .await?;
    Ok(())
}

fn gone_now(dropped: std::result::Result<(), Error>) -> std::result::Result<(), Error> {
    match dropped {
        Err(error) if code(&error) == Some(INDEX_NOT_FOUND) => Ok(()),
        dropped => dropped,
    }
}

fn trust_indexes() -> [(&'static str, Vec<IndexModel>); 4] {
    [
        (
            "sessions",
            vec![
                index("by_idling", doc! { "idle_at": 1 }),
                index("by_account", doc! { "account": 1, "created_at": 1 }),
            ],
        ),
        (
            "events",
            vec![
                index("by_account", doc! { "account": 1, "at": 1 }),
                index("by_age", doc! { "at": 1 }),
            ],
        ),
        ("archives", vec![index("by_account", doc! { "account": 1 })]),
        ("tries", vec![index("by_age", doc! { "last_at": 1 })]),
    ]
}

fn exists_now(created: std::result::Result<(), Error>) -> std::result::Result<(), Error> {
    match created {
        Err(error) if code(&error) == Some(NAMESPACE_EXISTS) => Ok(()),
        created => created,
    }
}

fn code(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(failure) => Some(failure.code),
        _ => None,
    }
}

/// Every index but those on `_id`, by collection.
fn indexes() -> [(&'static str, Vec<IndexModel>); 7] {
    [
        (
            "accounts",
            vec![
                // `errors` knows these two by name, and `username_skeleton` of schema 10.
                unique("username_key", doc! { "username_key": 1 }),
                unique("email_key", doc! { "email_key": 1 }),
            ],
        ),
        (
            "sessions",
            vec![
                index("by_end", doc! { "expires_at": 1 }),
                index("by_use", doc! { "last_seen_at": 1 }),
            ],
        ),
        (
            "images",
            vec![
                unique("by_digest", doc! { "account": 1, "digest": 1 }),
                index("by_change", doc! { "account": 1, "seq": 1, "_id": 1 }),
                sparse("by_trashing", doc! { "trashed_at": 1 }),
                index("by_original", doc! { "original.id": 1 }),
                index("by_thumbnail", doc! { "thumbnail.id": 1 }),
                sparse("by_preview", doc! { "preview.id": 1 }),
            ],
        ),
        (
            "tombstones",
            vec![
                unique("by_change", doc! { "account": 1, "seq": 1, "image": 1 }),
                index("by_age", doc! { "removed_at": 1 }),
            ],
        ),
        (
            "archives",
            vec![
                index("by_end", doc! { "expires_at": 1 }),
                index("by_plan", doc! { "plan.id": 1 }),
            ],
        ),
        (
            "blobs.files",
            vec![
                // As the GridFS specification names it, for tools that look a file up by name.
                index(
                    "filename_1_uploadDate_1",
                    doc! { "filename": 1, "uploadDate": 1 },
                ),
                index("by_age", doc! { "uploadDate": 1 }),
            ],
        ),
        // The driver would make this one without `unique`.
        (
            "blobs.chunks",
            vec![unique("files_id_1_n_1", doc! { "files_id": 1, "n": 1 })],
        ),
    ]
}

fn index(name: &str, keys: Document) -> IndexModel {
    with_options(keys, IndexOptions::builder().name(name.to_owned()).build())
}

fn unique(name: &str, keys: Document) -> IndexModel {
    with_options(
        keys,
        IndexOptions::builder()
            .name(name.to_owned())
            .unique(true)
            .build(),
    )
}

/// Holds only the documents that have the field.
fn sparse(name: &str, keys: Document) -> IndexModel {
    with_options(
        keys,
        IndexOptions::builder()
            .name(name.to_owned())
            .sparse(true)
            .build(),
    )
}

fn with_options(keys: Document, options: IndexOptions) -> IndexModel {
    IndexModel::builder().keys(keys).options(options).build()
}
