//! Registration: the rules for names, addresses and passwords, and the keys a new account gets.

use email_address::EmailAddress;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::skeletons::skeleton;
use super::strength::{MAX_WORD_BYTES, length_problem};
use crate::crypto;
use crate::crypto::{AccountSecret, DigestKey, MasterKey, RecoverySecret, WrapKind};
use crate::ids::AccountId;
use crate::store::{AccountRow, EventKind, Role, StoreError, UniqueField, Updated};
use crate::vault::access::SessionLifetime;
use crate::vault::error::{FieldErrors, Result, VaultError};
use crate::vault::{Caller, Started, Vault, keys};

const MAX_NAME_CHARS: usize = 64;
/// Longest address that can be delivered to (RFC 5321, 4.5.3.1.3, less the angle brackets).
const MAX_EMAIL_BYTES: usize = 254;
// Every address fits into the words that a password is compared with, so a password that is the
// owner's own address is judged weak.
const _: () = assert!(MAX_EMAIL_BYTES <= MAX_WORD_BYTES);

/// The input of a registration.
pub struct NewAccount {
    /// User name.
    pub username: String,
    /// Email address.
    pub email: String,
    /// Password.
    pub password: Zeroizing<String>,
    /// What pages call the person; the user name when empty.
    pub display_name: Option<String>,
    /// The token of an invitation, where one is needed.
    pub invitation: Option<String>,
}

/// An account that was opened without a session: by registering, by its recovery code, or by
/// replacing its master key, which ends all sessions.
pub struct Opened {
    /// Its row.
    pub account: AccountRow,
    /// Opens the vault when the password is lost. Shown once and kept nowhere.
    pub recovery_code: Zeroizing<String>,
    pub(super) master: MasterKey,
    pub(in crate::vault) lifetime: SessionLifetime,
}

impl Vault {
    /// Registers an account. The first one becomes administrator.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] naming every field that breaks a rule, [`VaultError::Taken`] naming
    /// the field somebody else has, [`VaultError::RegistrationClosed`], [`VaultError::NotInvited`],
    /// [`VaultError::Busy`].
    pub async fn register(&self, mut new: NewAccount, caller: &Caller) -> Result<Opened> {
        check(&new)?;
        let admission = self.admission(new.invitation.take().as_deref()).await?;
        // Only after admission: judging costs time, not to be spent on people who may not register.
        let context = [new.username.as_str(), &new.email];
        self.judge("password", &new.password, context).await?;
        let id = AccountId::from_bytes(crypto::random()?);
        let hashing = self.0.passwords.fresh()?;
        let password_key = self.0.passwords.derive(&new.password, &hashing).await?;
        let (master, recovery) = (MasterKey::generate()?, RecoverySecret::generate()?);
        let (digest, secret) = (DigestKey::generate()?, AccountSecret::generate()?);
        let (subject, now) = (id.as_bytes(), self.now());
        let mut account = AccountRow {
            id,
            username_key: login_key(&new.username),
            username_skeleton: Some(skeleton(&new.username)),
            email_key: login_key(&new.email),
            display_name: display_name(&new),
            username: new.username,
            email: new.email.trim().to_owned(),
            role: Role::User,
            created_at: now,
            kdf: keys::kdf_row(&hashing),
            password_wrap: keys::wrap_by_password(&id, &hashing, &password_key, &master)?,
            recovery_wrap: keys::wrap(WrapKind::Recovery, &id, subject, &recovery, &master)?,
            digest_wrap: keys::wrap(WrapKind::DigestKey, &id, subject, &master, &digest)?,
            public_key: secret.public_key(),
            secret_wrap: keys::wrap(WrapKind::AccountSecret, &id, subject, &master, &secret)?,
            mk_generation: 1,
            retired_wrap: None,
            password_set_at: now,
            recovery_made_at: now,
            recovery_proven_at: None,
            revision: 0,
        };
        let records = &self.store().records;
        account.role = match records.insert_account(&account, &admission).await {
            Err(StoreError::Taken(field)) => return Err(self.taken(&account, field).await?),
            Err(StoreError::NotAdmitted) => return Err(self.refusal()),
            stored => stored?,
        };
        tracing::info!(account = %account.id, "account registered");
        self.note(&account.id, EventKind::Registered, caller).await;
        Ok(Opened {
            account,
            recovery_code: recovery.to_code(),
            master,
            lifetime: SessionLifetime::Idle,
        })
    }

    /// Names every field whose value another account has, not only the one the store met first.
    async fn taken(&self, new: &AccountRow, met: UniqueField) -> Result<VaultError> {
        let records = &self.store().records;
        let mut errors = FieldErrors::new();
        let by_name = records.account_by_login(&new.username_key).await?;
        let skeleton = new.username_skeleton.as_deref().unwrap_or_default();
        let by_look = records.account_by_skeleton(skeleton).await?;
        if by_name.is_some() || by_look.is_some() || met == UniqueField::Username {
            let message = match by_look {
                Some(_) if by_name.is_none() => {
                    "This user name looks like one that is taken. Choose another one."
                }
                _ => "This user name is taken.",
            };
            errors.insert("username".into(), message.into());
        }
        let by_email = records.account_by_login(&new.email_key).await?;
        if by_email.is_some() || met == UniqueField::Email {
            let message = "There is already an account with this address.";
            errors.insert("email".into(), message.into());
        }
        Ok(VaultError::Taken(errors))
    }

