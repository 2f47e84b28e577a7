//! How many calls a client may make: counted by network, or by account where it is signed in.
//!
//! A bucket holds as many calls as are allowed in a minute and fills evenly (the generic cell rate
//! algorithm, by `governor`). Every process has buckets of its own: what must hold across them, such
//! as tries at a secret, is counted in the store.

use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use rocket::http::Status;
use rocket::outcome::{Outcome, try_outcome};
use rocket::request::{self, FromRequest, Request};

use super::problem::Problem;
use crate::config;
use crate::ids::AccountId;
use crate::vault::Caller;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// Clients share so many buckets, some MiB at most: nobody fills the memory by coming from ever new
/// networks. Which client has which bucket is drawn anew at each start, so nobody can aim at
/// another's.
const BUCKETS: u64 = 1 << 18;

type Limiter<C> =
    RateLimiter<u32, HashMapStateStore<u32>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The budget of one kind of calls.
struct Budget<C: Clock = MonotonicClock> {
    /// `None` where there is no limit.
    limiter: Option<Limiter<C>>,
    places: RandomState,
}

impl<C: Clock> Budget<C> {
    /// So many calls in such a time; any number where `calls` is 0.
    fn new(calls: u32, time: Duration, clock: C) -> Self {
        let limiter = NonZeroU32::new(calls).and_then(|calls| {
            let quota = Quota::with_period(time / calls.get())?.allow_burst(calls);
            let buckets = HashMapStateStore::default();
            Some(RateLimiter::new(quota, buckets, clock))
        });
        Self {
            limiter,
            places: RandomState::new(),
        }
    }

    /// Spends one call; or returns how long to wait for it.
    fn spend(&self, who: impl Hash) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        let place = (self.places.hash_one(who) % BUCKETS) as u32;
        limiter
            .check_key(&place)
            .map_err(|refused| refused.wait_time_from(limiter.clock().now()))
    }
}

/// The budgets of all calls.
pub(super) struct Budgets {
    anonymous: Budget,
    /// Calls that match no route. As many as `anonymous`, but a budget of their own: a program that
    /// asks for what is not there must not keep the people beside it from signing in.
    nothing: Budget,
    accounts: Budget,
    /// Thumbnails and previews, of which a page has hundreds.
    thumbnails: Budget,
    registrations: Budget,
}

impl Budgets {
    /// From the configuration.
    pub(super) fn new(config: &config::Budgets) -> Self {
        let budget = |calls, time| Budget::new(calls, time, MonotonicClock);
        Self {
            anonymous: budget(config.anonymous_calls_per_minute, MINUTE),
            nothing: budget(config.anonymous_calls_per_minute, MINUTE),
            accounts: budget(config.account_calls_per_minute, MINUTE),
            thumbnails: budget(config.thumbnail_calls_per_minute, MINUTE),
            registrations: budget(config.registrations_per_hour, HOUR),
        }
    }

    /// Counts a call of a client that is signed in.
    ///
    /// # Errors
    /// 429.
    pub(super) fn spend_of_account(
        &self,
        request: &Request<'_>,
        account: &AccountId,
    ) -> Result<(), Problem> {
        let budget = match is_for_thumbnail(request) {
            true => &self.thumbnails,
            false => &self.accounts,
        };
        budget.spend(account.as_bytes()).map_err(too_many_calls)
    }

    fn spend_of_network(&self, request: &Request<'_>, network: &str) -> Result<(), Problem> {
        // A page whose session has ended may ask for hundreds of thumbnails: they must not use up
        // the calls that signing in again needs.
        let budget = match is_for_thumbnail(request) {
            true => &self.thumbnails,
            false => &self.anonymous,
        };
        budget.spend(network).map_err(too_many_calls)
    }
}

/// Whether a request is for a thumbnail or a preview, of which a page asks for hundreds.
pub(super) fn is_for_thumbnail(request: &Request<'_>) -> bool {
    request.route().is_some_and(|route| {
        let path = route.uri.path();
        path.ends_with("/thumbnail") || path.ends_with("/preview")
    })
}

fn too_many_calls(wait: Duration) -> Problem {
    Problem::wait("Too many requests came from you.", wait)
}

