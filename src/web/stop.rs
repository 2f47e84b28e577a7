//! Requests to stop the server, and who makes them.

use std::io;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Requests to stop that come closer together than this are one.
const SAME_REQUEST: Duration = Duration::from_secs(1);

/// SIGTERM and SIGINT, heard from now on.
pub(super) struct Requests {
    terminate: Signal,
    interrupt: Signal,
}

impl Requests {
    /// Begins to listen.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for a request to stop.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// A second request, and not the same one by another way: a terminal and a script around us may
    /// both pass it on.
    pub(super) async fn another(&mut self) {
        tokio::time::sleep(SAME_REQUEST).await;
        while self.next().now_or_never().is_some() {}
        self.next().await;
    }
}
