//! An account's own affairs: registering, signing in, its secrets and factors, its tokens and devices,
//! how much it may keep, and leaving.
//!
//! Every change of a secret asks for a [`Proof`]. Sessions, and how guessing is slowed down, are
//! `access`'s; pictures are never looked at here, but for their keys while the master key rotates.

mod accounts;
mod credentials;
mod devices;
mod factors;
mod leaving;
mod passkey_challenges;
mod passkey_sign_in;
mod passkeys;
mod pending;
mod profile;
mod quotas;
mod rotation;
mod second_factor;
mod sign_in;
mod skeletons;
mod strength;
mod tokens;

pub use accounts::{NewAccount, Opened};
pub use credentials::{Proof, Recovery};
pub use devices::Device;
pub use factors::{Enrolment, Factors, reseal_factor};
pub use passkey_challenges::{Answer, Challenge};
pub use passkeys::{KnownPasskey, MAX_PASSKEYS};
pub use pending::{Begun, SIGN_IN_WAITS, Waiting};
pub use profile::ProfileChange;
pub use quotas::{Allowance, QuotaChange};
pub use sign_in::SignIn;
pub use strength::MIN_PASSWORD_CHARS;
pub use tokens::{ApiToken, MadeToken, NewToken};

pub(super) use passkey_challenges::site;
pub(super) use rotation::Passes;
