//! Archives: a ticket freezes a selection into a plan, and the plan fixes every byte of the zip
//! before the first is sent. So a resumed download is the same bytes.
//!
//! The plan holds names, sizes and checksums, so it is sealed like a picture. It holds no keys:
//! what is removed for good in the meantime can no longer be read through a ticket.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;

use super::catalogue::Entry;
use super::content::{Outlet, PlainStream, SealedBlob, Stop, produce};
use super::error::{Result, VaultError};
use super::keys::Keyring;
use super::listing::Sort;
use super::{Selection, Unlocked, Vault, keys};
use crate::archive;
use crate::archive::DosTime;
use crate::archive::Piece;
use crate::archive::Plan;
use crate::crypto;
use crate::crypto::BlobRole;
use crate::crypto::DataKey;
use crate::crypto::WrapKind;
use crate::ids::AccountId;
use crate::ids::ArchiveId;
use crate::ids::ImageId;
use crate::store::ArchiveRow;
use crate::store::ImageRow;
use crate::store::ImageState;

/// How long a ticket lives.
pub const ARCHIVE_TTL: Duration = Duration::from_secs(24 * 60 * 60);
const DEFAULT_NAME: &str = "pictures.zip";
/// Rows fetched ahead while a zip is sent.
const ROWS_AHEAD: usize = 64;
/// How often a running zip asks whether its session still lives.
const CHECK_SESSION: Duration = Duration::from_secs(2);

/// A frozen selection.
pub struct Ticket {
    /// Its id.
    pub id: ArchiveId,
    /// The zip's name.
    pub filename: String,
    /// The zip's exact length in bytes.
    pub size: u64,
    /// Files in it.
    pub entries: usize,
    /// When the ticket ends.
    pub expires_at: Timestamp,
}

/// A ticket with its plan at hand.
pub struct OpenArchive {
    /// The zip's name.
    pub filename: String,
    /// The zip's exact length in bytes.
    pub size: u64,
    plan: Arc<Plan>,
}

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
        let chosen = self.choose(who, selection, ImageState::Active).await?;
        if chosen.is_empty() {
            return Err(VaultError::invalid(
                "ids",
                "Nothing is selected: an archive needs at least one picture.",
            ));
        }
        let filename = zip_name(name);
        let plan = tokio::task::spawn_blocking(move || freeze(&chosen)).await??;
        let (id, key) = (
            ArchiveId::from_bytes(crypto::random()?),
            DataKey::generate()?,
        );
        let context = keys::blob_context(who.id(), id.as_bytes(), BlobRole::ArchivePlan);
        let sealed = pack(&filename, &plan.encode());
        let blob = self
            .put_sealed(&key.role_key(BlobRole::ArchivePlan), &context, sealed)
            .await?;
        let now = self.now();
        let row = ArchiveRow {
            id,
            account: *who.id(),
            created_at: now,
            expires_at: now + ARCHIVE_TTL,
            key_wrap: keys::wrap(
                WrapKind::ArchivePlan,
                who.id(),
                id.as_bytes(),
                &*who.keyring.master,
                &key,
            )?,
            plan: blob,
        };
        self.store().records.insert_archive(&row).await?;
        Ok(Ticket {
            id,
            filename,
            size: plan.total_bytes(),
            entries: plan.len(),
            expires_at: row.expires_at,
        })
    }

    /// Opens a ticket of the account.
    ///
    /// # Errors
    /// [`VaultError::NotFound`]; [`VaultError::Gone`] once the ticket has ended or one of its
    /// images was removed for good.
    pub async fn open_archive(&self, who: &Unlocked, id: &ArchiveId) -> Result<OpenArchive> {
        let row = self
            .store()
            .records
            .archive(who.id(), id)
            .await?
            .ok_or(VaultError::NotFound)?;
        if row.expires_at <= self.now() {
            return Err(VaultError::Gone);
        }
        let subject = id.as_bytes();
        let key: DataKey = keys::unwrap(
            WrapKind::ArchivePlan,
            who.id(),
            subject,
            &*who.keyring.master,
            &row.key_wrap,
        )
        // Made before the master key was replaced.
        .map_err(|_| VaultError::NotFound)?;
        let context = keys::blob_context(who.id(), subject, BlobRole::ArchivePlan);
        let packed = self
            .read_small(&row.plan, key.role_key(BlobRole::ArchivePlan), context)
            .await?;
        let (filename, plan) = unpack(&packed).ok_or(VaultError::Damaged(
            "an archive's plan is not in the form we write",
        ))?;
        let catalogue = self.catalogue(who, Sort::UploadedAt).await?;
        let all_there = plan
            .entries()
            .iter()
            .all(|e| catalogue.get(&ImageId::from_bytes(e.source)).is_some());
        if !all_there {
            return Err(VaultError::Gone);
        }
        Ok(OpenArchive {
            filename,
            size: plan.total_bytes(),
            plan: Arc::new(plan),
        })
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
            session: who.session,
            session_checked: Instant::now(),
            plan: archive.plan.clone(),
            rows: HashMap::new(),
        };
        produce(self.0.send_stall, |outlet| async move {
            zip.send(range, &outlet).await
        })
    }
}

