//! A line in the log and a count for each request: method, route template, status and time. Never the path
//! itself, since ids, names and tokens stand in paths.

use std::time::Instant;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Data, Request, Response};

use super::metrics::Metrics;

/// Logs requests.
pub(super) struct RequestLog;

#[rocket::async_trait]
impl Fairing for RequestLog {
    fn info(&self) -> Info {
        Info {
            name: "request log",
            kind: Kind::Request | Kind::Response,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        request.local_cache(Instant::now);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let started: &Instant = request.local_cache(Instant::now);
        let took = started.elapsed();
        let method = request.method().as_str();
        // Templates hold only our own names, never a value.
        let route = request.route().map(|route| route.uri.to_string());
        let route = route.as_deref().unwrap_or("-");
        let status = response.status().code;
        if let Some(metrics) = request.rocket().state::<Metrics>() {
            metrics.count(method, route, status, took);
        }
        let duration_ms = took.as_secs_f64() * 1e3;
        tracing::info!(method, route, status, duration_ms, "request");
    }
}
