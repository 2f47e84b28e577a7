//! What a ticket keeps: the zip's name, its plan, and its *texts*, the files that we wrote
//! ourselves. All of it is one sealed blob, of which the texts are read only as they are sent.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::archive::Plan;
use crate::crypto;
use crate::crypto::{BlobRole, DataKey, WrapKind};
use crate::ids::{AccountId, ArchiveId};
use crate::store::{ArchiveRow, Kept};
use crate::vault::error::{Result, VaultError};
use crate::vault::pictures::{SealedBlob, spawn_stream};
use crate::vault::{Unlocked, Vault, keys};

/// How long a ticket lives.
pub const ARCHIVE_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Tickets that an account has at most, more than anybody fetches in a day; one more ends the
/// oldest. Without a limit, a client that asks for zips and fetches none could fill the disk: no
/// quota counts tickets. An export's ticket is the largest, with a list of up to 256 MiB.
const TICKETS: Kept = Kept {
    count: 500,
    bytes: 1 << 30,
};

/// Tickets that are removed in one transaction.
const BATCH: u32 = 1_000;

/// First byte of the plaintext. Tickets of the version before have none: theirs is 0.
const LAYOUT: u8 = 1;
/// Bytes of the layout and of the head's length.
const PREFIX_LEN: u64 = 1 + 4;

/// Bytes that an entry of a plan takes in memory beside its name, in round numbers.
const BESIDE_NAME: u64 = 80;

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
    pub(super) plan: Arc<Plan>,
    pub(super) texts: Texts,
}

impl OpenArchive {
    /// Bytes of memory that its plan takes.
    pub fn memory(&self) -> u64 {
        let entries = self.plan.entries().iter();
        entries
            .map(|entry| BESIDE_NAME + entry.name.len() as u64)
            .sum()
    }
}

/// The texts of a zip: its first entries, which we wrote ourselves.
#[derive(Clone)]
pub(super) struct Texts {
    blob: Arc<SealedBlob>,
    /// Where each text begins in the blob, and at last where the last one ends.
    starts: Arc<[u64]>,
}

impl Texts {
    /// How many texts there are.
    pub(super) fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// Where these bytes of the entry are in the blob; `None` where the entry is no text.
    pub(super) fn find(
        &self,
        entry: usize,
        range: Range<u64>,
    ) -> Option<(&SealedBlob, Range<u64>)> {
        let start = self.starts[..self.count()].get(entry)?;
        Some((&self.blob, start + range.start..start + range.end))
    }
}

impl Vault {
    /// Keeps a plan, whose first entries are the texts, for the day in which it can be downloaded.
    pub(super) async fn issue(
        &self,
        who: &Unlocked,
        filename: String,
        plan: &Plan,
        texts: &[Bytes],
    ) -> Result<Ticket> {
        let (id, key) = (
            ArchiveId::from_bytes(crypto::random()?),
            DataKey::generate()?,
        );
        let context = keys::blob_context(who.id(), id.as_bytes(), BlobRole::ArchivePlan);
        let sealed = pack(&filename, plan, texts)?;
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
        if let Err(error) = self.drop_tickets(who.id(), TICKETS).await {
            tracing::warn!(%error, "an account's oldest tickets were not removed");
        }
        Ok(Ticket {
            id,
            filename,
            size: plan.total_bytes(),
            entries: plan.len(),
            expires_at: row.expires_at,
        })
    }

    /// Removes the account's tickets, but for the newest that `keep` allows.
    pub(in crate::vault) async fn drop_tickets(
        &self,
        account: &AccountId,
        keep: Kept,
    ) -> Result<()> {
        let records = &self.store().records;
        loop {
            let tickets = records.remove_archives_of(account, keep, BATCH).await?;
            let is_last = tickets.len() < BATCH as usize;
            self.remove_blobs(tickets.into_iter().map(|ticket| ticket.plan.id))
                .await;
            if is_last {
                return Ok(());
            }
        }
    }

    /// Opens a ticket, without a look at whether its pictures are still there.
    pub(super) async fn open_ticket(&self, who: &Unlocked, id: &ArchiveId) -> Result<OpenArchive> {
        let row = self.store().records.archive(who.id(), id).await?;
        let row = row.ok_or(VaultError::NotFound)?;
        if row.expires_at <= self.now() {
            return Err(VaultError::Gone);
        }
        let subject = id.as_bytes();
        let kind = WrapKind::ArchivePlan;
        let master = &*who.keyring.master;
        let key: DataKey = keys::unwrap(kind, who.id(), subject, master, &row.key_wrap)
            // The ticket was made before the master key was replaced.
            .map_err(|_| VaultError::NotFound)?;
        let blob = Arc::new(SealedBlob {
            id: row.plan.id,
            key: key.role_key(BlobRole::ArchivePlan),
            context: keys::blob_context(who.id(), subject, BlobRole::ArchivePlan),
            len: crypto::plain_len(row.plan.len).ok_or(DAMAGED)?,
            crc32: None,
        });
        let prefix = self
            .read_part(who, &blob, 0..PREFIX_LEN.min(blob.len))
            .await?;
        let head = match head_len(&prefix) {
            Some(len) => PREFIX_LEN..PREFIX_LEN.saturating_add(len).min(blob.len),
            None => 0..blob.len,
        };
        let bytes = self.read_part(who, &blob, head.clone()).await?;
        let head = unpack(&bytes, head.end).filter(|(.., starts)| {
            let end = starts.last().copied();
            end.is_none_or(|end| end == blob.len)
        });
        let (filename, plan, starts) = head.ok_or(DAMAGED)?;
        Ok(OpenArchive {
            filename,
            size: plan.total_bytes(),
            plan: Arc::new(plan),
            texts: Texts {
                blob,
                starts: starts.into(),
            },
        })
    }

