//! One image: looking at it, changing what is said about it, deleting it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::metadata::Metadata;
use super::names::clean_name;
use crate::crypto::DataKey;
use crate::ids::ImageId;
use crate::store::{Edited, ImageRow, ImageState, MetadataChange};
use crate::vault::access::Watch;
use crate::vault::blobs::blobs_of;
use crate::vault::error::{FieldErrors, Result, VaultError};
use crate::vault::keys::Keyring;
use crate::vault::{Unlocked, Vault};

/// Longest name in bytes.
const MAX_NAME_BYTES: usize = 1_024;
const MAX_CAPTION_BYTES: usize = 4_096;
const MAX_TAGS: usize = 100;
const MAX_TAG_BYTES: usize = 100;
/// Attempts at a change before it is given up; each lost one means that another change won.
const MAX_ATTEMPTS: u64 = 50;
/// Longest pause after a lost attempt: many writers of one image spread out.
const MAX_PAUSE: Duration = Duration::from_millis(50);

/// An image as its owner sees it.
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Whether it is in the vault or in the trash.
    pub state: ImageState,
    /// When it was uploaded.
    pub uploaded_at: Timestamp,
    /// When it went to the trash, if it is there.
    pub trashed_at: Option<Timestamp>,
    /// Everything else that is known about it.
    pub metadata: Arc<Metadata>,
}

impl Image {
    pub(super) fn of_row(row: &ImageRow, metadata: Metadata) -> Self {
        let metadata = Arc::new(metadata);
        Self {
            id: row.id,
            state: row.state(),
            uploaded_at: row.uploaded_at,
            trashed_at: row.trashed_at,
            metadata,
        }
    }
}

/// An image with its key at hand, so that its bytes can be read.
pub struct OpenImage {
    /// What is known about it.
    pub image: Image,
    pub(super) row: ImageRow,
    pub(super) key: DataKey,
    /// Watches the session by which the image was opened.
    pub(in crate::vault) watch: Watch,
}

/// What to change about an image; `None` leaves a field as it is.
#[derive(Clone, Default)]
pub struct ImageEdit {
    /// The file's name.
    pub name: Option<String>,
    /// All of its tags.
    pub tags: Option<Vec<String>>,
    /// Its caption.
    pub caption: Option<String>,
    /// Whether it is marked.
    pub favourite: Option<bool>,
}

/// How far a deletion goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// To the trash; an image that is there already is removed for good.
    OneStep,
    /// For good.
    ForGood,
}

impl Vault {
    /// Opens one image of the account.
    ///
    /// # Errors
    /// [`VaultError::NotFound`], also for another person's; [`VaultError::Damaged`].
    pub async fn open_image(&self, who: &Unlocked, id: &ImageId) -> Result<OpenImage> {
        let row = self.row(who, id).await?;
        let key = who.keyring.data_key(&row)?;
        let metadata = Metadata::open(&key, &row)?;
        Ok(OpenImage {
            image: Image::of_row(&row, metadata),
            row,
            key,
            watch: who.watch.clone(),
        })
    }

    /// The row of one image of the account.
    pub(super) async fn row(&self, who: &Unlocked, id: &ImageId) -> Result<ImageRow> {
        let row = self.store().records.image(who.id(), id).await?;
        row.ok_or(VaultError::NotFound)
    }

    /// Changes what is said about an image. A name that the image has already is not judged: one
    /// from before there was a rule may stay, and a form sends it back with all else.
    ///
    /// # Errors
    /// [`VaultError::NotFound`]; [`VaultError::Invalid`] naming the fields that break a rule, or
    /// that make the record too long; [`VaultError::NoRoom`] where more is said than the account may
    /// keep.
    pub async fn edit(&self, who: &Unlocked, id: &ImageId, mut edit: ImageEdit) -> Result<Image> {
        if edit.name.as_deref().and_then(name_problem).is_some() {
            let known = self.open_image(who, id).await?.image.metadata;
            edit = edit.without_name(&known.name);
        }
        let edit = edit.checked()?;
        self.change_metadata(who, id, |metadata| edit.apply(metadata))
            .await
    }

