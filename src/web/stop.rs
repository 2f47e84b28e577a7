//! Ending: who may ask for it, and what is given time.

use std::io;
use std::time::Duration;

use futures_util::FutureExt;
use rocket::fairing::AdHoc;
use rocket::{Ignite, Rocket};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Rocket counts a connection that rests between two requests as a running one until its task has
/// noticed the end, and then waits out the whole grace for it. This is the moment they need.
const LET_IDLE_GO: Duration = Duration::from_millis(250);

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

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// A second request, and not the same one by another way: a terminal and a script around us may
    /// both pass it on.
    async fn another(&mut self) {
        tokio::time::sleep(SAME_REQUEST).await;
        while self.next().now_or_never().is_some() {}
        self.next().await;
    }
}

/// Runs the server until somebody asks to stop; then running answers have the grace, unless
/// somebody asks again.
///
/// # Errors
/// Rocket's.
pub(super) async fn run(
    server: Rocket<Ignite>,
    mut requests: Requests,
) -> Result<(), rocket::Error> {
    let stop = server.shutdown();
    let mut running = Box::pin(server.launch());
    // In the task that polls the server, never beside it: Rocket 0.5 looks twice in a row whether it
    // shall stop, and where the request comes in between it forgets the grace and cuts every answer.
    tokio::select! {
        biased;
        () = requests.next() => stop.notify(),
        ended = &mut running => return ended.map(drop),
    }
    tokio::select! {
        biased;
        ended = &mut running => ended.map(drop),
        () = requests.another() => Ok(()),
    }
}

/// Gives idle connections the moment they need to go.
pub(super) fn let_idle_go() -> AdHoc {
    AdHoc::on_shutdown("let idle connections go", |_| {
        Box::pin(tokio::time::sleep(LET_IDLE_GO))
    })
}
