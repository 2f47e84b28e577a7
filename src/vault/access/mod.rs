//! Who may act for an account, and for how long: the sessions of people and of programs, what a token
//! may do, how guessing is slowed down, and what an account's owner is told of all that.
//!
//! An [`Unlocked`] leaves here: whoever holds one may act for that account. What it acts on is the
//! other rooms'. A request asks through its [`Watch`] whether its session still lives.

mod events;
mod scopes;
mod sessions;
mod throttle;
mod watch;

pub use events::Event;
pub use scopes::{Scope, Scopes};
pub use sessions::{Started, Unlocked};
pub use watch::Watch;

pub(super) use scopes::API_TOKEN_PREFIX;
pub(super) use sessions::SessionLifetime;
pub(super) use throttle::{Guess, Guessed};
