//! Receiving bodies: never more than is allowed, never longer than a sender may be silent.

use std::io;
use std::io::ErrorKind;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{TryStreamExt, stream};
use multer::{Field, Multipart};
use rocket::data::{ByteUnit, Data, DataStream, ToByteUnit};
use rocket::http::Status;
use rocket::request::Request;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout};
use tokio_util::io::StreamReader;
use zeroize::Zeroizing;

use super::problem::Problem;
use super::site::Site;
use crate::vault::VaultError;

/// Most of a body that is let pass by before its answer, and for how long.
const MAX_PASSED_MIB: u64 = 256;
const LONGEST_PASSING: Duration = Duration::from_secs(60);

/// Bytes handed on at a time.
const PIECE: usize = 64 << 10;

/// Longest text field of a form with files.
const MAX_FIELD_BYTES: usize = 16 << 10;

/// Bytes a second that a body must have on average, once it had time to begin: what a phone sends at
/// the edge of a network. Less would hold the memory for it, which others wait for, for hours.
const SLOWEST: u64 = 16 << 10;

/// How a body comes: never nothing for long, and not a byte now and then for ever.
struct Pace {
    /// How long the sender may be silent, and may take beyond what the slowest would.
    stall: Duration,
    /// For how long the sender was waited for.
    waited: Duration,
    received: u64,
}

impl Pace {
    fn new(stall: Duration) -> Self {
        Self {
            stall,
            waited: Duration::ZERO,
            received: 0,
        }
    }

    /// Waits for the next piece.
    ///
    /// # Errors
    /// 408.
    async fn wait<T>(&mut self, piece: impl Future<Output = T>) -> Result<T, Problem> {
        self.timed(piece).await.map_err(Problem::stalled)
    }

    /// The same; the error says whether it dripped in.
    async fn timed<T>(&mut self, piece: impl Future<Output = T>) -> Result<T, bool> {
        let earned = Duration::from_millis(self.received.saturating_mul(1_000) / SLOWEST);
        let left = (self.stall.saturating_add(earned)).saturating_sub(self.waited);
        let began = Instant::now();
        let outcome = timeout(left.min(self.stall), piece).await;
        self.waited += began.elapsed();
        outcome.map_err(|_| left < self.stall)
    }

    fn received(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }
}

/// The length a request says its body has.
pub(super) fn content_length(request: &Request<'_>) -> Option<u64> {
    request.headers().get_one("Content-Length")?.parse().ok()
}

/// A body of at most `limit`, in memory that is wiped afterwards.
///
/// # Errors
/// 408, 413, or 400 where it breaks off.
pub(super) async fn read_small(
    request: &Request<'_>,
    data: Data<'_>,
    limit: ByteUnit,
) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let stall = request
        .rocket()
        .state::<Site>()
        .map_or(Duration::MAX, |site| site.receive_stall);
    let mut stream = data.open(limit + 1);
    // All of it at once: a vector that grows leaves copies behind, which nobody wipes.
    let most = content_length(request).map_or(limit, |announced| limit.min(announced.bytes()));
    let mut body = Zeroizing::new(Vec::with_capacity(most.as_u64() as usize + 1));
    let mut pace = Pace::new(stall);
    loop {
        match pace.wait(stream.read_buf(&mut *body)).await? {
            Err(_) => return Err(Problem::broken_off()),
            Ok(0) => return Ok(body),
            Ok(_) if body.len() as u64 > limit => {
                return Err(Problem::of(Status::PayloadTooLarge));
            }
            Ok(read) => pace.received(read),
        }
    }
}

/// A body as it comes, for whoever takes it piece by piece.
pub(super) type Arriving<'r> = Box<dyn AsyncRead + Unpin + Send + 'r>;

/// Ends with [`ErrorKind::TimedOut`] where nothing arrives for so long, or too little.
pub(super) fn arriving<'r>(
    from: impl AsyncRead + Unpin + Send + 'r,
    stall: Duration,
) -> Arriving<'r> {
    let begun = (from, Pace::new(stall));
    let pieces = stream::unfold(begun, |(mut from, mut pace)| async move {
        let mut piece = BytesMut::with_capacity(PIECE);
        let read = pace.timed(from.read_buf(&mut piece)).await;
        pace.received(piece.len());
        match read.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into())) {
            Ok(0) => None,
            Ok(_) => Some((Ok(piece.freeze()), (from, pace))),
            Err(error) => Some((Err(error), (from, pace))),
        }
    });
    Box::new(StreamReader::new(Box::pin(pieces)))
}

/// Reads to the end and keeps nothing. An answer before the end would reach few browsers: they see
/// a connection that broke while they were sending.
pub(super) async fn pass_by(from: impl AsyncRead + Unpin) {
    let mut from = from.take(MAX_PASSED_MIB << 20);
    let passing = async {
        let mut piece = vec![0; PIECE];
        while let Ok(1..) = from.read(&mut piece).await {}
    };
    // However it ends, the answer is the same.
    let _ = timeout(LONGEST_PASSING, passing).await;
}

