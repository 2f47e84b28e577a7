//! What a request does ends with the session that lets it do it: while it receives a form from a slow
//! sender, waits its turn, or works through ten thousand pictures. No handler has to think of it, and
//! none can forget it. What an answer streams is watched where it comes from, in the vault.

use rocket::Route;
use rocket::data::Data;
use rocket::outcome::Outcome;
use rocket::request::Request;
use rocket::route::{self, Handler};
use tokio::sync::SetOnce;

use super::problem::Problem;
use crate::vault::Unlocked;
use crate::vault::Watch;

/// The session that a guard finds.
#[derive(Default)]
struct Found(SetOnce<Watch>);

/// Notes on whose authority a request acts.
pub(super) fn note(request: &Request<'_>, who: &Unlocked) {
    let found = request.local_cache(Found::default);
    // A handler may have two guards; the session is one.
    let _ = found.0.set(who.watch().clone());
}

/// The routes, each ended with its session: 401.
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
