//! Answers on their way. Rocket hands a body on when the connection takes more of it, and has no limit
//! for how long that may be: so who asks and never reads would hold whatever was made for them.
//!
//! So memory for an answer is set aside before it is made, of what there is for all and for one; what
//! waits is held where it can be let go ([`Slot`]), and is, once its reader takes next to nothing
//! for `send_stall`. What lies in the connection itself by then stays counted until that is closed.

mod send_queues;
mod slot;

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::{Method, Status};
use rocket::request::Request;
use rocket::response::{Body, Responder, Response};
use rocket::{Orbit, Rocket};
use tokio::io::AsyncReadExt;

use self::send_queues::SendQueues;
use self::slot::{Pieces, Reader, Slot};
use super::budgets::is_for_thumbnail;
use super::problem::Problem;
use crate::config::Config;
use crate::vault::Caller;
use crate::vault::Payer;
use crate::vault::Portion;
use crate::vault::Shares;

/// One account, or one network of strangers, has this part of the memory at most.
const PARTS: u32 = 4;
/// How long an answer waits for memory before its client is told to come again.
const WAIT: Duration = Duration::from_secs(5);

/// A body of at most so many bytes needs no holding: the connection takes it as it is.
const SMALL: u64 = 64 << 10;
/// What making a list or a page may take, of which there are hundreds of entries, or opening a plan.
const MAKING: u64 = 8 << 20;
/// What reading a thumbnail or a preview may take.
const MAKING_THUMBNAIL: u64 = 512 << 10;
/// What a download holds: a window of pieces, those being made, and what the store reads ahead.
const STREAM: u64 = 3 << 19;

/// Most bytes of a download that are handed to the connection at a time, and of another answer. Each
/// piece goes from task to task twice: with Rocket's own 4 KiB that takes most of the time of a list,
/// let alone a zip. And Rocket keeps the memory of a piece until all that was in it is sent.
const DOWNLOAD_PIECE: usize = 256 << 10;
const PIECE: usize = 64 << 10;

/// What the connection holds of one answer when its socket takes no more: hyper's buffer of 408 KiB
/// and the piece it ends in, a piece in the channel to it, and one in Rocket's hands.
const fn in_connection(piece: usize) -> u64 {
    (408 << 10) + 3 * piece as u64
}

/// How often those that wait are looked at before they are given up, and the time between two looks.
const LOOKS: u32 = 8;
const SOONEST: Duration = Duration::from_millis(100);
const LATEST: Duration = Duration::from_secs(10);

/// The memory of answers, and those that wait.
#[derive(Clone)]
pub(super) struct Answers(Arc<Inner>);

struct Inner {
    memory: Shares<Payer>,
    stall: Duration,
    waiting: Mutex<Vec<Weak<Slot>>>,
}

/// What was set aside for the answer to a request.
struct Admitted(Mutex<Option<Portion>>);

/// A download that the response reads from, and what it holds beside its window.
struct Handed(Option<(Arc<Slot>, u64)>);

impl Answers {
    /// From the configuration.
    pub(super) fn new(config: &Config) -> Self {
        Self(Arc::new(Inner {
            memory: Shares::new(config.serving.answer_memory_bytes, PARTS),
            stall: config.serving.send_stall,
            waiting: Mutex::default(),
        }))
    }

    /// Sets memory aside for what this request asks for.
    ///
    /// # Errors
    /// 503 where too many answers wait for their readers.
    pub(super) async fn admit(&self, request: &Request<'_>, payer: &Payer) -> Result<(), Problem> {
        let admitted: &Admitted = request.local_cache(|| Admitted(Mutex::default()));
        if lock(&admitted.0).is_some() {
            return Ok(());
        }
        let bytes = match request.method() {
            Method::Get if is_for_thumbnail(request) => MAKING_THUMBNAIL,
            Method::Get | Method::Head => MAKING,
            _ => SMALL,
        };
        let portion = self.0.memory.reserve(payer, bytes, WAIT).await;
        let portion = portion.ok_or_else(unread)?;
        *lock(&admitted.0) = Some(portion);
        Ok(())
    }

