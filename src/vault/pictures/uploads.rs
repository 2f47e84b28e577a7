//! Taking pictures in: a bounded amount of memory for what is being received (`intake`), a bounded
//! number of decoders, and the order of writing that loses nothing.

use bytes::Bytes;
use jiff::Timestamp;

use super::content;
use super::images::{Image, ImageEdit, OpenImage, name_problem};
use super::intake::{UploadPermit, WINDOW};
use super::metadata::{Content, Metadata};
use super::names::clean_name;
use crate::crypto::{BlobRole, DataKey, DigestKey, WrapKind};
use crate::ids::{AccountId, ImageId};
use crate::media::MediaError;
use crate::store::{ImageRow, ImageState, Inserted, StoreError};
use crate::vault::blobs::blobs_of;
use crate::vault::error::{Result, VaultError};
use crate::vault::memory::Payer;
use crate::vault::turns::Turn;
use crate::vault::{Unlocked, Vault, keys};
use crate::{crypto, media};

/// How an upload ended.
pub enum Added {
    /// Stored.
    New(Image),
    /// The account held these bytes already, as this image.
    Duplicate(Image),
}

/// The facts of a picture as an export tells them.
pub(in crate::vault) struct ImportedFacts {
    /// SHA-256 of the file.
    pub(in crate::vault) sha256: [u8; 32],
    pub(in crate::vault) uploaded_at: Timestamp,
    pub(in crate::vault) trashed_at: Option<Timestamp>,
    pub(in crate::vault) also_named: Vec<String>,
    /// An edit that was checked already.
    pub(in crate::vault) edit: ImageEdit,
}

/// A picture about to be stored.
struct NewImage {
    digest: [u8; 32],
    metadata: Metadata,
    uploaded_at: Timestamp,
    trashed_at: Option<Timestamp>,
    original: Bytes,
    thumbnail: Bytes,
}

impl ImportedFacts {
    /// Adds what the record does not say yet; what it says stays. Returns whether that changed it.
    pub(in crate::vault) fn fill_in(&self, metadata: &mut Metadata) -> bool {
        let open = ImageEdit {
            name: None,
            tags: self.edit.tags.clone().filter(|_| metadata.tags.is_empty()),
            caption: self
                .edit
                .caption
                .clone()
                .filter(|_| metadata.caption.is_empty()),
            favourite: self.edit.favourite.filter(|marked| *marked),
        };
        let said = open.apply(metadata);
        // Names last, as far as the record has room for them.
        let names = self.edit.name.iter().chain(&self.also_named);
        names.fold(said, |any, name| metadata.add_name(name) | any)
    }
}

impl Vault {
    /// The largest file that is taken, in bytes.
    pub fn max_file_bytes(&self) -> u64 {
        self.0.intake.limits.max_file_bytes
    }

    /// Sets memory aside for a file of this length, or of the largest where it is unknown.
    ///
    /// # Errors
    /// [`VaultError::TooLarge`] and [`VaultError::LargerThanQuota`] before a byte is read;
    /// [`VaultError::Busy`] when there is no room for a while.
    pub async fn admit(&self, who: &Unlocked, len: Option<u64>) -> Result<UploadPermit> {
        let max_bytes = self.max_file_bytes();
        if let Some(len) = len {
            if len > max_bytes {
                return Err(VaultError::TooLarge { max_bytes });
            }
            self.check_size(who, len).await?;
        }
        self.0
            .intake
            .reserve(who.id(), self.longest_file(len))
            .await
    }

    /// Sets memory aside for a form of this length, whose files are in memory one after the other,
    /// and for an answer of `answer` bytes.
    ///
    /// # Errors
    /// [`VaultError::Busy`] when there is no room for a while.
    pub async fn admit_form(
        &self,
        who: &Unlocked,
        len: Option<u64>,
        answer: u64,
    ) -> Result<UploadPermit> {
        let bytes = self.longest_file(len) + answer + WINDOW;
        self.0.intake.reserve(who.id(), bytes).await
    }

    /// Sets memory aside for a small body of so many bytes.
    ///
    /// # Errors
    /// [`VaultError::Busy`] when there is no room for a while.
    pub async fn admit_small(&self, payer: &Payer, bytes: u64) -> Result<UploadPermit> {
        self.0.intake.reserve_small(payer, bytes).await
    }

    /// Sets memory aside for the beginning of a body: until it is known how much the rest takes.
    ///
    /// # Errors
    /// [`VaultError::Busy`] when there is no room for a while.
    pub async fn admit_beginning(&self, who: &Unlocked) -> Result<UploadPermit> {
        self.admit_small(&Payer::Account(*who.id()), WINDOW).await
    }

    /// The longest file that can be in a body of this length.
    fn longest_file(&self, len: Option<u64>) -> u64 {
        let max_bytes = self.max_file_bytes();
        len.map_or(max_bytes, |len| len.min(max_bytes))
    }

