//! Everything an account holds as one zip, to be taken elsewhere: a list of it, a few words about
//! it, and every original, those in the trash too.
//!
//! It is an archive like any other, so it has its exact length and resumes anywhere. The list and
//! the words are written when the ticket is made, and sealed with its plan.

use std::collections::{HashMap, HashSet};
use std::io;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::archives::{lay_out, original, packed};
use super::manifest;
use super::manifest::{LeftOut, Length, Listed};
use super::tickets::Ticket;
use crate::archive;
use crate::archive::{DosTime, Plan};
use crate::ids::ImageId;
use crate::store::ImageState;
use crate::vault::error::{Result, VaultError};
use crate::vault::library::{Entry, Sort};
use crate::vault::pictures::spawn_stream;
use crate::vault::{Unlocked, Vault};

/// Rows fetched at a time while all originals are read.
const BATCH: usize = 500;

const README: &str = "\
This is everything from an Image Vault: every picture exactly as it was uploaded.

originals/        the pictures
trash/            those that were in the trash
image-vault.json  a list of them: names, tags, captions, favourites, dates, SHA-256

To check a picture, compare the output of `sha256sum` (`shasum -a 256` on a Mac)
with its line in image-vault.json.

To bring everything back, open \"Bring pictures back\" on the account page of any
Image Vault and choose this zip as it is, without unpacking it first; or run
`image-vault import --user NAME FILE.zip` where the vault runs.
";

impl Vault {
    /// Freezes everything the account holds for download.
    ///
    /// Pictures whose record does not open are left out, and named in the zip's list. With
    /// `check_all` every original is read first, which takes as long as reading them does, and
    /// those that are damaged are left out as well: otherwise one of them ends the download early.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] where the account holds nothing that can be read;
    /// [`VaultError::TooLarge`] where the list would be longer than an import reads;
    /// [`VaultError::Busy`] when there is no memory for it.
    pub async fn create_export(&self, who: &Unlocked, check_all: bool) -> Result<Ticket> {
        let (mut entries, mut left_out) = self.everything(who).await?;
        if check_all {
            let damaged = self.damaged_originals(who, &entries).await?;
            let (bad, good) = entries.into_iter().partition(|e| damaged.contains(&e.id));
            entries = good;
            let bad = self.whole(who, bad).await?;
            left_out.extend(bad.iter().map(|entry| LeftOut {
                id: entry.id,
                name: entry.metadata.as_ref().map(|about| about.name.clone()),
            }));
        }
        if entries.is_empty() {
            let message = "There is nothing to take along: your vault holds no picture.";
            return Err(VaultError::invalid("pictures", message));
        }
        let _turn = self.0.plans.wait(who.id()).await?;
        // Memory for the list, for its copy in the ticket, and for records that are not in memory
        // yet.
        let lists: u64 = entries
            .iter()
            .map(|entry| 2 * manifest::room_for(entry))
            .sum();
        let lacking = entries.iter().filter(|entry| entry.metadata.is_none());
        let lacking: u64 = lacking.map(|entry| 2 * entry.record_len as u64).sum();
        let memory = self.0.intake.reserve(who.id(), lists + lacking);
        let mut memory = memory.await?;
        let entries = self.whole(who, entries).await?;
        let now = self.now();
        let contents = move || Contents::new(&entries, left_out, now);
        let contents = tokio::task::spawn_blocking(contents).await??;
        memory.shrink_to(2 * contents.length + lacking);
        let freeze = move || contents.freeze();
        let (plan, texts) = tokio::task::spawn_blocking(freeze).await??;
        let day = TimeZone::UTC.to_datetime(now).date();
        let filename = format!("image-vault-export-{day}.zip");
        self.issue(who, filename, &plan, &texts).await
    }

    /// Every picture that can be listed, newest first and the trash last; and those that cannot.
    async fn everything(&self, who: &Unlocked) -> Result<(Vec<Arc<Entry>>, Vec<LeftOut>)> {
        let catalogue = self.catalogue(who, Sort::UploadedAt).await?;
        let all = move || {
            let order = catalogue.in_order(Sort::UploadedAt).unwrap_or_default();
            let of = |state| order.iter().rev().filter(move |entry| entry.state == state);
            let active = of(ImageState::Active);
            let entries = active.chain(of(ImageState::Trashed)).cloned().collect();
            let lost = catalogue.damaged().iter();
            let left_out = lost.map(|id| LeftOut {
                id: *id,
                name: None,
            });
            (entries, left_out.collect())
        };
        self.walk(all).await
    }