    /// Keeps an eye on a slot that takes so much, beside what the connection holds of it.
    ///
    /// # Errors
    /// 503 where there is not so much.
    async fn hold(
        &self,
        request: &Request<'_>,
        slot: &Arc<Slot>,
        bytes: u64,
    ) -> Result<(), Problem> {
        let admitted: &Admitted = request.local_cache(|| Admitted(Mutex::default()));
        if lock(&admitted.0).is_none() {
            let caller = request.guard::<Caller>().await.succeeded();
            let network = caller.map(|caller| caller.network()).unwrap_or_default();
            self.admit(request, &Payer::Network(network)).await?;
        }
        let portion = lock(&admitted.0).take();
        let bytes = bytes + slot.in_connection();
        let portion = portion.and_then(|mut portion| portion.resize(bytes).then_some(portion));
        slot.pay(portion.ok_or_else(unread)?, request.remote());
        lock(&self.0.waiting).push(Arc::downgrade(slot));
        Ok(())
    }

    /// Holds the body of a response, if it is one that could have to wait.
    async fn take_over<'r>(
        &self,
        request: &'r Request<'_>,
        response: &mut Response<'r>,
    ) -> Result<(), Problem> {
        let Handed(handed) = request.local_cache(|| Handed(None));
        if let Some((slot, beside)) = handed {
            let held = self.hold(request, slot, STREAM + beside).await;
            response.set_max_chunk_size(DOWNLOAD_PIECE);
            return held.inspect_err(|_| slot.let_go());
        }
        let len = response.body_mut().size().await.unwrap_or(0);
        if len as u64 <= SMALL {
            // With room for what is never there: to see the end of a body is a read as well.
            response.set_max_chunk_size(len + 1);
            return Ok(());
        }
        let pieces = cut(response.body_mut().take(), len).await;
        let pieces = pieces.map_err(|_| Problem::of(Status::InternalServerError))?;
        let slot = Slot::new(Box::pin(stream::iter(pieces)), len as u64, PIECE);
        self.hold(request, &slot, len as u64).await?;
        response.set_raw_header("Content-Length", len.to_string());
        response.set_streamed_body(slot.reader());
        response.set_max_chunk_size(PIECE);
        Ok(())
    }

    /// Looks at those that wait, again and again.
    async fn watch(waiting: Weak<Inner>, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            let Some(answers) = waiting.upgrade() else {
                return;
            };
            let mut slots = Vec::new();
            lock(&answers.waiting).retain(|slot| {
                slots.extend(slot.upgrade());
                slot.strong_count() > 0
            });
            if slots.is_empty() {
                continue;
            }
            let (queues, now) = (SendQueues::read().await, Instant::now());
            for slot in slots {
                if slot.stalls(&queues, now, answers.stall) {
                    tracing::info!("an answer that nobody reads was given up");
                    slot.let_go();
                }
            }
        }
    }
}

/// Makes a download of this length the body of the answer to this request, which is to read from
/// what is returned. `beside` is what it holds besides its window, in bytes.
pub(super) fn hand_over(request: &Request<'_>, download: Pieces, len: u64, beside: u64) -> Reader {
    let slot = Slot::new(download, len, DOWNLOAD_PIECE);
    let reader = slot.reader();
    request.local_cache(|| Handed(Some((slot, beside))));
    reader
}

/// A body in pieces, each of which goes when it was taken.
async fn cut(mut body: Body<'_>, len: usize) -> io::Result<Vec<io::Result<Bytes>>> {
    let mut pieces = Vec::with_capacity(len.div_ceil(PIECE));
    for start in (0..len).step_by(PIECE) {
        let mut piece = vec![0; PIECE.min(len - start)];
        body.read_exact(&mut piece).await?;
        pieces.push(Ok(piece.into()));
    }
    Ok(pieces)
}

/// 503.
fn unread() -> Problem {
    Problem::retry(
        "Too many answers wait for somebody to read them. Let your downloads end or cancel some, and \
         try again in a few seconds.",
    )
}

#[rocket::async_trait]
impl Fairing for Answers {
    fn info(&self) -> Info {
        Info {
            name: "answers",
            kind: Kind::Liftoff | Kind::Response,
        }
    }

    async fn on_liftoff(&self, _: &Rocket<Orbit>) {
        let every = (self.0.stall / LOOKS).clamp(SOONEST, LATEST);
        tokio::spawn(Self::watch(Arc::downgrade(&self.0), every));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        if let Err(problem) = self.take_over(request, response).await {
            match problem.respond_to(request) {
                Ok(instead) => *response = instead,
                Err(status) => *response = Response::build().status(status).finalize(),
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
