//! `image-vault admin`: roles, invitations, quotas.

use clap::Subcommand;
use jiff::SignedDuration;

use super::with_vault;
use crate::config::{self, Config, Registration};
use crate::error::Fatal;
use crate::error::chain;
use crate::store::Role;
use crate::vault::{Administrator, Allowance, QuotaChange, Vault};
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
    /// Decides how much an account may keep, or, without options, tells how much it keeps and may.
    Quota {
        /// User name or email address.
        user: String,
        /// Size of all that is kept of its pictures, with the trash: such as 50GiB, `none` for no limit, or `default`
        /// for what the server's settings say.
        #[arg(long, value_parser = bytes)]
        bytes: Option<Allowance>,
        /// Number of its pictures with the trash: a number, `none` or `default`.
        #[arg(long, value_parser = images)]
        images: Option<Allowance>,
    },
    /// Makes a link with which one person can register.
    Invite {
        /// Days for which it can be used.
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=365))]
        days: u16,
    },
}

pub(super) async fn run(config: &Config, command: Command) -> Result<(), Fatal> {
    with_vault(config, async |vault| {
        carry_out(&vault, config, command).await
    })
    .await
}

async fn carry_out(vault: &Vault, config: &Config, command: Command) -> Result<(), Fatal> {
    let (user, role, now) = match &command {
        Command::Grant { user } => (user, Role::Administrator, "an administrator"),
        Command::Revoke { user } => (user, Role::User, "an ordinary user"),
        Command::Invite { days } => return invite(vault, config, *days).await,
        Command::Remove { user, .. } => return remove(vault, user).await,
        Command::Quota {
            user,
            bytes,
            images,
        } => {
            let (bytes, images) = (*bytes, *images);
            return quota(vault, user, QuotaChange { bytes, images }).await;
        }
    };
    let found = vault.set_role(user, role).await;
    if !found.map_err(|error| Fatal::failure(chain(&error)))? {
        return Err(Fatal::failure(format!("there is no account `{user}`")));
    }
    println!("`{user}` is {now} now.");
    Ok(())
}

async fn remove(vault: &Vault, user: &str) -> Result<(), Fatal> {
    let removed = vault.remove_account(user).await;
    if !removed.map_err(|error| Fatal::failure(chain(&error)))? {
        return Err(Fatal::failure(format!("there is no account `{user}`")));
    }
    println!("`{user}` is deleted, with all pictures.");
    Ok(())
}

async fn quota(vault: &Vault, user: &str, change: QuotaChange) -> Result<(), Fatal> {
    let usage = vault.set_quota(user, change).await;
    match usage.map_err(|error| Fatal::failure(chain(&error)))? {
        None => Err(Fatal::failure(format!("there is no account `{user}`"))),
        Some(usage) => {
            println!("`{user}` keeps {}.", web::usage_in_words(&usage));
            Ok(())
        }
    }
}

fn bytes(text: &str) -> Result<Allowance, &'static str> {
    let allowed = "a size from 1 KiB to 1 PiB, `none` or `default`";
    allowance(text, config::quota_bytes).ok_or(allowed)
}

fn images(text: &str) -> Result<Allowance, &'static str> {
    let allowed = "a whole number up to 1000000000, `none` or `default`";
    allowance(text, config::quota_images).ok_or(allowed)
}

fn allowance(text: &str, parse: fn(&str) -> Option<Option<u64>>) -> Option<Allowance> {
    match text {
        "default" => Some(Allowance::Default),
        text => Some(parse(text)?.map_or(Allowance::Unlimited, Allowance::AtMost)),
    }
}

async fn invite(vault: &Vault, config: &Config, days: u16) -> Result<(), Fatal> {
    let lasts = SignedDuration::from_hours(24 * i64::from(days));
    let invitation = vault.invite(&Administrator::operator(), lasts).await;
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
