//! A request on its way through Rocket, and its answer on the way out.
//!
//! Rocket answers in a task of its own, which goes on when the client hangs up: a handler finishes
//! what it has begun. Two things do not go through Rocket: a request's body, which handlers take
//! from [`Exchange::body`], and a download, which they give to [`Exchange::send`].

use std::borrow::Cow;
use std::io;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http_body_util::{BodyDataStream, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{ACCEPT, COOKIE, HOST, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, Response};
use rocket::http::uri::{Host, Origin};
use rocket::http::{Cookie, Header, Method};
use rocket::local::asynchronous::{Client, LocalRequest, LocalResponse};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{mpsc, oneshot};
use tokio_util::io::{ReaderStream, StreamReader};
use tokio_util::task::TaskTracker;

use super::super::gate;
use super::super::site::Site;
use super::OtherEnd;
use crate::vault::Portion;

/// Most bytes of an answer, other than a download, that are handed to the connection at a time.
const PIECE: usize = 64 << 10;

/// The bytes of an answer, in order.
type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// An answer's body as the connection takes it.
type Outgoing = StreamBody<Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>>>;

/// What belongs to one request and Rocket does not know.
#[derive(Default)]
pub(in super::super) struct Exchange {
    /// Whether only the head of the answer is asked for. Rocket asks the route of GET then, which
    /// cannot tell.
    is_head: bool,
    body: Mutex<Option<Incoming>>,
    download: Mutex<Option<Download>>,
    memory: Mutex<Memory>,
}

/// The memory set aside for a request, until all of its answer was sent.
#[derive(Default)]
pub(in super::super) struct Memory {
    /// For the answer.
    pub(in super::super) answer: Option<Portion>,
    /// For the request's body, and what is made of it.
    pub(in super::super) brought: Option<Portion>,
}

struct Download {
    pieces: Pieces,
    holds: u64,
}

impl Exchange {
    /// The exchange of this request.
    pub(in super::super) fn of<'r>(request: &'r rocket::Request<'_>) -> &'r Arc<Self> {
        request.local_cache(Arc::default)
    }

    /// Whether only the head of the answer is asked for.
    pub(in super::super) fn is_head(&self) -> bool {
        self.is_head
    }

    /// The request's body as it arrives; empty when it is asked for a second time.
    pub(in super::super) fn body(&self) -> impl AsyncRead + Unpin + Send + use<> {
        let body = lock(&self.body).take();
        let pieces = stream::iter(body.map(BodyDataStream::new)).flatten();
        StreamReader::new(pieces.map_err(io::Error::other))
    }

    /// Makes this the answer's body, in place of Rocket's; the answer's head has its length. Until
    /// it ends it holds so many bytes.
    pub(in super::super) fn send(
        &self,
        pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        holds: u64,
    ) {
        let pieces = Box::pin(pieces);
        *lock(&self.download) = Some(Download { pieces, holds });
    }

    /// The bytes that such a body holds, if there is one.
    pub(in super::super) fn holds(&self) -> Option<u64> {
        lock(&self.download).as_ref().map(|download| download.holds)
    }

    /// Drops such a body.
    pub(in super::super) fn send_nothing(&self) {
        let download = lock(&self.download).take();
        drop(download);
    }

    /// The memory set aside for the request.
    pub(in super::super) fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.memory)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of an answer; while any of them exist, the memory set aside for it stays taken.
struct Piece {
    bytes: Bytes,
    _exchange: Arc<Exchange>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Rocket's answer to a request.
///
/// # Errors
/// Where there is none: the connection ends.
pub(super) async fn answer(
    rocket: Arc<Client>,
    running: &TaskTracker,
    end: OtherEnd,
    request: Request<Incoming>,
) -> Result<Response<Outgoing>, oneshot::error::RecvError> {
    let (begin, begun) = oneshot::channel();
    running.spawn(go_through(rocket, end, request, begin));
    begun.await
}

async fn go_through(
    rocket: Arc<Client>,
    end: OtherEnd,
    request: Request<Incoming>,
    begin: oneshot::Sender<Response<Outgoing>>,
) {
    let (head, body) = request.into_parts();
    let exchange = Arc::new(Exchange {
        is_head: head.method == hyper::Method::HEAD,
        ..Exchange::default()
    });
    *lock(&exchange.body) = Some(body);
    let mut local = admitted(&rocket, &head);
    local.set_remote(end.address);
    local.inner().local_cache(|| Arc::clone(&exchange));
    let response = local.dispatch().await;
    // A client that is still sending a body that nobody asked for is not waited for.
    let unread = lock(&exchange.body).take();
    let is_sending = unread.is_some_and(|body| !body.is_end_stream());
    end.is_sending.store(is_sending, Ordering::Relaxed);
    let (sender, mut receiver) = mpsc::channel(1);
    let body = stream::poll_fn(move |context| receiver.poll_recv(context));
    let answer = match head_of(&response).body(StreamBody::new(body.boxed())) {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(%error, "an answer was none");
            return;
        }
    };
    if begin.send(answer).is_err() || exchange.is_head {
        return;
    }
    let download = lock(&exchange.download).take();
    match download {
        Some(download) => forward(download.pieces, sender, &exchange).await,
        None => forward(whole(response), sender, &exchange).await,
    }
}

/// The request as Rocket is asked about it.
fn admitted<'c>(rocket: &'c Client, head: &Parts) -> LocalRequest<'c> {
    let site = rocket.rocket().state::<Site>();
    let refused = gate::admit(head, site).err();
    let mut local = match &refused {
        // No route takes this method, so the catcher answers, with what was said at the gate.
        Some(_) => rocket.req(Method::Options, Origin::ROOT),
        None => rocket.req(known(&head.method), origin(&head.uri)),
    };
    if let Some(problem) = refused {
        // These decide what the answer looks like, and by whom it is counted.
        for name in [ACCEPT.as_str(), "x-forwarded-for"] {
            let line = list(&head.headers, name);
            if (1..=gate::MAX_ONE).contains(&line.len()) {
                local.add_header(Header::new(name, line));
            }
        }
        local.inner().local_cache(|| problem);
        return local;
    }
    if let Some(Ok(host)) = head
        .headers
        .get(HOST)
        .map(|host| Host::parse_owned(text(host)))
    {
        local.set_host(host);
    }
    for line in head.headers.get_all(COOKIE) {
        let line = text(line);
        let cookies = line.split(';').map(str::trim);
        // Only those that we read: thousands of others would take a hundred times their length.
        let ours = cookies.filter(|cookie| site.is_some_and(|site| site.reads_cookie(cookie)));
        for cookie in ours.filter_map(|cookie| Cookie::parse_encoded(cookie.to_owned()).ok()) {
            local = local.cookie(cookie);
        }
    }
    // As one line, since of two lines Rocket parses the first, in memory that grows with the square
    // of its length.
    let accept = list(&head.headers, ACCEPT.as_str());
    if !accept.is_empty() {
        local.add_header(Header::new(ACCEPT.as_str(), accept));
    }
    let others = head.headers.iter();
    for (name, line) in others.filter(|(name, _)| ![ACCEPT, COOKIE].contains(name)) {
        local.add_header(Header::new(name.as_str().to_owned(), text(line)));
    }
    local
}

