//! Threads for work that keeps a core busy, such as hashing and decoding: a few, and of lower
//! priority than those that answer requests, so that looking at pictures does not wait for
//! sign-ins.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use tokio::sync::{Semaphore, oneshot};

use crate::vault::error::{Result, VaultError};

/// How much nicer than the rest (nice(2)): about a third of their share, where cores are scarce.
const NICENESS: i32 = 5;

type Job = Box<dyn FnOnce() + Send>;

/// A pool of threads. They end when this is dropped and all jobs given to it are done.
pub(super) struct Pool {
    jobs: mpsc::Sender<Job>,
    /// A permit for each thread: a caller that gives up waiting for one leaves no job behind.
    free: Arc<Semaphore>,
    threads: usize,
}

impl Pool {
    /// Starts so many threads.
    ///
    /// # Errors
    /// The system's, where it gives none.
    pub(super) fn start(name: &str, threads: usize) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..threads {
            let waiting = Arc::clone(&waiting);
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || work(&waiting))?;
        }
        let free = Arc::new(Semaphore::new(threads));
        Ok(Self {
            jobs,
            free,
            threads,
        })
    }

    /// How many threads there are.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// Runs the work on one of the threads. Once begun, it goes on even if the caller has gone.
    ///
    /// # Errors
    /// [`VaultError::Internal`] where the work panics.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let stopped = || VaultError::Internal("a thread stopped in its work".into());
        let free = self.free.clone().acquire_owned().await;
        let free = free.map_err(|_| stopped())?;
        let (done, outcome) = oneshot::channel();
        let job = move || {
            let _free = free;
            drop(done.send(work()));
        };
        self.jobs.send(Box::new(job)).map_err(|_| stopped())?;
        outcome.await.map_err(|_| stopped())
    }
}

fn work(waiting: &Mutex<mpsc::Receiver<Job>>) {
    // Where the system does not allow it, the threads keep the usual priority: no harm.
    let _ = rustix::process::nice(NICENESS);
    loop {
        let job = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(job) = job else {
            return;
        };
        // After a panic the caller notices that no outcome comes.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_panics_fails_alone() {
        let pool = Pool::start("test", 1).unwrap();
        let failed = pool.run(|| panic!("a fault")).await;
        assert!(matches!(
            failed.map(|(): ()| ()),
            Err(VaultError::Internal(_))
        ));
        assert_eq!(pool.run(|| 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn no_more_runs_at_once_than_there_are_threads() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let pool = Pool::start("test", 2).unwrap();
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let jobs = (0..16).map(|_| {
            let (running, most) = (running.clone(), most.clone());
            pool.run(move || {
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                thread::sleep(std::time::Duration::from_millis(2));
                running.fetch_sub(1, Ordering::SeqCst);
            })
        });
        for done in futures_util::future::join_all(jobs).await {
            done.unwrap();
        }
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
    }
}