    /// Deletes one image.
    ///
    /// # Errors
    /// [`VaultError::NotFound`].
    pub async fn remove(&self, who: &Unlocked, id: &ImageId, how: Removal) -> Result<()> {
        let records = &self.store().records;
        let (ids, now) = ([*id], self.now());
        if how == Removal::OneStep {
            let moved = records
                .set_state(who.id(), &ids, ImageState::Trashed, now)
                .await?;
            if !moved.is_empty() {
                return Ok(());
            }
        }
        let removed = records.remove_images(who.id(), &ids, now).await?;
        self.remove_blobs(blobs_of(&removed)).await;
        if removed.is_empty() {
            Err(VaultError::NotFound)
        } else {
            Ok(())
        }
    }

    /// Applies `change` to the sealed record by compare-and-swap; a change that loses a race is
    /// applied again to the record that won. Nothing is written where `change` returns `false`.
    pub(in crate::vault) async fn change_metadata(
        &self,
        who: &Unlocked,
        id: &ImageId,
        change: impl Fn(&mut Metadata) -> bool,
    ) -> Result<Image> {
        for attempt in 0..MAX_ATTEMPTS {
            let OpenImage {
                mut image,
                row,
                key,
                ..
            } = self.open_image(who, id).await?;
            if !change(Arc::make_mut(&mut image.metadata)) {
                return Ok(image);
            }
            let replaced = row.metadata.len();
            let sealed = image.metadata.seal(&key, who.id(), id, replaced)?;
            let change = MetadataChange {
                id: *id,
                revision: row.revision,
                metadata: sealed,
            };
            let changed = self.put_records(who, &[change]).await?;
            if !changed.is_empty() {
                return Ok(image);
            }
            // Removed, or changed by another call: the next read tells which.
            tokio::time::sleep(Duration::from_millis(attempt).min(MAX_PAUSE)).await;
        }
        Err(VaultError::Busy)
    }

    /// Applies a checked edit to each of the images, by compare-and-swap. Images that were removed
    /// meanwhile are left out.
    pub(in crate::vault) async fn edit_batch(
        &self,
        who: &Unlocked,
        ids: &[ImageId],
        edit: &Arc<ImageEdit>,
    ) -> Result<()> {
        let records = &self.store().records;
        let mut left: HashSet<ImageId> = ids.iter().copied().collect();
        for attempt in 0..MAX_ATTEMPTS {
            let asked: Vec<ImageId> = left.iter().copied().collect();
            let rows = records.images(who.id(), &asked).await?;
            let (keyring, edit) = (who.keyring.clone(), edit.clone());
            let edit_rows = move || rows.iter().map(|row| edit.applied(&keyring, row)).collect();
            let changes: Result<Vec<_>> = tokio::task::spawn_blocking(edit_rows).await?;
            let changes: Vec<MetadataChange> = changes?.into_iter().flatten().collect();
            let changed = self.put_records(who, &changes).await?;
            left = changes.iter().map(|change| change.id).collect();
            left.retain(|id| !changed.contains(id));
            if left.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(attempt).min(MAX_PAUSE)).await;
        }
        Err(VaultError::Busy)
    }

    /// Stores changed records; returns the ids of those that no other call had changed before.
    async fn put_records(
        &self,
        who: &Unlocked,
        changes: &[MetadataChange],
    ) -> Result<Vec<ImageId>> {
        let (records, quota) = (&self.store().records, self.default_quota());
        match records.update_metadata(who.id(), changes, &quota).await? {
            Edited::Done(changed) => Ok(changed),
            Edited::NoRoom => Err(VaultError::NoRoom(self.usage(who).await?)),
        }
    }
}

impl ImageEdit {
    /// The record of this row with the edit in it; `None` where that makes no difference.
    fn applied(&self, keyring: &Keyring, row: &ImageRow) -> Result<Option<MetadataChange>> {
        let key = keyring.data_key(row)?;
        let mut metadata = Metadata::open(&key, row)?;
        if !self.apply(&mut metadata) {
            return Ok(None);
        }
        Ok(Some(MetadataChange {
            id: row.id,
            revision: row.revision,
            metadata: metadata.seal(&key, &row.account, &row.id, row.metadata.len())?,
        }))
    }

