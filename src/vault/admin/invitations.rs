//! Who may register: everybody, people who were sent a link, or nobody but the first person.

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::Administrator;
use crate::config::Registration;
use crate::crypto::{random, sha256};
use crate::store::{Admission, InvitationRow};
use crate::vault::Vault;
use crate::vault::error::{Result, VaultError};

/// How long an invitation can be used, unless the operator says otherwise.
pub const INVITATION_TTL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Characters of a token, 32 bytes in base64url; texts of another length are not looked up.
const TOKEN_CHARS: usize = 43;

/// An invitation to register, for one person.
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

    /// Makes an invitation that one person can register with.
    ///
    /// # Errors
    /// The store's.
    pub async fn invite(&self, _: &Administrator, lasts: SignedDuration) -> Result<Invitation> {
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

    /// How a new account with this invitation may be admitted. The store decides when it inserts
    /// the account, since others register meanwhile; a refusal known here already costs no hashing.
    pub(in crate::vault) async fn admission(&self, invitation: Option<&str>) -> Result<Admission> {
        let configured = self.0.registration;
        let token = invitation.filter(|token| token.len() == TOKEN_CHARS);
        let admission = match (configured, token) {
            (Registration::Open, _) => return Ok(Admission::Anyone),
            (Registration::Closed, _) | (Registration::Invitation, None) => Admission::OnlyFirst,
            (Registration::Invitation, Some(token)) => Admission::Invited {
                digest: sha256(token.as_bytes()),
                now: self.now(),
            },
        };
        let records = &self.store().records;
        let admitted = match &admission {
            Admission::Invited { digest, now } => {
                let found = records.invitation(digest).await?;
                found.is_some_and(|found| found.expires_at > *now)
            }
            Admission::Anyone | Admission::OnlyFirst => false,
        };
        if !admitted && records.has_accounts().await? {
            return Err(self.refusal());
        }
        Ok(admission)
    }

    /// The error for somebody whom the store did not admit.
    pub(in crate::vault) fn refusal(&self) -> VaultError {
        match self.0.registration {
            Registration::Closed => VaultError::RegistrationClosed,
            Registration::Open | Registration::Invitation => VaultError::NotInvited,
        }
    }
}
