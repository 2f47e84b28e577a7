//! Reads a zip of ours as it arrives: its files one after the other, never a step back.

use std::io;
use std::io::ErrorKind;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::archive::{FILE_HEAD_LEN, FileHead, PackedFile, SIGNATURE_LEN, Section};

/// Bytes skipped at a time.
const STEP: usize = 64 << 10;

/// A zip that has been read up to some place.
pub(super) struct ZipReader<R> {
    from: R,
    /// Bytes of the current file that are not read yet.
    unread: u64,
    /// A file whose header was read, but which was not the one asked for.
    waiting: Option<PackedFile>,
    /// Why there is no further file.
    ended: Option<ZipError>,
}

/// Why there are no more bytes.
#[derive(Clone, Copy)]
pub(super) enum ZipError {
    /// The zip ends in the middle of a file.
    TooEarly,
    /// The bytes are not what we write.
    Altered,
    /// The source of the bytes failed.
    Failed(ErrorKind),
}

impl From<io::Error> for ZipError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof => Self::TooEarly,
            kind => Self::Failed(kind),
        }
    }
}

impl From<crate::archive::ReadError> for ZipError {
    fn from(_: crate::archive::ReadError) -> Self {
        Self::Altered
    }
}

type Result<T> = std::result::Result<T, ZipError>;

impl<R: AsyncRead + Unpin> ZipReader<R> {
    pub(super) fn new(from: R) -> Self {
        Self {
            from,
            unread: 0,
            waiting: None,
            ended: None,
        }
    }

    /// The next file; `None` after the last.
    pub(super) async fn next_file(&mut self) -> Result<Option<PackedFile>> {
        if let Some(ended) = self.ended {
            return Err(ended);
        }
        let next = self.read_header().await;
        // What follows damage could be taken for anything.
        self.ended = next.as_ref().err().copied();
        next
    }

    /// The next file if it is the one of this name, so that [`ZipReader::read`] gives its content.
    /// Another picture waits until it is asked for; a file that is no picture is skipped.
    pub(super) async fn find(&mut self, name: &str) -> Result<Option<PackedFile>> {
        loop {
            let next = match self.waiting.take() {
                Some(next) => next,
                None => match self.next_file().await? {
                    Some(next) => next,
                    // The files have ended: nothing that follows is one.
                    None => {
                        self.ended = Some(ZipError::TooEarly);
                        return Ok(None);
                    }
                },
            };
            if next.name == name {
                return Ok(Some(next));
            }
            if next.name.starts_with("originals/") || next.name.starts_with("trash/") {
                self.waiting = Some(next);
                return Ok(None);
            }
        }
    }

    /// The content of the current file, whose length the caller has checked.
    pub(super) async fn read(&mut self, len: u64) -> Result<Bytes> {
        let read = self.read_content(len).await;
        self.ended = read.as_ref().err().copied();
        read
    }

    async fn read_content(&mut self, len: u64) -> Result<Bytes> {
        let mut content = BytesMut::new();
        self.read_on(&mut content, len).await?;
        Ok(content.freeze())
    }

    /// Reads so many more bytes of the current file.
    pub(super) async fn read_on(&mut self, content: &mut BytesMut, more: u64) -> Result<()> {
        // Reserved at once, for which the caller has set memory aside.
        content.reserve(usize::try_from(more).unwrap_or(0));
        let end = content.len() as u64 + more;
        let mut from = (&mut self.from).take(more);
        while (content.len() as u64) < end {
            if from.read_buf(content).await? == 0 {
                return Err(ZipError::TooEarly);
            }
        }
        self.unread = self.unread.saturating_sub(more);
        Ok(())
    }

    async fn read_header(&mut self) -> Result<Option<PackedFile>> {
        self.pass_over().await?;
        let mut signature = [0; SIGNATURE_LEN];
        self.from.read_exact(&mut signature).await?;
        if Section::at(signature)? == Section::Directory {
            return Ok(None);
        }
        let mut head = [0; FILE_HEAD_LEN];
        self.from.read_exact(&mut head).await?;
        let head = FileHead::parse(&head)?;
        let mut rest = vec![0; head.rest_len()];
        self.from.read_exact(&mut rest).await?;
        let file = head.complete(&rest)?;
        self.unread = file.size;
        Ok(Some(file))
    }

