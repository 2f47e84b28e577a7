//! HTTP: parses, asks the vault, renders. It knows no storage, so no handler can skip the vault's
//! checks. A file per noun in `api` (the contract) and `pages` (the same by plain forms).

mod accept;
mod answers;
mod api;
mod app;
mod assets;
mod body;
mod budgets;
mod caller;
mod catchers;
mod download;
mod error_page;
mod file_form;
mod forms;
mod gate;
mod guards;
mod headers;
mod hosts;
mod json;
mod metrics;
mod pages;
mod params;
mod problem;
mod qr;
mod quota;
mod range;
mod receive;
mod requests;
mod routes;
mod server;
mod shell;
mod site;
mod stop;
mod theme;
mod units;
mod watched;
mod wire;

use std::net::SocketAddr;

use rocket::config::{Ident, LogLevel};
use rocket::shield::Shield;
use rocket::{Build, Rocket};
use rocket_dyn_templates::Template;

pub use quota::words as usage_in_words;
pub use server::files_for;

use self::server::{Patience, Places, Server};
use crate::config::Config;
use crate::vault::Vault;

/// Connections at once to the port of `/metrics`.
const METRICS_CONNECTIONS: usize = 64;

/// A server that could not start or did not end well.
#[derive(Debug, thiserror::Error)]
#[error("the server could not run: {0}")]
pub struct ServeError(String);

/// Serves the vault until it is asked to stop, then lets running downloads finish for the
/// configured time. Address, port and TLS are Rocket's own settings. `ready` is called with the
/// address once connections are taken.
///
/// # Errors
/// Where the address cannot be used or Rocket's own settings are wrong.
pub async fn serve(
    vault: Vault,
    config: &Config,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let system = |error: std::io::Error| ServeError(error.to_string());
    let requests = stop::Requests::listen().map_err(system)?;
    let metrics = metrics::Metrics::new();
    let rocket = build(vault, config, metrics.clone())?;
    let serving = &config.serving;
    let patience = Patience {
        head: serving.receive_stall,
        send: serving.send_stall,
        grace: serving.shutdown_grace,
    };
    let places = Places::new(serving.connections, &serving.trusted_proxies);
    let server = Server::bind(rocket, patience, places).await?;
    let beside = Some(serving.metrics_port).filter(|port| *port != 0);
    let beside = beside.map(|port| tokio::spawn(serve_metrics(metrics, port, patience)));
    ready(server.address().map_err(system)?);
    server.run(requests).await;
    if let Some(beside) = beside {
        beside.abort();
    }
    Ok(())
}

/// A taken port is no reason not to serve pictures.
async fn serve_metrics(metrics: metrics::Metrics, port: u16, patience: Patience) {
    let places = Places::new(METRICS_CONNECTIONS, &[]);
    let served = async {
        let requests = stop::Requests::listen().map_err(|error| ServeError(error.to_string()))?;
        let server = Server::bind(metrics.server(port), patience, places).await?;
        server.run(requests).await;
        Ok::<(), ServeError>(())
    };
    if let Err(error) = served.await {
        tracing::warn!(port, %error, "/metrics is not served; set `metrics_port`");
    }
}

/// The address and port that Rocket will use.
///
/// # Errors
/// Where Rocket's own settings are wrong.
pub fn listen_address() -> Result<SocketAddr, ServeError> {
    let config = rocket::Config::figment()
        .extract::<rocket::Config>()
        .map_err(|error| ServeError(error.to_string()))?;
    Ok(SocketAddr::new(config.address, config.port))
}

/// The names by which the server answers, in words for its operator.
pub fn hosts_in_words(config: &Config) -> String {
    hosts::Hosts::new(config.serving.public_url.as_deref()).in_words()
}

fn build(
    vault: Vault,
    config: &Config,
    metrics: metrics::Metrics,
) -> Result<Rocket<Build>, ServeError> {
    let figment = rocket::Config::figment()
        .merge(("ident", Ident::none()))
        // Rocket's own lines hold paths, and so names and tokens. We log requests ourselves.
        .merge(("log_level", LogLevel::Off))
        // Anybody could send such a header; whom to believe is our own setting, `trusted_proxies`.
        .merge(("ip_header", false));
    figment
        .extract::<rocket::Config>()
        .map_err(|error| ServeError(error.to_string()))?;
    let site = site::Site::new(config, &vault);
    let https = config
        .serving
        .public_url
        .as_deref()
        .is_some_and(|url| url.starts_with("https:"));
    Ok(rocket::custom(figment)
        .manage(vault)
        .manage(site)
        .manage(metrics)
        .manage(budgets::Budgets::new(&config.budgets))
        .manage(answers::Answers::new(config))
        .attach(Template::fairing())
        // First, since it may replace the answer that the others look at.
        .attach(answers::Settling)
        // Our own headers say more than Shield's.
        .attach(Shield::new())
        .attach(headers::SecurityHeaders { https })
        .attach(requests::RequestLog)
        .mount("/", assets::routes())
        .mount("/", app::routes())
        .mount("/", watched::all(pages::routes()))
        .mount("/health", api::health::routes())
        .mount("/api/v1", watched::all(api::routes()))
        .register("/", catchers::catchers()))
}
