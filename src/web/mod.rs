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
mod range;
mod receive;
mod requests;
mod room;
mod shell;
mod site;
mod stop;
mod units;
mod watched;
mod wire;

use std::collections::HashSet;
use std::net::SocketAddr;

use rocket::config::{Ident, LogLevel, Shutdown};
use rocket::fairing::AdHoc;
use rocket::shield::Shield;
use rocket::{Build, Rocket};
use rocket_dyn_templates::Template;

pub use room::words as usage_in_words;

use crate::config::Config;
use crate::vault::Vault;

/// Seconds beyond the grace in which Rocket closes what is still open.
const MERCY_SECS: u32 = 3;

/// A server that could not start or did not end well.
#[derive(Debug, thiserror::Error)]
#[error("the server could not run: {0}")]
pub struct ServeError(String);

/// Serves the vault until it is asked to stop, then lets running downloads finish for the
/// configured time. Address, port and TLS are Rocket's own settings. `ready` learns the address
/// once connections are taken.
///
/// # Errors
/// Where the address cannot be used or Rocket's own settings are wrong.
pub async fn serve(
    vault: Vault,
    config: &Config,
    ready: impl Fn(SocketAddr) + Send + Sync + 'static,
) -> Result<(), ServeError> {
    let liftoff = AdHoc::on_liftoff("announce", move |rocket| {
        let config = rocket.config();
        ready(SocketAddr::new(config.address, config.port));
        Box::pin(async {})
    });
    let requests = stop::Requests::listen().map_err(|error| ServeError(error.to_string()))?;
    let server = build(vault, config)?.attach(liftoff);
    let metrics = server.state::<metrics::Metrics>().cloned();
    let beside = metrics
        .filter(|_| config.serving.metrics_port != 0)
        .map(|metrics| tokio::spawn(serve_metrics(metrics, config.serving.metrics_port)));
    let launched = match server.ignite().await {
        Ok(server) => stop::run(server, requests).await,
        Err(error) => Err(error),
    };
    if let Some(beside) = beside {
        beside.abort();
    }
    launched.map_err(|error| ServeError(describe(&error)))
}

/// A taken port is no reason not to serve pictures.
async fn serve_metrics(metrics: metrics::Metrics, port: u16) {
    if let Err(error) = metrics.server(port).launch().await {
        let reason = describe(&error);
        tracing::warn!(port, reason, "/metrics is not served; set `metrics_port`");
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

/// By which names the server answers, for its operator.
pub fn hosts_in_words(config: &Config) -> String {
    hosts::Hosts::new(config.serving.public_url.as_deref()).in_words()
}

fn build(vault: Vault, config: &Config) -> Result<Rocket<Build>, ServeError> {
    let grace = u32::try_from(config.serving.shutdown_grace.as_secs()).unwrap_or(u32::MAX);
    let shutdown = Shutdown {
        grace,
        mercy: MERCY_SECS,
        force: false,
        // `stop` listens itself.
        ctrlc: false,
        signals: HashSet::new(),
        ..Shutdown::default()
    };
    let figment = rocket::Config::figment()
        .merge(("ident", Ident::none()))
        // Rocket's own lines hold paths, and so names and tokens. We log requests ourselves.
        .merge(("log_level", LogLevel::Off))
        // Anybody could send it; whom to believe is our own setting, `trusted_proxies`.
        .merge(("ip_header", false))
        .merge(("shutdown", shutdown));
    figment
        .extract::<rocket::Config>()
        .map_err(|error| ServeError(error.to_string()))?;
    let site = site::Site::new(config, &vault);
    let answers = answers::Answers::new(config);
    let https = config
        .serving
        .public_url
        .as_deref()
        .is_some_and(|url| url.starts_with("https:"));
    Ok(rocket::custom(figment)
        .manage(vault)
        .manage(site)
        .manage(metrics::Metrics::new())
        .manage(budgets::Budgets::new(&config.budgets))
        .manage(answers.clone())
        .attach(gate::Gate)
        .attach(Template::fairing())
        // Before the others look at an answer: it may become another one.
        .attach(answers)
        // Our own headers say more than Shield's.
        .attach(Shield::new())
        .attach(headers::SecurityHeaders { https })
        .attach(requests::RequestLog)
        .attach(stop::let_idle_go())
        .mount("/", assets::routes())
        .mount("/", app::routes())
        .mount("/", watched::all(pages::routes()))
        .mount("/health", api::health::routes())
        .mount("/api/v1", watched::all(api::routes()))
        .register("/", catchers::catchers()))
}

fn describe(error: &rocket::Error) -> String {
    use rocket::error::ErrorKind;
    match error.kind() {
        ErrorKind::Bind(error) => format!("the address cannot be used ({error})"),
        ErrorKind::FailedFairings(failed) => {
            let names: Vec<_> = failed.iter().map(|info| info.name).collect();
            format!(
                "{} failed; is there a `templates` folder in the current one?",
                names.join(", ")
            )
        }
        other => other.to_string(),
    }
}
