//! Authority is a parameter type: a handler that names [`Reader`] needs a signed-in person, one
//! that names [`Writer`] (or `Signed`, for forms) needs one whose own page asked for the change.
//! Without one of them in its signature a handler changes nothing of an account.

use rocket::http::Status;
use rocket::outcome::{Outcome, try_outcome};
use rocket::request::{self, FromRequest, Request};

use super::problem::Problem;
use super::site::Site;
use crate::store::Role;
use crate::vault::Unlocked;
use crate::vault::Vault;

/// Somebody who is signed in.
pub(super) struct Reader {
    /// Who, with the master key at hand.
    pub who: Unlocked,
    by_cookie: bool,
}

/// Somebody who is signed in, and whose request came from our own page or from a program; and
/// whether a cookie says who it is.
pub(super) struct Writer(pub Unlocked, pub bool);

/// A browser's request that came from our own page, or any program's. For forms of people who are
/// not signed in.
pub(super) struct SameOrigin;

impl Reader {
    /// Proves a change with a token that came in the body.
    ///
    /// # Errors
    /// 403 where the cookie alone says who it is and the token is not its session's.
    pub(super) fn into_writer(self, token: Option<&str>) -> Result<Unlocked, Problem> {
        let proven = !self.by_cookie || token.is_some_and(|token| self.who.csrf_matches(token));
        if proven {
            Ok(self.who)
        } else {
            Err(Problem::cross_site())
        }
    }
}

/// Lets administrators pass.
///
/// # Errors
/// 403, in words of its own: signing in again would not help.
pub(super) fn only_administrators(who: &Unlocked) -> Result<(), Problem> {
    match who.account.role {
        Role::Administrator => Ok(()),
        Role::User => Err(Problem::new(
            Status::Forbidden,
            "Only administrators of this server can do this.",
        )),
    }
}

fn bearer<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    let header = request.headers().get_one("Authorization")?;
    // A scheme we do not know is still an attempt to say who it is: the cookie does not replace it.
    Some(header.strip_prefix("Bearer ").unwrap_or_default())
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Reader {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let (Some(vault), Some(site)) = (
            request.rocket().state::<Vault>(),
            request.rocket().state::<Site>(),
        ) else {
            return Outcome::Error((Status::InternalServerError, ()));
        };
        let (token, by_cookie) = match bearer(request) {
            Some(token) => (Some(token), false),
            None => (
                request
                    .cookies()
                    .get(site.cookie_name())
                    .map(|cookie| cookie.value()),
                true,
            ),
        };
        let Some(token) = token else {
            return Problem::unauthenticated().hand_over(request);
        };
        match vault.unlock(token).await {
            Ok(who) => Outcome::Success(Self { who, by_cookie }),
            Err(error) => Problem::from(error).hand_over(request),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Writer {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let reader = try_outcome!(request.guard::<Reader>().await);
        if reader.by_cookie {
            try_outcome!(request.guard::<SameOrigin>().await);
        }
        let by_cookie = reader.by_cookie;
        match reader.into_writer(request.headers().get_one("X-CSRF-Token")) {
            Ok(who) => Outcome::Success(Self(who, by_cookie)),
            Err(problem) => problem.hand_over(request),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for SameOrigin {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let header = |name| request.headers().get_one(name);
        let ours = match (header("Sec-Fetch-Site"), header("Origin")) {
            // Another port of the same host is `same-site` and gets the cookies: not enough.
            (Some(site), _) => matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => request
                .rocket()
                .state::<Site>()
                .is_some_and(|site| site.is_own_origin(origin, header("Host"))),
            // No browser: nobody's cookies are sent along unasked.
            (None, None) => true,
        };
        if ours {
            Outcome::Success(Self)
        } else {
            Problem::cross_site().hand_over(request)
        }
    }
}
