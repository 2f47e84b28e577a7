//! The catalogue of an account as a stream of changes, a page at a time.

use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use rusqlite::{Connection, Row};

use crate::ids::{AccountId, ImageId};

use super::super::row::Row as _;
use super::super::{Change, ImageRow, Result, StoreError};
use super::columns::Count;
use super::database::Database;
use super::rows::{self, Places};

/// Rows read in one go, and held in memory at once.
const PAGE: usize = 256;

statements! {
    // One statement sees one state, so the images and the tombstones of a page belong together.
    // Both sides have an index in this order and are merged; nothing is sorted.
    SELECT_PAGE =
        "SELECT id, account, seq, revision, uploaded_at, trashed_at, digest, key_wrap,
             mk_generation, metadata, original, original_len, thumbnail, thumbnail_len, preview,
             preview_len FROM images
         WHERE account = ?1 AND (seq, id) > (?2, ?3)
         UNION ALL
         SELECT image, account, seq,
             NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
         FROM tombstones WHERE account = ?1 AND (seq, image) > (?2, ?3)
         ORDER BY seq, id LIMIT ?4";
}

/// What follows `after`. A row that changes while the stream is read moves to a higher number and
/// is met there, so the pages need not be of one state.
pub(super) fn changes_since(
    database: Database,
    account: AccountId,
    after: u64,
) -> BoxStream<'static, Result<Change>> {
    let pages = stream::try_unfold(Some(Position::above(after)), move |position| {
        let database = database.clone();
        async move {
            let Some(position) = position else {
                return Ok::<_, StoreError>(None);
            };
            let page = database
                .read(move |db| page(db, &account, &position))
                .await?;
            let next = page.last().filter(|_| page.len() == PAGE).map(Position::of);
            Ok(Some((stream::iter(page.into_iter().map(Ok)), next)))
        }
    });
    pages.try_flatten().boxed()
}

/// The place of a row in the order of the catalogue.
struct Position {
    seq: u64,
    image: Option<ImageId>,
}

impl Position {
    fn above(seq: u64) -> Self {
        Self {
            seq: seq.saturating_add(1).min(i64::MAX as u64),
            image: None,
        }
    }

    fn of(change: &Change) -> Self {
        match change {
            Change::Put(row) => Self {
                seq: row.seq,
                image: Some(row.id),
            },
            Change::Gone { id, seq } => Self {
                seq: *seq,
                image: Some(*id),
            },
        }
    }
}

fn page(connection: &Connection, account: &AccountId, from: &Position) -> Result<Vec<Change>> {
    // Every id is greater than the empty text.
    let id = from.image.map_or_else(String::new, |id| id.to_string());
    let from = (account, Count(from.seq), id, PAGE as u32);
    rows::each(connection, &ImageRow::NOUN, SELECT_PAGE, from, change)
}

fn change(places: &Places, row: &Row<'_>) -> Result<Change> {
    match row.get::<_, Option<Count>>("revision")? {
        Some(_) => Ok(Change::Put(Box::new(places.read(row)?))),
        None => Ok(Change::Gone {
            id: row.get("id")?,
            seq: row.get::<_, Count>("seq")?.0,
        }),
    }
}
