//! Watching a session, for as long as work runs on its authority.
//!
//! A session may end at any time: signed out, revoked, deleted with its account, its password
//! changed, its day come. Work that takes longer than a moment is ended within two seconds of its
//! own time, whether it produces, waits or sleeps; shorter work costs no read of the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::store::Bearer;
use crate::vault::Vault;
use crate::vault::error::{Result, VaultError};

/// How often running work asks whether its session still lives, at least.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A watch on one request's session. Clones share it: all that a request sets going asks the store
/// once every two seconds.
#[derive(Clone)]
pub struct Watch(Arc<Watched>);

struct Watched {
    vault: Vault,
    session: [u8; 32],
    /// When the session was last known to live.
    seen: Mutex<Instant>,
    /// Whether the request itself is about to end the session.
    resigned: AtomicBool,
}

impl Watch {
    /// A watch on a session that was found live just now.
    pub(super) fn begin(vault: &Vault, session: [u8; 32]) -> Self {
        Self(Arc::new(Watched {
            vault: vault.clone(),
            session,
            seen: Mutex::new(Instant::now()),
            resigned: AtomicBool::new(false),
        }))
    }

    /// The session, for rows that are stored only while it lives.
    pub(in crate::vault) fn bearer(&self) -> Bearer {
        Bearer {
            session: self.0.session,
            now: self.0.vault.now(),
        }
    }

    /// Asks the store whether the session lives: before a step that nobody may take after its end.
    /// To go on counts as a use of the session.
    ///
    /// # Errors
    /// [`VaultError::Unauthenticated`]; the store's.
    pub(in crate::vault) async fn look(&self) -> Result<()> {
        let mut seen = self.0.seen.lock().await;
        self.look_again(&mut seen).await
    }

    /// The same, but asks the store at most every two seconds: to be called all the time.
    ///
    /// # Errors
    /// [`VaultError::Unauthenticated`]; the store's.
    pub(in crate::vault) async fn check(&self) -> Result<()> {
        let mut seen = self.0.seen.lock().await;
        match seen.elapsed() < self.every() {
            true => Ok(()),
            false => self.look_again(&mut seen).await,
        }
    }

    /// Waits for the session's end, and tells of it.
    pub async fn ended(&self) -> VaultError {
        loop {
            let due = *self.0.seen.lock().await + self.every();
            sleep_until(due).await;
            if let Err(error) = self.check().await {
                return error;
            }
        }
    }

    /// Does some work while the session lives, and drops it unfinished once the session has ended.
    ///
    /// # Errors
    /// The work's own; [`VaultError::Unauthenticated`].
    pub(in crate::vault) async fn during<T, E: From<VaultError>>(
        &self,
        work: impl Future<Output = std::result::Result<T, E>>,
    ) -> std::result::Result<T, E> {
        tokio::select! {
            outcome = work => outcome,
            error = self.ended() => Err(error.into()),
        }
    }

    /// To be called before the request ends its own session, so that it may finish what it has
    /// begun.
    pub(in crate::vault) fn resign(&self) {
        self.0.resigned.store(true, Ordering::Relaxed);
    }

    /// How often to ask: often enough, too, that a session in use outlives a short idle time.
    fn every(&self) -> Duration {
        LOOK_EVERY.min(self.0.vault.0.sessions.idle / 4)
    }

    async fn look_again(&self, seen: &mut Instant) -> Result<()> {
        let now = Instant::now();
        let lives = self.0.resigned.load(Ordering::Relaxed)
            || self.0.vault.live_session(&self.0.session).await?.is_some();
        if !lives {
            return Err(VaultError::Unauthenticated);
        }
        *seen = now;
        Ok(())
    }
}
