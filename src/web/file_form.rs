//! A form with files (RFC 7578), read part by part. However the form is made, some tens of KiB of
//! it are held beside the file that is asked for.
//!
//! `multer` reads its source for as long as anything comes, and keeps what it cannot hand out yet,
//! such as a head without an end, only to search all of it again. So it is fed by hand: a piece, and
//! the next one when it has used up the first.

use std::convert::Infallible;
use std::io;
use std::io::ErrorKind;
use std::sync::mpsc;
use std::sync::mpsc::TryRecvError;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, stream};
use multer::{Field, Multipart};
use rocket::http::{ContentType, Status};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::io::StreamReader;
use zeroize::Zeroizing;

use self::file_name::file_name;
use super::body::{Arriving, Pace};
use super::problem::Problem;
use crate::vault::VaultError;

/// Bytes that the parser is given at a time.
const PIECE: usize = 16 << 10;
/// Longest boundary (RFC 2046, section 5.1.1).
const MAX_BOUNDARY_BYTES: usize = 70;
/// Longest head of a part: its name, its file name and its type. Also what may stand before the first.
const MAX_HEAD_BYTES: usize = 8 << 10;
/// Longest name of a field.
const MAX_NAME_BYTES: usize = 1 << 10;
/// Most files in one form; a browser with scripts sends each on its own.
const MAX_FILES: usize = 10_000;
/// Most text fields: our own pages have one.
const MAX_FIELDS: usize = 100;
/// Longest text field, and longest all together.
const MAX_FIELD_BYTES: usize = 16 << 10;
const MAX_FIELDS_BYTES: usize = 64 << 10;

/// A form with files.
pub(super) struct FileForm<'r> {
    from: Box<dyn AsyncRead + Unpin + Send + 'r>,
    pace: Pace,
    parser: Multipart<'static>,
    /// Leads to the parser; `None` once the body has ended.
    pieces: Option<mpsc::Sender<Bytes>>,
    /// The part being read.
    field: Option<Field<'static>>,
    buffer: BytesMut,
    files: usize,
    fields: usize,
    /// Bytes of all text fields.
    text: usize,
}

/// One part of such a form.
pub(super) enum Part {
    /// A text field.
    Field {
        /// Its name.
        name: String,
        /// Its value.
        value: Zeroizing<String>,
    },
    /// A file.
    File {
        /// The file's name; empty where none was chosen.
        filename: String,
        /// Its bytes, or why they were not taken. The form goes on after it.
        content: Result<Bytes, Problem>,
    },
}

/// What the headers of a part say of it.
struct Head {
    name: String,
    /// Only file parts have one.
    filename: Option<String>,
}

impl<'r> FileForm<'r> {
    /// Starts to read.
    ///
    /// # Errors
    /// 415 where the request says that it is something else, 400 where its boundary is malformed.
    pub(super) fn open(
        kind: Option<&ContentType>,
        from: impl AsyncRead + Unpin + Send + 'r,
        stall: Duration,
    ) -> Result<Self, Problem> {
        let kind = kind.filter(|kind| kind.is_form_data());
        let boundary = kind
            .and_then(|kind| kind.param("boundary"))
            .ok_or_else(|| {
                let detail = "Send this as a form with files.";
                Problem::new(Status::UnsupportedMediaType, detail)
            })?;
        if !(1..=MAX_BOUNDARY_BYTES).contains(&boundary.len()) {
            let detail = format!("The boundary of a form has 1 to {MAX_BOUNDARY_BYTES} bytes.");
            return Err(Problem::new(Status::BadRequest, detail));
        }
        let (pieces, given) = mpsc::channel();
        let given = stream::poll_fn(move |_| match given.try_recv() {
            Ok(piece) => Poll::Ready(Some(Ok::<Bytes, Infallible>(piece))),
            Err(TryRecvError::Empty) => Poll::Pending,
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
        });
        Ok(Self {
            from: Box::new(from),
            pace: Pace::new(stall),
            parser: Multipart::new(given, boundary),
            pieces: Some(pieces),
            field: None,
            buffer: BytesMut::new(),
            files: 0,
            fields: 0,
            text: 0,
        })
    }

    /// The next part, with files of at most `max_bytes`.
    ///
    /// # Errors
    /// 408; 413 where there is too much of anything but files' content; 400 where the form breaks
    /// off or is none.
    pub(super) async fn next(&mut self, max_bytes: u64) -> Result<Option<Part>, Problem> {
        let Some(Head { name, filename }) = self.head().await? else {
            return Ok(None);
        };
        let Some(filename) = filename else {
            let value = self.value().await?;
            return Ok(Some(Part::Field { name, value }));
        };
        let content = self.content(max_bytes).await?;
        let content = content.ok_or_else(|| VaultError::TooLarge { max_bytes }.into());
        Ok(Some(Part::File { filename, content }))
    }