/// A header's value as text: Rocket knows nothing else.
fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// The lines of a header that is a list, as one (RFC 9110, section 5.3).
fn list(headers: &HeaderMap, name: &str) -> String {
    let lines: Vec<_> = headers.get_all(name).iter().map(text).collect();
    lines.join(", ")
}

/// A method that Rocket does not know is as good as one that no route takes.
fn known(method: &hyper::Method) -> Method {
    Method::from_str(method.as_str()).unwrap_or(Method::Options)
}

fn origin(uri: &hyper::Uri) -> Origin<'static> {
    let query = uri.query().map(|query| Cow::Owned(query.to_owned()));
    Origin::new(uri.path().to_owned(), query)
}

fn head_of(response: &LocalResponse<'_>) -> hyper::http::response::Builder {
    let mut head = Response::builder().status(response.status().code);
    for header in response.headers().iter() {
        head = head.header(header.name().as_str(), header.value().as_bytes());
    }
    head
}

/// The body of Rocket's answer.
fn whole<'c>(response: LocalResponse<'c>) -> impl Stream<Item = io::Result<Bytes>> + Send + 'c {
    let length = response.headers().get_one("Content-Length");
    let length = length.and_then(|length| length.parse().ok());
    let piece = length.map_or(PIECE, |length| PIECE.min(length as usize));
    ReaderStream::with_capacity(response.take(length.unwrap_or(u64::MAX)), piece)
}

/// Hands an answer's pieces to the connection, until they end or the client has gone.
async fn forward(
    pieces: impl Stream<Item = io::Result<Bytes>>,
    sender: mpsc::Sender<io::Result<Frame<Bytes>>>,
    exchange: &Arc<Exchange>,
) {
    let mut pieces = std::pin::pin!(pieces);
    loop {
        let piece = tokio::select! {
            piece = pieces.next() => piece,
            () = sender.closed() => return,
        };
        let Some(piece) = piece else {
            return;
        };
        let frame = piece.map(|bytes| {
            let _exchange = Arc::clone(exchange);
            Frame::data(Bytes::from_owner(Piece { bytes, _exchange }))
        });
        if sender.send(frame).await.is_err() {
            return;
        }
    }
}
