//! The write-ahead log, and when it is folded into the database and cut to nothing.
//!
//! SQLite's log keeps each page as every transaction left it, and what was folded stays there until
//! something is written over it. So a wrapped key that a change has made useless (an old password's,
//! a deleted image's) would lie in the data folder for as long as nobody writes much, and whoever
//! copies the folder could set it back to the state before. Therefore every write marks the log as
//! due, whatever it writes, so that no noun can forget to; one task folds it a moment later, once for
//! all that was written meanwhile; and what makes a secret useless waits until it is done.
//!
//! Nobody can fold the log beyond what somebody still reads. Our own reads are short and waited for;
//! a program that reads `vault.db` for hours (a backup by SQLite's own means) delays it and nothing
//! else: the change holds, the log is folded when that program has ended, and until then the
//! operator is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use rusqlite::{Connection, Transaction};
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep};

use super::super::Result;
use super::blocking;
use super::database::{BUSY_TIMEOUT, Database};

/// How long writes gather before they are folded together: that is once a second under any load.
const GATHER: Duration = Duration::from_secs(1);

/// How long one try waits for those who read. Nobody writes meanwhile.
const ONE_TRY: Duration = Duration::from_millis(250);

/// The pause in which others write between two tries of a caller who waits.
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// How long a caller waits in all. No read of ours takes a tenth of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest pause between the tries that nobody waits for.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The connection that writes, until the store is closed.
pub(super) type Writer = Mutex<Option<Connection>>;

/// Knows whether the log has anything to fold.
pub(super) struct Log {
    due: mpsc::Sender<()>,
    /// Whether somebody has read on for longer than a caller waits.
    held: AtomicBool,
}

impl Log {
    /// Starts the task that folds what was written, and what a crash has left. It ends with the last
    /// of those who hold the writer.
    pub(super) fn of(writer: &Arc<Writer>) -> Arc<Self> {
        let (due, marks) = mpsc::channel(1);
        let held = AtomicBool::new(false);
        let log = Arc::new(Self { due, held });
        tokio::spawn(fold_when_due(
            Arc::downgrade(writer),
            Arc::downgrade(&log),
            marks,
        ));
        log.mark();
        log
    }

    /// Notes that something is about to be written. Whoever marks has the writer, so the fold for
    /// this mark comes after the write.
    pub(super) fn mark(&self) {
        // Full where it is marked already, closed where the program ends.
        let _ = self.due.try_send(());
    }

    /// Notes how long the log has been waiting, and tells the operator when it begins to be long and
    /// when that is over.
    fn waited(&self, since: Instant, tried: &Result<Folded>) {
        let is_late = since.elapsed() >= PATIENCE;
        match tried {
            Ok(Folded::Whole) => {
                if self.held.swap(false, Ordering::Relaxed) {
                    tracing::info!("vault.db-wal could be emptied again");
                }
            }
            Ok(Folded::HeldUp) => {
                if is_late && !self.held.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "another program reads vault.db for long, so what was deleted or replaced \
                         stays in vault.db-wal until it has ended"
                    );
                }
            }
            Err(error) => {
                if !self.held.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        %error,
                        "vault.db-wal cannot be emptied, so what was deleted or replaced stays there"
                    );
                }
            }
        }
    }
}

impl Database {
    /// Runs a transaction as [`Database::write`] does, and returns when nothing that it has replaced
    /// or removed is in a file any more: for what makes a secret useless, whose owner is told so
    /// next. Where that cannot be had within [`PATIENCE`] it comes later; the change itself holds,
    /// so this is no error, and to wait for ever would let any reader keep people from changing
    /// their passwords.
    pub(super) async fn write_and_fold<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let outcome = self.write(work).await?;
        let begun = Instant::now();
        loop {
            let tried = fold(Arc::clone(&self.writer)).await;
            self.log.waited(begun, &tried);
            // One try is enough where it is known that somebody reads on.
            let go_on =
                matches!(tried, Ok(Folded::HeldUp)) && !self.log.held.load(Ordering::Relaxed);
            if !go_on {
                return Ok(outcome);
            }
            sleep(BETWEEN_TRIES).await;
        }
    }

    /// Folds the log for the last time and closes the file; SQLite removes the log where no other
    /// process has it open. Later reads and writes fail.
    pub(super) async fn fold_and_close(&self) -> Result<()> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        let (idle, log) = (self.readers.close(), Arc::clone(&self.log));
        blocking(move || {
            drop(idle);
            let Some(writer) = writer.take() else {
                return Ok(());
            };
            let begun = Instant::now();
            loop {
                let tried = cut(&writer);
                log.waited(begun, &tried);
                match tried? {
                    // Where another process folds, no time was spent waiting.
                    Folded::HeldUp if begun.elapsed() < PATIENCE => {
                        std::thread::sleep(BETWEEN_TRIES);
                    }
                    Folded::HeldUp | Folded::Whole => return Ok(()),
                }
            }
        })
        .await
    }
}

async fn fold_when_due(writer: Weak<Writer>, log: Weak<Log>, mut marks: mpsc::Receiver<()>) {
    while marks.recv().await.is_some() {
        let (begun, mut pause) = (Instant::now(), GATHER);
        loop {
            sleep(pause).await;
            // This fold is for every mark until now; a later one may be of a later write.
            let _ = marks.try_recv();
            let (Some(writer), Some(log)) = (writer.upgrade(), log.upgrade()) else {
                return;
            };
            let tried = fold(writer).await;
            log.waited(begun, &tried);
            if matches!(tried, Ok(Folded::Whole)) {
                break;
            }
            pause = LONGEST_PAUSE.min(2 * pause);
        }
    }
}

/// How a try ended.
enum Folded {
    /// The log is empty.
    Whole,
    /// Somebody reads what is in it, or another process folds or writes.
    HeldUp,
}

async fn fold(writer: Arc<Writer>) -> Result<Folded> {
    let writer = writer.lock_owned().await;
    blocking(move || match &*writer {
        Some(connection) => cut(connection),
        None => Ok(Folded::Whole),
    })
    .await
}

/// Folds the log and cuts it, where nobody needs it for longer than [`ONE_TRY`].
fn cut(connection: &Connection) -> Result<Folded> {
    connection.busy_timeout(ONE_TRY)?;
    // The first column is 1 where it could not be done: that is no error of SQLite's.
    let held_up = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0));
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(match held_up? {
        true => Folded::HeldUp,
        false => Folded::Whole,
    })
}
