//! What every page gets: who is signed in, where assets are, the notice to show, the limits.

use rocket::http::{Method, Status};
use rocket::outcome::Outcome;
use rocket::request::{FlashMessage, FromRequest, Request};
use serde::Serialize;

use super::assets;
use super::routes;
use super::site::{Limits, Site};
use super::theme::Theme;
use crate::store::Role;
use crate::vault::Unlocked;

/// The outer part of a page's context.
#[derive(Clone, Serialize)]
pub(super) struct Shell {
    asset_base: &'static str,
    path: String,
    /// The address at which the same page is found again.
    here: String,
    theme: Option<Theme>,
    user: Option<User>,
    csrf_token: String,
    notice: Option<Notice>,
    limits: Limits,
}

/// A page's whole context.
#[derive(Serialize)]
pub(super) struct Page<T> {
    #[serde(flatten)]
    shell: Shell,
    #[serde(flatten)]
    page: T,
}

#[derive(Clone, Serialize)]
struct User {
    username: String,
    display_name: String,
    role: &'static str,
}

/// A sentence at the top of a page.
#[derive(Clone, Serialize)]
pub(super) struct Notice {
    kind: String,
    text: String,
}

impl Shell {
    /// The shell of a page that shows nothing of an account.
    pub(super) fn signed_out(request: &Request<'_>) -> Self {
        let limits = request
            .rocket()
            .state::<Site>()
            .map(|site| site.limits.clone());
        Self {
            asset_base: assets::base(),
            path: request.uri().path().to_string(),
            here: here(request),
            theme: Theme::chosen(request.cookies()),
            user: None,
            csrf_token: String::new(),
            notice: None,
            limits: limits
                .expect("the site is managed by the only function that builds the server"),
        }
    }

    /// The shell for a signed-in person.
    pub(super) fn signed_in(mut self, who: &Unlocked) -> Self {
        self.user = Some(User {
            username: who.account.username.clone(),
            display_name: who.account.display_name.clone(),
            role: role_name(who.account.role),
        });
        self.csrf_token = who.csrf_token().to_owned();
        self
    }

    /// Says something at the top of the page, instead of what a redirect brought along.
    pub(super) fn notice(mut self, kind: &str, text: impl Into<String>) -> Self {
        self.notice = Some(Notice {
            kind: kind.to_owned(),
            text: text.into(),
        });
        self
    }

    /// The shell with a page in it.
    pub(super) fn with<T: Serialize>(self, page: T) -> Page<T> {
        Page { shell: self, page }
    }
}

/// The address that shows this page again: its own, or the start where only a form leads to it.
fn here(request: &Request<'_>) -> String {
    let path = request.uri().path().as_str();
    match request.method() {
        Method::Get => request.uri().to_string(),
        _ if routes::methods(request).contains(&Method::Get) => path.to_owned(),
        _ => "/".to_owned(),
    }
}

/// A role's name, as the API and the templates have it.
pub(super) fn role_name(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Administrator => "administrator",
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Shell {
    type Error = std::convert::Infallible;

    async fn from_request(
        request: &'r Request<'_>,
    ) -> Outcome<Self, (Status, Self::Error), Status> {
        let mut shell = Self::signed_out(request);
        if let Some(flash) = request.guard::<FlashMessage<'_>>().await.succeeded() {
            shell.notice = Some(Notice {
                kind: flash.kind().to_owned(),
                text: flash.message().to_owned(),
            });
        }
        Outcome::Success(shell)
    }
}