    /// Takes a picture in. When this returns, it is stored and stays stored. Its name is a file's,
    /// which its owner may never have seen: what a name may not hold is dropped.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] for its name, [`VaultError::Media`] where it is no picture we take,
    /// [`VaultError::NoRoom`] and [`VaultError::LargerThanQuota`] unless the account holds it
    /// already, [`VaultError::Store`].
    pub async fn add_image(&self, who: &Unlocked, name: &str, bytes: Bytes) -> Result<Added> {
        self.ingest(who, name, bytes, None).await
    }

    /// As [`Vault::add_image`]; a picture from an export is stored with its facts, in the same
    /// single step. Adding facts to a picture that is here already is left to the caller.
    pub(in crate::vault) async fn ingest(
        &self,
        who: &Unlocked,
        name: &str,
        bytes: Bytes,
        facts: Option<&ImportedFacts>,
    ) -> Result<Added> {
        let name = &*clean_name(name);
        if let Some(problem) = name_problem(name) {
            return Err(VaultError::invalid("name", problem));
        }
        if bytes.is_empty() {
            return Err(MediaError::Empty.into());
        }
        let summed = bytes.clone();
        let content = tokio::task::spawn_blocking(move || Content::of(&summed)).await?;
        if facts.is_some_and(|facts| facts.sha256 != content.sha256) {
            let message = "Its bytes are not those that were exported: its SHA-256 is another.";
            return Err(VaultError::invalid("sha256", message));
        }
        let digest = digest_key(who)?.digest(&content.sha256);
        let found = self
            .store()
            .records
            .images_by_digest(who.id(), &[digest])
            .await?;
        if let Some((_, id)) = found.first() {
            match self.take_again(who, id, name).await {
                // The image was removed for good just now: then the picture is new after all.
                Err(VaultError::NotFound) => {}
                other => return other,
            }
        }
        self.check_room(who, bytes.len() as u64).await?;
        let decoded = bytes.clone();
        let turn = self.decoder(who.id()).await?;
        let inspected = self.decode(&turn, move |limits| media::inspect(&decoded, &limits));
        let image = inspected.await?;
        drop(turn);
        let mut metadata = Metadata::new(name.to_owned(), &content, &image);
        let (mut uploaded_at, mut trashed_at) = (self.now(), None);
        if let Some(facts) = facts {
            facts.fill_in(&mut metadata);
            (uploaded_at, trashed_at) = (facts.uploaded_at, facts.trashed_at);
        }
        let new = NewImage {
            digest,
            metadata,
            uploaded_at,
            trashed_at,
            original: bytes,
            thumbnail: Bytes::from(image.thumbnail),
        };
        self.store_new(who, new).await
    }

    /// Which of these SHA-256 sums belong to images the account holds.
    ///
    /// # Errors
    /// The store's.
    pub async fn known(
        &self,
        who: &Unlocked,
        sums: &[[u8; 32]],
    ) -> Result<Vec<([u8; 32], ImageId)>> {
        let key = digest_key(who)?;
        let digests: Vec<_> = sums.iter().map(|sum| key.digest(sum)).collect();
        let found = self
            .store()
            .records
            .images_by_digest(who.id(), &digests)
            .await?;
        let found: std::collections::HashMap<_, _> = found.into_iter().collect();
        let known = sums.iter().zip(&digests);
        Ok(known
            .filter_map(|(sum, digest)| Some((*sum, *found.get(digest)?)))
            .collect())
    }

