//! What the handler of a form answers, unless it fails with a page that is not the form's.

use rocket::http::Header;
use rocket::request::Request;
use rocket::response::{self, Flash, Redirect, Responder};
use rocket_dyn_templates::Template;

use super::super::problem::Problem;

/// A page, or a redirect to one.
#[derive(Responder)]
pub(in super::super) enum Answer {
    /// The page.
    Page(Template),
    /// The form again, with what was wrong in it: see [`Answer::refused`].
    Refused(Refusal),
    /// Another page.
    To(Redirect),
    /// Another page, which says what was done: see [`Answer::told`].
    Told(Flash<Redirect>),
    /// The login page; the browser clears what it keeps of this site: see [`Answer::signed_out`].
    SignedOut(Flash<Redirect>, Header<'static>),
}

/// A form that was refused.
pub(in super::super) struct Refusal {
    problem: Problem,
    page: Template,
}

impl<'r> Responder<'r, 'static> for Refusal {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let response = self.page.respond_to(request)?;
        Ok(self.problem.put_on(response))
    }
}

impl Answer {
    /// The form again as `page`, with the problem's status and headers.
    pub(in super::super) fn refused(problem: &Problem, page: Template) -> Self {
        let problem = problem.clone();
        Self::Refused(Refusal { problem, page })
    }

    /// A redirect to `to`, where `words` say what was done.
    pub(in super::super) fn told(to: impl Into<String>, words: &str) -> Self {
        Self::Told(Flash::success(Redirect::to(to.into()), words))
    }

    /// A redirect to the login page, where `words` say why.
    pub(in super::super) fn signed_out(words: &str) -> Self {
        Self::SignedOut(
            Flash::success(Redirect::to("/login"), words),
            Header::new("Clear-Site-Data", "\"cache\", \"storage\""),
        )
    }
}