/// A client that need not be signed in. Each handler that takes no [`super::guards::Reader`] takes
/// this guard first, but for those that cost nothing, such as that of assets.
pub(super) struct Visitor;

/// A client that wants to register. Tries that are refused count as well: they tell which names are
/// taken.
pub(super) struct Registrant;

/// Counts a request that no route takes, or that was turned away at the gate.
///
/// # Errors
/// 429.
pub(super) async fn spend_on_nothing(request: &Request<'_>) -> Result<(), Problem> {
    let (Some(budgets), Outcome::Success(caller)) = (
        request.rocket().state::<Budgets>(),
        request.guard::<Caller>().await,
    ) else {
        return Err(Problem::of(Status::InternalServerError));
    };
    let spent = budgets.nothing.spend(caller.network());
    spent.map_err(too_many_calls)
}

/// The outcome of counting a request by its network, kept so that it is counted once.
struct Counted(Result<(), Problem>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Visitor {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let (Some(budgets), Outcome::Success(caller)) = (
            request.rocket().state::<Budgets>(),
            request.guard::<Caller>().await,
        ) else {
            return Outcome::Error((Status::InternalServerError, ()));
        };
        let spend = || Counted(budgets.spend_of_network(request, &caller.network()));
        match &request.local_cache(spend).0 {
            Ok(()) => Outcome::Success(Self),
            Err(problem) => problem.clone().hand_over(request),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Registrant {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, ()> {
        try_outcome!(request.guard::<Visitor>().await);
        let (Some(budgets), Outcome::Success(caller)) = (
            request.rocket().state::<Budgets>(),
            request.guard::<Caller>().await,
        ) else {
            return Outcome::Error((Status::InternalServerError, ()));
        };
        let words = "Too many accounts were asked for from where you are.";
        match budgets.registrations.spend(caller.network()) {
            Ok(()) => Outcome::Success(Self),
            Err(wait) => Problem::wait(words, wait).hand_over(request),
        }
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bucket_holds_a_minutes_calls_and_fills_evenly() {
        let clock = FakeRelativeClock::default();
        let budget = Budget::new(120, MINUTE, clock.clone());
        for _ in 0..120 {
            assert_eq!(budget.spend("ada"), Ok(()));
        }
        assert_eq!(budget.spend("ada"), Err(Duration::from_millis(500)));
        assert_eq!(budget.spend("ben"), Ok(()), "another one's is untouched");
        clock.advance(Duration::from_millis(500));
        assert_eq!(budget.spend("ada"), Ok(()));
        assert!(budget.spend("ada").is_err());
        clock.advance(10 * MINUTE);
        let in_a_row = (0..1_000).take_while(|_| budget.spend("ada").is_ok());
        assert_eq!(in_a_row.count(), 120, "no more than a minute's");
    }

    #[test]
    fn no_limit_is_no_limit() {
        let budget = Budget::new(0, MINUTE, MonotonicClock);
        assert!((0..10_000).all(|_| budget.spend("ada").is_ok()));
    }

    /// As from the 2^64 networks that one site may have in IPv6.
    #[test]
    fn ever_new_networks_take_no_more_than_some_memory() {
        let budget = Budget::new(10, MINUTE, FakeRelativeClock::default());
        for network in 0..3 * BUCKETS {
            let _ = budget.spend(network);
        }
        let limiter = budget.limiter.unwrap();
        assert!(limiter.len() as u64 <= BUCKETS, "{}", limiter.len());
    }

    proptest! {
        /// Whoever waits as long as told is let through, and nobody sooner.
        #[test]
        fn the_wait_that_is_told_is_enough_and_not_too_long(
            calls in 1..10_000_u32,
            steps in prop::collection::vec(0..2_000_u64, 1..200),
        ) {
            let clock = FakeRelativeClock::default();
            let budget = Budget::new(calls, MINUTE, clock.clone());
            while budget.spend("ada").is_ok() {}
            for step in steps {
                clock.advance(Duration::from_millis(step));
                if let Err(wait) = budget.spend("ada") {
                    prop_assert!(wait <= MINUTE);
                    clock.advance(wait - Duration::from_nanos(1));
                    prop_assert!(budget.spend("ada").is_err());
                    clock.advance(Duration::from_nanos(1));
                    prop_assert!(budget.spend("ada").is_ok());
                }
            }
        }
    }
}
