//! Failed tries in MongoDB.

use async_trait::async_trait;
use mongodb::bson::doc;

use super::super::{Result, Tries, TriesRow};
use super::Mongo;
use super::documents::{binary, date};
use super::errors;
use super::rows::document;

#[async_trait]
impl Tries for Mongo {
    async fn replace_tries(&self, known: Option<&TriesRow>, new: &TriesRow) -> Result<bool> {
        let tries = self.rows::<TriesRow>().clone_with_type();
        let Some(known) = known else {
            let insert = async {
                match tries.insert_one(document(new)).await {
                    Err(error) if errors::is_duplicate(&error) => Ok(false),
                    inserted => inserted.map(|_| true),
                }
            };
            return self.answer(insert).await;
        };
        let unchanged = doc! {
            "_id": binary(&new.key),
            "count": i64::from(known.count),
            "last_at": date(known.last_at),
        };
        let replace = tries.replace_one(unchanged, document(new));
        Ok(self.answer(replace).await?.matched_count == 1)
    }
}
