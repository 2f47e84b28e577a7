//! Receiving bodies: never more than is allowed, never longer than a sender may be silent.

use std::io::ErrorKind;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::Request;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout};
use tokio_util::io::StreamReader;
use zeroize::Zeroizing;

use super::problem::Problem;
use super::server::Exchange;
use super::site::Site;
use crate::vault::Caller;
use crate::vault::Payer;
use crate::vault::Vault;
use crate::vault::VaultError;

/// Most bytes of an unwanted body that are read and dropped before its answer, and for how long.
const MAX_PASSED_MIB: u64 = 256;
const LONGEST_PASSING: Duration = Duration::from_secs(60);

/// Bytes read at a time.
const PIECE: usize = 64 << 10;

/// Longest small body of a client that is signed in: ten thousand ids and some.
const MAX_SMALL: usize = 1 << 20;
/// The same of a client that is not: a name, a password, a passkey's answer, which may have 16 KiB
/// and is longer as text within JSON. It takes no more than the connection itself.
const MAX_SMALL_OF_STRANGERS: usize = 32 << 10;
/// Up to this length no memory is set aside: signing in waits for nobody.
const FREE: usize = 8 << 10;
/// Memory of a small body, in lengths of it: itself, the connection's part, and what is made of it.
const SMALL_FACTOR: u64 = 4;

/// Bytes a second that a body must have on average, once it had time to begin: what a phone sends
/// at the edge of a network. A slower body would hold its memory, which others wait for, for hours.
const SLOWEST: u64 = 16 << 10;

/// The pace of a body: its sender may neither be silent for long nor send a byte now and then for
/// ever.
pub(super) struct Pace {
    /// How long the sender may be silent at a time, and may take beyond a sender at `SLOWEST`.
    stall: Duration,
    /// How long the sender was waited for in all.
    waited: Duration,
    received: u64,
}

impl Pace {
    /// The pace of a sender that may be silent so long.
    pub(super) fn new(stall: Duration) -> Self {
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
    pub(super) async fn wait<T>(&mut self, piece: impl Future<Output = T>) -> Result<T, Problem> {
        self.timed(piece).await.map_err(Problem::stalled)
    }

    /// The same; the error is whether the body came too slowly rather than not at all.
    async fn timed<T>(&mut self, piece: impl Future<Output = T>) -> Result<T, bool> {
        let earned = Duration::from_millis(self.received.saturating_mul(1_000) / SLOWEST);
        let left = (self.stall.saturating_add(earned)).saturating_sub(self.waited);
        let began = Instant::now();
        let outcome = timeout(left.min(self.stall), piece).await;
        self.waited += began.elapsed();
        outcome.map_err(|_| left < self.stall)
    }

    /// Notes that so many bytes came.
    pub(super) fn received(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }
}

/// The length that a request states for its body.
pub(super) fn content_length(request: &Request<'_>) -> Option<u64> {
    request.headers().get_one("Content-Length")?.parse().ok()
}

/// Reads a small body into memory that is wiped afterwards: the account's, or else the site's.
///
/// # Errors
/// 408, 413, 503, or 400 where it breaks off.
pub(super) async fn read_small(request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let (Some(site), Some(vault)) = (
        request.rocket().state::<Site>(),
        request.rocket().state::<Vault>(),
    ) else {
        return Err(Problem::of(Status::InternalServerError));
    };
    let exchange = Exchange::of(request);
    let payer = payer(request).await;
    let limit = match payer {
        Payer::Account(_) => MAX_SMALL,
        Payer::Site(_) => MAX_SMALL_OF_STRANGERS,
    };
    let announced = content_length(request).and_then(|length| usize::try_from(length).ok());
    let most = announced.map_or(limit, |announced| limit.min(announced)) + 1;
    if most > FREE {
        let bytes = most as u64 * SMALL_FACTOR;
        let memory = vault.admit_small(payer, bytes).await?;
        exchange.memory().brought = Some(memory);
    }
    let mut stream = exchange.body().take(MAX_SMALL as u64 + 1);
    let mut body = Zeroizing::new(Vec::with_capacity(most.min(FREE)));
    let mut pace = Pace::new(site.receive_stall);
    loop {
        if body.len() == body.capacity() {
            grow(&mut body, most);
        }
        match pace.wait(stream.read_buf(&mut *body)).await? {
            Err(_) => return Err(Problem::broken_off()),
            Ok(0) => return Ok(body),
            Ok(_) if body.len() > limit => {
                pass_by(stream).await;
                return Err(Problem::of(Status::PayloadTooLarge));
            }
            Ok(read) => pace.received(read),
        }
    }
}

/// The payer of a request's memory: its account, once a guard has found one, or else its site.
async fn payer<'r>(request: &'r Request<'_>) -> &'r Payer {
    let site = match request.guard::<Caller>().await {
        Outcome::Success(caller) => caller.site(),
        Outcome::Error(_) | Outcome::Forward(_) => String::new(),
    };
    request.local_cache(|| Payer::Site(site))
}

/// Makes room for more. A vector that grows by itself leaves copies behind, which nobody wipes.
fn grow(body: &mut Zeroizing<Vec<u8>>, most: usize) {
    let room = body
        .capacity()
        .saturating_mul(2)
        .clamp(FREE, most.max(FREE));
    let mut larger = Zeroizing::new(Vec::with_capacity(room));
    larger.extend_from_slice(body);
    *body = larger;
}

/// A body as it arrives, to be read piece by piece.
pub(super) type Arriving<'r> = Box<dyn AsyncRead + Unpin + Send + 'r>;

/// A reader that fails with [`ErrorKind::TimedOut`] where nothing arrives for so long, or too
/// little.
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

/// Reads a body to its end and keeps nothing. An answer before the end would reach few browsers:
/// they see a connection that broke while they were sending.
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
    body: impl AsyncRead + Unpin,
    announced: Option<u64>,
    max_bytes: u64,
    stall: Duration,
) -> Result<Bytes, Problem> {
    let mut stream = body.take(max_bytes + 1);
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