    /// Reads up to the form's first file: the value of the text field of this name, if it came
    /// before, and the file as it comes.
    ///
    /// # Errors
    /// 422 where no file was chosen; 400, 408, 413.
    pub(super) async fn up_to_file(
        mut self,
        wanted: &str,
    ) -> Result<(Option<Zeroizing<String>>, Arriving<'r>), Problem> {
        let mut found = None;
        while let Some(head) = self.head().await? {
            match head.filename.as_deref() {
                None => {
                    let value = Some(self.value().await?);
                    found = if head.name == wanted { value } else { found };
                }
                // A picker in which nothing was chosen.
                Some("") => break,
                Some(_) => return Ok((found, self.into_content())),
            }
        }
        let message = "No file was chosen: choose the zip.";
        Err(Problem::invalid_field("file", message))
    }

    /// The head of the next part; `None` after the last.
    async fn head(&mut self) -> Result<Option<Head>, Problem> {
        // The parser has to be through with one part before it looks for the next.
        while self.chunk().await?.is_some() {}
        let mut waited = 0;
        let field = loop {
            match self.parser.next_field().now_or_never() {
                Some(field) => break field.map_err(|_| Problem::broken_off())?,
                None if waited > MAX_HEAD_BYTES => return Err(long_head()),
                None => waited += self.feed().await?,
            }
        };
        let Some(field) = field else {
            return Ok(None);
        };
        let lines = field.headers().iter();
        let length: usize = lines
            .map(|(key, value)| key.as_str().len() + value.len())
            .sum();
        let name = field.name().unwrap_or_default();
        if length > MAX_HEAD_BYTES || name.len() > MAX_NAME_BYTES {
            return Err(long_head());
        }
        let disposition = field.headers().get("Content-Disposition");
        let filename = disposition.and_then(|value| file_name(value.as_bytes()));
        let name = name.to_owned();
        let (count, most, what) = match filename {
            Some(_) => (&mut self.files, MAX_FILES, "files"),
            None => (&mut self.fields, MAX_FIELDS, "text fields"),
        };
        *count += 1;
        if *count > most {
            return Err(too_much(format!("At most {most} {what} in one form.")));
        }
        self.field = Some(field);
        Ok(Some(Head { name, filename }))
    }

    /// The text of the current part.
    async fn value(&mut self) -> Result<Zeroizing<String>, Problem> {
        let bytes = self.content(MAX_FIELD_BYTES as u64).await?;
        self.text += bytes.as_ref().map_or(0, Bytes::len);
        let bytes = bytes.filter(|_| self.text <= MAX_FIELDS_BYTES);
        let bytes = bytes.ok_or_else(|| too_much("The text fields of this form are too long."))?;
        Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The current part's bytes. A part that is too long is read to its end and dropped on the way,
    /// so that the parts behind it still come; then `None`.
    async fn content(&mut self, max_bytes: u64) -> Result<Option<Bytes>, Problem> {
        let (mut body, mut fits) = (BytesMut::new(), true);
        while let Some(chunk) = self.chunk().await? {
            if fits && (body.len() + chunk.len()) as u64 <= max_bytes {
                body.extend_from_slice(&chunk);
            } else {
                (body, fits) = (BytesMut::new(), false);
            }
        }
        Ok(fits.then(|| body.freeze()))
    }

    /// The current part as it arrives. Its error is [`ErrorKind::TimedOut`] where it is too slow.
    fn into_content(self) -> Arriving<'r> {
        let chunks = stream::try_unfold(self, |mut form| async move {
            let chunk = form
                .chunk()
                .await
                .map_err(|problem| match problem.status() {
                    Status::RequestTimeout => io::Error::from(ErrorKind::TimedOut),
                    _ => io::Error::other("the form is broken"),
                })?;
            Ok::<_, io::Error>(chunk.map(|chunk| (chunk, form)))
        });
        Box::new(StreamReader::new(Box::pin(chunks)))
    }

    /// A piece of the current part; `None` at its end.
    async fn chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        while let Some(field) = &mut self.field {
            match field.chunk().now_or_never() {
                Some(Ok(None)) => self.field = None,
                Some(chunk) => return chunk.map_err(|_| Problem::broken_off()),
                None => {
                    self.feed().await?;
                }
            }
        }
        Ok(None)
    }

    /// Reads a piece for the parser, which has used up all it had; returns its length.
    async fn feed(&mut self) -> Result<usize, Problem> {
        let Some(pieces) = &self.pieces else {
            return Err(Problem::broken_off());
        };
        self.buffer.reserve(PIECE);
        let mut from = (&mut self.from).take(PIECE as u64);
        let read = self.pace.wait(from.read_buf(&mut self.buffer)).await?;
        let read = read.map_err(|_| Problem::broken_off())?;
        self.pace.received(read);
        if read == 0 || pieces.send(self.buffer.split().freeze()).is_err() {
            self.pieces = None;
        }
        Ok(read)
    }
}

fn too_much(detail: impl Into<String>) -> Problem {
    Problem::new(Status::PayloadTooLarge, detail)
}

fn long_head() -> Problem {
    too_much(format!(
        "A name in this form is too long, or its parts are not where they should be: at most {} KiB \
         stand before each file.",
        MAX_HEAD_BYTES >> 10
    ))
}

mod file_name;
#[cfg(test)]
mod tests;
