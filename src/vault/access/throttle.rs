//! Failed tries, counted in the store so that all processes know of them: each costs the next one
//! a longer wait.
//!
//! A try is counted before it is made, so that a thousand at once count as a thousand; only a wrong
//! secret leaves it counted. A try that has to wait is refused without a write, and not counted: a
//! client that hammers on keeps neither the disk busy nor the owner out for longer.
//!
//! A try under way counts as failed until it has proved right, so that N guesses at once, on any
//! number of processes, get no more answers than N one after the other: each is answered only after
//! it was counted, in one row that is changed by compare-and-swap. But then a burst of right
//! passwords would use up the free tries of everybody in its network, if only for as long as it
//! takes. So tries take turns ([`Rule::at_once`]): in each process one at a secret and eight from a
//! network are under way; the others wait their turn, as many as may wait for a hash, before they
//! are counted. Of a network's thirty free tries P processes hold eight P at any moment, and a
//! client that sends a hundred to one account holds P of them. A refusal that the failed tries
//! alone would not have brought is [`VaultError::Busy`] and not a wait that doubles; tries under
//! way in other processes cannot be told apart from failed ones.

use jiff::{SignedDuration, Timestamp};

use super::events::{MOST_EVENTS, is_by_owner};
use crate::crypto::sha256;
use crate::ids::AccountId;
use crate::store::TriesRow;
use crate::vault::caller::network_of;
use crate::vault::error::{Result, VaultError};
use crate::vault::{Caller, Vault};

/// The secret that is guessed at, and so what is counted.
pub(in crate::vault) enum Guess<'a> {
    /// The password, by a client that is not signed in. Counted by the login that was typed,
    /// whether it exists or not: if accounts were counted, the waits of a name and of an address
    /// would tell that they belong together. Counted apart in networks from which the owner has
    /// signed in, so that strangers cannot keep the owner out.
    SignIn {
        /// The login as it is compared.
        login: &'a str,
        /// The account with this login.
        account: Option<AccountId>,
    },
    /// A secret of the own account, by somebody who is signed in to it.
    Proof(AccountId),
    /// A recovery code: 256 bits cannot be guessed, and nobody may keep its owner from using it.
    /// Only the network is counted.
    Recovery,
    /// A passkey: its signature cannot be guessed either.
    Passkey,
}

/// How tries become waits: some are free, and then the wait doubles from a second on.
struct Rule {
    free: u32,
    longest: SignedDuration,
    /// How many tries are under way at once in one process: a small part of the free ones.
    at_once: usize,
}

/// Somebody who mistypes needs a few; somebody who guesses gets 300 a day with each login.
const BY_SECRET: Rule = Rule {
    free: 5,
    longest: SignedDuration::from_mins(5),
    at_once: 1,
};
/// Many people may share one address.
const BY_NETWORK: Rule = Rule {
    free: 30,
    longest: SignedDuration::from_mins(15),
    at_once: 8,
};
/// How often a count is tried again after another came first; then the server is busy.
const MOST_RACES: usize = 32;

/// A count that a try adds to.
struct Counter {
    key: [u8; 32],
    rule: &'static Rule,
    /// Whether it counts tries at the secret, which a right one clears.
    of_secret: bool,
}

/// A counter, before and after a try was counted.
struct Counted {
    key: [u8; 32],
    before: Option<TriesRow>,
    now: TriesRow,
    /// Whether it counts tries at the secret, which a right one clears.
    of_secret: bool,
}

impl Rule {
    fn wait(&self, failed: u32) -> SignedDuration {
        match failed.checked_sub(self.free) {
            None => SignedDuration::ZERO,
            Some(beyond) => SignedDuration::from_secs(1_i64 << beyond.min(20)).min(self.longest),
        }
    }

    /// What is left of the wait after these tries.
    fn left(&self, known: &TriesRow, now: Timestamp) -> Option<SignedDuration> {
        let wait = self.wait(failed(known, now));
        // Clocks differ and are set: a time in the future counts as now, one far away not at all.
        if known.last_at > now + self.longest {
            return None;
        }
        let left = (known.last_at.min(now) + wait).duration_since(now);
        (left > SignedDuration::ZERO).then_some(left)
    }
}

/// How many of the tries still count. ([`TriesRow`] says for how long a count is kept.)
fn failed(known: &TriesRow, now: Timestamp) -> u32 {
    let hours = now.duration_since(known.last_at).as_hours().clamp(0, 31);
    known.count >> hours
}

