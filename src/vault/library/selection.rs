//! Which images a bulk call means, and the calls that change many at once.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::catalogue::{Catalogue, Entry, Filter, Sort, find};
use crate::ids::ImageId;
use crate::store::ImageState;
use crate::vault::blobs::blobs_of;
use crate::vault::error::{Result, VaultError};
use crate::vault::pictures::{Image, ImageEdit};
use crate::vault::turns::{Few, FewTurn};
use crate::vault::{Unlocked, Vault};

/// Most ids in one call.
pub const MAX_IDS: usize = 10_000;
/// Ids handed to the store in one transaction.
const BATCH: usize = 1_000;
/// Records opened, changed and sealed in one transaction.
const EDIT_BATCH: usize = 500;
/// Most ids of a call that needs no turn: marking a picture does not wait for a change of
/// thousands.
const FEW_IDS: usize = 16;

/// A choice of images.
#[derive(Debug, Clone)]
pub enum Selection {
    /// These ids, in this order.
    Ids(Vec<ImageId>),
    /// Every image of the state the call is about.
    All,
    /// Every image that a filter lets through, but for some.
    Matching {
        /// The images to select.
        filter: Filter,
        /// Images left out.
        except: Vec<ImageId>,
        /// How many images the caller expects: where others came or went since, nothing is changed.
        count: Option<usize>,
    },
    /// Every image that went to the trash at this moment: what one call deleted.
    TrashedAt(Timestamp),
}

impl Vault {
    /// Moves images to the trash; returns how many it moved, and the moment it noted for them,
    /// which [`Selection::TrashedAt`] takes to undo it.
    ///
    /// # Errors
    /// [`VaultError::Missing`] where an id is not the account's and [`VaultError::Changed`] where
    /// there are more or fewer than expected: nothing is changed then. After any other, some of a
    /// large selection may have been moved.
    pub async fn trash(&self, who: &Unlocked, selection: Selection) -> Result<(u64, Timestamp)> {
        let _turn = self.bulk_turn(who, &selection, &self.0.changes).await?;
        let ids = self.chosen_ids(who, selection, ImageState::Active).await?;
        let at = self.now();
        let moved = self.move_to(who, &ids, ImageState::Trashed, at).await?;
        Ok((moved, at))
    }

    /// Removes images for good; returns how many it removed. `about` is the state that
    /// [`Selection::All`] means, and a filter that names none.
    ///
    /// # Errors
    /// As [`Vault::trash`].
    pub async fn delete(
        &self,
        who: &Unlocked,
        selection: Selection,
        about: ImageState,
    ) -> Result<u64> {
        let _turn = self.bulk_turn(who, &selection, &self.0.changes).await?;
        let mut removed = 0;
        for batch in self.chosen_ids(who, selection, about).await?.chunks(BATCH) {
            who.watch.look().await?;
            let records = &self.store().records;
            let rows = records.remove_images(who.id(), batch, self.now()).await?;
            removed += rows.len() as u64;
            self.remove_blobs(blobs_of(&rows)).await;
        }
        Ok(removed)
    }

    /// Brings images back from the trash; returns how many it changed.
    ///
    /// # Errors
    /// As [`Vault::trash`].
    pub async fn restore(&self, who: &Unlocked, selection: Selection) -> Result<u64> {
        let _turn = self.bulk_turn(who, &selection, &self.0.changes).await?;
        let ids = self.chosen_ids(who, selection, ImageState::Trashed).await?;
        self.move_to(who, &ids, ImageState::Active, self.now())
            .await
    }

    /// Changes what is said about each of the chosen images; returns how many were chosen.
    ///
    /// # Errors
    /// As [`Vault::edit`]; those before the ones that failed stay changed.
    pub async fn edit_all(
        &self,
        who: &Unlocked,
        selection: Selection,
        edit: ImageEdit,
    ) -> Result<u64> {
        let edit = Arc::new(edit.checked()?);
        let _turn = self.bulk_turn(who, &selection, &self.0.changes).await?;
        let ids = self.chosen_ids(who, selection, ImageState::Active).await?;
        for batch in ids.chunks(EDIT_BATCH) {
            who.watch.look().await?;
            self.edit_batch(who, batch, &edit).await?;
        }
        Ok(ids.len() as u64)
    }

    /// The images before and behind this one, newest first, of the same state.
    ///
    /// # Errors
    /// The store's.
    pub async fn neighbours(
        &self,
        who: &Unlocked,
        id: &ImageId,
    ) -> Result<(Option<ImageId>, Option<ImageId>)> {
        let sort = Sort::UploadedAt;
        let (catalogue, id) = (self.catalogue(who, sort).await?, *id);
        let find_them = move || {
            let order = catalogue.in_order(sort).unwrap_or_default();
            let entry = catalogue.get(&id)?;
            let at = find(order, sort, &sort.key(entry)).ok()?;
            let same = |other: &&Arc<Entry>| other.state == entry.state;
            let newer = order[at + 1..].iter().find(same);
            let older = order[..at].iter().rev().find(same);
            Some((newer.map(|entry| entry.id), older.map(|entry| entry.id)))
        };
        // Among a hundred thousand images the next one of the same state may be the last.
        Ok(self.walk(find_them).await?.unwrap_or_default())
    }

