//! Bringing a catalogue forward: changes are read, opened and applied, in their order.

use futures_util::stream::FuturesOrdered;
use futures_util::{Stream, StreamExt};

use super::{Catalogue, Entry};
use crate::ids::ImageId;
use crate::store::{Change, ImageRow, StoreError};
use crate::vault::error::{Result, VaultError};
use crate::vault::keys::Keyring;
use crate::vault::pictures::Metadata;
use crate::vault::{Unlocked, Vault};

/// Most changes opened at a time on a blocking thread: some 6 MiB where records are as long as they
/// may be, sealed and opened.
pub(super) const BATCH: usize = 128;
/// Batches on their way at once: being read, or being opened.
const AT_ONCE: usize = 3;

/// A change that can be applied.
pub(super) enum Opened {
    Put(Box<Entry>),
    Gone(ImageId),
    Damaged(ImageId),
}

/// Opens changes. Fails as a whole where the keyring is outdated: records it cannot open are whole.
pub(super) fn open(keyring: &Keyring, changes: Vec<Change>) -> Result<Vec<Opened>> {
    let is_later =
        |change: &Change| matches!(change, Change::Put(row) if keyring.is_outdated_by(row));
    if changes.iter().any(is_later) {
        return Err(VaultError::Unauthenticated);
    }
    let open = |row: &ImageRow| -> Result<Entry> {
        let metadata = Metadata::open(&keyring.data_key(row)?, row)?;
        Ok(Entry::new(row, metadata))
    };
    let opened = changes
        .into_iter()
        .map(|change| match change {
            Change::Gone { id, .. } => Opened::Gone(id),
            Change::Put(row) => open(&row).map_or_else(
                |_| {
                    tracing::error!(image = %row.id, "an image's record does not open");
                    Opened::Damaged(row.id)
                },
                |entry| Opened::Put(Box::new(entry)),
            ),
        })
        .collect();
    Ok(opened)
}

/// Begins to open changes on a blocking thread. Their newest number comes with them; where they
/// could not be read, the error comes in their place.
fn open_batch(
    catalogue: &Catalogue,
    keyring: &Keyring,
    batch: std::result::Result<Vec<Change>, StoreError>,
) -> impl Future<Output = Result<(u64, Vec<Opened>)>> + use<> {
    let begun = batch.map(|batch| {
        let newest = batch.iter().map(Change::seq).max().unwrap_or(0);
        let known: Vec<_> = batch.iter().map(|change| catalogue.known(change)).collect();
        let sealed = batch.into_iter().zip(&known);
        let sealed: Vec<_> = sealed
            .filter_map(|(change, known)| known.is_none().then_some(change))
            .collect();
        let keyring = keyring.clone();
        let fresh = tokio::task::spawn_blocking(move || open(&keyring, sealed));
        (newest, known, fresh)
    });
    async move {
        let (newest, known, fresh) = begun?;
        // In the order in which they came: what is gone must not come back.
        let mut fresh = fresh.await??.into_iter();
        let opened = known
            .into_iter()
            .filter_map(|known| known.or_else(|| fresh.next()));
        Ok((newest, opened.collect()))
    }
}

/// Applies changes, given in their order. Batches before the first that fails are applied. After
/// each, `has_room` is told what the catalogue weighs, and says whether it may become heavier.
pub(super) async fn apply_changes(
    catalogue: &mut Catalogue,
    keyring: &Keyring,
    changes: impl Stream<Item = std::result::Result<Change, StoreError>> + Unpin,
    has_room: impl Fn(usize) -> bool,
) -> Result<()> {
    let mut batches = changes.ready_chunks(BATCH);
    let mut waiting = FuturesOrdered::new();
    loop {
        // Reading and applying go on while others are opened.
        tokio::select! {
            Some(batch) = batches.next(), if waiting.len() < AT_ONCE => {
                let batch = batch.into_iter().collect();
                waiting.push_back(open_batch(catalogue, keyring, batch));
            }
            Some(opened) = waiting.next() => {
                let (newest, opened) = opened?;
                catalogue.apply(opened);
                if !has_room(catalogue.weight()) {
                    catalogue.is_full();
                }
                // Rows of one change share its number, so only those before it are surely complete.
                catalogue.seq = catalogue.seq.max(newest.saturating_sub(1));
            }
            else => return Ok(()),
        }
    }
}

impl Vault {
    /// Applies every newer change, up to number `to` and beyond. Changes come in order, so when
    /// this fails half-way, those that were applied are right, and the next call goes on from
    /// there.
    pub(super) async fn bring_forward(
        &self,
        who: &Unlocked,
        catalogue: &mut Catalogue,
        to: u64,
    ) -> Result<()> {
        let catalogues = &self.0.catalogues;
        // A few changes need no turn: they do not wait for somebody's hundred thousand.
        let are_few = catalogue.seq > 0 && to - catalogue.seq <= BATCH as u64;
        let ended = |_| VaultError::Internal("nothing is opened any more".into());
        let _turn = match are_few {
            true => None,
            false => Some(catalogues.opening.acquire().await.map_err(ended)?),
        };
        let changes = self
            .store()
            .records
            .changes_since(who.id(), catalogue.seq)
            .await?;
        let has_room = |weight| catalogues.weigh(who.id(), weight);
        apply_changes(catalogue, &who.keyring, changes, has_room).await
    }
}
