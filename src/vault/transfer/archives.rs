//! Archives: a ticket freezes a selection into a plan, and the plan fixes every byte of the zip
//! before the first is sent. So a resumed download is the same bytes.
//!
//! The plan holds names, sizes and checksums, so it is sealed like a picture. It holds no keys:
//! what is removed for good in the meantime can no longer be read through a ticket.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::tickets::{OpenArchive, Texts, Ticket};
use crate::archive;
use crate::archive::{DosTime, Piece, Plan};
use crate::crypto::BlobRole;
use crate::ids::{AccountId, ArchiveId, ImageId};
use crate::store::{ImageRow, ImageState};
use crate::vault::error::{Result, VaultError};
use crate::vault::keys::Keyring;
use crate::vault::library::{Entry, Sort};
use crate::vault::pictures::{PlainStream, SealedBlob, StreamError, StreamSender, spawn_stream};
use crate::vault::{Selection, Unlocked, Vault, keys};

const DEFAULT_NAME: &str = "pictures.zip";
/// Rows fetched ahead while a zip is sent.
const ROWS_AHEAD: usize = 64;
/// Images whose names are looked up at a time.
const NAMES_AT_ONCE: usize = 500;

impl Vault {
    /// Freezes a selection for download.
    ///
    /// # Errors
    /// [`VaultError::Missing`] where an id is not the account's; [`VaultError::Invalid`] where
    /// nothing is selected.
    pub async fn create_archive(
        &self,
        who: &Unlocked,
        selection: Selection,
        name: Option<&str>,
    ) -> Result<Ticket> {
        let _turn = self.bulk_turn(who, &selection, &self.0.plans).await?;
        let chosen = self.choose(who, selection, ImageState::Active).await?;
        if chosen.is_empty() {
            return Err(VaultError::invalid(
                "ids",
                "Nothing is selected: an archive needs at least one picture.",
            ));
        }
        let names = self.names_of(who, &chosen).await?;
        let filename = zip_name(name);
        let plan = tokio::task::spawn_blocking(move || freeze(&chosen, &names)).await??;
        self.issue(who, filename, &plan, &[]).await
    }

    /// The names of images. Records that are not in memory are read in batches.
    ///
    /// # Errors
    /// [`VaultError::Changed`] where one of the images was removed meanwhile.
    async fn names_of(&self, who: &Unlocked, entries: &[Arc<Entry>]) -> Result<Vec<String>> {
        let mut names = Vec::with_capacity(entries.len());
        for batch in entries.chunks(NAMES_AT_ONCE) {
            let whole = self.whole(who, batch.to_vec()).await?;
            let whole = whole.iter().filter_map(|entry| entry.metadata.as_ref());
            names.extend(whole.map(|metadata| metadata.name.clone()));
            // With all records in memory a hundred thousand names take milliseconds without an
            // await.
            tokio::task::yield_now().await;
        }
        match names.len() == entries.len() {
            true => Ok(names),
            false => Err(VaultError::Changed),
        }
    }

    /// Opens a ticket of the account.
    ///
    /// # Errors
    /// [`VaultError::NotFound`]; [`VaultError::Gone`] once the ticket has ended or one of its
    /// images was removed for good.
    pub async fn open_archive(&self, who: &Unlocked, id: &ArchiveId) -> Result<OpenArchive> {
        // The whole plan is in memory while it is opened, so only a few are opened at once.
        let _turn = self.0.plans.wait(who.id()).await?;
        let archive = self.open_ticket(who, id).await?;
        let catalogue = self.catalogue(who, Sort::UploadedAt).await?;
        let (plan, texts) = (archive.plan.clone(), archive.texts.count());
        let is_there = move |entry: &archive::Entry| {
            let id = ImageId::from_bytes(entry.source);
            catalogue.get(&id).is_some()
        };
        let all_there = move || plan.entries().iter().skip(texts).all(is_there);
        match self.walk(all_there).await? {
            true => Ok(archive),
            false => Err(VaultError::Gone),
        }
    }