    /// The chosen images as a page shows them, at most `limit`, and how many there are.
    ///
    /// # Errors
    /// As [`Vault::delete`].
    pub async fn preview_selection(
        &self,
        who: &Unlocked,
        selection: Selection,
        of: ImageState,
        limit: usize,
    ) -> Result<(Vec<Image>, usize)> {
        let _turn = self.bulk_turn(who, &selection, &self.0.plans).await?;
        let chosen = self.choose(who, selection, of).await?;
        let count = chosen.len();
        let shown = chosen.into_iter().take(limit).collect();
        let shown = self.whole(who, shown).await?;
        Ok((
            shown.iter().filter_map(|entry| entry.image()).collect(),
            count,
        ))
    }

    /// The turn of a call about this selection, if it needs one.
    ///
    /// # Errors
    /// [`VaultError::Busy`] where others of the account, or of all, take long.
    pub(in crate::vault) async fn bulk_turn(
        &self,
        who: &Unlocked,
        selection: &Selection,
        turns: &Few,
    ) -> Result<Option<FewTurn>> {
        match selection {
            Selection::Ids(ids) if ids.len() <= FEW_IDS => Ok(None),
            _ => turns.wait(who.id()).await.map(Some),
        }
    }

    /// The chosen images: ids in their own order and once each, else newest first. `All` means
    /// those of this state.
    pub(in crate::vault) async fn choose(
        &self,
        who: &Unlocked,
        selection: Selection,
        all_of: ImageState,
    ) -> Result<Vec<Arc<Entry>>> {
        if let Selection::Ids(ids) = &selection {
            check_ids("ids", ids, 1)?;
        }
        if let Selection::Matching { filter, except, .. } = &selection {
            filter.check("query")?;
            check_ids("except", except, 0)?;
        }
        let everything = Filter::default();
        let filter = match &selection {
            Selection::Matching { filter, .. } => filter,
            Selection::Ids(_) | Selection::All | Selection::TrashedAt(_) => &everything,
        };
        let searched = self.searched(who, Sort::UploadedAt, filter, all_of);
        let (catalogue, beyond) = searched.await?;
        self.walk(move || choose(&catalogue, selection, all_of, &beyond))
            .await?
    }

    async fn chosen_ids(
        &self,
        who: &Unlocked,
        selection: Selection,
        all_of: ImageState,
    ) -> Result<Vec<ImageId>> {
        let chosen = self.choose(who, selection, all_of).await?;
        Ok(chosen.iter().map(|entry| entry.id).collect())
    }

    async fn move_to(
        &self,
        who: &Unlocked,
        ids: &[ImageId],
        state: ImageState,
        at: Timestamp,
    ) -> Result<u64> {
        let mut moved = 0;
        for batch in ids.chunks(BATCH) {
            who.watch.look().await?;
            let records = &self.store().records;
            let those = records.set_state(who.id(), batch, state, at).await?;
            moved += those.len() as u64;
        }
        Ok(moved)
    }
}

fn check_ids(field: &'static str, ids: &[ImageId], min: usize) -> Result<()> {
    if ids.len() < min {
        return Err(VaultError::invalid(
            field,
            "Nothing is selected: choose at least one picture.",
        ));
    }
    if ids.len() > MAX_IDS {
        let message = format!("At most {MAX_IDS} ids in one call; use `all` or `query` for more.");
        return Err(VaultError::invalid(field, message));
    }
    Ok(())
}

fn check_present(catalogue: &Catalogue, ids: &[ImageId]) -> Result<()> {
    let absent = |id: &&ImageId| catalogue.get(id).is_none();
    let missing: Vec<_> = ids.iter().filter(absent).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(VaultError::Missing(missing))
}

fn choose(
    catalogue: &Catalogue,
    selection: Selection,
    all_of: ImageState,
    beyond: &HashSet<ImageId>,
) -> Result<Vec<Arc<Entry>>> {
    let newest_first = || {
        catalogue
            .in_order(Sort::UploadedAt)
            .unwrap_or_default()
            .iter()
            .rev()
    };
    match selection {
        Selection::Ids(ids) => {
            check_present(catalogue, &ids)?;
            let mut seen = HashSet::with_capacity(ids.len());
            Ok(ids
                .iter()
                .filter(|id| seen.insert(**id))
                .filter_map(|id| catalogue.get(id).cloned())
                .collect())
        }
        Selection::All => Ok(newest_first()
            .filter(|e| e.state == all_of)
            .cloned()
            .collect()),
        Selection::Matching {
            filter,
            except,
            count,
        } => {
            check_present(catalogue, &except)?;
            let (meant, except) = (
                filter.matcher(all_of, beyond),
                HashSet::<_>::from_iter(except),
            );
            let wanted = |entry: &&Arc<Entry>| meant(entry) && !except.contains(&entry.id);
            let chosen: Vec<_> = newest_first().filter(wanted).cloned().collect();
            match count {
                Some(count) if count != chosen.len() => Err(VaultError::Changed),
                _ => Ok(chosen),
            }
        }
        Selection::TrashedAt(at) => Ok(newest_first()
            .filter(|e| e.state == ImageState::Trashed && e.trashed_at == Some(at))
            .cloned()
            .collect()),
    }
}
