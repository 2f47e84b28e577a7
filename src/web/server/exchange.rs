//! A request on its way through Rocket, and its answer on the way out.
//!
//! Rocket answers in a task of its own, which goes on when the client hangs up: what a handler has
//! begun it brings to an end. Two things do not go through Rocket: what a request brings, which
//! handlers take from [`Exchange::body`], and a download, which they give to [`Exchange::send`].

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http_body_util::{BodyDataStream, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{ACCEPT, COOKIE, HOST};
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
use crate::vault::Portion;

/// Most bytes of an answer, other than a download, that are handed to the connection at a time.
const PIECE: usize = 64 << 10;

/// The bytes of an answer, in order.
type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// An answer's body as the connection takes it.
type Outgoing = StreamBody<Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>>>;

/// What belongs to one request beside what Rocket knows of it.
#[derive(Default)]
pub(in super::super) struct Exchange {
    body: Mutex<Option<Incoming>>,
    download: Mutex<Option<Download>>,
    memory: Mutex<Memory>,
}

/// What is set aside for a request, until all of its answer was sent.
#[derive(Default)]
pub(in super::super) struct Memory {
    /// For the answer.
    pub(in super::super) answer: Option<Portion>,
    /// For what the request brings, and what is made of that.
    pub(in super::super) brought: Option<Portion>,
}

struct Download {
    pieces: Pieces,
    holds: u64,
}

impl Exchange {
    /// Of this request.
    pub(in super::super) fn of<'r>(request: &'r rocket::Request<'_>) -> &'r Arc<Self> {
        request.local_cache(Arc::default)
    }

    /// The request's body as it comes; nothing of it for who asks a second time.
    pub(in super::super) fn body(&self) -> impl AsyncRead + Unpin + Send + use<> {
        let body = lock(&self.body).take();
        let pieces = stream::iter(body.map(BodyDataStream::new)).flatten();
        StreamReader::new(pieces.map_err(io::Error::other))
    }

    /// Makes this the answer's body, in place of what Rocket has; the answer says its length. While
    /// it lasts it holds so many bytes.
    pub(in super::super) fn send(
        &self,
        pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        holds: u64,
    ) {
        let pieces = Box::pin(pieces);
        *lock(&self.download) = Some(Download { pieces, holds });
    }

    /// What such a body holds, if there is one.
    pub(in super::super) fn holds(&self) -> Option<u64> {
        lock(&self.download).as_ref().map(|download| download.holds)
    }

    /// Forgets such a body.
    pub(in super::super) fn send_nothing(&self) {
        let download = lock(&self.download).take();
        drop(download);
    }

    /// What is set aside.
    pub(in super::super) fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.memory)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of an answer; while they are anywhere, what was set aside for it is taken.
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
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Outgoing>, oneshot::error::RecvError> {
    let (begin, begun) = oneshot::channel();
    running.spawn(go_through(rocket, peer, request, begin));
    begun.await
}

async fn go_through(
    rocket: Arc<Client>,
    peer: SocketAddr,
    request: Request<Incoming>,
    begin: oneshot::Sender<Response<Outgoing>>,
) {
    let (head, body) = request.into_parts();
    let exchange = Arc::new(Exchange::default());
    *lock(&exchange.body) = Some(body);
    let mut local = admitted(&rocket, &head);
    local.set_remote(peer);
    local.inner().local_cache(|| Arc::clone(&exchange));
    let response = local.dispatch().await;
    // Who is still sending what nobody asked for is not waited for.
    drop(lock(&exchange.body).take());
    let (sender, mut receiver) = mpsc::channel(1);
    let body = stream::poll_fn(move |context| receiver.poll_recv(context));
    let answer = match head_of(&response).body(StreamBody::new(body.boxed())) {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(%error, "an answer was none");
            return;
        }
    };
    if begin.send(answer).is_err() || head.method == hyper::Method::HEAD {
        return;
    }
    let download = lock(&exchange.download).take();
    match download {
        Some(download) => forward(download.pieces, sender, &exchange).await,
        None => forward(whole(response), sender, &exchange).await,
    }
}

/// What Rocket is asked.
fn admitted<'c>(rocket: &'c Client, head: &Parts) -> LocalRequest<'c> {
    let refused = gate::admit(head, rocket.rocket().state()).err();
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let mut local = match &refused {
        // No route takes this method, so the catcher answers, with what was said at the gate.
        Some(_) => rocket.req(Method::Options, Origin::ROOT),
        None => rocket.req(known(&head.method), origin(&head.uri)),
    };
    if let Some(problem) = refused {
        let accept = text(ACCEPT).filter(|accept| accept.len() <= gate::MAX_ONE);
        if let Some(accept) = accept {
            local.add_header(Header::new("accept", accept.to_owned()));
        }
        local.inner().local_cache(|| problem);
        return local;
    }
    if let Some(Ok(host)) = text(HOST).map(|host| Host::parse_owned(host.to_owned())) {
        local.set_host(host);
    }
    for cookies in lines(&head.headers, COOKIE) {
        for cookie in cookies.split(';') {
            if let Ok(cookie) = Cookie::parse_encoded(cookie.trim().to_owned()) {
                local = local.cookie(cookie);
            }
        }
    }
    // As one line, since Rocket reads the first when there comes a second, in memory that grows with
    // the square of its length.
    let accept: Vec<_> = lines(&head.headers, ACCEPT).collect();
    if !accept.is_empty() {
        local.add_header(Header::new("accept", accept.join(", ")));
    }
    for name in head.headers.keys().filter(|name| *name != ACCEPT) {
        for line in lines(&head.headers, name.clone()) {
            local.add_header(Header::new(name.as_str().to_owned(), line.to_owned()));
        }
    }
    local
}

/// The lines of a header; Rocket knows text only.
fn lines(headers: &HeaderMap, name: hyper::header::HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).iter();
    lines.filter_map(|line| std::str::from_utf8(line.as_bytes()).ok())
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

/// A body that Rocket has.
fn whole<'c>(response: LocalResponse<'c>) -> impl Stream<Item = io::Result<Bytes>> + Send + 'c {
    let length = response.headers().get_one("Content-Length");
    let length = length.and_then(|length| length.parse().ok());
    let piece = length.map_or(PIECE, |length| PIECE.min(length as usize));
    ReaderStream::with_capacity(response.take(length.unwrap_or(u64::MAX)), piece)
}

/// Hands an answer on, until it ends or nobody is there to take it.
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