    /// The edit without this name.
    fn without_name(self, known: &str) -> Self {
        Self {
            name: self.name.filter(|name| name != known),
            ..self
        }
    }

    pub(in crate::vault) fn checked(mut self) -> Result<Self> {
        let mut errors = FieldErrors::new();
        if let Some(problem) = self.name.as_deref().and_then(name_problem) {
            errors.insert("name".into(), problem);
        }
        if self
            .caption
            .as_ref()
            .is_some_and(|caption| caption.len() > MAX_CAPTION_BYTES)
        {
            errors.insert(
                "caption".into(),
                format!("A caption has at most {MAX_CAPTION_BYTES} bytes."),
            );
        }
        if let Some(tags) = self.tags.take() {
            match clean_tags(tags) {
                Ok(tags) => self.tags = Some(tags),
                Err(problem) => drop(errors.insert("tags".into(), problem)),
            }
        }
        if errors.is_empty() {
            Ok(self)
        } else {
            Err(VaultError::Invalid(errors))
        }
    }

    /// Applies the edit; returns whether that changed anything.
    pub(super) fn apply(&self, metadata: &mut Metadata) -> bool {
        replace(&mut metadata.name, &self.name)
            | replace(&mut metadata.tags, &self.tags)
            | replace(&mut metadata.caption, &self.caption)
            | replace(&mut metadata.favourite, &self.favourite)
    }
}

fn replace<T: Clone + PartialEq>(field: &mut T, new: &Option<T>) -> bool {
    match new {
        Some(new) if new != field => {
            new.clone_into(field);
            true
        }
        _ => false,
    }
}

/// What is wrong with a name for an image, or `None`. A name is data: it may hold any text, up to a
/// length, and is made safe wherever it leaves the vault. What acts on the text around it is none.
pub(in crate::vault) fn name_problem(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("A name has at least one character.".into())
    } else if name.len() > MAX_NAME_BYTES {
        Some(format!("A name has at most {MAX_NAME_BYTES} bytes."))
    } else if clean_name(name) != name {
        let message = "A name holds no control characters (such as line breaks), and no sign that turns \
                       the direction of writing and is left open: type it anew.";
        Some(message.into())
    } else {
        None
    }
}

/// A client's name for something, as an answer repeats it: cut to the longest name a picture can
/// have, and without what acts on the text around it.
pub fn told_name(name: &str) -> String {
    let mut end = name.len().min(MAX_NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    clean_name(&name[..end])
}

/// Tags trimmed, without empty ones and repetitions.
fn clean_tags(tags: Vec<String>) -> std::result::Result<Vec<String>, String> {
    let mut clean: Vec<String> = Vec::new();
    for tag in tags
        .iter()
        .map(|tag| tag.trim())
        .filter(|tag| !tag.is_empty())
    {
        if tag.len() > MAX_TAG_BYTES {
            return Err(format!("A tag has at most {MAX_TAG_BYTES} bytes."));
        }
        if !clean.iter().any(|known| known == tag) {
            clean.push(tag.to_owned());
        }
        if clean.len() > MAX_TAGS {
            return Err(format!("A picture has at most {MAX_TAGS} tags."));
        }
    }
    Ok(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_an_image_has_already_may_stay_and_no_other_like_it() {
        let edit = |name: &str| ImageEdit {
            name: Some(name.into()),
            favourite: Some(true),
            ..ImageEdit::default()
        };
        for old in ["a\u{202e}gpj.exe", "a\nb", ""] {
            assert!(edit(old).checked().is_err(), "{old:?}");
            let sent_back = edit(old).without_name(old).checked().ok();
            assert!(sent_back.is_some_and(|edit| edit.favourite == Some(true)));
            assert!(edit(old).without_name("b").checked().is_err());
        }
    }
}
