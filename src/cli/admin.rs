//! `image-vault admin`: roles and invitations.

use clap::Subcommand;
use jiff::SignedDuration;

use super::open_vault;
use crate::config::{Config, Registration};
use crate::error::Fatal;
use crate::error::chain;
use crate::store::Role;
use crate::web;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Makes an account an administrator.
    Grant {
        /// User name or email address.
        user: String,
    },
    /// Makes an administrator an ordinary user.
    Revoke {
        /// User name or email address.
        user: String,
    },
    /// Deletes an account with all its pictures: for somebody who has lost password and recovery
    /// code and wants to start over. Nobody can bring anything back.
    Remove {
        /// User name or email address.
        user: String,
        /// Says that you mean it.
        #[arg(long, required = true)]
        yes: bool,
    },
    /// Makes a link with which one person can register.
    Invite {
        /// Days for which it can be used.
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=365))]
        days: u16,
    },
}

pub(super) async fn run(config: &Config, command: Command) -> Result<(), Fatal> {
    let (user, role, now) = match &command {
        Command::Grant { user } => (user, Role::Administrator, "an administrator"),
        Command::Revoke { user } => (user, Role::User, "an ordinary user"),
        Command::Invite { days } => return invite(config, *days).await,
        Command::Remove { user, .. } => return remove(config, user).await,
    };
    let vault = open_vault(config).await?;
    let found = vault.set_role(user, role).await;
    if !found.map_err(|error| Fatal::failure(chain(&error)))? {
        return Err(Fatal::failure(format!("there is no account `{user}`")));
    }
    println!("`{user}` is {now} now.");
    Ok(())
}

async fn remove(config: &Config, user: &str) -> Result<(), Fatal> {
    let vault = open_vault(config).await?;
    let removed = vault.remove_account(user).await;
    if !removed.map_err(|error| Fatal::failure(chain(&error)))? {
        return Err(Fatal::failure(format!("there is no account `{user}`")));
    }
    println!("`{user}` is deleted, with all pictures.");
    Ok(())
}

async fn invite(config: &Config, days: u16) -> Result<(), Fatal> {
    let vault = open_vault(config).await?;
    let lasts = SignedDuration::from_hours(24 * i64::from(days));
    let invitation = vault.invite(lasts).await;
    let invitation = invitation.map_err(|error| Fatal::failure(chain(&error)))?;
    let address = web::listen_address().map_err(|error| Fatal::config(chain(&error)))?;
    let local = format!("http://localhost:{}", address.port());
    let site = config.serving.public_url.as_deref().unwrap_or(&local);
    println!("{site}/register?invitation={}", *invitation.token);
    if config.registration != Registration::Invitation {
        eprintln!("It has no effect as long as `registration` is not `invitation`.");
    }
    Ok(())
}