    /// Stores the blobs first, each whole and synced; then the row, which is the commit. A failure
    /// on the way leaves blobs without a row, which are removed at once or by the sweep.
    async fn store_new(&self, who: &Unlocked, new: NewImage) -> Result<Added> {
        let metadata = new.metadata;
        let (id, key) = (ImageId::from_bytes(crypto::random()?), DataKey::generate()?);
        let sealed = metadata.seal(&key, who.id(), &id, 0)?;
        let part = |role| {
            (
                key.role_key(role),
                keys::blob_context(who.id(), id.as_bytes(), role),
            )
        };
        let (original_key, original_context) = part(BlobRole::Original);
        let (thumbnail_key, thumbnail_context) = part(BlobRole::Thumbnail);
        let (original, thumbnail) = tokio::try_join!(
            self.put_sealed(&original_key, &original_context, new.original),
            self.put_sealed(&thumbnail_key, &thumbnail_context, new.thumbnail),
        )?;
        let row = ImageRow {
            id,
            account: *who.id(),
            seq: 0,
            revision: 0,
            uploaded_at: new.uploaded_at,
            trashed_at: new.trashed_at,
            digest: new.digest,
            key_wrap: keys::wrap_data_key(&who.keyring.master, who.id(), &id, &key)?,
            mk_generation: who.keyring.generation,
            metadata: sealed,
            original,
            thumbnail,
            preview: None,
        };
        let quota = self.default_quota();
        let bearer = who.watch.bearer();
        let records = &self.store().records;
        match records.insert_image(&row, &bearer, &quota).await {
            Ok(Inserted::New) => Ok(Added::New(Image::of_row(&row, metadata))),
            // A store that repeats a commit whose answer was lost finds the row it wrote itself:
            // taking that for somebody else's would remove the picture's own blobs.
            Ok(Inserted::Duplicate(first)) if first == id => {
                Ok(Added::New(Image::of_row(&row, metadata)))
            }
            Ok(Inserted::Duplicate(first)) => {
                self.remove_blobs(blobs_of(std::slice::from_ref(&row)))
                    .await;
                self.take_again(who, &first, &metadata.name).await
            }
            // The session has ended meanwhile, perhaps because the master key was replaced: no row
            // may be stored with a key that will be gone.
            Ok(Inserted::Stale) => {
                self.remove_blobs(blobs_of(std::slice::from_ref(&row)))
                    .await;
                Err(VaultError::Unauthenticated)
            }
            // Other uploads have used the room up since it was checked.
            Ok(Inserted::NoRoom) => {
                self.remove_blobs(blobs_of(std::slice::from_ref(&row)))
                    .await;
                Err(self.no_room(who, row.kept()).await?)
            }
            // No row was stored, and a full disk needs the space.
            Err(error @ StoreError::Full(_)) => {
                self.remove_blobs(blobs_of(std::slice::from_ref(&row)))
                    .await;
                Err(error.into())
            }
            // Whether the row was stored is unknown when a store fails at the commit: the blobs
            // stay, and the sweep removes them if no row names them.
            Err(error) => Err(error.into()),
        }
    }

    /// The same bytes came again: the image leaves the trash, and remembers the other name.
    async fn take_again(&self, who: &Unlocked, id: &ImageId, name: &str) -> Result<Added> {
        who.watch.look().await?;
        let now = self.now();
        self.store()
            .records
            .set_state(who.id(), &[*id], ImageState::Active, now)
            .await?;
        let named = self.change_metadata(who, id, |metadata| metadata.add_name(name));
        match named.await {
            // An image that is here already needs no room: then its other name is not remembered.
            Err(VaultError::NoRoom(_)) => {
                let known = self.open_image(who, id).await?;
                Ok(Added::Duplicate(known.image))
            }
            named => named.map(Added::Duplicate),
        }
    }

    /// The account's turn at the decoders. It has no more turns at a time than there are threads,
    /// so another account waits for one picture, not for all that this one has sent or looks at.
    ///
    /// # Errors
    /// [`VaultError::Busy`] where very many of the account's pictures wait already.
    pub(super) async fn decoder(&self, account: &AccountId) -> Result<Turn> {
        let line = crypto::sha256(account.as_bytes());
        self.0.decoding.wait(line, self.0.decoders.threads()).await
    }

    /// Runs a decoder on a thread of its own, a few at a time.
    pub(super) async fn decode<T: Send + 'static>(
        &self,
        _turn: &Turn,
        work: impl FnOnce(media::Limits) -> std::result::Result<T, MediaError> + Send + 'static,
    ) -> Result<T> {
        let limits = media::Limits {
            max_pixels: self.0.intake.limits.max_pixels,
            max_decode_bytes: self.0.intake.limits.max_decode_bytes,
        };
        let done = self.0.decoders.run(move || work(limits));
        Ok(done.await??)
    }

    /// Sets memory aside for an original.
    ///
    /// # Errors
    /// [`VaultError::Busy`] when there is no room for a while.
    pub(super) async fn admit_original(&self, image: &OpenImage) -> Result<UploadPermit> {
        let size = image.image.metadata.size;
        self.0.intake.reserve(&image.row.account, size).await
    }

    /// Reads the whole original into memory, which the caller has set aside.
    pub(super) async fn whole_original(&self, image: &OpenImage) -> Result<Bytes> {
        use futures_util::TryStreamExt;
        let size = image.image.metadata.size;
        let stream: content::PlainStream = self.read_original(image, 0..size);
        let bytes = stream
            .try_fold(
                bytes::BytesMut::with_capacity(size as usize),
                |mut all, piece| async move {
                    all.extend_from_slice(&piece);
                    Ok(all)
                },
            )
            .await?;
        Ok(bytes.freeze())
    }
}

fn digest_key(who: &Unlocked) -> Result<DigestKey> {
    let account = &who.account;
    keys::unwrap(
        WrapKind::DigestKey,
        &account.id,
        account.id.as_bytes(),
        &*who.keyring.master,
        &account.digest_wrap,
    )
}
