//! Archives' tickets in MongoDB.

use async_trait::async_trait;
use futures_util::{FutureExt, TryStreamExt};
use mongodb::bson::{RawDocumentBuf, doc};

use crate::ids::{AccountId, ArchiveId};

use super::super::{ArchiveRow, Archives, Kept, Result};
use super::Mongo;
use super::documents::texts;
use super::rows::read;

#[async_trait]
impl Archives for Mongo {
    async fn remove_archives_of(
        &self,
        account: &AccountId,
        keep: Kept,
        limit: u32,
    ) -> Result<Vec<ArchiveRow>> {
        if limit == 0 {
            return Ok(Vec::new()); // to MongoDB it means "no limit"
        }
        let own = doc! { "account": account.to_string() };
        let removed = self.transact((self, own), |session, (mongo, own)| {
            async move {
                let archives = mongo.rows::<ArchiveRow>();
                let mut found = archives
                    .find(own.clone())
                    .sort(doc! { "created_at": -1 })
                    .limit(i64::from(keep.count) + i64::from(limit))
                    .session(&mut *session)
                    .await?;
                let found: Vec<RawDocumentBuf> = found.stream(session).try_collect().await?;
                let rows: Result<Vec<ArchiveRow>> = found.iter().map(|row| read(row)).collect();
                let mut gone = match rows {
                    Ok(rows) => beyond(rows, keep),
                    damaged => return Ok(damaged),
                };
                gone.truncate(limit as usize);
                if gone.is_empty() {
                    return Ok(Ok(gone)); // as nearly always
                }
                let ids: Vec<ArchiveId> = gone.iter().map(|archive| archive.id).collect();
                let these = doc! { "_id": { "$in": texts(&ids) } };
                archives.delete_many(these).session(session).await?;
                Ok(Ok(gone))
            }
            .boxed()
        });
        removed.await?
    }
}

/// Those that do not keep within `keep`.
fn beyond(archives: Vec<ArchiveRow>, keep: Kept) -> Vec<ArchiveRow> {
    let (mut place, mut bytes) = (0, 0_u64);
    let is_beyond = |archive: &ArchiveRow| {
        place += 1;
        bytes = bytes.saturating_add(archive.plan.len);
        place > keep.count || bytes > keep.bytes
    };
    archives.into_iter().filter(is_beyond).collect()
}
