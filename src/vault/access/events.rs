//! What happened to an account, for its owner's eyes.

use jiff::{SignedDuration, Timestamp};

use crate::crypto;
use crate::ids::{AccountId, EventId};
use crate::store::{AccountRow, EventKind, EventRow};
use crate::vault::caller::network_of;
use crate::vault::error::Result;
use crate::vault::{Caller, Unlocked, Vault};

/// Most events that are listed, and that are searched for a known device or network.
pub(super) const MOST_EVENTS: u32 = 200;

/// A kind of client that still signs in from a network after this long is noted again, so that both
/// stay known.
const RENEW_AFTER: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Guessing is noted once in this time: it must not push out other events.
const TELL_GUESSING: SignedDuration = SignedDuration::from_hours(24);

/// Whether only somebody with a secret of the account can have caused the event.
pub(super) fn is_by_owner(event: &EventRow) -> bool {
    match event.kind {
        EventKind::Registered
        | EventKind::NewDevice
        | EventKind::PasswordChanged
        | EventKind::Recovered
        | EventKind::RecoveryRenewed
        | EventKind::TokenMade
        | EventKind::KeyRotated
        | EventKind::FactorAdded
        | EventKind::FactorRemoved
        | EventKind::SpareCodesRenewed
        | EventKind::SpareCodeUsed
        | EventKind::PasskeyAdded
        | EventKind::PasskeyRemoved
        | EventKind::EmailChanged => true,
        EventKind::Guessing
        | EventKind::SessionsEnded
        | EventKind::RoleChanged
        | EventKind::TokenRevoked
        | EventKind::QuotaChanged => false,
    }
}

/// Something that happened to an account.
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What, as one word: `password_changed`.
    pub kind: &'static str,
    /// What, as a sentence.
    pub words: &'static str,
    /// What kind of client did it.
    pub device: String,
    /// From where, as text; empty for the operator.
    pub address: String,
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        Self {
            at: row.at,
            kind: row.kind.name(),
            words: words(row.kind),
            device: row.device,
            address: row.address,
        }
    }
}

fn words(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Registered => "The vault was created",
        EventKind::NewDevice => "Signed in on a new device, or from a new place",
        EventKind::PasswordChanged => "The password was changed",
        EventKind::Recovered => "The recovery code opened the vault, and a new password was set",
        EventKind::RecoveryRenewed => "A new recovery code was made",
        EventKind::Guessing => "Somebody tried several wrong passwords or codes",
        EventKind::SessionsEnded => "Other sign-ins were ended",
        EventKind::RoleChanged => "The role of the account was changed",
        EventKind::TokenMade => "An API token was made",
        EventKind::KeyRotated => "The master key was replaced, with a new recovery code",
        EventKind::TokenRevoked => "An API token was revoked",
        EventKind::QuotaChanged => "The operator changed how much you may keep",
        EventKind::FactorAdded => "An authenticator app was set up",
        EventKind::FactorRemoved => "The authenticator app was turned off",
        EventKind::SpareCodesRenewed => "New spare codes were made",
        EventKind::SpareCodeUsed => "A spare code was used up",
        EventKind::PasskeyAdded => "A passkey was added",
        EventKind::PasskeyRemoved => "A passkey was removed",
        EventKind::EmailChanged => "The email address was changed",
    }
}

impl Vault {
    /// The account's last events, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn events(&self, who: &Unlocked) -> Result<Vec<Event>> {
        let rows = self
            .store()
            .records
            .events_of(who.id(), MOST_EVENTS)
            .await?;
        Ok(rows.into_iter().map(Event::from).collect())
    }

    /// Notes an event. A failure to do so is logged and undoes nothing: the event has happened.
    pub(in crate::vault) async fn note(
        &self,
        account: &AccountId,
        kind: EventKind,
        caller: &Caller,
    ) {
        if let Err(error) = self.try_note(account, kind, caller).await {
            tracing::warn!(%account, %error, kind = kind.name(), "an event could not be noted");
        }
    }

    /// Notes a sign-in by a kind of client that has not signed in from this network before. (Events
    /// that others can cause, such as guessing, make no client known.)
    pub(in crate::vault) async fn note_new_device(
        &self,
        account: &AccountRow,
        caller: &Caller,
    ) -> Result<()> {
        let records = &self.store().records;
        let events = records.events_of(&account.id, MOST_EVENTS).await?;
        let network = caller.address.map(network_of);
        let is_known = events.iter().any(|event| {
            let is_recent = event.at + RENEW_AFTER > self.now();
            let there = event.address.parse().ok().map(network_of);
            is_recent && is_by_owner(event) && event.device == caller.device && there == network
        });
        if !is_known {
            self.note(&account.id, EventKind::NewDevice, caller).await;
        }
        Ok(())
    }

    /// Notes that somebody guesses at a secret, unless that was noted recently.
    pub(super) async fn note_guessing(&self, account: &AccountId, caller: &Caller) -> Result<()> {
        let records = &self.store().records;
        let events = records.events_of(account, MOST_EVENTS).await?;
        let told_since = self.now() - TELL_GUESSING;
        let is_told = |event: &EventRow| event.kind == EventKind::Guessing && event.at > told_since;
        if !events.iter().any(is_told) {
            self.note(account, EventKind::Guessing, caller).await;
        }
        Ok(())
    }

    async fn try_note(&self, account: &AccountId, kind: EventKind, caller: &Caller) -> Result<()> {
        let row = EventRow {
            id: EventId::from_bytes(crypto::random()?),
            account: *account,
            at: self.now(),
            kind,
            device: caller.device.clone(),
            address: caller.address_text(),
        };
        Ok(self.store().records.insert_event(&row).await?)
    }
}
