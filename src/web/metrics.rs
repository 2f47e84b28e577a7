//! `/metrics` for Prometheus, on a port of its own that only this machine reaches: counts and times
//! by route template. No account, path or address is in them.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use rocket::config::{Ident, LogLevel};
use rocket::http::ContentType;
use rocket::{Build, Rocket, State};

/// What the server counts. Cheap to clone; clones share their counts.
#[derive(Clone)]
pub(super) struct Metrics {
    registry: Arc<Registry>,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

impl Metrics {
    /// Nothing counted yet.
    pub(super) fn new() -> Self {
        let requests = Family::<RequestLabels, Counter>::default();
        // 1 ms to 32 s.
        let durations = Family::<RouteLabels, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.001, 2.0, 16))
        });
        let mut registry = Registry::with_prefix("image_vault");
        registry.register("requests", "Requests answered", requests.clone());
        registry.register(
            "request_duration_seconds",
            "Time until an answer began",
            durations.clone(),
        );
        Self {
            registry: Arc::new(registry),
            requests,
            durations,
        }
    }

    /// Counts one answer.
    pub(super) fn count(&self, method: &str, route: &str, status: u16, took: Duration) {
        let (method, route) = (method.to_owned(), route.to_owned());
        let labels = RequestLabels {
            method,
            route: route.clone(),
            status,
        };
        self.requests.get_or_create(&labels).inc();
        self.durations
            .get_or_create(&RouteLabels { route })
            .observe(took.as_secs_f64());
    }

    /// The server of `/metrics`, which takes connections from this machine only.
    pub(super) fn server(&self, port: u16) -> Rocket<Build> {
        let figment = rocket::Config::figment()
            .merge(("address", Ipv4Addr::LOCALHOST))
            .merge(("port", port))
            .merge(("tls", None::<()>))
            .merge(("ident", Ident::none()))
            .merge(("log_level", LogLevel::Off));
        rocket::custom(figment)
            .manage(self.clone())
            .mount("/", rocket::routes![metrics])
            .register("/", rocket::catchers![no_metrics])
    }
}

/// In place of Rocket's own, which reads the `Accept` header.
#[rocket::catch(default)]
fn no_metrics() -> &'static str {
    "Only GET /metrics is here.\n"
}

#[rocket::get("/metrics")]
fn metrics(metrics: &State<Metrics>) -> (ContentType, String) {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, &metrics.registry);
    let kind = ContentType::new("application", "openmetrics-text")
        .with_params([("version", "1.0.0"), ("charset", "utf-8")]);
    (kind, text)
}
