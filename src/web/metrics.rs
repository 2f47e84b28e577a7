//! `/metrics` for Prometheus, on a port of its own that only this machine reaches: counts and times
//! by route template. No account, path or address is in them.

use std::collections::HashSet;
use std::fmt::Write;
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
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest, Request};
use rocket::{Build, Rocket, State};

use super::accept;

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

/// The format in which a client takes the counts.
enum Format {
    /// The text format 0.0.4 of Prometheus, which every scraper reads.
    Prometheus,
    /// OpenMetrics 1.0, for those that ask for it.
    OpenMetrics,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Format {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Self::Error> {
        let accepted = request.headers().get("Accept");
        Outcome::Success(
            match accept::prefers("application/openmetrics-text", accepted) {
                true => Self::OpenMetrics,
                false => Self::Prometheus,
            },
        )
    }
}

#[rocket::get("/metrics")]
fn metrics(format: Format, metrics: &State<Metrics>) -> (ContentType, String) {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, &metrics.registry);
    let (kind, version, text) = match format {
        Format::Prometheus => (ContentType::new("text", "plain"), "0.0.4", plain(&text)),
        Format::OpenMetrics => {
            let kind = ContentType::new("application", "openmetrics-text");
            (kind, "1.0.0", text)
        }
    };
    let kind = kind.with_params([("version", version), ("charset", "utf-8")]);
    (kind, text)
}

/// OpenMetrics in the text format 0.0.4. There a counter is described by the name of its samples,
/// which ends in `_total` (OpenMetrics leaves that out of the description, and a reader of 0.0.4 would
/// know the type of no counter); and neither units nor the end are marked.
fn plain(open_metrics: &str) -> String {
    let counter = |line: &'_ str| {
        let described = line.strip_prefix("# TYPE ")?;
        Some(described.strip_suffix(" counter")?.to_owned())
    };
    let counters: HashSet<String> = open_metrics.lines().filter_map(counter).collect();
    let mut text = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        let mut words = line.splitn(4, ' ');
        let (mark, keyword) = (words.next(), words.next());
        let written = match (mark, keyword, words.next(), words.next()) {
            (Some("#"), Some(keyword), Some(name), Some(rest)) if counters.contains(name) => {
                writeln!(text, "# {keyword} {name}_total {rest}")
            }
            _ => writeln!(text, "{line}"),
        };
        // Nor can this.
        let _ = written;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_described_by_the_name_of_its_samples_in_the_older_format() {
        let metrics = Metrics::new();
        metrics.count("GET", "/", 200, Duration::from_millis(3));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &metrics.registry).unwrap();
        assert!(
            text.contains("# TYPE image_vault_requests counter\n"),
            "{text}"
        );
        let text = plain(&text);
        let lines: Vec<_> = text.lines().take(3).collect();
        assert_eq!(
            lines,
            [
                "# HELP image_vault_requests_total Requests answered.",
                "# TYPE image_vault_requests_total counter",
                "image_vault_requests_total{method=\"GET\",route=\"/\",status=\"200\"} 1",
            ]
        );
        assert!(text.contains("# TYPE image_vault_request_duration_seconds histogram\n"));
        assert!(!text.contains("# EOF") && text.ends_with('\n'), "{text}");
    }

    #[test]
    fn units_are_not_marked_and_samples_stay_as_they_are() {
        let open = "# HELP a Words of it.\n# TYPE a counter\n# UNIT a s\na_total{b=\"# TYPE a counter\"} 1\n\
                    # HELP c # TYPE a counter\n# TYPE c gauge\nc 2\n# EOF\n";
        let plain = plain(open);
        let expected = "# HELP a_total Words of it.\n# TYPE a_total counter\n\
                        a_total{b=\"# TYPE a counter\"} 1\n# HELP c # TYPE a counter\n# TYPE c gauge\nc 2\n";
        assert_eq!(plain, expected);
    }
}