    /// The zip's bytes in this range, which lies within `0..size`.
    pub fn read_archive(
        &self,
        who: &Unlocked,
        archive: &OpenArchive,
        range: Range<u64>,
    ) -> PlainStream {
        let mut zip = Zip {
            vault: self.clone(),
            account: *who.id(),
            keyring: who.keyring.clone(),
            plan: archive.plan.clone(),
            texts: archive.texts.clone(),
            rows: HashMap::new(),
        };
        spawn_stream(&who.watch, |stream| async move {
            zip.send(range, &stream).await
        })
    }
}

/// A zip that is being sent. It holds its own reference to the keys, so it can outlive the request.
struct Zip {
    vault: Vault,
    account: AccountId,
    keyring: Keyring,
    plan: Arc<Plan>,
    texts: Texts,
    /// The rows of the files that come next.
    rows: HashMap<ImageId, ImageRow>,
}

impl Zip {
    async fn send(
        &mut self,
        range: Range<u64>,
        stream: &StreamSender,
    ) -> std::result::Result<(), StreamError> {
        for piece in self.plan.clone().pieces(range) {
            match piece {
                Piece::Bytes(bytes) => stream.send(Bytes::from(bytes)).await?,
                Piece::Content { entry, range } => {
                    let blobs = self.vault.store().blobs.clone();
                    if let Some((blob, range)) = self.texts.find(entry, range.clone()) {
                        blob.send(&*blobs, range, stream).await?;
                        continue;
                    }
                    let blob = self.blob(entry).await?;
                    blob.send(&*blobs, range, stream).await?;
                }
            }
        }
        Ok(())
    }

    async fn blob(&mut self, index: usize) -> Result<SealedBlob> {
        let plan = self.plan.clone();
        let entry = plan.entries().get(index).ok_or(VaultError::Gone)?;
        let id = ImageId::from_bytes(entry.source);
        if !self.rows.contains_key(&id) {
            let next = plan.entries().iter().skip(index).take(ROWS_AHEAD);
            let ids: Vec<_> = next
                .map(|entry| ImageId::from_bytes(entry.source))
                .collect();
            let rows = self
                .vault
                .store()
                .records
                .images(&self.account, &ids)
                .await?;
            self.rows = rows.into_iter().map(|row| (row.id, row)).collect();
        }
        let row = self.rows.remove(&id).ok_or(VaultError::Gone)?;
        original(&self.keyring, &row, entry.size, entry.crc32)
    }
}

/// The sealed original of a row, whose length and checksum are known from its record.
pub(super) fn original(
    keyring: &Keyring,
    row: &ImageRow,
    len: u64,
    crc32: u32,
) -> Result<SealedBlob> {
    let key = keyring.data_key(row)?;
    let (key, context) = keys::blob_key(&key, row, BlobRole::Original);
    Ok(SealedBlob {
        id: row.original.id,
        key,
        context,
        len,
        crc32: Some(crc32),
    })
}

fn freeze(chosen: &[Arc<Entry>], names: &[String]) -> Result<Plan> {
    let names = archive::unique_names(names.iter().map(String::as_str));
    let entries = chosen.iter().zip(names);
    lay_out(entries.map(|(entry, name)| packed(entry, name)).collect())
}

/// A picture as an entry of a zip, under this name.
pub(super) fn packed(entry: &Entry, name: String) -> archive::Entry {
    archive::Entry {
        source: *entry.id.as_bytes(),
        name,
        size: entry.facts.size,
        crc32: entry.facts.crc32,
        modified: DosTime::from(entry.modified()),
    }
}

pub(super) fn lay_out(entries: Vec<archive::Entry>) -> Result<Plan> {
    Plan::new(entries).map_err(|error| VaultError::Internal(error.to_string()))
}

/// A safe file name that ends in `.zip`.
fn zip_name(asked: Option<&str>) -> String {
    let asked = asked.map_or("", str::trim);
    if asked.is_empty() {
        return DEFAULT_NAME.to_owned();
    }
    let has_suffix = asked.to_lowercase().ends_with(".zip");
    archive::safe_name(&if has_suffix {
        asked.to_owned()
    } else {
        format!("{asked}.zip")
    })
}
