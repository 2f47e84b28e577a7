//! Who may register: everybody, whoever was sent a link, or nobody but the first person.

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::Vault;
use super::error::{Result, VaultError};
use crate::config::Registration;
use crate::crypto::{random, sha256};
use crate::store::InvitationRow;

/// Longest text that is looked at: 32 bytes in base64url are 43 characters.
const TOKEN_CHARS: usize = 43;

/// A way in for one person.
pub struct Invitation {
    /// Goes into the link. Shown once; the store has its digest.
    pub token: Zeroizing<String>,
    /// Until when it can be used.
    pub expires_at: Timestamp,
}

impl Vault {
    /// Who may register now: on a fresh install, which has nobody who could invite, everybody.
    ///
    /// # Errors
    /// The store's.
    pub async fn registration(&self) -> Result<Registration> {
        let configured = self.0.registration;
        if configured == Registration::Open || self.store().records.has_accounts().await? {
            return Ok(configured);
        }
        Ok(Registration::Open)
    }

    /// Makes an invitation that one person can register with. Asking who may do so is the caller's.
    ///
    /// # Errors
    /// The store's.
    pub async fn invite(&self, lasts: SignedDuration) -> Result<Invitation> {
        let secret = Zeroizing::new(random::<32>()?);
        let token = Zeroizing::new(BASE64URL_NOPAD.encode(&*secret));
        let created_at = self.now();
        let row = InvitationRow {
            digest: sha256(token.as_bytes()),
            created_at,
            expires_at: created_at + lasts,
        };
        self.store().records.insert_invitation(&row).await?;
        tracing::info!("an invitation was made");
        Ok(Invitation {
            token,
            expires_at: row.expires_at,
        })
    }

    /// Lets a newcomer in, or not; gives back the invitation that was spent on it.
    pub(super) async fn admit_newcomer(
        &self,
        invitation: Option<&str>,
    ) -> Result<Option<InvitationRow>> {
        match self.registration().await? {
            Registration::Open => return Ok(None),
            Registration::Closed => return Err(VaultError::RegistrationClosed),
            Registration::Invitation => {}
        }
        let token = invitation.filter(|token| token.len() == TOKEN_CHARS);
        let token = token.ok_or(VaultError::NotInvited)?;
        let digest = sha256(token.as_bytes());
        let records = &self.store().records;
        let taken = records.take_invitation(&digest, self.now()).await?;
        taken.ok_or(VaultError::NotInvited).map(Some)
    }

    /// The registration did not come about: the link still works.
    pub(super) async fn return_invitation(&self, invitation: Option<InvitationRow>) -> Result<()> {
        if let Some(row) = invitation {
            self.store().records.insert_invitation(&row).await?;
        }
        Ok(())
    }
}