/// A zip on its way. Holds its own reference to the keys, so it can go on without a request.
struct Zip {
    vault: Vault,
    account: AccountId,
    keyring: Keyring,
    session: [u8; 32],
    session_checked: Instant,
    plan: Arc<Plan>,
    /// The rows of the files that come next.
    rows: HashMap<ImageId, ImageRow>,
}

impl Zip {
    async fn send(&mut self, range: Range<u64>, outlet: &Outlet) -> std::result::Result<(), Stop> {
        for piece in self.plan.clone().pieces(range) {
            match piece {
                Piece::Bytes(bytes) => outlet.send(Bytes::from(bytes)).await?,
                Piece::Content { entry, range } => {
                    self.check_session().await?;
                    let blob = self.blob(entry).await?;
                    blob.send(&*self.vault.store().blobs, range, outlet).await?;
                }
            }
        }
        Ok(())
    }

    /// Signing out, or being signed out, ends a running download.
    async fn check_session(&mut self) -> Result<()> {
        if self.session_checked.elapsed() < CHECK_SESSION {
            return Ok(());
        }
        self.session_checked = Instant::now();
        let live = self.vault.live_session(&self.session).await?;
        live.map(drop).ok_or(VaultError::Unauthenticated)
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
        let key = self.keyring.data_key(&row)?;
        let (key, context) = keys::blob_key(&key, &row, BlobRole::Original);
        Ok(SealedBlob {
            id: row.original.id,
            key,
            context,
            len: entry.size,
            crc32: Some(entry.crc32),
        })
    }
}

fn freeze(chosen: &[Arc<Entry>]) -> Result<Plan> {
    let names = archive::unique_names(chosen.iter().map(|entry| entry.metadata.name.as_str()));
    let entries = chosen
        .iter()
        .zip(names)
        .map(|(entry, name)| archive::Entry {
            source: *entry.id.as_bytes(),
            name,
            size: entry.metadata.size,
            crc32: entry.metadata.crc32,
            modified: DosTime::from(entry.metadata.modified(entry.uploaded_at)),
        })
        .collect();
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

/// Length of the name (u16, big endian), the name, the plan.
fn pack(filename: &str, plan: &[u8]) -> Bytes {
    let len = u16::try_from(filename.len()).expect("a safe name has at most 240 bytes");
    [&len.to_be_bytes(), filename.as_bytes(), plan]
        .concat()
        .into()
}

fn unpack(packed: &[u8]) -> Option<(String, Plan)> {
    let (len, rest) = packed.split_first_chunk::<2>()?;
    let (name, plan) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    Some((
        String::from_utf8(name.to_vec()).ok()?,
        Plan::decode(plan).ok()?,
    ))
}
