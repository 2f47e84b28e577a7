//! `image-vault serve`.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{logging, open_vault};
use crate::config::Config;
use crate::error::Fatal;
use crate::error::chain;
use crate::web;
use crate::worker;

/// Files and connections that may be open at once. Not as many as there are: a connection on which
/// half a head is sent may hold 0.4 MiB, and it is their number alone that bounds them.
const OPEN_FILES: u64 = 8_192;

/// Runs the server until it is asked to stop.
pub(super) async fn run(config: &Config) -> Result<(), Fatal> {
    logging::start(&config.logging)?;
    allow_more_open_files();
    let address = web::listen_address().map_err(|error| Fatal::config(chain(&error)))?;
    let public_url = &config.serving.public_url;
    let https = public_url
        .as_deref()
        .is_some_and(|url| url.starts_with("https://"));
    if !address.ip().is_loopback() && !https {
        tracing::warn!(
            "listening beyond this machine without HTTPS: passwords and pictures cross the network \
             in the clear; put a proxy with HTTPS in front and set `public_url` to its address"
        );
    }
    let vault = open_vault(config).await?;
    let upkeep = tokio::spawn(worker::run(vault.clone()));
    let shown = public_url.clone();
    let served = web::serve(vault, config, move |address| {
        // `localhost`, not 127.0.0.1: browsers allow passkeys on the name only.
        let local = format!("http://localhost:{}", address.port());
        let url = shown.as_deref().unwrap_or(&local);
        println!("Image Vault is ready: {url}");
    });
    let ended = served.await.map_err(|error| Fatal::failure(chain(&error)));
    upkeep.abort();
    ended
}

/// Asks for more open files. Each connection is one, and many systems give 1,024 to who does not
/// ask: idle connections would soon keep everybody out, and the store from its own files.
fn allow_more_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(OPEN_FILES, |maximum| maximum.min(OPEN_FILES));
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    let more = Rlimit {
        current: Some(wanted),
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, more) {
        tracing::warn!(%error, ?current, "the limit of open files stays as it is");
    }
}
