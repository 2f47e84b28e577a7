//! Invitations to register. One is spent with the account that it lets in: [`super::Accounts`].

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use super::nouns::{self, Rows, Which};
use super::row::{Life, row};

row! {
    /// A link with which one person can register.
    pub struct InvitationRow in "invitations" {
        /// SHA-256 of the token, which only who was invited knows.
        key digest: [u8; 32],
        /// When it was made.
        created_at: Timestamp,
        /// Until when it can be used.
        expires_at: Timestamp,
    }
    life: Life::EndsAt(&["expires_at"]);
}

/// A part of [`super::Records`], with the same promises.
#[async_trait]
pub trait Invitations: Rows {
    /// Stores an invitation.
    async fn insert_invitation(&self, row: &InvitationRow) -> Result<()> {
        nouns::insert(self, row).await
    }

    /// The invitation with this digest, if it is not spent; ended or not.
    async fn invitation(&self, digest: &[u8; 32]) -> Result<Option<InvitationRow>> {
        nouns::find(self, Which::has(digest)).await
    }
}

impl<S: Rows> Invitations for S {}
