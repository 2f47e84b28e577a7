//! Work with passwords, above all Argon2id, bounded: a few at once on threads of their own, a queue,
//! and a refusal beyond it.

use std::io;
use std::sync::Arc;

use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::config::Passwords;
use crate::crypto;
use crate::crypto::{KdfParams, PasswordHashing, PasswordKey, Pepper};
use crate::vault::error::{Result, VaultError};
use crate::vault::pool::Pool;

/// Which pepper new hashes use. There is one so far.
const PEPPER_ID: u32 = 1;

/// Turns passwords into keys.
pub(super) struct Hashing {
    params: KdfParams,
    pepper: Arc<Pepper>,
    /// A permit for each hash that runs or waits.
    admitted: Arc<Semaphore>,
    threads: Pool,
}

impl Hashing {
    /// # Errors
    /// The system's, where it gives no threads.
    pub(super) fn new(config: &Passwords, pepper: Pepper) -> io::Result<Self> {
        Ok(Self {
            params: KdfParams {
                memory_kib: config.memory_kib,
                passes: config.passes,
                lanes: config.lanes,
            },
            pepper: Arc::new(pepper),
            admitted: Arc::new(Semaphore::new(config.at_once() + config.queue)),
            threads: Pool::start("password", config.at_once())?,
        })
    }

    /// The configured cost with a fresh salt.
    pub(super) fn fresh(&self) -> Result<PasswordHashing> {
        Ok(PasswordHashing {
            params: self.params,
            salt: crypto::random()?,
            pepper_id: PEPPER_ID,
        })
    }

    /// Whether a hash of this cost is below the configured one, and should be made anew.
    pub(super) fn is_outdated(&self, hashing: &PasswordHashing) -> bool {
        hashing.params.is_below(&self.params)
    }

    /// The key of a password, for a client that is not signed in: never in less time than a hash of
    /// the configured cost takes, since a faster refusal would reveal an account with an older
    /// hash.
    ///
    /// # Errors
    /// As [`Hashing::derive`].
    pub(super) async fn derive_for_anybody(
        &self,
        password: &str,
        hashing: &PasswordHashing,
    ) -> Result<PasswordKey> {
        let rest = self.params.beyond(&hashing.params);
        let rest = rest.map(|params| PasswordHashing { params, ..*hashing });
        self.derive_and(password, hashing, rest).await
    }

    /// The key of a password.
    ///
    /// # Errors
    /// [`VaultError::Busy`] when too many wait already; [`VaultError::Damaged`] where a row asks
    /// for a cost that is out of bounds.
    pub(super) async fn derive(
        &self,
        password: &str,
        hashing: &PasswordHashing,
    ) -> Result<PasswordKey> {
        self.derive_and(password, hashing, None).await
    }

    /// The key of a password; `rest` is hashed too and thrown away, for the time that it takes.
    async fn derive_and(
        &self,
        password: &str,
        hashing: &PasswordHashing,
        rest: Option<PasswordHashing>,
    ) -> Result<PasswordKey> {
        let password = Zeroizing::new(password.as_bytes().to_vec());
        let (hashing, pepper) = (*hashing, self.pepper.clone());
        let key = self.run(move || {
            let key = hashing.derive(&password, &pepper)?;
            rest.map_or(Ok(()), |rest| rest.derive(&password, &pepper).map(drop))?;
            Ok(key)
        });
        key.await?.map_err(|error| match error {
            crypto::CryptoError::Parameters => {
                VaultError::Damaged("an account asks for a password hash out of bounds")
            }
            other => other.into(),
        })
    }

    /// Does other work with a password, in line with the hashes.
    ///
    /// # Errors
    /// [`VaultError::Busy`] when too many wait already.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let admitted = self.admitted.clone().try_acquire_owned();
        let admitted = admitted.map_err(|_| VaultError::Busy)?;
        let work = move || {
            // The permit lives as long as the work, not as long as the caller's patience.
            let _permit = admitted;
            work()
        };
        self.threads.run(work).await
    }
}