/// What became of a guess that was not wrong.
pub(in crate::vault) enum Guessed<T> {
    /// It was right: failed tries at this secret are forgotten.
    Right(T),
    /// It was right as far as it went, and more is asked for: neither a failed try nor a right one.
    Unfinished(T),
}

impl Vault {
    /// Does `work`, which fails with [`VaultError::WrongCredentials`],
    /// [`VaultError::WrongPassword`] or [`VaultError::WrongFactor`] where the guess was wrong;
    /// refuses it where the guess has to wait.
    pub(in crate::vault) async fn throttled<T>(
        &self,
        guess: Guess<'_>,
        caller: &Caller,
        work: impl Future<Output = Result<Guessed<T>>> + Send,
    ) -> Result<T> {
        let counters = self.counters(&guess, caller).await?;
        for counter in &counters {
            // A try that has to wait is refused before it stands in line for its turn.
            let known = self.store().records.tries(&counter.key).await?;
            self.refuse_to_wait(counter, known.as_ref())?;
        }
        let mut turns = Vec::with_capacity(counters.len());
        for Counter { key, rule, .. } in &counters {
            turns.push(self.0.turns.wait(*key, rule.at_once).await?);
        }
        let mut all = Vec::with_capacity(counters.len());
        for (counter, turn) in counters.iter().zip(&mut turns) {
            match self.count_try(counter).await {
                Ok(counted) => all.push(counted),
                Err(error) => {
                    self.give_back(&all).await?;
                    return Err(error);
                }
            }
            turn.begin();
        }
        let outcome = work.await;
        let counted = match &outcome {
            Err(
                VaultError::WrongCredentials
                | VaultError::WrongPassword
                | VaultError::WrongPasskey
                | VaultError::WrongFactor(_),
            ) => self.tell_owner(&guess, &all, caller).await,
            Err(_) | Ok(Guessed::Unfinished(_)) => self.give_back(&all).await,
            Ok(Guessed::Right(_)) => self.clear(&all).await,
        };
        // The outcome stands: a right code is used up by now, and would not be right again.
        if let Err(error) = counted {
            tracing::warn!(%error, "tries were not counted as they ended");
        }
        let (Guessed::Right(done) | Guessed::Unfinished(done)) = outcome?;
        Ok(done)
    }

    /// The counters of a guess, the secret's own first: a try that waits for that turn holds no
    /// turn of the network.
    async fn counters(&self, guess: &Guess<'_>, caller: &Caller) -> Result<Vec<Counter>> {
        let network = caller.network();
        let of_secret = match guess {
            Guess::Recovery | Guess::Passkey => None,
            Guess::Proof(account) => Some(key("proof", &account.to_string(), "")),
            Guess::SignIn { login, account } => {
                let is_known = match account {
                    Some(account) => self.is_known_network(account, &network).await?,
                    None => false,
                };
                let from = if is_known { network.as_str() } else { "" };
                Some(key("login", login, from))
            }
        };
        let of_secret = of_secret.map(|key| Counter {
            key,
            rule: &BY_SECRET,
            of_secret: true,
        });
        let of_network = Counter {
            key: key("network", &network, ""),
            rule: &BY_NETWORK,
            of_secret: false,
        };
        Ok(of_secret.into_iter().chain([of_network]).collect())
    }

    /// Whether the owner has signed in from this network before.
    async fn is_known_network(&self, account: &AccountId, network: &str) -> Result<bool> {
        let events = self.store().records.events_of(account, MOST_EVENTS).await?;
        Ok(events.iter().any(|event| {
            is_by_owner(event)
                && event
                    .address
                    .parse()
                    .map(network_of)
                    .is_ok_and(|at| at == network)
        }))
    }

    fn refuse_to_wait(&self, counter: &Counter, known: Option<&TriesRow>) -> Result<()> {
        let (rule, now) = (counter.rule, self.now());
        let left = known.and_then(|known| Some((known, rule.left(known, now)?)));
        let Some((known, wait)) = left else {
            return Ok(());
        };
        let under_way = self.0.turns.under_way(&counter.key) as u32;
        let failed = failed(known, now).saturating_sub(under_way);
        match rule.wait(failed).is_zero() {
            true => Err(VaultError::Busy),
            false => Err(VaultError::TooManyTries { wait }),
        }
    }

