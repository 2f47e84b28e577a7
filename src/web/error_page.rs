//! A problem as it is answered: a styled page for people, the document for programs.

use rocket::http::ContentType;
use rocket::request::Request;
use rocket::response::{self, Responder};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::accept;
use super::problem::Problem;
use super::shell::Shell;
use crate::vault::FieldErrors;

#[derive(Serialize)]
struct ErrorPage<'a> {
    status: u16,
    title: &'a str,
    detail: &'a str,
    errors: &'a FieldErrors,
    actions: Vec<Action>,
}

#[derive(Serialize)]
struct Action {
    href: &'static str,
    label: &'static str,
}

fn page(problem: &Problem, request: &Request<'_>) -> Template {
    let actions = match problem.status().code {
        401 => vec![Action {
            href: "/login",
            label: "Sign in",
        }],
        // A link would lead to the same wrong name.
        421 => Vec::new(),
        _ => vec![Action {
            href: "/",
            label: "Back to your pictures",
        }],
    };
    let page = ErrorPage {
        status: problem.status().code,
        title: problem.title(),
        detail: problem.detail(),
        errors: problem.errors(),
        actions,
    };
    Template::render("error", Shell::signed_out(request).with(page))
}

/// Whether the client would rather read a page than a document.
pub(super) fn prefers_html(request: &Request<'_>) -> bool {
    accept::prefers_html(request.headers().get("Accept"))
}

impl<'r> Responder<'r, 'static> for Problem {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let response = if prefers_html(request) {
            page(&self, request).respond_to(request)?
        } else {
            (
                ContentType::new("application", "problem+json"),
                self.document(),
            )
                .respond_to(request)?
        };
        Ok(self.put_on(response))
    }
}
