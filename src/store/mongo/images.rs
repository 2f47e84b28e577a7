//! Images in MongoDB; their changes: `changes`.

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::{Document, RawDocumentBuf, doc};
use serde::Deserialize;

use crate::ids::{AccountId, ImageId};

use super::super::images::TOMBSTONES;
use super::super::quotas::SEQUENCES;
use super::super::{
    Bearer, BlobRef, Change, Edited, ImageRow, ImageState, Images, Inserted, MetadataChange, Quota,
    Result,
};
use super::documents::{SequenceDoc, TombstoneDoc, array, binary, date, texts};
use super::{Mongo, catalogue, changes};

#[async_trait]
impl Images for Mongo {
    async fn sequence(&self, account: &AccountId) -> Result<u64> {
        let of = doc! { "_id": account.to_string() };
        let found = self.answer(self.sequences().find_one(of)).await?;
        Ok(found.map_or(0, |found| found.seq))
    }

    async fn insert_image(&self, row: &ImageRow, by: &Bearer, default: &Quota) -> Result<Inserted> {
        changes::insert(self, row, by, default).await
    }

    async fn images(&self, account: &AccountId, ids: &[ImageId]) -> Result<Vec<ImageRow>> {
        self.all(owns(account, ids), doc! {}, 0).await
    }

    async fn images_by_digest(
        &self,
        account: &AccountId,
        digests: &[[u8; 32]],
    ) -> Result<Vec<([u8; 32], ImageId)>> {
        let digests: Vec<_> = digests.iter().map(|digest| binary(digest)).collect();
        let these = doc! { "account": account.to_string(), "digest": { "$in": digests } };
        let images = self.images().clone_with_type::<DigestDoc>();
        let find = images.find(these).projection(doc! { "digest": 1 });
        let pairs = self.collect(find).await?.into_iter();
        pairs
            .map(|found| Ok((array(&found.digest)?, found.id)))
            .collect()
    }

    async fn update_metadata(
        &self,
        account: &AccountId,
        changes: &[MetadataChange],
        default: &Quota,
    ) -> Result<Edited> {
        changes::update_metadata(self, account, changes, default).await
    }

    async fn set_preview(
        &self,
        account: &AccountId,
        id: &ImageId,
        preview: &BlobRef,
        default: &Quota,
    ) -> Result<bool> {
        changes::set_preview(self, account, id, preview, default).await
    }

    async fn set_state(
        &self,
        account: &AccountId,
        ids: &[ImageId],
        state: ImageState,
        at: Timestamp,
    ) -> Result<Vec<ImageId>> {
        changes::set_state(self, account, ids, state, at).await
    }

    async fn remove_images(
        &self,
        account: &AccountId,
        ids: &[ImageId],
        at: Timestamp,
    ) -> Result<Vec<ImageRow>> {
        changes::remove(self, owns(account, ids), account, at).await
    }

    async fn remove_trashed(
        &self,
        account: &AccountId,
        ids: &[ImageId],
        before: Timestamp,
        at: Timestamp,
    ) -> Result<Vec<ImageRow>> {
        let mut trashed = owns(account, ids);
        trashed.insert("trashed_at", doc! { "$lt": date(before) });
        changes::remove(self, trashed, account, at).await
    }

    async fn changes_since(
        &self,
        account: &AccountId,
        after: u64,
    ) -> Result<BoxStream<'static, Result<Change>>> {
        catalogue::changes_since(self.clone(), account, after).await
    }

    async fn trashed_before(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(AccountId, ImageId)>> {
        if limit == 0 {
            return Ok(Vec::new()); // to MongoDB it means "no limit"
        }
        let images = self.images().clone_with_type::<OwnerDoc>();
        let oldest = images
            .find(doc! { "trashed_at": { "$lt": date(before) } })
            .sort(doc! { "trashed_at": 1 })
            .limit(limit.into())
            .projection(doc! { "account": 1 });
        let owned = self.collect(oldest).await?.into_iter();
        Ok(owned.map(|found| (found.account, found.id)).collect())
    }
}

impl Mongo {
    pub(super) fn images(&self) -> Collection<RawDocumentBuf> {
        self.rows::<ImageRow>()
    }

    pub(super) fn sequences(&self) -> Collection<SequenceDoc> {
        self.database.collection(SEQUENCES.name)
    }

    pub(super) fn tombstones(&self) -> Collection<TombstoneDoc> {
        self.database.collection(TOMBSTONES.name)
    }
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

pub(super) fn own(account: &AccountId, id: &ImageId) -> Document {
    doc! { "_id": id.to_string(), "account": account.to_string() }
}

pub(super) fn owns(account: &AccountId, ids: &[ImageId]) -> Document {
    doc! { "_id": { "$in": texts(ids) }, "account": account.to_string() }
}