    /// Skips the rest of the current file.
    async fn pass_over(&mut self) -> Result<()> {
        let mut step = vec![0; STEP.min(usize::try_from(self.unread).unwrap_or(STEP))];
        while self.unread > 0 {
            let most = step.len().min(usize::try_from(self.unread).unwrap_or(STEP));
            match self.from.read(&mut step[..most]).await? {
                0 => return Err(ZipError::TooEarly),
                read => self.unread -= read as u64,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::archive::{DosTime, Entry, Piece, Plan};

    const FILES: [(&str, &[u8]); 5] = [
        ("image-vault.json", b"list"),
        ("README.txt", b"words"),
        ("originals/a", b"first"),
        ("originals/b", b""),
        ("trash/a", b"third"),
    ];

    fn zip() -> Vec<u8> {
        let entry = |(name, content): &(&str, &[u8])| Entry {
            source: [0; 16],
            name: (*name).to_owned(),
            size: content.len() as u64,
            crc32: crc32fast::hash(content),
            modified: DosTime::from(jiff::civil::date(2026, 11, 21).at(0, 0, 0, 0)),
        };
        let plan = Arc::new(Plan::new(FILES.iter().map(entry).collect()).unwrap());
        let mut zip = Vec::new();
        for piece in plan.pieces(0..u64::MAX) {
            match piece {
                Piece::Bytes(bytes) => zip.extend(bytes),
                Piece::Content { entry, .. } => zip.extend(FILES[entry].1),
            }
        }
        zip
    }

    /// What is found of these names, one after the other.
    async fn contents(zip: &[u8], names: &[&str]) -> Vec<Option<Vec<u8>>> {
        let mut reader = ZipReader::new(zip);
        let mut found = Vec::new();
        for name in names {
            found.push(match reader.find(name).await {
                Ok(Some(file)) => reader.read(file.size).await.ok().map(Into::into),
                _ => None,
            });
        }
        found
    }

    #[tokio::test]
    async fn each_file_is_found_in_its_turn_and_the_words_are_passed_over() {
        let zip = zip();
        let names = FILES.map(|(name, _)| name);
        let all = FILES.map(|(_, content)| Some(content.to_vec()));
        assert_eq!(contents(&zip, &names).await, all);
        assert_eq!(contents(&zip, &names[2..]).await, all[2..]);
        assert_eq!(
            contents(&zip, &names[4..]).await,
            [None],
            "none before it was asked for"
        );
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_costs_only_itself() {
        let names = [
            "originals/0",
            "originals/a",
            "originals/a",
            "originals/b",
            "trash/a",
        ];
        let found = contents(&zip(), &names).await;
        let there: Vec<_> = found.iter().map(Option::is_some).collect();
        assert_eq!(there, [false, true, false, true, true]);
    }

    #[tokio::test]
    async fn what_nobody_reads_is_passed_over() {
        let zip = zip();
        let mut reader = ZipReader::new(&zip[..]);
        let mut names = Vec::new();
        while let Ok(Some(file)) = reader.next_file().await {
            names.push(file.name);
        }
        assert_eq!(names, FILES.map(|(name, _)| name));
    }

    #[tokio::test]
    async fn a_zip_cut_anywhere_gives_no_half_file() {
        let zip = zip();
        let names = FILES.map(|(name, _)| name);
        for len in 0..zip.len() {
            for (n, content) in contents(&zip[..len], &names).await.into_iter().enumerate() {
                assert!(
                    content.is_none_or(|found| found == FILES[n].1),
                    "cut at {len}"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_length_that_lies_takes_nothing_for_a_file_that_is_none() {
        let mut zip = zip();
        // Of the first file: one byte less, and its content goes on where a header should be.
        for at in [18, 22] {
            zip[at] -= 1;
        }
        let mut reader = ZipReader::new(&zip[..]);
        assert!(matches!(reader.next_file().await, Ok(Some(file)) if file.size == 3));
        assert!(matches!(reader.next_file().await, Err(ZipError::Altered)));
        assert!(matches!(reader.next_file().await, Err(ZipError::Altered)));
        // Or the largest length there can be, with nothing behind it.
        let mut endless = zip[..30 + 16].to_vec();
        endless[18..26].fill(0xff);
        endless[28] = 20;
        endless.extend([1, 0, 16, 0]);
        endless.extend([0xff; 16]);
        let mut reader = ZipReader::new(&endless[..]);
        assert!(matches!(reader.next_file().await, Ok(Some(file)) if file.size == u64::MAX));
        assert!(matches!(reader.next_file().await, Err(ZipError::TooEarly)));
    }
}
