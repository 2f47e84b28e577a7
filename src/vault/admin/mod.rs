//! Running the instance: who may register. What an administrator may do to accounts comes here.
//!
//! Every call of this room takes an [`Administrator`].

mod invitations;

pub use invitations::{INVITATION_TTL, Invitation};

use super::Unlocked;
use crate::store::Role;

/// Shows that whoever asks may run the instance.
pub struct Administrator(());

impl Administrator {
    /// `None` where the account is not an administrator's.
    pub fn of(who: &Unlocked) -> Option<Self> {
        (who.account.role == Role::Administrator).then_some(Self(()))
    }

    /// The operator at the machine itself, who has the store and the instance key at hand.
    pub fn operator() -> Self {
        Self(())
    }
}
