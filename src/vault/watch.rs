//! Authority, for as long as something runs on it.
//!
//! A session may end at any time: signed out, revoked, deleted with its account, its password
//! changed, its day come. What takes longer than a moment is told within two seconds of its own
//! time, whether it produces, waits or sleeps; what takes less costs no look at the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::Vault;
use super::error::{Result, VaultError};
use crate::store::Bearer;

/// How often something that runs asks whether its session still lives, at least.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// An eye on one request's session. Clones share it: all that a request sets going makes one look
/// every two seconds.
#[derive(Clone)]
pub struct Watch(Arc<Watched>);

struct Watched {
    vault: Vault,
    session: [u8; 32],
    /// When it was last known to live.
    seen: Mutex<Instant>,
    /// Whether the request itself is about to end it.
    resigned: AtomicBool,
}

impl Watch {
    /// On a session that was found live just now.
    pub(super) fn begin(vault: &Vault, session: [u8; 32]) -> Self {
        Self(Arc::new(Watched {
            vault: vault.clone(),
            session,
            seen: Mutex::new(Instant::now()),
            resigned: AtomicBool::new(false),
        }))
    }

    /// The session, for what is stored only as long as it lives.
    pub(super) fn bearer(&self) -> Bearer {
        Bearer {
            session: self.0.session,
            now: self.0.vault.now(),
        }
    }

    /// Looks whether the session lives: before a step that nobody may take after its end. What goes
    /// on counts as use.
    ///
    /// # Errors
    /// [`VaultError::Unauthenticated`]; the store's.
    pub(super) async fn look(&self) -> Result<()> {
        let mut seen = self.0.seen.lock().await;
        self.look_again(&mut seen).await
    }

    /// The same, at most every two seconds: to be asked all the time.
    ///
    /// # Errors
    /// [`VaultError::Unauthenticated`]; the store's.
    pub(super) async fn check(&self) -> Result<()> {
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

    /// Does some work while the session lives, and drops it where it stands once that has ended.
    ///
    /// # Errors
    /// The work's own; [`VaultError::Unauthenticated`].
    pub(super) async fn during<T, E: From<VaultError>>(
        &self,
        work: impl Future<Output = std::result::Result<T, E>>,
    ) -> std::result::Result<T, E> {
        tokio::select! {
            outcome = work => outcome,
            error = self.ended() => Err(error.into()),
        }
    }

    /// To be called before the request ends its own session: what it has begun it may finish.
    pub(super) fn resign(&self) {
        self.0.resigned.store(true, Ordering::Relaxed);
    }

    /// Often enough, too, that a short idle time is not outrun.
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
