//! What an account's owner may change about it: the address to sign in with, and the name to show.

use super::accounts::{display_name_problem, email_problem, login_key};
use super::credentials::{MOST_RACES, won_race};
use crate::store::{AccountRow, EventKind, StoreError};
use crate::vault::error::{FieldErrors, Result, VaultError};
use crate::vault::{Caller, Proof, Unlocked, Vault};

/// A change of an account's profile; a field that is `None` stays as it is.
pub struct ProfileChange {
    /// A new email address.
    pub email: Option<String>,
    /// What pages call the person; the user name when empty.
    pub display_name: Option<String>,
}

impl ProfileChange {
    fn check(&self) -> Result<()> {
        let problem = |field: &'static str, problem: Option<String>| Some((field, problem?));
        let email = self.email.as_deref().and_then(email_problem);
        let name = self.display_name.as_deref().and_then(display_name_problem);
        let problems = [problem("email", email), problem("display_name", name)];
        let named = problems.into_iter().flatten();
        let errors: FieldErrors = named
            .map(|(field, problem)| (field.into(), problem))
            .collect();
        match errors.is_empty() {
            true => Ok(()),
            false => Err(VaultError::Invalid(errors)),
        }
    }

    /// Whether the change names another address, by which the owner signs in.
    fn renames(&self, account: &AccountRow) -> bool {
        let given = self.email.as_deref().map(str::trim);
        given.is_some_and(|email| email != account.email)
    }

    fn apply(&self, row: &mut AccountRow) {
        if let Some(email) = self.email.as_deref().map(str::trim) {
            row.email = email.to_owned();
            row.email_key = login_key(email);
        }
        if let Some(name) = self.display_name.as_deref().map(str::trim) {
            row.display_name = match name {
                "" => row.username.clone(),
                name => name.to_owned(),
            };
        }
    }
}

impl Vault {
    /// Changes the address or the name to show. Another address needs the owner's proof.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] and [`VaultError::Taken`] naming `email` or `display_name`; for another
    /// address as [`Vault::change_password`]; [`VaultError::Busy`].
    pub async fn change_profile(
        &self,
        who: &Unlocked,
        change: ProfileChange,
        proof: Proof,
        caller: &Caller,
    ) -> Result<AccountRow> {
        change.check()?;
        let (records, mut proven) = (&self.store().records, None);
        for _ in 0..MOST_RACES {
            let row = records.account(who.id()).await?;
            let mut row = row.ok_or(VaultError::Unauthenticated)?;
            let renames = change.renames(&row);
            if renames {
                if proven.is_none() {
                    proven = Some(self.prove(who, &proof, caller).await?);
                }
                if let Some(proven) = &proven {
                    row = self.still_proven(proven).await?;
                }
            }
            change.apply(&mut row);
            let updated = records.update_account(&row).await.map_err(taken)?;
            if won_race(updated)? {
                row.revision += 1;
                if renames {
                    self.note(who.id(), EventKind::EmailChanged, caller).await;
                }
                return Ok(row);
            }
        }
        Err(VaultError::Busy)
    }
}

/// Only the address can be taken: the user name does not change.
fn taken(error: StoreError) -> VaultError {
    match error {
        StoreError::Taken(_) => {
            let message = "There is already an account with this address.";
            VaultError::Taken(FieldErrors::from([("email".into(), message.into())]))
        }
        other => other.into(),
    }
}
