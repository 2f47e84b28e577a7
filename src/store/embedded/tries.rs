//! Failed tries in SQLite.

use async_trait::async_trait;

use super::super::{Result, Tries, TriesRow};
use super::columns::Millis;
use super::database::Database;

statements! {
    INSERT = "INSERT INTO tries (key, count, last_at) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO NOTHING";
    UPDATE = "UPDATE tries SET count = ?2, last_at = ?3 WHERE key = ?1 AND count = ?4 AND last_at = ?5";
}

#[async_trait]
impl Tries for Database {
    async fn replace_tries(&self, known: Option<&TriesRow>, new: &TriesRow) -> Result<bool> {
        let put = (new.key, new.count, Millis(new.last_at));
        let changed = match known {
            None => self.execute(INSERT, put).await?,
            Some(known) => {
                let known = (known.count, Millis(known.last_at));
                let both = (put.0, put.1, put.2, known.0, known.1);
                self.execute(UPDATE, both).await?
            }
        };
        Ok(changed == 1)
    }
}
