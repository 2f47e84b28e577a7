//! Taking an export back in, from its first byte to its last, one picture in memory at a time.
//!
//! Each picture is stored with its dates and words in one step, so an import that was interrupted
//! is simply run again: pictures that are here already are recognised, not added. Each picture is
//! read back out of the vault before it counts.

use std::collections::{HashMap, HashSet};

use bytes::BytesMut;
use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::io::AsyncRead;

use super::manifest;
use super::manifest::{LeftOut, Listed, Manifest, Unreadable};
use super::zip_reader::{ZipError, ZipReader};
use crate::archive::PackedFile;
use crate::crypto::RunningSha256;
use crate::ids::ImageId;
use crate::store::ImageState;
use crate::vault::error::{ImportError, Result, VaultError};
use crate::vault::json_time::JsonTime;
use crate::vault::pictures::{
    Added, ImageEdit, ImportedFacts, MAX_OTHER_NAMES, UploadPermit, WINDOW, clean_name,
    name_problem, told_name,
};
use crate::vault::{Unlocked, Vault};

/// SHA-256 sums looked up in the store at a time.
const LOOK_UP: usize = 500;
/// Bytes of an export's list that are read at first.
const FIRST_STEP: u64 = 1 << 20;
/// Most failures that are reported one by one (all are counted), and most pictures that were left
/// out of the export.
const MAX_FAILURES: usize = 1_000;

impl From<Unreadable> for ImportError {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Foreign => Self::Foreign,
            Unreadable::Newer => Self::Newer,
        }
    }
}

/// Whether pictures are added or only looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportMode {
    /// Pictures that are missing are added.
    Add,
    /// Nothing is changed.
    Check,
}

/// How an import ended.
pub struct Imported {
    /// Pictures in the export.
    pub total: usize,
    /// Pictures that the vault now gives back byte by byte; the others failed.
    pub identical: usize,
    /// Pictures that were added.
    pub added: usize,
    /// Pictures that had been here before.
    pub already_here: usize,
    /// Pictures that could not be read for the export, and are not in it; the first thousand.
    pub left_out: Vec<String>,
    /// Pictures that failed; the first thousand.
    pub failed: Vec<Failure>,
}

/// A picture of an export that is not in the vault as it should be.
pub struct Failure {
    /// Its name.
    pub name: String,
    /// What is wrong, as a sentence.
    pub reason: String,
}

/// Whether a picture was added or met as one that is here already.
enum Arrival {
    Added,
    Met,
}

/// Why a picture could not be imported.
enum Trouble {
    /// Only this picture; the others may still come.
    One(String),
    /// This picture and all that come after it.
    All(VaultError),
}

impl From<VaultError> for Trouble {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Invalid(errors) => {
                Self::One(errors.into_values().collect::<Vec<_>>().join(" "))
            }
            VaultError::Media(_)
            | VaultError::TooLarge { .. }
            | VaultError::LargerThanQuota(_)
            | VaultError::NoRoom(_)
            | VaultError::Damaged(_) => Self::One(format!("It is not taken: {error}.")),
            VaultError::NotFound => Self::One("It was deleted while it was checked.".into()),
            other => Self::All(other),
        }
    }
}

impl From<ZipError> for Trouble {
    fn from(stop: ZipError) -> Self {
        match stop {
            ZipError::TooEarly => Self::One("The zip ends before this picture does.".into()),
            ZipError::Altered => Self::One("The zip is damaged before this picture.".into()),
            ZipError::Failed(kind) => Self::All(ImportError::Read(kind).into()),
        }
    }
}

impl Vault {
    /// Brings the pictures of an export into the account, and reads each back. `progress` is told
    /// how many are done, and of how many.
    ///
    /// A picture that is here already keeps the words and mark that it has here; those it lacks are
    /// filled in, and it leaves the trash if it was in none when it was exported. A new picture
    /// that was exported from the trash goes to the trash, as of now.
    ///
    /// # Errors
    /// [`VaultError::Import`] where this is no export; [`VaultError::Unauthenticated`] when the
    /// session ends on the way; [`VaultError::Busy`] when there is no memory for its list; the
    /// store's. Pictures added until then stay, and a second import goes on from there.
    pub async fn import(
        &self,
        who: &Unlocked,
        zip: impl AsyncRead + Unpin + Send,
        mode: ImportMode,
        progress: impl FnMut(usize, usize) + Send,
    ) -> Result<Imported> {
        // Also ends the import while a single file is slow to arrive.
        who.watch
            .during(self.import_all(who, zip, mode, progress))
            .await
    }

