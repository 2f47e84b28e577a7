//! A line in the log for each request: method, route template, status and time. Never the path
//! itself, since ids, names and tokens stand in paths.

use std::time::Instant;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Data, Request, Response};

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
        // Query templates hold only our own parameter names.
        let route = request
            .route()
            .map_or_else(|| "-".to_owned(), |route| route.uri.to_string());
        tracing::info!(
            method = %request.method(),
            route,
            status = response.status().code,
            duration_ms = started.elapsed().as_secs_f64() * 1e3,
            "request"
        );
    }
}
