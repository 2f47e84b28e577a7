//! Background work. So far that is upkeep, in rounds; every round may be cut short, and any number
//! of processes may run theirs at once.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::vault::Vault;

/// Often enough that a session is removed near its end; rare enough to cost nothing.
const EVERY: Duration = Duration::from_secs(600);

/// Runs upkeep now and then, until dropped.
pub async fn run(vault: Vault) {
    let mut rounds = interval(EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let done = vault.upkeep().await.done;
        if !done.is_empty() {
            tracing::info!(?done, "upkeep");
        }
    }
}
