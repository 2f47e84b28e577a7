//! Archives' tickets in SQLite.

use async_trait::async_trait;

use crate::ids::AccountId;

use super::super::{ArchiveRow, Archives, Kept, Result};
use super::columns::Count;
use super::database::Database;

statements! {
    REMOVE_OF =
        "DELETE FROM archives WHERE id IN
         (SELECT id FROM
            (SELECT id, row_number() OVER newest AS place, sum(plan_len) OVER newest AS bytes
             FROM archives WHERE account = ?1
             WINDOW newest AS (ORDER BY created_at DESC, rowid DESC ROWS UNBOUNDED PRECEDING))
          WHERE place > ?2 OR bytes > ?3 LIMIT ?4)
         RETURNING *";
}

#[async_trait]
impl Archives for Database {
    async fn remove_archives_of(
        &self,
        account: &AccountId,
        keep: Kept,
        limit: u32,
    ) -> Result<Vec<ArchiveRow>> {
        let keep = (keep.count, Count(keep.bytes));
        self.take(REMOVE_OF, (*account, keep.0, keep.1, limit))
            .await
    }
}
