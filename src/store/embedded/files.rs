//! Blobs as files: staged, synced, renamed. Rows are not known here.

use std::collections::HashSet;
use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::ids::BlobId;

use super::super::{BlobRef, Blobs, ByteStream, ChunkSource, Result, StoreError};
use super::{blocking, private};

/// Bytes read at once: a little more than 256 KiB, for the tags of so much plaintext. A reader holds
/// two such pieces: the one handed over and the next.
const PIECE: usize = 260 * 1024;

/// Blobs below a directory.
pub(super) struct FileBlobs(Arc<Tree>);

impl FileBlobs {
    /// Opens the two directories, creating them when missing. Blocks.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let tree = Tree {
            blobs: dir.join("blobs"),
            staging: dir.join("staging"),
            durable: Mutex::default(),
        };
        for dir in [&tree.staging, &tree.blobs] {
            private::tree(dir)?;
            tree.make_durable(dir)?;
        }
        Ok(Self(Arc::new(tree)))
    }
}

#[async_trait]
impl Blobs for FileBlobs {
    async fn put(&self, id: &BlobId, chunks: ChunkSource) -> Result<u64> {
        let (tree, id) = (Arc::clone(&self.0), *id);
        // The thread does not end when this future is dropped, so it has to be told.
        let abandoned = CancellationToken::new();
        let _tell = abandoned.clone().drop_guard();
        blocking(move || tree.write(&id, chunks, &abandoned)).await
    }

    async fn read(&self, id: &BlobId, offset: u64, len: Option<u64>) -> Result<ByteStream> {
        let path = self.0.path(id);
        // Opened and read in one step: most blobs that are asked for are small.
        let first = move || {
            let mut reader = Reader::open(&path, offset, len)?;
            let piece = reader.next_piece()?;
            Ok((reader, piece))
        };
        let (reader, first) = blocking(first).await?;
        let first = Some(first).filter(|first| !first.is_empty());
        let state = (reader.fetch(), first);
        let pieces = stream::try_unfold(state, |(next, ready)| async move {
            if let Some(piece) = ready {
                return Ok(Some((piece, (next, None))));
            }
            let Some(task) = next else {
                return Ok(None);
            };
            let (reader, piece) = task
                .await
                .map_err(|stopped| StoreError::Internal(stopped.into()))??;
            Ok(Some((piece, (reader.fetch(), None))))
        });
        Ok(pieces.boxed())
    }

    async fn get(&self, blob: &BlobRef) -> Result<Bytes> {
        let (path, len) = (self.0.path(&blob.id), blob.len);
        blocking(move || {
            let mut reader = Reader::open(&path, 0, None)?;
            match reader.left == len {
                true => reader.take(len),
                false => Err(StoreError::Damaged("a blob has another length".into())),
            }
        })
        .await
    }

    async fn delete(&self, id: &BlobId) -> Result<()> {
        let path = self.0.path(id);
        blocking(move || remove_if_there(&path)).await
    }

    async fn list_before(&self, before: Timestamp) -> Result<BoxStream<'static, Result<BlobId>>> {
        let tree = Arc::clone(&self.0);
        {
            let tree = Arc::clone(&tree);
            blocking(move || tree.sweep_staging(before)).await?;
        }
        let shelves =
            stream::iter((0..=u8::MAX).map(Ok::<u8, StoreError>)).and_then(move |shelf| {
                let tree = Arc::clone(&tree);
                async move {
                    let ids = blocking(move || tree.list_shelf(shelf, before)).await?;
                    Ok(stream::iter(ids.into_iter().map(Ok)))
                }
            });
        Ok(shelves.try_flatten().boxed())
    }
}

/// The files, as blocking code.
struct Tree {
    blobs: PathBuf,
    staging: PathBuf,
    /// Directories known to survive the loss of power. One that exists may not: whoever made it
    /// may have been stopped before syncing its parent.
    durable: Mutex<HashSet<PathBuf>>,
}

impl Tree {
    fn path(&self, id: &BlobId) -> PathBuf {
        let [first, second, ..] = id.as_bytes();
        self.blobs.join(format!("{first:02x}/{second:02x}/{id}"))
    }

