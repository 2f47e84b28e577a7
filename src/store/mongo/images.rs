//! Rows of images: what reads them.

use std::collections::HashSet;

use futures_util::TryStreamExt;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ids::{AccountId, BlobId, ImageId};

use super::super::{ImageRow, Result};
use super::Mongo;
use super::documents::{ArchiveDoc, BlobDoc, ImageDoc, array, binary, date, texts};

pub(super) async fn sequence(mongo: &Mongo, account: &AccountId) -> Result<u64> {
    let found = mongo
        .answer(
            mongo
                .sequences()
                .find_one(doc! { "_id": account.to_string() }),
        )
        .await?;
    Ok(found.map_or(0, |found| found.seq))
}

pub(super) async fn by_id(
    mongo: &Mongo,
    account: &AccountId,
    id: &ImageId,
) -> Result<Option<ImageRow>> {
    let found = mongo
        .answer(mongo.images().find_one(own(account, id)))
        .await?;
    found.map(ImageRow::try_from).transpose()
}

pub(super) async fn by_ids(
    mongo: &Mongo,
    account: &AccountId,
    ids: &[ImageId],
) -> Result<Vec<ImageRow>> {
    let found: Vec<ImageDoc> = mongo
        .answer(async {
            mongo
                .images()
                .find(owns(account, ids))
                .await?
                .try_collect()
                .await
        })
        .await?;
    found.into_iter().map(ImageRow::try_from).collect()
}

pub(super) async fn by_digests(
    mongo: &Mongo,
    account: &AccountId,
    digests: &[[u8; 32]],
) -> Result<Vec<([u8; 32], ImageId)>> {
    let digests: Vec<_> = digests.iter().map(|digest| binary(digest)).collect();
    let these = doc! { "account": account.to_string(), "digest": { "$in": digests } };
    let found: Vec<DigestDoc> = find(mongo, these, doc! { "digest": 1 }).await?;
    found
        .into_iter()
        .map(|found| Ok((array(&found.digest)?, found.id)))
        .collect()
}

pub(super) async fn trashed_before(
    mongo: &Mongo,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<(AccountId, ImageId)>> {
    if limit == 0 {
        return Ok(Vec::new()); // to MongoDB it means "no limit"
    }
    let images = mongo.images().clone_with_type::<OwnerDoc>();
    let oldest = images
        .find(doc! { "trashed_at": { "$lt": date(before) } })
        .sort(doc! { "trashed_at": 1 })
        .limit(limit.into())
        .projection(doc! { "account": 1 });
    let found: Vec<OwnerDoc> = mongo
        .answer(async { oldest.await?.try_collect().await })
        .await?;
    Ok(found
        .into_iter()
        .map(|found| (found.account, found.id))
        .collect())
}

pub(super) async fn purge_tombstones(mongo: &Mongo, before: Timestamp) -> Result<u64> {
    let old = doc! { "removed_at": { "$lt": date(before) } };
    Ok(mongo
        .answer(mongo.tombstones().delete_many(old))
        .await?
        .deleted_count)
}

pub(super) async fn referenced(mongo: &Mongo, ids: &[BlobId]) -> Result<HashSet<BlobId>> {
    let these = doc! { "$in": texts(ids) };
    let images: Vec<BlobsDoc> = find(
        mongo,
        doc! { "$or": [
            { "original.id": these.clone() },
            { "thumbnail.id": these.clone() },
            { "preview.id": these.clone() },
        ] },
        doc! { "_id": 0, "original": 1, "thumbnail": 1, "preview": 1 },
    )
    .await?;
    let archives = mongo.archives();
    let with_plan = archives.find(doc! { "plan.id": these });
    let archives: Vec<ArchiveDoc> = mongo
        .answer(async { with_plan.await?.try_collect().await })
        .await?;

    let asked: HashSet<BlobId> = ids.iter().copied().collect();
    let of_images = images.into_iter().flat_map(|image| {
        [Some(image.original), Some(image.thumbnail), image.preview]
            .into_iter()
            .flatten()
    });
    let of_archives = archives.into_iter().map(|archive| archive.plan);
    Ok(of_images
        .chain(of_archives)
        .map(|blob| blob.id)
        .filter(|id| asked.contains(id))
        .collect())
}

/// Those of the ids that are the account's and went to the trash before `before`.
pub(super) fn trashed(account: &AccountId, ids: &[ImageId], before: Timestamp) -> Document {
    let mut these = owns(account, ids);
    these.insert("trashed_at", doc! { "$lt": date(before) });
    these
}

#[derive(Deserialize)]
struct OwnerDoc {
    #[serde(rename = "_id")]
    id: ImageId,
    account: AccountId,
}

#[derive(Deserialize)]
struct DigestDoc {
    #[serde(rename = "_id")]
    id: ImageId,
    digest: mongodb::bson::Binary,
}

#[derive(Deserialize)]
struct BlobsDoc {
    original: BlobDoc,
    thumbnail: BlobDoc,
    preview: Option<BlobDoc>,
}

async fn find<T: DeserializeOwned + Send + Sync>(
    mongo: &Mongo,
    filter: Document,
    projection: Document,
) -> Result<Vec<T>> {
    let images = mongo.images().clone_with_type::<T>();
    mongo
        .answer(async {
            images
                .find(filter)
                .projection(projection)
                .await?
                .try_collect()
                .await
        })
        .await
}

pub(super) fn own(account: &AccountId, id: &ImageId) -> Document {
    doc! { "_id": id.to_string(), "account": account.to_string() }
}

pub(super) fn owns(account: &AccountId, ids: &[ImageId]) -> Document {
    doc! { "_id": { "$in": texts(ids) }, "account": account.to_string() }
}