    async fn import_all(
        &self,
        who: &Unlocked,
        zip: impl AsyncRead + Unpin + Send,
        mode: ImportMode,
        mut progress: impl FnMut(usize, usize) + Send,
    ) -> Result<Imported> {
        let mut zip = ZipReader::new(zip);
        let (manifest, _memory) = self.manifest(who, &mut zip).await?;
        let mut report = Imported {
            total: manifest.total,
            identical: 0,
            added: 0,
            already_here: 0,
            left_out: titles(&manifest.damaged),
            failed: Vec::new(),
        };
        let (mut lines, mut done, mut checked) = (manifest.lines(), 0, HashSet::new());
        loop {
            let batch: Vec<&[u8]> = lines.by_ref().take(LOOK_UP).collect();
            if batch.is_empty() {
                break;
            }
            let sums: Vec<_> = batch
                .iter()
                .filter_map(|line| listed(line).ok()?.sum())
                .collect();
            let known: HashMap<_, _> = self.known(who, &sums).await?.into_iter().collect();
            for line in batch {
                let listed = listed(line)?;
                let known = listed.sum().and_then(|sum| known.get(&sum).copied());
                let one = self.import_one(who, &mut zip, &listed, known, mode, &mut checked);
                report.note(&listed.name, one.await)?;
                done += 1;
                progress(done, report.total);
            }
        }
        Ok(report)
    }

    /// The export's list, and memory for it and for the largest picture.
    async fn manifest<R: AsyncRead + Unpin + Send>(
        &self,
        who: &Unlocked,
        zip: &mut ZipReader<R>,
    ) -> Result<(Manifest, UploadPermit)> {
        let intake = &self.0.intake;
        let beginning = self.admit_beginning(who).await?;
        let foreign = |stop| match stop {
            ZipError::Failed(kind) => ImportError::Read(kind),
            ZipError::TooEarly | ZipError::Altered => ImportError::Foreign,
        };
        let first = zip.next_file().await.map_err(foreign)?;
        let first = first.filter(|file| file.name == manifest::NAME);
        let PackedFile { size, crc32, .. } = first.ok_or(ImportError::Foreign)?;
        if size > manifest::MAX_BYTES {
            return Err(ImportError::Foreign.into());
        }
        let max_file = self.max_file_bytes();
        let mut permit = intake.reserve(who.id(), FIRST_STEP + WINDOW).await?;
        drop(beginning);
        let mut bytes = BytesMut::new();
        while (bytes.len() as u64) < size {
            // Each step is as long as what has arrived, so that a client that claims much and sends
            // little holds little. While the buffer grows, the old bytes are in memory beside the
            // new.
            let old = bytes.len() as u64;
            let step = old.max(FIRST_STEP).min(size - old);
            intake.grow(&mut permit, 2 * old + step + WINDOW).await?;
            let read = zip.read_on(&mut bytes, step).await;
            read.map_err(|stop| match stop {
                ZipError::Failed(kind) => ImportError::Read(kind),
                ZipError::TooEarly | ZipError::Altered => ImportError::Damaged,
            })?;
        }
        let bytes = bytes.freeze();
        let list = size + 2 * size.min(manifest::MAX_TAIL as u64) + WINDOW;
        intake.grow(&mut permit, list).await?;
        let read = move || match crc32fast::hash(&bytes) == crc32 {
            true => Manifest::read(bytes).map_err(ImportError::from),
            false => Err(ImportError::Damaged),
        };
        let manifest = tokio::task::spawn_blocking(read).await??;
        let largest = manifest.largest.min(max_file);
        intake.grow(&mut permit, list + largest).await?;
        Ok((manifest, permit))
    }

