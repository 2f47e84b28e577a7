//! A request's work ends with the session that authorises it: while it receives a form from a slow
//! sender, waits for its turn, or goes through ten thousand pictures. No handler has to think of
//! it, and none can forget it. The stream of an answer is watched where it is made, in the vault.

use rocket::Route;
use rocket::data::Data;
use rocket::outcome::Outcome;
use rocket::request::Request;
use rocket::route::{self, Handler};
use tokio::sync::SetOnce;

use super::problem::Problem;
use crate::vault::Unlocked;
use crate::vault::Watch;

/// The watch on the session that a guard has found.
#[derive(Default)]
struct Found(SetOnce<Watch>);

/// Notes on whose authority a request acts.
pub(super) fn note(request: &Request<'_>, who: &Unlocked) {
    let found = request.local_cache(Found::default);
    // A handler may have two guards; the session is one.
    let _ = found.0.set(who.watch().clone());
}

/// Wraps routes so that each handler ends with its session: 401.
pub(super) fn all(routes: Vec<Route>) -> Vec<Route> {
    let watched = |mut route: Route| {
        route.handler = Box::new(Watched(route.handler));
        route
    };
    routes.into_iter().map(watched).collect()
}

/// A handler that ends with its session.
#[derive(Clone)]
struct Watched(Box<dyn Handler>);

#[rocket::async_trait]
impl Handler for Watched {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> route::Outcome<'r> {
        let ended = async {
            let found = request.local_cache(Found::default);
            found.0.wait().await.ended().await
        };
        tokio::select! {
            outcome = self.0.handle(request, data) => outcome,
            error = ended => {
                let problem = Problem::from(error);
                let status = problem.status();
                request.local_cache(|| problem);
                Outcome::Error(status)
            }
        }
    }
}
