//! Running the instance: who may register. What an administrator may do to accounts comes here.

mod invitations;

pub use invitations::Invitation;
