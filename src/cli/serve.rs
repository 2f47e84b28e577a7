//! `image-vault serve`.

use std::net::SocketAddr;

use super::{logging, with_vault};
use crate::config::Config;
use crate::error::Fatal;
use crate::error::chain;
use crate::vault::Vault;
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
    let shown = public_url.clone();
    let ready = move |address: SocketAddr| {
        // `localhost`, not 127.0.0.1: browsers allow passkeys on the name only.
        let local = format!("http://localhost:{}", address.port());
        let url = shown.as_deref().unwrap_or(&local);
        println!("Image Vault is ready: {url}");
    };
    let serve = async move |vault: Vault| {
        let upkeep = tokio::spawn(worker::run(vault.clone()));
        let served = web::serve(vault, config, ready).await;
        upkeep.abort();
        served.map_err(|error| Fatal::failure(chain(&error)))
    };
    with_vault(config, serve).await
}
