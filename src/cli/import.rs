//! `image-vault import`: takes an export back in, for somebody who knows the account's password.
//!
//! It works on the store itself, beside a running server or without one. The operator alone cannot
//! do it: only the password opens the account's key.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::fs::File;
use tokio::io::BufReader;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::with_vault;
use crate::config::Config;
use crate::error::Fatal;
use crate::error::chain;
use crate::vault::{Caller, ImportMode, Imported, SignIn, Unlocked, Vault, VaultError};

/// Bytes read from the zip at a time.
const BUFFER: usize = 256 << 10;
/// How often the line that tells the progress changes.
const TELL_EVERY: Duration = Duration::from_millis(200);

#[derive(Args)]
pub(super) struct Import {
    /// The zip of an export, as it was downloaded.
    file: PathBuf,
    /// User name or email address of the account that gets the pictures.
    #[arg(long)]
    user: String,
    /// Reads the password from standard input instead of asking for it.
    #[arg(long)]
    password_stdin: bool,
    /// Code of the authenticator app, or a spare code, where the account asks for one.
    #[arg(long)]
    code: Option<String>,
    /// Adds nothing: only looks whether every picture of the zip is in the vault.
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(config: &Config, command: Import) -> Result<(), Fatal> {
    let zip = open(&command.file).await?;
    with_vault(config, async |vault| import(&vault, zip, command).await).await
}

async fn import(vault: &Vault, zip: BufReader<File>, command: Import) -> Result<(), Fatal> {
    let password = password(command.password_stdin)?;
    let who = sign_in(vault, command.user, password, command.code).await?;
    let mode = match command.check {
        true => ImportMode::Check,
        false => ImportMode::Add,
    };
    let done = vault.import(&who, zip, mode, progress()).await;
    if std::io::stderr().is_terminal() {
        eprintln!();
    }
    let signed_out = vault.sign_out(&who).await;
    let done = done.map_err(failed)?;
    signed_out.map_err(failed)?;
    tell(&done)
}

async fn open(path: &Path) -> Result<BufReader<File>, Fatal> {
    let file = File::open(path).await;
    let file =
        file.map_err(|error| Fatal::failure(format!("cannot read {}: {error}", path.display())))?;
    Ok(BufReader::with_capacity(BUFFER, file))
}

fn password(from_stdin: bool) -> Result<Zeroizing<String>, Fatal> {
    let read = match from_stdin {
        true => {
            let mut line = Zeroizing::new(String::new());
            std::io::stdin().read_line(&mut line).map(|_| {
                let end = line.trim_end_matches(['\r', '\n']).len();
                line.truncate(end);
                line
            })
        }
        false => rpassword::prompt_password("Password: ").map(Zeroizing::new),
    };
    read.map_err(|error| {
        Fatal::failure(format!(
            "cannot ask for the password ({error}): give it by `--password-stdin`"
        ))
    })
}

async fn sign_in(
    vault: &Vault,
    login: String,
    password: Zeroizing<String>,
    code: Option<String>,
) -> Result<Unlocked, Fatal> {
    let ask = |code: Option<Zeroizing<String>>| SignIn {
        login: login.clone(),
        password: password.clone(),
        code,
        keep: false,
    };
    let caller = Caller::operator();
    let given = ask(code.map(Zeroizing::new));
    let started = match vault.sign_in(given, &caller).await {
        Err(VaultError::FactorWanted(_)) => {
            let typed = rpassword::prompt_password("Code of the app, or a spare code: ");
            let typed = typed.map_err(|_| Fatal::failure(WITHOUT_CODE))?;
            vault.sign_in(ask(Some(typed.into())), &caller).await
        }
        started => started,
    };
    let token = started.map_err(failed)?.token;
    vault.unlock(&token).await.map_err(failed)
}

const WITHOUT_CODE: &str = "this account asks for a code as well: give it by `--code`";

fn failed(error: VaultError) -> Fatal {
    Fatal::failure(chain(&error))
}

/// A line of progress that changes in place, where standard error is a terminal.
fn progress() -> impl FnMut(usize, usize) + Send {
    let watched = std::io::stderr().is_terminal();
    let mut told: Option<Instant> = None;
    move |done, total| {
        let due = told.is_none_or(|told| told.elapsed() >= TELL_EVERY) || done == total;
        if watched && due {
            told = Some(Instant::now());
            // An error of standard error has nowhere to be told.
            let _ = write!(std::io::stderr(), "\r{done} of {total}");
        }
    }
}

fn tell(done: &Imported) -> Result<(), Fatal> {
    // Names are hostile text: none may move the cursor.
    for one in &done.failed {
        println!("{}: {}", one.name.escape_debug(), one.reason);
    }
    for name in &done.left_out {
        let name = name.escape_debug();
        println!("{name}: It was damaged when the zip was made, and is not in it.");
    }
    println!("{} added, {} here before", done.added, done.already_here);
    println!("{} of {} identical", done.identical, done.total);
    match done.failures() {
        0 => Ok(()),
        failures => Err(Fatal::failure(format!(
            "{failures} of the zip's pictures are not in the vault"
        ))),
    }
}
