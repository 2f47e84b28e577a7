//! `image-vault admin`.

use clap::Subcommand;

use super::open_vault;
use crate::config::Config;
use crate::error::Fatal;
use crate::error::chain;
use crate::store::Role;

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
}

pub(super) async fn run(config: &Config, command: Command) -> Result<(), Fatal> {
    let (user, role, now) = match &command {
        Command::Grant { user } => (user, Role::Administrator, "an administrator"),
        Command::Revoke { user } => (user, Role::User, "an ordinary user"),
    };
    let vault = open_vault(config).await?;
    let found = vault.set_role(user, role).await;
    if !found.map_err(|error| Fatal::failure(chain(&error)))? {
        return Err(Fatal::failure(format!("there is no account `{user}`")));
    }
    println!("`{user}` is {now} now.");
    Ok(())
}