/// A whole file of at most `max_bytes`.
///
/// # Errors
/// 408, 413, or 400 where fewer bytes come than were announced.
pub(super) async fn read_file(
    data: Data<'_>,
    announced: Option<u64>,
    max_bytes: u64,
    stall: Duration,
) -> Result<Bytes, Problem> {
    let mut stream = data.open((max_bytes + 1).bytes());
    let mut body = BytesMut::with_capacity(announced.unwrap_or(0).min(max_bytes) as usize);
    let mut pace = Pace::new(stall);
    loop {
        match pace.wait(stream.read_buf(&mut body)).await? {
            Err(_) => return Err(Problem::broken_off()),
            Ok(0) => break,
            Ok(_) if body.len() as u64 > max_bytes => {
                return Err(VaultError::TooLarge { max_bytes }.into());
            }
            Ok(read) => pace.received(read),
        }
    }
    match announced {
        Some(announced) if announced != body.len() as u64 => Err(Problem::broken_off()),
        _ => Ok(body.freeze()),
    }
}

/// A form with files, read part by part.
pub(super) struct FileForm<'r> {
    parts: Multipart<'r>,
    pace: Pace,
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

impl<'r> FileForm<'r> {
    /// Starts to read. `None` where the request is no such form.
    pub(super) fn open(
        request_type: Option<&rocket::http::ContentType>,
        data: Data<'r>,
        stall: Duration,
    ) -> Option<Self> {
        let kind = request_type.filter(|kind| kind.is_form_data())?;
        let boundary = kind.param("boundary")?.to_owned();
        let stream: DataStream<'r> = data.open(ByteUnit::max_value());
        Some(Self {
            parts: Multipart::with_reader(stream, boundary),
            pace: Pace::new(stall),
        })
    }

    /// The next part, with files of at most `max_bytes`.
    ///
    /// # Errors
    /// 408, or 400 where the form breaks off or is none.
    pub(super) async fn next(&mut self, max_bytes: u64) -> Result<Option<Part>, Problem> {
        let next = self.pace.wait(self.parts.next_field()).await?;
        let Some(field) = next.map_err(|_| Problem::broken_off())? else {
            return Ok(None);
        };
        let name = field.name().unwrap_or_default().to_owned();
        match field.file_name().map(str::to_owned) {
            Some(filename) => {
                let content = self.read_part(field, max_bytes).await?;
                let content = content.ok_or_else(|| VaultError::TooLarge { max_bytes }.into());
                Ok(Some(Part::File { filename, content }))
            }
            None => {
                let bytes = self.read_part(field, MAX_FIELD_BYTES as u64).await?;
                let bytes = bytes.ok_or_else(|| Problem::of(Status::PayloadTooLarge))?;
                let value = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
                Ok(Some(Part::Field { name, value }))
            }
        }
    }

    /// Reads up to the form's first file: the value of the text field of this name, if it came
    /// before, and the file as it comes.
    ///
    /// # Errors
    /// 422 where no file was chosen; 400, 408, 413.
    pub(super) async fn up_to_file(
        &mut self,
        wanted: &str,
    ) -> Result<(Option<Zeroizing<String>>, Arriving<'r>), Problem> {
        let mut found = None;
        loop {
            let next = self.pace.wait(self.parts.next_field()).await?;
            let field = next.map_err(|_| Problem::broken_off())?;
            let field = field.filter(|field| field.file_name() != Some(""));
            let field = field.ok_or_else(|| {
                Problem::invalid_field("file", "No file was chosen: choose the zip.")
            })?;
            if field.file_name().is_some() {
                let pieces = StreamReader::new(field.map_err(io::Error::other));
                return Ok((found, arriving(pieces, self.pace.stall)));
            }
            let named = field.name() == Some(wanted);
            let bytes = self.read_part(field, MAX_FIELD_BYTES as u64).await?;
            let bytes = bytes.ok_or_else(|| Problem::of(Status::PayloadTooLarge))?;
            if named {
                found = Some(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
    }

    /// The part's bytes. One that is too long is read to its end and forgotten on the way, so that
    /// those behind it still come: nothing then.
    async fn read_part(
        &mut self,
        mut field: Field<'r>,
        max_bytes: u64,
    ) -> Result<Option<Bytes>, Problem> {
        let mut body = BytesMut::new();
        let mut fits = true;
        loop {
            let chunk = self.pace.wait(field.chunk()).await?;
            let chunk = chunk.map_err(|_| Problem::broken_off())?;
            self.pace.received(chunk.as_ref().map_or(0, Bytes::len));
            match chunk {
                None => return Ok(fits.then(|| body.freeze())),
                Some(chunk) if fits && (body.len() + chunk.len()) as u64 <= max_bytes => {
                    body.extend_from_slice(&chunk);
                }
                Some(_) => {
                    fits = false;
                    body = BytesMut::new();
                }
            }
        }
    }
}