    /// Signs the owner of an opened account in, without asking for the password again.
    ///
    /// # Errors
    /// [`VaultError::Unauthenticated`] where the account's secrets have been changed since.
    pub async fn start_first_session(&self, opened: Opened, caller: &Caller) -> Result<Started> {
        let Opened {
            account,
            master,
            lifetime,
            ..
        } = opened;
        let started = self
            .start_session(account, &master, caller, lifetime)
            .await?;
        match self
            .end_if_credentials_changed(&started.account, &started.digest)
            .await?
        {
            true => Err(VaultError::Unauthenticated),
            false => Ok(started),
        }
    }

    /// Gives an account a role; for the operator's command line. `false` where there is no such
    /// account.
    ///
    /// # Errors
    /// The store's.
    pub async fn set_role(&self, login: &str, role: Role) -> Result<bool> {
        loop {
            let Some(mut row) = self
                .store()
                .records
                .account_by_login(&login_key(login))
                .await?
            else {
                return Ok(false);
            };
            row.role = role;
            match self.store().records.update_account(&row).await? {
                Updated::Done => {
                    self.note(&row.id, EventKind::RoleChanged, &Caller::operator())
                        .await;
                    return Ok(true);
                }
                Updated::Missing => return Ok(false),
                Updated::Conflict => {}
            }
        }
    }
}

/// The form in which names and addresses are compared: compatibility-composed and lower case, so
/// that no two accounts differ only by case or by how a letter is encoded.
pub(super) fn login_key(text: &str) -> String {
    text.trim()
        .nfkc()
        .collect::<String>()
        .to_lowercase()
        .nfkc()
        .collect()
}

fn display_name(new: &NewAccount) -> String {
    let given = new.display_name.as_deref().map_or("", str::trim);
    if given.is_empty() {
        new.username.clone()
    } else {
        given.to_owned()
    }
}

/// The rules that can be checked at once and without costly work.
fn check(new: &NewAccount) -> Result<()> {
    let problems = [
        ("username", username_problem(&new.username)),
        ("email", email_problem(&new.email)),
        ("password", length_problem(&new.password)),
        (
            "display_name",
            display_name_problem(new.display_name.as_deref().unwrap_or("")),
        ),
    ];
    let errors: FieldErrors = problems
        .into_iter()
        .filter_map(|(field, problem)| Some((field.into(), problem?)))
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(VaultError::Invalid(errors))
    }
}

fn username_problem(name: &str) -> Option<String> {
    // No `@`, so that one field can take a name or an address.
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() {
        Some("Choose a user name.".into())
    } else if name.chars().count() > MAX_NAME_CHARS {
        Some(format!(
            "A user name has at most {MAX_NAME_CHARS} characters."
        ))
    } else if !name.chars().all(allowed) {
        Some("A user name has letters, digits, dots, hyphens and underscores only.".into())
    } else {
        None
    }
}

pub(super) fn email_problem(email: &str) -> Option<String> {
    let options = email_address::Options::default()
        .with_required_tld()
        .without_display_text();
    let email = email.trim();
    if email.is_empty() {
        Some("Enter your email address.".into())
    } else if email.len() > MAX_EMAIL_BYTES
        || email.contains(char::is_control)
        || EmailAddress::parse_with_options(email, options).is_err()
    {
        Some("This is not an email address.".into())
    } else {
        None
    }
}

pub(super) fn display_name_problem(name: &str) -> Option<String> {
    if name.trim().chars().count() > MAX_NAME_CHARS {
        Some(format!(
            "A display name has at most {MAX_NAME_CHARS} characters."
        ))
    } else if name.contains(char::is_control) {
        Some("A display name has no control characters.".into())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_by_more_than_case_or_encoding() {
        assert_eq!(login_key("Ärger"), login_key("A\u{308}RGER"));
        assert_eq!(login_key(" Me@Example.ORG "), "me@example.org");
    }

    /// R1.3: every field is required and bounded on the server.
    #[test]
    fn empty_and_endless_fields_are_refused() {
        for name in ["", " ", "a b", "me@x", "<b>", "a\u{202e}b", &"x".repeat(65)] {
            assert!(username_problem(name).is_some(), "{name:?}");
        }
        for name in ["x", "Grüße", "图片", "a.b-c_d"] {
            assert!(username_problem(name).is_none(), "{name:?}");
        }
    }

    /// R0.2: the server checks the syntax, not only the browser.
    #[test]
    fn addresses_are_checked() {
        let long = format!("{}@example.org", "x".repeat(300));
        for email in [
            "",
            "not-an-email",
            "a@",
            "@b.org",
            "a@b",
            "A <a@b.org>",
            "a@b\n.org",
            &long,
        ] {
            assert!(email_problem(email).is_some(), "{email:?}");
        }
        assert!(email_problem("someone+tag@sub.example.org").is_none());
    }
}
