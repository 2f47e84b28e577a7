//! Where events go: standard error, as text or JSON. Libraries are heard from `warn` on.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::Logging;
use crate::error::Fatal;

/// webauthn-rs quotes input that it could not parse, which anybody may have sent, at any length.
const UNHEARD: &str = "webauthn_rs=off,webauthn_rs_core=off";

pub(super) fn start(config: &Logging) -> Result<(), Fatal> {
    let own_level = ["error", "warn", "info", "debug"].contains(&config.filter.as_str());
    let filter = match own_level {
        true => format!("warn,{UNHEARD},image_vault={}", config.filter),
        false => config.filter.clone(),
    };
    let filter = EnvFilter::try_new(filter).map_err(|_| {
        Fatal::config("`log` must be `error`, `warn`, `info`, `debug` or an EnvFilter expression")
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match config.json {
        true => builder.json().try_init(),
        false => builder.try_init(),
    };
    started.map_err(|error| Fatal::failure(format!("logging cannot start: {error}")))
}
