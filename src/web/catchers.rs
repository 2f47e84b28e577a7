//! Answers where no handler gave one: what a guard refused, what matches no route, what failed.

use rocket::http::{Method, Status};
use rocket::request::Request;
use rocket::response::{Redirect, Responder};
use rocket::uri;

use super::budgets;
use super::error_page::prefers_html;
use super::pages;
use super::problem::Problem;
use super::routes::methods;

/// A problem, or a redirect to where it can be solved.
#[derive(Responder)]
#[allow(
    clippy::large_enum_variant,
    reason = "one exists at a time, and is consumed at once"
)]
pub(super) enum Caught {
    /// An explaining answer.
    Problem(Problem),
    /// A page that needs a signed-in person leads to the login and back.
    SignIn(Redirect),
}

/// Longest address that a sign-in leads back to: percent-encoded within another address it is up to
/// three times as long, and that one must still be accepted.
const MAX_BACK: usize = 2 << 10;

#[rocket::catch(default)]
async fn any(status: Status, request: &Request<'_>) -> Caught {
    let problem: &Problem = request.local_cache(|| unmatched(status, request));
    // Where a route matched, its guards have counted the request.
    if request.route().is_none()
        && let Err(problem) = budgets::spend_on_nothing(request).await
    {
        return Caught::Problem(problem);
    }
    let to_page = request.method() == Method::Get && prefers_html(request);
    let for_program = request.uri().path().starts_with("/api/");
    if problem.status() == Status::Unauthorized && to_page && !for_program {
        let back = Some(request.uri().to_string()).filter(|back| back.len() <= MAX_BACK);
        return Caught::SignIn(Redirect::to(uri!(pages::sign_in::form(next = back))));
    }
    Caught::Problem(problem.clone())
}

/// Rocket answers 404 to a wrong method, and 422 to a path with a bad id; the contract wants 405 with
/// `Allow`, and 404.
fn unmatched(status: Status, request: &Request<'_>) -> Problem {
    if !matches!(status.code, 404 | 405 | 422) {
        return Problem::of(status);
    }
    let mut allowed = methods(request);
    if allowed.contains(&Method::Get) {
        allowed.push(Method::Head);
    }
    let matches_one = allowed.contains(&request.method());
    if allowed.is_empty() || matches_one {
        return Problem::not_found();
    }
    allowed.sort_unstable_by_key(|method| method.as_str());
    allowed.dedup();
    let allow = allowed
        .iter()
        .map(|method| method.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let detail = format!("This address takes {allow} only.");
    Problem::new(Status::MethodNotAllowed, detail).with_header("Allow", allow)
}

/// The catchers of this file.
pub(super) fn catchers() -> Vec<rocket::Catcher> {
    rocket::catchers![any]
}
