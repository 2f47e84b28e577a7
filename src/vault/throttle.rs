//! Failed tries, counted in the store so that all processes know of them: each costs the next one
//! a longer wait, per account and per network.
//!
//! A try is counted before it is made, so that a thousand at once are a thousand. One that has to
//! wait is not counted: whoever hammers on does not keep the owner out for longer.

use jiff::{SignedDuration, Timestamp};

use super::error::{Result, VaultError};
use super::events::EventKind;
use super::{Caller, Vault};
use crate::crypto::sha256;
use crate::ids::AccountId;
use crate::store::TriesRow;

/// How tries become waits: some are free, and then the wait doubles from a second on.
struct Rule {
    free: u32,
    longest: SignedDuration,
}

/// Somebody who mistypes needs a few; somebody who guesses gets 300 a day.
const BY_LOGIN: Rule = Rule {
    free: 5,
    longest: SignedDuration::from_mins(5),
};
/// Many people may share one address.
const BY_NETWORK: Rule = Rule {
    free: 30,
    longest: SignedDuration::from_mins(15),
};
/// Tries that are older are forgotten.
pub(super) const FORGET_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// Others who try at the same moment; past it the server is simply busy.
const MOST_RACES: usize = 32;

/// A try that was admitted and counted.
pub(super) struct Attempt {
    login: [u8; 32],
    network: Option<[u8; 32]>,
    /// How many had failed on this login before.
    failed_before: u32,
}

impl Rule {
    fn wait(&self, failed: u32) -> SignedDuration {
        match failed.checked_sub(self.free) {
            None => SignedDuration::ZERO,
            Some(beyond) => SignedDuration::from_secs(1_i64 << beyond.min(20)).min(self.longest),
        }
    }
}

impl Vault {
    /// Counts a try, or refuses it. `login` is a name or address as it is compared, whether or not
    /// there is such an account: nobody learns that from the waits.
    pub(super) async fn attempt(&self, login: &str, caller: &Caller) -> Result<Attempt> {
        let login = key("login", login);
        let network = caller.network().map(|network| key("network", &network));
        if let Some(network) = &network {
            self.count_try(network, &BY_NETWORK).await?;
        }
        let failed_before = match self.count_try(&login, &BY_LOGIN).await {
            Err(error) => {
                self.uncount(network.as_ref()).await?;
                return Err(error);
            }
            counted => counted?,
        };
        Ok(Attempt {
            login,
            network,
            failed_before,
        })
    }

    /// The try was no failure: the login's count begins anew, and the network's loses this one.
    pub(super) async fn succeeded(&self, attempt: Attempt) -> Result<()> {
        let records = &self.store().records;
        records.delete_tries(&attempt.login).await?;
        self.uncount(attempt.network.as_ref()).await
    }

    /// Tells the owner, once, when the free tries are used up.
    pub(super) async fn note_guessing(
        &self,
        attempt: &Attempt,
        account: &AccountId,
        caller: &Caller,
    ) {
        if attempt.failed_before + 1 == BY_LOGIN.free {
            self.note(account, EventKind::Guessing, caller).await;
        }
    }

    /// Returns how many there were before.
    async fn count_try(&self, key: &[u8; 32], rule: &Rule) -> Result<u32> {
        let records = &self.store().records;
        for _ in 0..MOST_RACES {
            let (known, now) = (records.tries(key).await?, self.now());
            let recent = known.filter(|known| known.last_at + FORGET_AFTER > now);
            let failed = recent.map_or(0, |known| known.count);
            if let Some(wait) = recent.and_then(|known| left(known.last_at, rule.wait(failed), now))
            {
                return Err(VaultError::TooManyTries { wait });
            }
            let new = TriesRow {
                count: failed.saturating_add(1),
                last_at: now,
            };
            if records.replace_tries(key, known, new).await? {
                return Ok(failed);
            }
        }
        Err(VaultError::Busy)
    }

    async fn uncount(&self, key: Option<&[u8; 32]>) -> Result<()> {
        let (Some(key), records) = (key, &self.store().records) else {
            return Ok(());
        };
        for _ in 0..MOST_RACES {
            let Some(known) = records.tries(key).await? else {
                return Ok(());
            };
            let new = TriesRow {
                count: known.count.saturating_sub(1),
                ..known
            };
            if records.replace_tries(key, Some(known), new).await? {
                return Ok(());
            }
        }
        // One try too many is remembered: that does no harm.
        Ok(())
    }
}

/// What is left of a wait that began then.
fn left(since: Timestamp, wait: SignedDuration, now: Timestamp) -> Option<SignedDuration> {
    let left = (since + wait).duration_since(now);
    (left > SignedDuration::ZERO).then_some(left)
}

/// Names and addresses do not lie about in the table of tries.
fn key(kind: &str, what: &str) -> [u8; 32] {
    sha256(format!("image-vault tries v1\0{kind}\0{what}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_wait_up_to_the_longest() {
        let waits: Vec<i64> = (0..16).map(|n| BY_LOGIN.wait(n).as_secs()).collect();
        assert_eq!(
            waits,
            [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
        );
        assert_eq!(BY_NETWORK.wait(u32::MAX).as_secs(), 900);
    }

    #[test]
    fn neighbours_in_one_network_of_ipv6_count_as_one() {
        let at = |text: &str| {
            let caller = Caller {
                device: String::new(),
                address: Some(text.parse().unwrap()),
            };
            caller.network().unwrap()
        };
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }
}
