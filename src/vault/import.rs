//! Taking an export back in, from its first byte to its last, one picture in memory at a time.
//!
//! Each picture is stored with its dates and words in one step, so an import that was interrupted
//! is simply run again: what is here already is met, not added. Each is read back out of the vault
//! before it counts.

use std::collections::{HashMap, HashSet};

use bytes::BytesMut;
use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::io::AsyncRead;

use super::error::{ImportError, Result, VaultError};
use super::images::{ImageEdit, name_problem, told_name};
use super::intake::{UploadPermit, WINDOW};
use super::manifest;
use super::manifest::{LeftOut, Listed, Manifest, Unreadable};
use super::metadata::MAX_OTHER_NAMES;
use super::uploads::{Added, ImportedFacts};
use super::zip_reader::{ZipError, ZipReader};
use super::{Unlocked, Vault};
use crate::archive::PackedFile;
use crate::crypto::RunningSha256;
use crate::ids::ImageId;
use crate::store::ImageState;

/// Sums asked for at a time.
const LOOK_UP: usize = 500;
/// Bytes of an export's list that are read at first.
const FIRST_STEP: u64 = 1 << 20;
/// Failures that are told one by one; all are counted. And pictures that were left out before.
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
    /// What is missing is added.
    Add,
    /// Nothing is changed.
    Check,
}

/// How an import ended.
pub struct Imported {
    /// Pictures in the export.
    pub total: usize,
    /// Those that the vault now gives back byte by byte; the others failed.
    pub identical: usize,
    /// Those that were added.
    pub added: usize,
    /// Those that had been here before.
    pub already_here: usize,
    /// Those that could not be read when the export was made, and are not in it; the first thousand.
    pub left_out: Vec<String>,
    /// Those that failed; the first thousand.
    pub failed: Vec<Failure>,
}

/// A picture of an export that is not in the vault as it should be.
pub struct Failure {
    /// Its name.
    pub name: String,
    /// What is wrong, as a sentence.
    pub reason: String,
}

/// What became of one picture.
enum Arrival {
    Added,
    Met,
}

/// Why one picture is not there.
enum Trouble {
    /// It alone; the others may still come.
    One(String),
    /// All that come after it as well.
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
    /// A picture that is here already keeps what its owner says about it here; what is not said is
    /// filled in, and it leaves the trash if it was in none when it was exported. What was exported
    /// from the trash goes to the trash, as of now.
    ///
    /// # Errors
    /// [`VaultError::Import`] where this is no export; [`VaultError::Unauthenticated`] when the
    /// session ends on the way; [`VaultError::Busy`] when there is no memory for its list; the
    /// store's. What was added until then stays, and a second import goes on from there.
    pub async fn import(
        &self,
        who: &Unlocked,
        zip: impl AsyncRead + Unpin + Send,
        mode: ImportMode,
        progress: impl FnMut(usize, usize) + Send,
    ) -> Result<Imported> {
        // However long a single file takes to come.
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
            // As much as has come already, so that who claims much and sends little holds little. The
            // old bytes are there until the new ones have their place.
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
        // A list may name one picture many times: what was read back once has its sum.
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

    /// A picture that is here already: what is said about it elsewhere is added.
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
            // The picture is here all the same, without what else was said about it.
            Err(VaultError::NoRoom(_)) => Ok(*id),
            met => Ok(met?.id),
        }
    }

    /// SHA-256 of what a download would give.
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

/// Other names, as far as a picture may have them here.
fn also_named(listed: &Listed) -> Vec<String> {
    let names = listed.also_named.iter();
    let good = names.filter(|name| name_problem(name).is_none());
    good.take(MAX_OTHER_NAMES).cloned().collect()
}

/// What the list says about a picture, held against the rules of this vault.
fn facts_of(listed: &Listed, now: Timestamp) -> std::result::Result<ImportedFacts, Trouble> {
    let sha256 = listed
        .sum()
        .ok_or_else(|| Trouble::One("The list gives no SHA-256 for it.".into()))?;
    let said = ImageEdit {
        name: Some(listed.name.clone()),
        tags: Some(listed.tags.clone()),
        caption: Some(listed.caption.clone()),
        favourite: Some(listed.favourite),
    };
    // Stores keep milliseconds, and nothing is uploaded in the future.
    let at = listed.uploaded_at.clamp(Timestamp::UNIX_EPOCH, now);
    Ok(ImportedFacts {
        sha256,
        uploaded_at: Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(now),
        // Its days in the trash begin anew: else it would be gone as soon as it has come.
        trashed_at: listed.trashed_at.map(|_| now),
        also_named: also_named(listed),
        edit: said.checked()?,
    })
}
