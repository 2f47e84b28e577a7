//! The changes of an account's images: transactions that raise its sequence number, and count what
//! it keeps.

use futures_util::{FutureExt, TryStreamExt};
use jiff::Timestamp;
use mongodb::ClientSession;
use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::error::Error;
use mongodb::options::ReturnDocument;
use serde::Deserialize;

use crate::ids::{AccountId, ImageId};

use super::super::quotas::{Record, blob_kept, due};
use super::super::{
    Bearer, BlobRef, Edited, ImageRow, ImageState, Inserted, MetadataChange, Quota, Result,
};
use super::documents::{SequenceDoc, TombstoneDoc, binary, date};
use super::images::{own, owns};
use super::rows::{document, read};
use super::{DriverResult, Mongo, sessions, usage};

pub(super) async fn insert(
    mongo: &Mongo,
    row: &ImageRow,
    bearer: &Bearer,
    default: &Quota,
) -> Result<Inserted> {
    let context = (mongo, row, bearer, default);
    let insert = mongo.transact(context, |session, (mongo, row, bearer, default)| {
        async move {
            let kept = row.kept();
            let more = doc! { "seq": 1_i64, "images": 1_i64, "kept": kept as i64 };
            let raised = increase(mongo, session, &row.account, more).await?;
            let account = row.account.to_string();
            // First of all: who repeats a commit whose answer was lost finds its own row, whatever
            // has happened since.
            let twin = mongo
                .images()
                .clone_with_type::<IdDoc>()
                .find_one(doc! { "account": &account, "digest": binary(&row.digest) })
                .projection(doc! { "_id": 1 })
                .session(&mut *session)
                .await?;
            if let Some(twin) = twin {
                session.abort_transaction().await?;
                return Ok(Inserted::Duplicate(twin.id));
            }
            if !sessions::note_use(mongo, session, bearer, &row.account).await? {
                session.abort_transaction().await?;
                return Ok(Inserted::Stale);
            }
            let owner = mongo
                .accounts()
                .clone_with_type::<GenerationDoc>()
                .find_one(doc! { "_id": account })
                .projection(doc! { "mk_generation": 1 })
                .session(&mut *session)
                .await?;
            if owner.is_some_and(|owner| owner.mk_generation != row.mk_generation) {
                session.abort_transaction().await?;
                return Ok(Inserted::Stale);
            }
            if !raised.usage_before(1, kept).has_room(kept, default) {
                session.abort_transaction().await?;
                return Ok(Inserted::NoRoom);
            }
            let stored = ImageRow {
                seq: raised.seq,
                revision: 0,
                ..(*row).clone()
            };
            mongo
                .images()
                .clone_with_type()
                .insert_one(document(&stored))
                .session(session)
                .await?;
            Ok(Inserted::New)
        }
        .boxed()
    });
    insert.await
}

pub(super) async fn update_metadata(
    mongo: &Mongo,
    account: &AccountId,
    changes: &[MetadataChange],
    default: &Quota,
) -> Result<Edited> {
    if changes.is_empty() {
        return Ok(Edited::Done(Vec::new()));
    }
    let context = (mongo, account, changes, default);
    let update = mongo.transact(context, |session, (mongo, account, changes, default)| {
        async move {
            let raised = increase(mongo, session, account, doc! { "seq": 1_i64 }).await?;
            let stored = stored_records(mongo, session, account, changes).await?;
            let (due, growth) = due(changes, stored);
            let has_room = raised.usage().may_change_by(growth, default);
            if due.is_empty() || !has_room {
                session.abort_transaction().await?;
            }
            if due.is_empty() {
                return Ok(Edited::Done(Vec::new()));
            }
            if !has_room {
                return Ok(Edited::NoRoom);
            }
            for part in parts(&due) {
                let updates = part.iter();
                let updates: Vec<Document> = updates
                    .map(|change| renewal(account, change, raised.seq))
                    .collect();
                // The driver's own bulk write needs a server of version 8; the command is as old as
                // the protocol, and takes many at once.
                let command = doc! { "update": mongo.images().name(), "updates": updates };
                let reply = mongo.database.run_command(command);
                refuse_write_errors(&reply.session(&mut *session).await?)?;
            }
            if growth != 0 {
                usage::change(mongo, session, account, 0, growth).await?;
            }
            Ok(Edited::Done(due.iter().map(|change| change.id).collect()))
        }
        .boxed()
    });
    update.await
}

