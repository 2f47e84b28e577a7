//! Work that nobody waits for. So far that is upkeep, in rounds; every round may be cut short, and
//! any number of processes may run theirs at once.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::vault::Swept;
use crate::vault::Vault;

/// Often enough that a session's end is near its time; rare enough to cost nothing.
const EVERY: Duration = Duration::from_secs(600);

/// Runs upkeep now and then, until dropped.
pub async fn run(vault: Vault) {
    let mut rounds = interval(EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        match vault.upkeep().await {
            Ok(swept) if swept == Swept::default() => {}
            Ok(Swept {
                sessions,
                archives,
                trashed,
                blobs,
            }) => {
                tracing::info!(
                    sessions,
                    archives,
                    trashed,
                    blobs,
                    "upkeep removed what had ended"
                );
            }
            Err(error) => tracing::warn!(%error, "upkeep was cut short; it goes on next time"),
        }
    }
}
