//! A connection that gives up on a client that reads nothing, and lets a client that is still
//! sending read the answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// Unsent bytes that the system takes of us (tcp(7), `TCP_NOTSENT_LOWAT`). It takes more once half
/// of them were sent: so a client that reads is seen to read, however slowly, and megabytes that
/// nobody reads do not lie there unseen.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 256 << 10;

/// For how long, and up to how many bytes, a connection that ends still reads what the client
/// sends, so that the client gets to the answer: closing with unread bytes would discard it (RFC
/// 9112, section 9.6).
const LINGER: Duration = Duration::from_secs(2);
const MAX_LINGERING: usize = 256 << 20;
const PIECE: usize = 16 << 10;

/// The connection.
pub(super) struct Link {
    stream: TcpStream,
    /// How long the client may take nothing.
    patience: Duration,
    timer: Pin<Box<Sleep>>,
    /// Whether that time runs.
    waits: bool,
    /// Whether the client is still sending a body that nobody will read.
    is_sending: Arc<AtomicBool>,
    /// Bytes read at the end; `None` before it.
    lingered: Option<usize>,
}

impl Link {
    /// Takes a connection over. `is_sending` is set by a request that leaves its body unread.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn new(
        stream: TcpStream,
        patience: Duration,
        is_sending: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        bound(&stream, patience)?;
        Ok(Self {
            stream,
            patience,
            timer: Box::pin(sleep(Duration::ZERO)),
            waits: false,
            is_sending,
            lingered: None,
        })
    }

    /// Passes the outcome of a write on; an error once the client took nothing for too long.
    fn judge<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.waits = false;
            return outcome;
        }
        if !self.waits {
            self.waits = true;
            self.timer.as_mut().reset(Instant::now() + self.patience);
        }
        ready!(self.timer.as_mut().poll(context));
        tracing::info!("an answer that nobody reads was given up");
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Reads what the client still sends. Unless a request has set `is_sending`, only bytes that
    /// are there already count: an idle connection ends at once.
    fn linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.lingered.is_none() {
            self.timer.as_mut().reset(Instant::now() + LINGER);
        }
        let lingered = self.lingered.get_or_insert(0);
        let mut piece = [0; PIECE];
        while *lingered <= MAX_LINGERING {
            let mut piece = ReadBuf::new(&mut piece);
            match Pin::new(&mut self.stream).poll_read(context, &mut piece) {
                Poll::Ready(Ok(())) if !piece.filled().is_empty() => {
                    *lingered += piece.filled().len();
                }
                Poll::Pending if *lingered > 0 || self.is_sending.load(Ordering::Relaxed) => {
                    return self.timer.as_mut().poll(context);
                }
                // No bytes came, or the client has ended.
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

/// Bounds what the system holds of a connection. Others than Linux have their own bounds.
#[cfg(target_os = "linux")]
fn bound(stream: &TcpStream, patience: Duration) -> io::Result<()> {
    let socket = socket2::SockRef::from(stream);
    socket.set_tcp_notsent_lowat(UNSENT)?;
    // For bytes that the system still holds once we have closed: it counts the time on its own.
    socket.set_tcp_user_timeout(Some(patience))
}

#[cfg(not(target_os = "linux"))]
fn bound(_: &TcpStream, _: Duration) -> io::Result<()> {
    Ok(())
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.judge(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingered.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        ready!(self.linger(context));
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(500);

    async fn linked() -> (Link, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = TcpStream::connect(listener.local_addr().unwrap()).await;
        let (stream, _) = listener.accept().await.unwrap();
        let link = Link::new(stream, PATIENCE, Arc::default()).unwrap();
        (link, other.unwrap())
    }

    #[tokio::test]
    async fn an_end_that_takes_nothing_is_given_up() {
        let (mut link, other) = linked().await;
        let error = link.write_all(&vec![0; 64 << 20]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(other);
    }

    #[tokio::test]
    async fn an_end_that_takes_its_time_gets_everything() {
        let (mut link, mut other) = linked().await;
        let sending = async move {
            link.write_all(&vec![7; 16 << 20]).await.unwrap();
            link.shutdown().await.unwrap();
        };
        let reading = async move {
            let (mut all, mut piece) = (0, vec![0; 1 << 20]);
            loop {
                tokio::time::sleep(PATIENCE / 10).await;
                match other.read(&mut piece).await.unwrap() {
                    0 => break all,
                    read => all += read,
                }
            }
        };
        let ((), read) = tokio::join!(sending, reading);
        assert_eq!(read, 16 << 20);
    }

    #[tokio::test]
    async fn who_still_sends_gets_the_answer_and_an_idle_end_is_not_waited_for() {
        // At once, and in pieces of which none is there when the connection ends.
        for (pieces, pause) in [(1, Duration::ZERO), (8, LINGER / 40)] {
            let (mut link, mut other) = linked().await;
            link.is_sending.store(pieces > 1, Ordering::Relaxed);
            let sending = async move {
                for _ in 0..pieces {
                    other.write_all(&vec![0; (8 << 20) / pieces]).await.unwrap();
                    tokio::time::sleep(pause).await;
                }
                let mut answer = String::new();
                other.read_to_string(&mut answer).await.unwrap();
                answer
            };
            let answering = async move {
                link.read_exact(&mut vec![0; 1 << 20]).await.unwrap();
                link.write_all(b"too large").await.unwrap();
                link.shutdown().await.unwrap();
            };
            let (answer, ()) = tokio::join!(sending, answering);
            assert_eq!(answer, "too large");
        }
        let (mut link, _other) = linked().await;
        let ended = tokio::time::timeout(LINGER / 2, link.shutdown()).await;
        ended.unwrap().unwrap();
    }
}
