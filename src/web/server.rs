//! The listener. Rocket's own bounds nothing: neither the size of a head nor the time for one, nor
//! how long an answer may wait in a connection, and it reads some headers before anybody can
//! measure them. So connections are taken here, and Rocket is asked about each request in the same
//! process ([`rocket::local`]); it never sees a socket.

mod connection;
mod exchange;
mod places;
#[cfg(test)]
mod tests;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rocket::local::asynchronous::Client;
use rocket::{Build, Rocket};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use self::connection::Link;
pub(super) use self::exchange::Exchange;
pub(super) use self::places::Places;
pub use self::places::files_for;
use super::ServeError;
use super::stop::Requests;

/// Most bytes that a connection buffers of a request, and of an answer beside one piece of it.
/// Twice what the headers of a request may have together: a longer head gets the same status, but
/// no page.
const BUFFER: usize = 64 << 10;
/// How often the log says that there are too many connections.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);
/// How long to rest where no connection can be taken, for want of open files.
const EXHAUSTED: Duration = Duration::from_millis(250);
/// How long running handlers have to end once the grace is over.
const MERCY: Duration = Duration::from_secs(3);

/// The times that a connection is allowed.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// For a head, from when it is waited for, and for a TLS handshake.
    pub(super) head: Duration,
    /// For the client to take some of the bytes that are to be sent.
    pub(super) send: Duration,
    /// For running answers once the server is to stop.
    pub(super) grace: Duration,
}

/// A server that has an address and takes no connections yet.
pub(super) struct Server {
    listener: TcpListener,
    inside: Inside,
}

/// What every connection needs.
#[derive(Clone)]
struct Inside {
    rocket: Arc<Client>,
    tls: Option<TlsAcceptor>,
    http: http1::Builder,
    patience: Patience,
    places: Arc<Places>,
    /// Requests that are being answered, even if the client has gone.
    running: TaskTracker,
}

/// The client of a connection.
#[derive(Clone)]
struct OtherEnd {
    address: SocketAddr,
    /// Whether it is still sending a body that nobody will read.
    is_sending: Arc<AtomicBool>,
}

impl Server {
    /// Takes the address that Rocket is configured with, and gets Rocket ready.
    ///
    /// # Errors
    /// Where the address, the certificate or something within Rocket cannot be used.
    pub(super) async fn bind(
        rocket: Rocket<Build>,
        patience: Patience,
        places: Places,
    ) -> Result<Self, ServeError> {
        let rocket = rocket.ignite().await.map_err(|error| describe(&error))?;
        let config = rocket.config();
        let tls = config.tls.as_ref().filter(|_| config.tls_enabled());
        let tls = tls.map(tls::acceptor).transpose()?;
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .keep_alive(config.keep_alive != 0)
            .header_read_timeout(patience.head)
            .max_buf_size(BUFFER);
        let listener = TcpListener::bind((config.address, config.port)).await;
        let listener = listener
            .map_err(|error| ServeError(format!("the address cannot be used ({error})")))?;
        let rocket = Client::untracked(rocket).await;
        let inside = Inside {
            rocket: Arc::new(rocket.map_err(|error| describe(&error))?),
            tls,
            http,
            patience,
            places: Arc::new(places),
            running: TaskTracker::new(),
        };
        Ok(Self { listener, inside })
    }

    /// The address that the server listens on.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until somebody asks to stop. Then running answers have the grace, unless somebody asks
    /// again.
    pub(super) async fn run(self, mut requests: Requests) {
        let Self { listener, inside } = self;
        let (connections, graceful) = (TaskTracker::new(), GracefulShutdown::new());
        let mut complained: Option<Instant> = None;
        let stopped = loop {
            tokio::select! {
                biased;
                () = requests.next() => break sleep(inside.patience.grace),
                (stream, peer) = accept(&listener) => {
                    let Some(place) = inside.places.take(peer.ip()) else {
                        if complained.is_none_or(|at| at.elapsed() > COMPLAIN_EVERY) {
                            complained = Some(Instant::now());
                            tracing::warn!("connections are refused: there are too many");
                        }
                        continue;
                    };
                    let (inside, watcher) = (inside.clone(), graceful.watcher());
                    connections.spawn(async move {
                        if let Err(error) = inside.serve(stream, peer, watcher).await {
                            tracing::debug!(%error, "a connection broke");
                        }
                        drop(place);
                    });
                }
            }
        };
        drop(listener);
        let running = inside.running;
        running.close();
        let ended = async {
            graceful.shutdown().await;
            // Also requests whose client has gone: handlers finish what they have begun.
            running.wait().await;
        };
        tokio::select! {
            biased;
            () = ended => return,
            () = stopped => {}
            () = requests.another() => return,
        }
        // Handlers that still run then end with the process.
        tokio::select! {
            () = running.wait() => {}
            () = sleep(MERCY) => {}
            () = requests.another() => {}
        }
    }
}

impl Inside {
    /// Serves one connection to its end.
    async fn serve(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        watcher: Watcher,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let end = OtherEnd {
            address: peer,
            is_sending: Arc::default(),
        };
        let link = Link::new(stream, self.patience.send, end.is_sending.clone())?;
        match &self.tls {
            None => self.speak(link, &end, watcher).await?,
            Some(tls) => {
                let agreed = timeout(self.patience.head, tls.accept(link)).await??;
                self.speak(agreed, &end, watcher).await?;
            }
        }
        Ok(())
    }

    async fn speak(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        end: &OtherEnd,
        watcher: Watcher,
    ) -> hyper::Result<()> {
        let service = service_fn(|request| {
            exchange::answer(self.rocket.clone(), &self.running, end.clone(), request)
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        watcher.watch(connection).await
    }
}

/// The next connection.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The connection broke before it was taken.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken");
                sleep(EXHAUSTED).await;
            }
        }
    }
}

fn describe(error: &rocket::Error) -> ServeError {
    use rocket::error::ErrorKind;
    ServeError(match error.kind() {
        ErrorKind::FailedFairings(failed) => {
            let names: Vec<_> = failed.iter().map(|info| info.name).collect();
            format!(
                "{} failed; is there a `templates` folder in the current one?",
                names.join(", ")
            )
        }
        other => other.to_string(),
    })
}
