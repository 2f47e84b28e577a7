//! The catalogue of an account as a stream of changes, all of one moment.

use futures_util::stream::{self, BoxStream, StreamExt};
use mongodb::bson::{RawDocumentBuf, doc};
use mongodb::options::ReadConcern;
use mongodb::{ClientSession, SessionCursor};

use crate::ids::AccountId;

use super::super::{Change, ImageRow, Result};
use super::Mongo;
use super::documents::TombstoneDoc;
use super::rows::read;

/// What follows `after`: two cursors in the same order, merged. They share a snapshot, or an image
/// that is removed meanwhile could be missed by both. (The session alone does not bring it about:
/// the driver, 3.9, lets the client's read concern stand before that of a snapshot session.)
///
/// The server keeps a snapshot for five minutes; a reader slower than that gets an error.
pub(super) async fn changes_since(
    mongo: Mongo,
    account: &AccountId,
    after: u64,
) -> Result<BoxStream<'static, Result<Change>>> {
    let mut session = mongo
        .answer(mongo.client.start_session().snapshot(true))
        .await?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let newer = doc! { "account": account.to_string(), "seq": { "$gt": after } };
    let cursors = async {
        let images = mongo
            .images()
            .find(newer.clone())
            .sort(doc! { "account": 1, "seq": 1, "_id": 1 })
            .read_concern(ReadConcern::snapshot())
            .session(&mut session)
            .await?;
        let tombstones = mongo
            .tombstones()
            .find(newer.clone())
            .sort(doc! { "account": 1, "seq": 1, "image": 1 })
            .read_concern(ReadConcern::snapshot())
            .session(&mut session)
            .await?;
        Ok((images, tombstones))
    };
    let (images, tombstones) = mongo.answer(cursors).await?;
    let merge = Merge {
        mongo,
        session,
        images,
        tombstones,
        image: None,
        tombstone: None,
    };
    let changes = stream::try_unfold(merge, |mut merge| async move {
        Ok(merge.next().await?.map(|change| (change, merge)))
    });
    Ok(changes.boxed())
}

struct Merge {
    mongo: Mongo,
    session: ClientSession,
    images: SessionCursor<RawDocumentBuf>,
    tombstones: SessionCursor<TombstoneDoc>,
    /// Read, but not yet their turn.
    image: Option<ImageRow>,
    tombstone: Option<TombstoneDoc>,
}

impl Merge {
    async fn next(&mut self) -> Result<Option<Change>> {
        if self.image.is_none() {
            let next = async { self.images.next(&mut self.session).await.transpose() };
            let next = self.mongo.answer(next).await?;
            self.image = next.map(|row| read(&row)).transpose()?;
        }
        if self.tombstone.is_none() {
            let next = async { self.tombstones.next(&mut self.session).await.transpose() };
            self.tombstone = self.mongo.answer(next).await?;
        }
        let image_first = match (&self.image, &self.tombstone) {
            (Some(image), Some(tombstone)) => image.seq < tombstone.seq,
            (image, _) => image.is_some(),
        };
        if image_first {
            let image = self.image.take();
            return Ok(image.map(|image| Change::Put(Box::new(image))));
        }
        let gone = self.tombstone.take();
        Ok(gone.map(|gone| Change::Gone {
            id: gone.image,
            seq: gone.seq,
        }))
    }
}