    async fn import_one<R: AsyncRead + Unpin + Send>(
        &self,
        who: &Unlocked,
        zip: &mut ZipReader<R>,
        listed: &Listed,
        known: Option<ImageId>,
        mode: ImportMode,
        checked: &mut HashSet<ImageId>,
    ) -> std::result::Result<Arrival, Trouble> {
        let found = zip.find(&listed.path).await;
        if let Err(ZipError::Failed(kind)) = found {
            return Err(Trouble::All(ImportError::Read(kind).into()));
        }
        let facts = facts_of(listed, self.now())?;
        let (id, arrival) = match (known, mode) {
            (Some(id), ImportMode::Check) => (id, Arrival::Met),
            (Some(id), ImportMode::Add) => (self.meet(who, &id, &facts).await?, Arrival::Met),
            (None, ImportMode::Check) => {
                return Err(Trouble::One("It is not in the vault.".into()));
            }
            (None, ImportMode::Add) => {
                let file = found?.ok_or_else(|| Trouble::One("It is not in the zip.".into()))?;
                let max_bytes = self.max_file_bytes();
                if file.size > max_bytes {
                    return Err(VaultError::TooLarge { max_bytes }.into());
                }
                if file.size != listed.size {
                    return Err(Trouble::One(
                        "Its length is not the one in the list.".into(),
                    ));
                }
                let bytes = zip.read(file.size).await?;
                match self.ingest(who, &listed.name, bytes, Some(&facts)).await? {
                    Added::New(image) => (image.id, Arrival::Added),
                    Added::Duplicate(image) => {
                        (self.meet(who, &image.id, &facts).await?, Arrival::Met)
                    }
                }
            }
        };
        // A list may name one picture many times: one that was read back needs no second look.
        if checked.contains(&id) {
            return Ok(arrival);
        }
        match self.sum_of_original(who, &id).await? == facts.sha256 {
            true => {
                checked.insert(id);
                Ok(arrival)
            }
            false => Err(Trouble::One(
                "What the vault gives back is something else.".into(),
            )),
        }
    }

    /// Adds to a picture that is here already what the export says about it.
    async fn meet(&self, who: &Unlocked, id: &ImageId, facts: &ImportedFacts) -> Result<ImageId> {
        if facts.trashed_at.is_none() {
            let records = &self.store().records;
            let now = self.now();
            records
                .set_state(who.id(), &[*id], ImageState::Active, now)
                .await?;
        }
        let met = self.change_metadata(who, id, |metadata| facts.fill_in(metadata));
        match met.await {
            // The picture is here all the same; only the additions to its record are not.
            Err(VaultError::NoRoom(_)) => Ok(*id),
            met => Ok(met?.id),
        }
    }

    /// SHA-256 of the original as a download gives it.
    async fn sum_of_original(&self, who: &Unlocked, id: &ImageId) -> Result<[u8; 32]> {
        let image = self.open_image(who, id).await?;
        let mut sum = RunningSha256::default();
        let mut pieces = self.read_original(&image, 0..image.image.metadata.size);
        while let Some(piece) = pieces.next().await {
            sum.update(&piece?);
        }
        Ok(sum.finish())
    }
}

impl Imported {
    /// Pictures that failed.
    pub fn failures(&self) -> usize {
        self.total - self.identical
    }

    fn note(&mut self, name: &str, ended: std::result::Result<Arrival, Trouble>) -> Result<()> {
        match ended {
            Ok(Arrival::Added) => self.added += 1,
            Ok(Arrival::Met) => self.already_here += 1,
            Err(Trouble::All(error)) => return Err(error),
            Err(Trouble::One(reason)) => {
                if self.failed.len() < MAX_FAILURES {
                    let name = told_name(name);
                    self.failed.push(Failure { name, reason });
                }
                return Ok(());
            }
        }
        self.identical += 1;
        Ok(())
    }
}

fn titles(left_out: &[LeftOut]) -> Vec<String> {
    let first = left_out.iter().take(MAX_FAILURES);
    first.map(|one| told_name(&one.title())).collect()
}

fn listed(line: &[u8]) -> Result<Listed> {
    Ok(Listed::read(line).map_err(ImportError::from)?)
}

/// The listed picture's other names, as far as the rules of this vault allow them.
fn also_named(listed: &Listed) -> Vec<String> {
    let names = listed.also_named.iter();
    let names = names.map(|name| clean_name(name));
    let good = names.filter(|name| name_problem(name).is_none());
    good.take(MAX_OTHER_NAMES).collect()
}

/// What the list says about a picture, checked against the rules of this vault.
fn facts_of(listed: &Listed, now: Timestamp) -> std::result::Result<ImportedFacts, Trouble> {
    let sha256 = listed
        .sum()
        .ok_or_else(|| Trouble::One("The list gives no SHA-256 for it.".into()))?;
    let said = ImageEdit {
        name: Some(clean_name(&listed.name)),
        tags: Some(listed.tags.clone()),
        caption: Some(listed.caption.clone()),
        favourite: Some(listed.favourite),
    };
    // Stores keep milliseconds, and nothing is uploaded in the future.
    let JsonTime(at) = listed.uploaded_at;
    let at = at.clamp(Timestamp::UNIX_EPOCH, now);
    Ok(ImportedFacts {
        sha256,
        uploaded_at: Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(now),
        // Its days in the trash begin anew: with the old date upkeep would remove it at once.
        trashed_at: listed.trashed_at.map(|_| now),
        also_named: also_named(listed),
        edit: said.checked()?,
    })
}
