//! API tokens: secrets that a person gives to programs, for the scopes and until the day that the
//! person chose. The row of each wraps the master key, like a sign-in's.

use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::credentials::Proven;
use crate::crypto::{SessionToken, WrapKind};
use crate::ids::SessionId;
use crate::store::{EventKind, SessionKind, SessionRow};
use crate::vault::access::{API_TOKEN_PREFIX, Scopes};
use crate::vault::error::{FieldErrors, Result, VaultError};
use crate::vault::{Caller, Proof, Unlocked, Vault, keys};

/// Most tokens that an account has at once.
const MOST: u32 = 50;
const MAX_NAME_CHARS: usize = 64;
/// Nobody remembers for longer what a token was for.
const MAX_DAYS: u32 = 366;
/// What suits most people: a program that is still in use is given a new one four times a year.
const DEFAULT_DAYS: u32 = 90;

/// The properties of a new token.
pub struct NewToken {
    /// What it is for, in the owner's words.
    pub name: String,
    /// What it may do: words of [`crate::vault::Scope::name`].
    pub scopes: Vec<String>,
    /// How many days it lasts; ninety where nothing is said.
    pub days: Option<u32>,
}

impl NewToken {
    fn check(&self) -> Result<(Scopes, SignedDuration)> {
        let mut errors = FieldErrors::new();
        let name = self.name.trim();
        if name.is_empty() {
            errors.insert("name".into(), "Say what the token is for.".into());
        } else if name.chars().count() > MAX_NAME_CHARS || name.contains(char::is_control) {
            let message = format!("A name is one line of at most {MAX_NAME_CHARS} characters.");
            errors.insert("name".into(), message);
        }
        let days = self.days.unwrap_or(DEFAULT_DAYS);
        if !(1..=MAX_DAYS).contains(&days) {
            let message = format!("A token lasts from 1 to {MAX_DAYS} days.");
            errors.insert("expires_in_days".into(), message);
        }
        let scopes = Scopes::named(self.scopes.iter().map(String::as_str));
        if let Err(message) = &scopes {
            errors.insert("scopes".into(), message.clone());
        }
        match scopes {
            Ok(scopes) if errors.is_empty() => {
                Ok((scopes, SignedDuration::from_hours(24 * i64::from(days))))
            }
            _ => Err(VaultError::Invalid(errors)),
        }
    }
}

/// A token that has not ended.
pub struct ApiToken {
    /// Names the token in calls.
    pub id: SessionId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute; `None` where it never was.
    pub used_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl From<SessionRow> for ApiToken {
    fn from(row: SessionRow) -> Self {
        Self {
            id: super::devices::id_of(&row),
            name: row.label,
            scopes: Scopes::from_bits(row.scopes.unwrap_or_default()),
            created_at: row.created_at,
            used_at: Some(row.last_seen_at).filter(|at| *at > row.created_at),
            expires_at: row.expires_at,
        }
    }
}

/// A token that has just been made.
pub struct MadeToken {
    /// The secret. Shown once; the store has a digest of half of it.
    pub secret: Zeroizing<String>,
    /// The token as it is listed from now on.
    pub token: ApiToken,
}

impl Vault {
    /// Makes a token. It needs the owner's proof, as the token outlasts the sign-in.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] naming `name`, `scopes` or `expires_in_days`, and as
    /// [`Vault::change_password`].
    pub async fn make_token(
        &self,
        who: &Unlocked,
        new: NewToken,
        proof: Proof,
        caller: &Caller,
    ) -> Result<MadeToken> {
        let (scopes, lasts) = new.check()?;
        if self.tokens(who).await?.len() >= MOST as usize {
            let message = format!("You have {MOST} tokens. Revoke one that is not in use.");
            return Err(VaultError::invalid("name", message));
        }
        let Proven { account, master } = self.prove(who, &proof, caller).await?;
        let token = SessionToken::generate()?;
        let now = self.now();
        let expires_at = now + lasts;
        let subject = scopes.subject_of(&token, expires_at);
        let row = SessionRow {
            digest: token.digest(),
            account: *who.id(),
            master_wrap: keys::wrap(
                WrapKind::ApiToken,
                who.id(),
                &subject,
                token.secret(),
                &master,
            )?,
            created_at: now,
            last_seen_at: now,
            // A program may rest for as long as its token lasts.
            idle_at: expires_at,
            expires_at,
            label: new.name.trim().to_owned(),
            address: caller.address_text(),
            scopes: Some(scopes.bits()),
            mk_generation: account.mk_generation,
        };
        let records = &self.store().records;
        // Proving takes a while, and the token outlasts the sign-in that makes it.
        who.watch.look().await?;
        records.insert_session(&row).await?;
        if self
            .end_if_credentials_changed(&account, &row.digest)
            .await?
        {
            return Err(VaultError::WrongPassword);
        }
        self.note(who.id(), EventKind::TokenMade, caller).await;
        let secret = Zeroizing::new(format!("{API_TOKEN_PREFIX}{}", &*token.to_text()));
        Ok(MadeToken {
            secret,
            token: row.into(),
        })
    }

    /// The account's tokens that still work, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn tokens(&self, who: &Unlocked) -> Result<Vec<ApiToken>> {
        let rows = self.token_rows(who).await?;
        Ok(rows.into_iter().map(ApiToken::from).collect())
    }

    /// Ends a token, and the downloads that run on it.
    ///
    /// # Errors
    /// [`VaultError::NotFound`].
    pub async fn revoke_token(
        &self,
        who: &Unlocked,
        id: &SessionId,
        caller: &Caller,
    ) -> Result<()> {
        let rows = self.token_rows(who).await?;
        self.end_session(who, rows, id).await?;
        self.note(who.id(), EventKind::TokenRevoked, caller).await;
        Ok(())
    }

    async fn token_rows(&self, who: &Unlocked) -> Result<Vec<SessionRow>> {
        let records = &self.store().records;
        let kind = SessionKind::ApiToken;
        // Calls that race exceed the limit by a few tokens; those are listed as well.
        Ok(records
            .sessions_of(who.id(), kind, self.now(), 2 * MOST)
            .await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Scope;

    fn token(name: &str, scopes: &[&str], days: Option<u32>) -> NewToken {
        NewToken {
            name: name.into(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            days,
        }
    }

    #[test]
    fn a_token_is_for_what_its_owner_chose_and_nothing_else() {
        let (scopes, lasts) = token("Backup", &["read"], None).check().unwrap();
        assert!(scopes.has(Scope::Read) && !scopes.has(Scope::Write) && !scopes.has(Scope::Share));
        assert_eq!(scopes.names(), ["read"]);
        assert_eq!(lasts, SignedDuration::from_hours(90 * 24));
    }

    #[test]
    fn each_mistake_is_told_at_its_field() {
        let long = "a".repeat(65);
        for (new, field) in [
            (token(" ", &["read"], None), "name"),
            (token(&long, &["read"], None), "name"),
            (token("a\nb", &["read"], None), "name"),
            (token("a", &[], None), "scopes"),
            (token("a", &["root"], None), "scopes"),
            (token("a", &["read", ""], None), "scopes"),
            (token("a", &["read"], Some(0)), "expires_in_days"),
            (token("a", &["read"], Some(367)), "expires_in_days"),
        ] {
            let Err(VaultError::Invalid(errors)) = new.check() else {
                panic!("{field} was taken");
            };
            assert_eq!(errors.keys().collect::<Vec<_>>(), [field]);
        }
    }
}
