//! The command line: reads the configuration, opens the store, wires the vault to the web and the
//! worker, and says what went wrong.

mod admin;
mod doctor;
mod explain;
mod import;
mod instance;
mod logging;
mod serve;

use clap::{Parser, Subcommand};

use crate::config;
use crate::config::Config;
use crate::error::Fatal;
use crate::error::chain;
use crate::store;
use crate::store::Store;
use crate::store::StoreChoice;
use crate::vault::Vault;

/// Keeps private pictures sealed under keys which only their owners hold.
#[derive(Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server (also what happens without a command).
    Serve,
    /// Makes an account an administrator, or takes that away.
    #[command(subcommand)]
    Admin(admin::Command),
    /// Brings the pictures of an export back into an account, whose password it asks for.
    Import(import::Import),
    /// Looks at the configuration.
    #[command(subcommand)]
    Config(explain::Command),
    /// Checks the store, the key file, permissions and limits, and says what to mend.
    Doctor,
}

/// Parses the arguments. Ends the program where they make no sense, or ask for help.
pub fn parse() -> Cli {
    Cli::parse()
}

/// Runs the command.
///
/// # Errors
/// With a sentence for the operator.
pub async fn run(cli: Cli) -> Result<(), Fatal> {
    let loaded = config::load().map_err(|error| Fatal::config(chain(&error)))?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&loaded.config).await,
        Command::Admin(command) => admin::run(&loaded.config, command).await,
        Command::Import(command) => import::run(&loaded.config, command).await,
        Command::Config(command) => explain::run(&loaded, command),
        Command::Doctor => doctor::run(&loaded).await,
    }
}

fn store_choice(config: &Config) -> StoreChoice {
    match &config.storage.mongodb {
        Some(uri) => StoreChoice::Mongodb { uri: uri.clone() },
        None => StoreChoice::Embedded {
            dir: config.storage.data_dir.clone(),
        },
    }
}

async fn open_store(config: &Config) -> Result<Store, Fatal> {
    store::open(&store_choice(config))
        .await
        .map_err(|error| Fatal::config(chain(&error)))
}

/// The vault over the configured store, with the instance's secret.
async fn open_vault(config: &Config) -> Result<Vault, Fatal> {
    let store = open_store(config).await?;
    let secret = instance::secret(config, &store).await?;
    let opened = Vault::open(
        store,
        config,
        &secret,
        std::sync::Arc::new(jiff::Timestamp::now),
    );
    opened.await.map_err(|error| Fatal::config(chain(&error)))
}

/// Opens the vault for this work, and closes it however the work has ended: so no command leaves
/// behind what was deleted.
async fn with_vault(
    config: &Config,
    work: impl AsyncFnOnce(Vault) -> Result<(), Fatal>,
) -> Result<(), Fatal> {
    let vault = open_vault(config).await?;
    let ended = work(vault.clone()).await;
    let closed = vault.close().await;
    ended?;
    closed.map_err(|error| Fatal::failure(format!("closing the store: {}", chain(&error))))
}