/// The records that the changes are about, as they are in this transaction.
async fn stored_records(
    mongo: &Mongo,
    session: &mut ClientSession,
    account: &AccountId,
    changes: &[MetadataChange],
) -> DriverResult<Vec<Record>> {
    let ids: Vec<ImageId> = changes.iter().map(|change| change.id).collect();
    let mut found = mongo
        .images()
        .clone_with_type::<RecordDoc>()
        .find(owns(account, &ids))
        .projection(doc! { "revision": 1, "len": { "$binarySize": "$metadata" } })
        .session(&mut *session)
        .await?;
    let found = found.stream(session).map_ok(|found| Record {
        id: found.id,
        revision: found.revision,
        len: found.len,
    });
    found.try_collect().await
}

/// One of the updates of a command.
fn renewal(account: &AccountId, change: &MetadataChange, seq: u64) -> Document {
    let mut unchanged = own(account, &change.id);
    unchanged.insert("revision", change.revision as i64);
    let set = doc! { "metadata": binary(&change.metadata), "seq": seq as i64 };
    let new = doc! { "$set": set, "$inc": { "revision": 1_i64 } };
    doc! { "q": unchanged, "u": new }
}

/// Raises no number: a preview is no change of the catalogue.
pub(super) async fn set_preview(
    mongo: &Mongo,
    account: &AccountId,
    id: &ImageId,
    preview: &BlobRef,
    default: &Quota,
) -> Result<bool> {
    let context = (mongo, account, id, preview, default);
    let set = mongo.transact(
        context,
        |session, (mongo, account, id, preview, default)| {
            async move {
                let kept = blob_kept(preview.len);
                let more = doc! { "seq": 0_i64, "kept": kept as i64 };
                let counted = increase(mongo, session, account, more).await?;
                let (id_text, mut without) = (preview.id.to_string(), own(account, id));
                without.insert("preview", doc! { "$exists": false });
                let noted = doc! { "id": &id_text, "len": preview.len as i64 };
                let images = mongo.images().clone_with_type::<IdDoc>();
                let has_room = counted
                    .usage_before(0, kept)
                    .may_change_by(kept as i64, default);
                if has_room {
                    let set = doc! { "$set": { "preview": noted } };
                    let update = images.update_one(without, set).session(&mut *session);
                    if update.await?.matched_count == 1 {
                        return Ok(true);
                    }
                }
                // Who repeats a commit whose answer was lost finds its own preview.
                let mut with = own(account, id);
                with.insert("preview.id", id_text);
                let found = images
                    .find_one(with)
                    .projection(doc! { "_id": 1 })
                    .session(&mut *session)
                    .await?;
                session.abort_transaction().await?;
                Ok(found.is_some())
            }
            .boxed()
        },
    );
    set.await
}

pub(super) async fn set_state(
    mongo: &Mongo,
    account: &AccountId,
    ids: &[ImageId],
    state: ImageState,
    at: Timestamp,
) -> Result<Vec<ImageId>> {
    let trash = state == ImageState::Trashed;
    let mut elsewhere = owns(account, ids);
    elsewhere.insert("trashed_at", doc! { "$exists": !trash });
    let set = mongo.transact(
        (mongo, account, elsewhere),
        |session, (mongo, account, elsewhere)| {
            async move {
                let seq = raise(mongo, session, account).await? as i64;
                let images = mongo.images().clone_with_type::<IdDoc>();
                let mut found = images
                    .find(elsewhere.clone())
                    .projection(doc! { "_id": 1 })
                    .session(&mut *session)
                    .await?;
                let found: Vec<IdDoc> = found.stream(session).try_collect().await?;
                if found.is_empty() {
                    session.abort_transaction().await?;
                    return Ok(Vec::new());
                }
                let moved: Vec<ImageId> = found.into_iter().map(|image| image.id).collect();
                let change = if trash {
                    doc! { "$set": { "seq": seq, "trashed_at": date(at) } }
                } else {
                    doc! { "$set": { "seq": seq }, "$unset": { "trashed_at": "" } }
                };
                images
                    .update_many(owns(account, &moved), change)
                    .session(session)
                    .await?;
                Ok(moved)
            }
            .boxed()
        },
    );
    set.await
}