    async fn count_try(&self, counter: &Counter) -> Result<Counted> {
        let (records, key) = (&self.store().records, counter.key);
        for _ in 0..MOST_RACES {
            let (before, at) = (records.tries(&key).await?, self.now());
            self.refuse_to_wait(counter, before.as_ref())?;
            let failed = before.as_ref().map_or(0, |known| failed(known, at));
            let now = TriesRow {
                key,
                count: failed.saturating_add(1),
                last_at: at,
            };
            if records.replace_tries(before.as_ref(), &now).await? {
                return Ok(Counted {
                    key,
                    before,
                    now,
                    of_secret: counter.of_secret,
                });
            }
        }
        Err(VaultError::Busy)
    }

    /// The secret was right: its count begins anew, and the network's loses this try.
    async fn clear(&self, all: &[Counted]) -> Result<()> {
        let (secret, network): (Vec<&Counted>, Vec<_>) = all.iter().partition(|one| one.of_secret);
        for counted in secret {
            self.store().records.delete_tries(&counted.key).await?;
        }
        for counted in network {
            self.give_one_back(counted).await?;
        }
        Ok(())
    }

    async fn give_back(&self, all: &[Counted]) -> Result<()> {
        for counted in all {
            self.give_one_back(counted).await?;
        }
        Ok(())
    }

    /// Undoes the count of a try: neither its number nor its time stays.
    async fn give_one_back(&self, counted: &Counted) -> Result<()> {
        let records = &self.store().records;
        for _ in 0..MOST_RACES {
            let Some(known) = records.tries(&counted.key).await? else {
                return Ok(());
            };
            let one_less = TriesRow {
                count: known.count.saturating_sub(1),
                ..known.clone()
            };
            let new = match &counted.before {
                Some(before) if known == counted.now => before,
                _ => &one_less,
            };
            if records.replace_tries(Some(&known), new).await? {
                return Ok(());
            }
        }
        // One try too many stays counted: that does no harm.
        Ok(())
    }

    /// Tells the owner when the free tries are used up.
    async fn tell_owner(&self, guess: &Guess<'_>, all: &[Counted], caller: &Caller) -> Result<()> {
        let account = match guess {
            Guess::SignIn { account, .. } => *account,
            Guess::Proof(account) => Some(*account),
            Guess::Recovery | Guess::Passkey => None,
        };
        let used_up = |one: &Counted| one.of_secret && one.now.count == BY_SECRET.free;
        match account.filter(|_| all.iter().any(used_up)) {
            Some(account) => self.note_guessing(&account, caller).await,
            None => Ok(()),
        }
    }
}

/// The key of a counter: a digest, so that names and addresses do not lie about in the table.
fn key(kind: &str, what: &str, from: &str) -> [u8; 32] {
    sha256(format!("image-vault tries v1\0{kind}\0{what}\0{from}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn tries(count: u32, second: i64) -> TriesRow {
        TriesRow {
            key: [0; 32],
            count,
            last_at: at(second),
        }
    }

    #[test]
    fn each_failure_doubles_the_wait_up_to_the_longest() {
        let waits: Vec<i64> = (0..16).map(|n| BY_SECRET.wait(n).as_secs()).collect();
        assert_eq!(
            waits,
            [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
        );
        assert_eq!(BY_NETWORK.wait(u32::MAX).as_secs(), 900);
    }

    #[test]
    fn a_clock_that_was_set_locks_nobody_out() {
        assert_eq!(BY_SECRET.left(&tries(0, 9), at(0)), None, "nothing failed");
        assert_eq!(
            BY_SECRET.left(&tries(50, 86_400), at(0)),
            None,
            "a day ahead"
        );
        let left = BY_SECRET.left(&tries(6, 9), at(0)).unwrap();
        assert_eq!(left.as_secs(), 2, "no longer than its wait");
    }

    #[test]
    fn failures_are_forgotten_by_and_by() {
        let hour = 3_600;
        assert_eq!(failed(&tries(40, 0), at(hour - 1)), 40);
        assert_eq!(failed(&tries(40, 0), at(hour)), 20);
        assert_eq!(failed(&tries(40, 0), at(6 * hour)), 0);
        assert_eq!(failed(&tries(u32::MAX, 0), at(900 * hour)), 1);
    }
}
