//! Lists: filter, order, page. A page is found by the place of the last image before it, so that
//! pictures which come or go meanwhile neither repeat nor hide others.

use serde::{Deserialize, Serialize};

use std::collections::HashSet;
use std::sync::Arc;

use super::catalogue::{Catalogue, Entry, Filter, Key, Place, Sort, Tally, find};
use crate::ids::ImageId;
use crate::store::ImageState;
use crate::vault::error::{Result, VaultError};
use crate::vault::pictures::Image;
use crate::vault::{Unlocked, Vault};

/// Images on a page unless asked otherwise.
pub const DEFAULT_LIMIT: usize = 100;
/// Most images on a page.
pub const MAX_LIMIT: usize = 500;
/// Bytes after which a page ends, however few images it has: ten times those of an ordinary page of
/// [`MAX_LIMIT`] images.
const MAX_BYTES: usize = 2 << 20;
/// Bytes of an image in an answer that are not in its record.
const BESIDE_RECORD: usize = 512;

/// Which images to list.
pub struct ListRequest {
    /// The images to list.
    pub filter: Filter,
    /// The order.
    pub sort: Sort,
    /// Whether the order is turned round.
    pub descending: bool,
    /// Images on the page.
    pub limit: usize,
    /// The cursor with which the page before this one ended.
    pub cursor: Option<String>,
}

impl Default for ListRequest {
    fn default() -> Self {
        Self {
            filter: Filter::default(),
            sort: Sort::UploadedAt,
            descending: true,
            limit: DEFAULT_LIMIT,
            cursor: None,
        }
    }
}

/// A page of a list.
pub struct Page {
    /// Its images: as many as were asked for, or fewer where they would be too many bytes.
    pub items: Vec<Image>,
    /// Images in the whole list.
    pub total: usize,
    /// Bytes of the originals in the whole list.
    pub total_bytes: u64,
    /// Leads to the next page; nothing on the last one. Sealed, since it holds a name or a time.
    pub next_cursor: Option<String>,
    /// Images of the account whose record does not open.
    pub damaged: usize,
}

#[derive(Serialize, Deserialize)]
struct Cursor<'a> {
    sort: Sort,
    descending: bool,
    place: Place<'a>,
    id: ImageId,
}

impl Vault {
    /// A page of the account's images.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] naming `limit`, `q` or `cursor`.
    pub async fn list(&self, who: &Unlocked, request: ListRequest) -> Result<Page> {
        if !(1..=MAX_LIMIT).contains(&request.limit) {
            return Err(VaultError::invalid(
                "limit",
                format!("`limit` is 1 to {MAX_LIMIT}."),
            ));
        }
        request.filter.check("q")?;
        let cursor = request
            .cursor
            .as_deref()
            .map(|text| open_cursor(who, text))
            .transpose()?;
        let after: Option<Cursor<'static>> = match cursor {
            Some(bytes) => Some(read_cursor(&bytes, &request)?),
            None => None,
        };
        let searched = self.searched(who, request.sort, &request.filter, ABOUT);
        let (catalogue, beyond) = searched.await?;
        // Walking a large catalogue takes milliseconds: not on an async thread.
        let page = move || page(&catalogue, &request, after, &beyond, MAX_BYTES);
        let found = self.walk(page).await?;
        let items = self.whole(who, found.items).await?;
        let next_cursor = found
            .next
            .map(|bytes| seal_cursor(who, &bytes))
            .transpose()?;
        Ok(Page {
            items: items.iter().filter_map(|entry| entry.image()).collect(),
            total: found.tally.images,
            total_bytes: found.tally.bytes,
            next_cursor,
            damaged: found.damaged,
        })
    }
}

/// The state that a list is about where its filter names none.
const ABOUT: ImageState = ImageState::Active;

struct Found {
    items: Vec<Arc<Entry>>,
    /// The tally of the whole list.
    tally: Tally,
    next: Option<Vec<u8>>,
    damaged: usize,
}

fn page(
    catalogue: &Catalogue,
    request: &ListRequest,
    after: Option<Cursor<'_>>,
    beyond: &HashSet<ImageId>,
    max_bytes: usize,
) -> Found {
    let order = catalogue.in_order(request.sort).unwrap_or_default();
    // Index of the first image behind the cursor, counted from the end that comes first.
    let start = after.map_or(0, |cursor| {
        match (
            find(order, request.sort, &Key(cursor.place, cursor.id)),
            request.descending,
        ) {
            (Ok(at), false) => at + 1,
            (Err(at), false) => at,
            (Ok(at) | Err(at), true) => order.len() - at,
        }
    });
    let wanted = request.filter.matcher(ABOUT, beyond);
    // With a tally that is known already, only the page itself has to be walked over.
    let known = request.filter.whole_state(ABOUT);
    let known = known.map(|state| catalogue.tally(state));
    let skipped = match known {
        Some(Tally { images: 0, .. }) => order.len(),
        Some(_) => start,
        None => 0,
    };
    let (mut items, mut bytes, mut counted) = (Vec::new(), 0, Tally::default());
    let (mut last, mut next) = (None, None);
    for (at, entry) in (skipped..).zip(walk(order, request.descending, skipped)) {
        if !wanted(entry) {
            continue;
        }
        counted.add(entry);
        if at < start {
            continue;
        }
        bytes += entry.record_len + BESIDE_RECORD;
        let fits = items.is_empty() || (items.len() < request.limit && bytes <= max_bytes);
        if fits {
            items.push(entry.clone());
            last = Some(entry);
        } else if let Some(last) = last.take() {
            next = Some(cursor_bytes(request.sort, request.descending, last));
        }
        // Enough, if the next page has begun or this one, the first, holds the whole list.
        let is_all = known.is_some_and(|known| known.images == counted.images);
        if known.is_some() && (next.is_some() || is_all) {
            break;
        }
    }
    Found {
        items,
        tally: known.unwrap_or(counted),
        next,
        damaged: catalogue.damaged().len(),
    }
}