/// Removes the account's images that the filter finds.
pub(super) async fn remove(
    mongo: &Mongo,
    these: Document,
    account: &AccountId,
    at: Timestamp,
) -> Result<Vec<ImageRow>> {
    let context = (mongo, account, these);
    let remove = mongo.transact(context, |session, (mongo, account, these)| {
        async move {
            let seq = raise(mongo, session, account).await?;
            let images = mongo.images();
            let mut found = images.find(these.clone()).session(&mut *session).await?;
            let found: Vec<RawDocumentBuf> = found.stream(session).try_collect().await?;
            let removed: Result<Vec<ImageRow>> = found.iter().map(|row| read(row)).collect();
            let removed = match removed {
                Ok(removed) if !removed.is_empty() => removed,
                none_or_damaged => {
                    session.abort_transaction().await?;
                    return Ok(none_or_damaged);
                }
            };
            images
                .delete_many(these.clone())
                .session(&mut *session)
                .await?;
            let kept: u64 = removed.iter().map(ImageRow::kept).sum();
            usage::change(
                mongo,
                session,
                account,
                -(removed.len() as i64),
                -(kept as i64),
            )
            .await?;
            let tombstones = removed.iter().map(|image| TombstoneDoc {
                account: **account,
                seq,
                image: image.id,
                removed_at: date(at),
            });
            mongo
                .tombstones()
                .insert_many(tombstones)
                .session(session)
                .await?;
            Ok(Ok(removed))
        }
        .boxed()
    });
    remove.await?
}

/// Changes that fit into one command: a document has at most 16 MiB.
fn parts<'a>(mut changes: &'a [&MetadataChange]) -> impl Iterator<Item = &'a [&'a MetadataChange]> {
    const MOST_BYTES: usize = 8 << 20;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |change: &&&MetadataChange| {
            bytes += change.metadata.len();
            bytes <= MOST_BYTES
        };
        let count = changes.iter().take_while(fits).count().max(1);
        let (part, rest) = changes.split_at_checked(count)?;
        changes = rest;
        Some(part)
    })
}

/// A command that was carried out may still tell of writes that were not.
pub(super) fn refuse_write_errors(reply: &Document) -> DriverResult<()> {
    match reply.get_array("writeErrors") {
        Ok(errors) if !errors.is_empty() => Err(Error::custom(format!(
            "an update was refused: {}",
            errors[0]
                .as_document()
                .map_or(0, |e| e.get_i32("code").unwrap_or(0))
        ))),
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
struct GenerationDoc {
    mk_generation: u32,
}

#[derive(Deserialize)]
struct RecordDoc {
    #[serde(rename = "_id")]
    id: ImageId,
    revision: u64,
    len: u64,
}

#[derive(Deserialize)]
struct IdDoc {
    #[serde(rename = "_id")]
    id: ImageId,
}

/// The number of the change that this transaction makes. It comes first: the write to the one
/// document lets one transaction of the account through at a time, so numbers become visible in
/// order, and what is read after it includes every earlier change.
async fn raise(
    mongo: &Mongo,
    session: &mut ClientSession,
    account: &AccountId,
) -> DriverResult<u64> {
    let raised = increase(mongo, session, account, doc! { "seq": 1_i64 }).await?;
    Ok(raised.seq)
}

async fn increase(
    mongo: &Mongo,
    session: &mut ClientSession,
    account: &AccountId,
    more: Document,
) -> DriverResult<SequenceDoc> {
    let increased = mongo
        .sequences()
        .find_one_and_update(doc! { "_id": account.to_string() }, doc! { "$inc": more })
        .upsert(true)
        .return_document(ReturnDocument::After)
        .session(session)
        .await?;
    increased.ok_or_else(|| Error::custom("an upsert returned no document"))
}
