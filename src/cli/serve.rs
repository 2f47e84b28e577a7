//! `image-vault serve`.

use super::{logging, open_vault};
use crate::config::Config;
use crate::error::Fatal;
use crate::error::chain;
use crate::web;
use crate::worker;

/// Runs the server until it is asked to stop.
pub(super) async fn run(config: &Config) -> Result<(), Fatal> {
    logging::start(&config.logging)?;
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