    /// Reads every original, and returns those that do not open.
    async fn damaged_originals(
        &self,
        who: &Unlocked,
        entries: &[Arc<Entry>],
    ) -> Result<HashSet<ImageId>> {
        let mut damaged = HashSet::new();
        for batch in entries.chunks(BATCH) {
            let ids: Vec<_> = batch.iter().map(|entry| entry.id).collect();
            let rows = self.store().records.images(who.id(), &ids).await?;
            let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id, row)).collect();
            for entry in batch {
                // A picture that was deleted just now: fetching the zip will report it.
                let Some(row) = rows.get(&entry.id) else {
                    continue;
                };
                let (len, crc32) = (entry.facts.size, entry.facts.crc32);
                let opened = match original(&who.keyring, row, len, crc32) {
                    Ok(blob) => {
                        let blobs = self.store().blobs.clone();
                        let stream = spawn_stream(&who.watch, |stream| async move {
                            blob.send(&*blobs, 0..len, &stream).await
                        });
                        stream.try_for_each(|_| async { Ok(()) }).await
                    }
                    Err(error) => Err(error),
                };
                match opened {
                    Ok(()) => {}
                    Err(VaultError::Damaged(_)) => drop(damaged.insert(entry.id)),
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(damaged)
    }
}

/// What will be in the zip.
struct Contents {
    at: Timestamp,
    /// Each picture and its path in the zip.
    pictures: Vec<(Arc<Entry>, String)>,
    left_out: Vec<LeftOut>,
    /// Bytes of the list.
    length: u64,
}

impl Contents {
    fn new(entries: &[Arc<Entry>], left_out: Vec<LeftOut>, at: Timestamp) -> Result<Self> {
        let pictures = [ImageState::Active, ImageState::Trashed]
            .into_iter()
            .flat_map(|state| in_folder(entries, state));
        let mut contents = Self {
            at,
            pictures: pictures.collect(),
            left_out,
            length: 0,
        };
        let mut length = Length::default();
        let max_bytes = manifest::MAX_BYTES;
        let counted = contents.write_list(&mut length);
        counted.map_err(|_| VaultError::TooLarge { max_bytes })?;
        contents.length = length.0;
        Ok(contents)
    }

    fn write_list(&self, out: &mut impl Write) -> io::Result<()> {
        let pictures = self.pictures.iter();
        let listed = pictures.filter_map(|(entry, path)| Listed::new(entry, path));
        manifest::write(out, self.at.into(), listed, &self.left_out)
    }

    /// The plan, and the content of its first two files.
    fn freeze(self) -> Result<(Plan, [Bytes; 2])> {
        let mut list = Vec::with_capacity(self.length as usize);
        self.write_list(&mut list)
            .map_err(|error| VaultError::Internal(error.to_string()))?;
        let texts = [Bytes::from(list), Bytes::from_static(README.as_bytes())];
        let mut files = vec![
            text(manifest::NAME, &texts[0], self.at),
            text("README.txt", &texts[1], self.at),
        ];
        let pictures = self.pictures.into_iter();
        files.extend(pictures.map(|(entry, path)| packed(&entry, path)));
        Ok((lay_out(files)?, texts))
    }
}

/// The pictures of a state, each with its path in the zip.
fn in_folder(
    entries: &[Arc<Entry>],
    state: ImageState,
) -> impl Iterator<Item = (Arc<Entry>, String)> {
    let folder = match state {
        ImageState::Active => "originals",
        ImageState::Trashed => "trash",
    };
    let of_state = move |entry: &&Arc<Entry>| entry.state == state;
    let those = entries.iter().filter(of_state);
    let records = those.clone().map(|entry| entry.metadata.as_ref());
    let names = records.map(|about| about.map_or("", |about| about.name.as_str()));
    let names = archive::unique_names(names);
    those
        .zip(names)
        .map(move |(entry, name)| (entry.clone(), format!("{folder}/{name}")))
}

fn text(name: &str, content: &[u8], now: Timestamp) -> archive::Entry {
    archive::Entry {
        source: [0; 16], // no picture's
        name: name.to_owned(),
        size: content.len() as u64,
        crc32: crc32fast::hash(content),
        modified: DosTime::from(TimeZone::UTC.to_datetime(now)),
    }
}