    fn write(
        &self,
        id: &BlobId,
        chunks: ChunkSource,
        abandoned: &CancellationToken,
    ) -> Result<u64> {
        let (mut staged, mut file) = Staged::create(self.staging.join(id.to_string()))?;
        let target = self.path(id);
        // Asked only now: of two writers of one id the second finds either the staged file of the
        // first or what became of it.
        if target.try_exists()? {
            return Err(used_twice());
        }
        let mut len = 0;
        for piece in chunks {
            if abandoned.is_cancelled() {
                return Err(StoreError::Internal("the writer has gone".into()));
            }
            file.write_all(&piece)?;
            len += piece.len() as u64;
        }
        file.sync_all()?;
        let shelf = target
            .parent()
            .expect("a blob's path has two levels above it");
        self.make_durable(shelf)?;
        if abandoned.is_cancelled() {
            return Err(StoreError::Internal("the writer has gone".into()));
        }
        fs::rename(&staged.0, &target)?;
        // Should the last step fail, it is the blob that has to go.
        staged.0 = target.clone();
        sync_directory(shelf)?;
        staged.keep();
        Ok(len)
    }

    /// Creates a directory, and those above it, such that a power cut does not take it away.
    fn make_durable(&self, dir: &Path) -> Result<()> {
        if self
            .durable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(dir)
        {
            return Ok(());
        }
        let parent = dir.parent().expect("the data directory is above");
        if dir != self.blobs && dir != self.staging {
            self.make_durable(parent)?;
        }
        private::directory(dir)?;
        sync_directory(parent)?;
        self.durable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(dir.to_owned());
        Ok(())
    }

    fn sweep_staging(&self, before: Timestamp) -> Result<()> {
        for entry in fs::read_dir(&self.staging)? {
            let entry = entry?;
            if is_older(&entry, before)? {
                remove_if_there(&entry.path())?;
            }
        }
        Ok(())
    }

    /// The blobs whose id begins with this byte.
    fn list_shelf(&self, shelf: u8, before: Timestamp) -> Result<Vec<BlobId>> {
        let mut ids = Vec::new();
        for dir in entries(&self.blobs.join(format!("{shelf:02x}")))? {
            for entry in entries(&dir?.path())? {
                let entry = entry?;
                let id = entry
                    .file_name()
                    .to_str()
                    .and_then(|name| name.parse::<BlobId>().ok());
                let Some(id) = id.filter(|id| self.path(id) == entry.path()) else {
                    continue; // not written by us
                };
                if is_older(&entry, before)? {
                    ids.push(id);
                }
            }
        }
        Ok(ids)
    }
}

/// A file that is removed unless it is kept.
struct Staged(PathBuf);

impl Staged {
    fn create(path: PathBuf) -> Result<(Self, File)> {
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
        {
            Ok(file) => Ok((Self(path), file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(used_twice()),
            Err(error) => Err(error.into()),
        }
    }

    fn keep(mut self) {
        self.0 = PathBuf::new();
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            // What cannot be removed now is left to the sweep.
            let _ = fs::remove_file(&self.0);
        }
    }
}

/// A place in an open file.
struct Reader {
    file: File,
    at: u64,
    left: u64,
}

impl Reader {
    fn open(path: &Path, offset: u64, len: Option<u64>) -> Result<Self> {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(StoreError::NotFound),
            opened => opened?,
        };
        // A blob never grows, so what is behind the offset now is all there will be.
        let behind = file.metadata()?.len().saturating_sub(offset);
        let left = len.map_or(behind, |len| len.min(behind));
        Ok(Self {
            file,
            at: offset,
            left,
        })
    }

    /// Begins to read the next piece; nothing at the end.
    fn fetch(mut self) -> Option<JoinHandle<Result<(Self, Bytes)>>> {
        if self.left == 0 {
            return None;
        }
        Some(tokio::task::spawn_blocking(move || {
            let piece = self.next_piece()?;
            Ok((self, piece))
        }))
    }

    /// The piece at this place. Blocks.
    fn next_piece(&mut self) -> Result<Bytes> {
        self.take(self.left.min(PIECE as u64))
    }

    /// So many bytes from this place on, of those that are left. Blocks.
    fn take(&mut self, len: u64) -> Result<Bytes> {
        let mut piece = vec![0; len as usize];
        self.file.read_exact_at(&mut piece, self.at)?;
        self.at += piece.len() as u64;
        self.left -= piece.len() as u64;
        Ok(piece.into())
    }
}

fn used_twice() -> StoreError {
    StoreError::Internal("a blob id was used twice".into())
}

fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// The entries of a directory; none where there is no such directory.
fn entries(dir: &Path) -> Result<impl Iterator<Item = io::Result<DirEntry>>> {
    match fs::read_dir(dir) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None.into_iter().flatten())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the file was last written before that time. One that has gone meanwhile was not.
fn is_older(entry: &DirEntry, before: Timestamp) -> Result<bool> {
    let modified = match entry.metadata() {
        Ok(metadata) => metadata.modified()?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    Timestamp::try_from(modified)
        .map(|modified| modified < before)
        .map_err(|error| StoreError::Internal(error.into()))
}