/// Walks an order, upwards or downwards, without its first `skipped` images.
pub(super) fn walk(
    order: &[Arc<Entry>],
    descending: bool,
    skipped: usize,
) -> impl Iterator<Item = &Arc<Entry>> {
    let len = order.len();
    (skipped..len).map(move |at| &order[if descending { len - 1 - at } else { at }])
}

/// The plaintext of the cursor that leads to the images behind this one.
pub(super) fn cursor_bytes(sort: Sort, descending: bool, entry: &Entry) -> Vec<u8> {
    let Key(place, id) = sort.key(entry);
    let cursor = Cursor {
        sort,
        descending,
        place,
        id,
    };
    serde_json::to_vec(&cursor).expect("numbers and strings always make JSON")
}

fn read_cursor(bytes: &[u8], request: &ListRequest) -> Result<Cursor<'static>> {
    let cursor: Cursor<'static> = serde_json::from_slice::<Cursor<'_>>(bytes)
        .map(Cursor::into_owned)
        .map_err(|_| stale_cursor())?;
    if (cursor.sort, cursor.descending) == (request.sort, request.descending) {
        Ok(cursor)
    } else {
        Err(VaultError::invalid(
            "cursor",
            "This cursor belongs to another order: start again.",
        ))
    }
}

impl Cursor<'_> {
    fn into_owned(self) -> Cursor<'static> {
        let place = match self.place {
            Place::Time(at) => Place::Time(at),
            Place::Bytes(bytes) => Place::Bytes(bytes),
            Place::Text(text) => Place::Text(text.into_owned().into()),
        };
        Cursor {
            sort: self.sort,
            descending: self.descending,
            place,
            id: self.id,
        }
    }
}

fn stale_cursor() -> VaultError {
    VaultError::invalid(
        "cursor",
        "This is no cursor of ours: start again without one.",
    )
}

pub(super) fn seal_cursor(who: &Unlocked, bytes: &[u8]) -> Result<String> {
    let sealed = who.keyring.master.cursor_key().seal(bytes)?;
    Ok(data_encoding::BASE64URL_NOPAD.encode(&sealed))
}

fn open_cursor(who: &Unlocked, text: &str) -> Result<Vec<u8>> {
    let sealed = data_encoding::BASE64URL_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| stale_cursor())?;
    who.keyring
        .master
        .cursor_key()
        .open(&sealed)
        .map_err(|_| stale_cursor())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::catalogue::tests::{MOST_RECORD, entry};
    use super::*;

    fn filters() -> impl Strategy<Value = Filter> {
        let states = [None, Some(ImageState::Active), Some(ImageState::Trashed)];
        let queries = ["", " ", "beach", "mountain", "beach sea"];
        let tags = [None, None, Some("sea".to_owned())];
        let query = prop::sample::select(queries.to_vec());
        let tag = prop::sample::select(tags.to_vec());
        let state = prop::sample::select(states.to_vec());
        (query, tag, prop::bool::weighted(0.3), state).prop_map(|(query, tag, favourite, state)| {
            Filter {
                query: query.to_owned(),
                tag,
                favourite,
                state,
            }
        })
    }

    proptest! {
        /// Whether the tally was known or counted, however few of their records are in memory.
        #[test]
        fn pages_of_any_size_are_together_the_whole_list(
            images in prop::collection::vec((any::<bool>(), 0..24_u64), 0..30),
            filter in filters(),
            sort in prop::sample::select(
                &[Sort::UploadedAt, Sort::TakenAt, Sort::Name, Sort::Size],
            ),
            descending: bool,
            limit in 1..8_usize,
            max_bytes in 0..4_000_usize,
            share in 0..20_000_usize,
        ) {
            let images = (0..).zip(&images).map(|(id, (is_trashed, number))| {
                let state = if *is_trashed { ImageState::Trashed } else { ImageState::Active };
                entry(ImageId::from_bytes([id; 16]), state, *number)
            });
            let all = Catalogue::holding(images.clone(), sort, usize::MAX);
            let request = ListRequest { filter, sort, descending, limit, cursor: None };
            let beyond = HashSet::new();
            let wanted = request.filter.matcher(ABOUT, &beyond);
            let order = all.in_order(sort).unwrap();
            let whole = walk(order, descending, 0).filter(|entry| wanted(entry));
            let (mut expected, mut tally) = (Vec::new(), Tally::default());
            for entry in whole {
                expected.push(entry.id);
                tally.add(entry);
            }
            // Some have no record in memory: those were matched elsewhere.
            let catalogue = Catalogue::holding(images, sort, share);
            let beyond = expected.iter().copied().collect();

            let (mut listed, mut after) = (Vec::new(), None);
            loop {
                let found = page(&catalogue, &request, after.take(), &beyond, max_bytes);
                prop_assert_eq!(found.tally, tally);
                listed.extend(found.items.iter().map(|entry| entry.id));
                let bytes = |entry: &Arc<Entry>| entry.record_len + BESIDE_RECORD;
                let bytes: usize = found.items.iter().map(bytes).sum();
                prop_assert!(bytes <= max_bytes || found.items.len() == 1);
                let Some(next) = found.next else {
                    break;
                };
                let is_full = found.items.len() == limit;
                prop_assert!(is_full || bytes + BESIDE_RECORD + MOST_RECORD > max_bytes);
                after = Some(read_cursor(&next, &request)?);
            }
            prop_assert_eq!(listed, expected);
        }
    }
}