    /// Reads a part of a blob that fits into memory.
    async fn read_part(
        &self,
        who: &Unlocked,
        blob: &Arc<SealedBlob>,
        range: Range<u64>,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let (blob, blobs) = (blob.clone(), self.store().blobs.clone());
        let bytes = Zeroizing::new(Vec::with_capacity((range.end - range.start) as usize));
        let stream = spawn_stream(&who.watch, |stream| async move {
            blob.send(&*blobs, range, &stream).await
        });
        stream
            .try_fold(bytes, |mut all, piece| async move {
                all.extend_from_slice(&piece);
                Ok(all)
            })
            .await
    }
}

const DAMAGED: VaultError = VaultError::Damaged("an archive's plan is not in the form we write");

/// Layout (1), length of the head (u32), head, texts. The head: number of texts (u16), length of
/// the name (u16), the name, the plan. Numbers here are big endian.
fn pack(filename: &str, plan: &Plan, texts: &[Bytes]) -> Result<Bytes> {
    let too_long = |_| VaultError::Internal("a ticket is too long".into());
    let name_len = u16::try_from(filename.len()).map_err(too_long)?;
    let count = u16::try_from(texts.len()).map_err(too_long)?;
    let plan = plan.encode();
    let head_len = 4 + filename.len() + plan.len();
    let text_len: usize = texts.iter().map(Bytes::len).sum();
    let mut out = Vec::with_capacity(PREFIX_LEN as usize + head_len + text_len);
    out.push(LAYOUT);
    out.extend(u32::try_from(head_len).map_err(too_long)?.to_be_bytes());
    out.extend(count.to_be_bytes());
    out.extend(name_len.to_be_bytes());
    out.extend(filename.as_bytes());
    out.extend(plan);
    texts.iter().for_each(|text| out.extend(text));
    Ok(out.into())
}

/// The head's length; `None` for a ticket of the version before, which is all head.
fn head_len(prefix: &[u8]) -> Option<u64> {
    let (layout, len) = prefix.split_first()?;
    let len = u32::from_be_bytes(len.try_into().ok()?);
    (*layout == LAYOUT).then_some(len.into())
}

/// Name, plan, and where the texts begin and end, when the first begins at `texts_at`.
fn unpack(head: &[u8], texts_at: u64) -> Option<(String, Plan, Vec<u64>)> {
    // The version before began with the name's length, of which the first byte is always 0; here
    // that is the number of texts.
    let (first, rest) = head.split_first_chunk::<2>()?;
    let (count, name_len, rest) = match u16::from_be_bytes(*first) {
        old if texts_at == head.len() as u64 => (0, old, rest),
        count => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (count, u16::from_be_bytes(*len), rest)
        }
    };
    let (name, plan) = rest.split_at_checked(name_len.into())?;
    let plan = Plan::decode(plan).ok()?;
    let mut starts = vec![texts_at];
    for entry in plan.entries().get(..count.into())? {
        starts.push(starts.last()?.checked_add(entry.size)?);
    }
    Some((String::from_utf8(name.to_vec()).ok()?, plan, starts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{DosTime, Entry};

    fn plan(sizes: &[u64]) -> Plan {
        let entry = |(n, size): (usize, &u64)| Entry {
            source: [n as u8; 16],
            name: format!("{n}.txt"),
            size: *size,
            crc32: 0,
            modified: DosTime::from(jiff::civil::date(2026, 11, 21).at(0, 0, 0, 0)),
        };
        Plan::new(sizes.iter().enumerate().map(entry).collect()).unwrap()
    }

    #[test]
    fn a_ticket_tells_where_its_texts_are() {
        let texts = [Bytes::from_static(b"one"), Bytes::from_static(b"three")];
        let packed = pack("a.zip", &plan(&[3, 5, 1000]), &texts).unwrap();
        let len = head_len(&packed[..PREFIX_LEN as usize]).unwrap();
        let end = PREFIX_LEN + len;
        let head = &packed[PREFIX_LEN as usize..end as usize];
        let (name, plan, starts) = unpack(head, end).unwrap();
        assert_eq!((name.as_str(), plan.len()), ("a.zip", 3));
        assert_eq!(starts, [end, end + 3, end + 8]);
        assert_eq!(packed[end as usize..], *b"onethree");
        assert_eq!(packed.len() as u64, end + 8);
    }

    #[test]
    fn a_ticket_of_the_version_before_still_opens() {
        let encoded = plan(&[1000]).encode();
        let old = [&[0, 5], &b"a.zip"[..], &encoded].concat();
        assert_eq!(head_len(&old[..PREFIX_LEN as usize]), None);
        let (name, plan, starts) = unpack(&old, old.len() as u64).unwrap();
        assert_eq!((name.as_str(), plan.len()), ("a.zip", 1));
        assert_eq!(starts, [old.len() as u64], "it has no texts");
    }

    #[test]
    fn a_ticket_that_ends_early_is_refused() {
        let packed = pack("a.zip", &plan(&[3]), &[Bytes::from_static(b"one")]).unwrap();
        let head = &packed[PREFIX_LEN as usize..packed.len() - 3];
        for len in 0..head.len() {
            assert!(unpack(&head[..len], packed.len() as u64).is_none(), "{len}");
        }
    }
}
