//! Authority is a parameter type: a handler that names [`Reader`] needs a signed-in person, one
//! that names [`Writer`] (or `Signed`, for forms) needs one whose own page asked for the change.
//! Those two refuse API tokens, so a handler that nobody thought about is closed to programs;
//! handlers about pictures name [`PictureReader`], [`PictureWriter`] or [`Uploader`] instead, and
//! take tokens of that scope. What only administrators may do names [`Administrator`]. A handler without any of these in its signature changes nothing.

use rocket::http::Status;
use rocket::outcome::{Outcome, try_outcome};
use rocket::request::{self, FromRequest, Request};

use super::answers::Answers;
use super::budgets::{Budgets, Visitor};
use super::problem::Problem;
use super::site::Site;
use super::watched;
use crate::vault::Administrator;
use crate::vault::Payer;
use crate::vault::Scope;
use crate::vault::Unlocked;
use crate::vault::Vault;
use crate::vault::VaultError;

/// Somebody who is signed in.
pub(super) struct Reader {
    /// The account, with its master key at hand.
    pub who: Unlocked,
    by_cookie: bool,
}

/// Somebody who is signed in, and whose request came from our own page or from a program; and
/// whether it was authenticated by the cookie.
pub(super) struct Writer(pub Unlocked, pub bool);

/// A client that may look at pictures: by a sign-in, or by an API token for reading.
pub(super) struct PictureReader {
    /// The account, with its master key at hand.
    pub who: Unlocked,
}

/// As [`PictureReader`], for making something to be read, such as a zip: a page must prove that it
/// asks.
pub(super) struct Collector(pub Unlocked);

/// A client that may change pictures: as [`Writer`], or by an API token for writing.
pub(super) struct PictureWriter(pub Unlocked);

/// A client that may add pictures; the proof that our own page asks may come in the body.
pub(super) struct Uploader(pub Reader);

/// A client with any sign-in or API token.
pub(super) struct Holder(pub Unlocked);

/// A browser's request that came from our own page, or any program's. For forms of people who are
/// not signed in.
pub(super) struct SameOrigin;

impl Reader {
    /// Proves a change with a token that came in the body.
    ///
    /// # Errors
    /// 403 where only the cookie authenticates the request, and the token is not its session's.
    pub(super) fn into_writer(self, token: Option<&str>) -> Result<Unlocked, Problem> {
        let proven = !self.by_cookie || token.is_some_and(|token| self.who.csrf_matches(token));
        if proven {
            Ok(self.who)
        } else {
            Err(Problem::cross_site())
        }
    }
}

/// The proof that administrators may act as such.
///
/// # Errors
/// 403, in words of its own: signing in again would not help.
pub(super) fn administrator(who: &Unlocked) -> Result<Administrator, Problem> {
    let words = "Only administrators of this server can do this.";
    Administrator::of(who).ok_or_else(|| Problem::new(Status::Forbidden, words))
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Administrator {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let Writer(who, _) = try_outcome!(request.guard::<Writer>().await);
        match administrator(&who) {
            Ok(administrator) => Outcome::Success(administrator),
            Err(problem) => problem.hand_over(request),
        }
    }
}

/// The authority that a request needs.
#[derive(Clone, Copy)]
enum Need {
    /// A sign-in: it is about the account itself, which is for its owner alone.
    SignIn,
    /// A sign-in, or an API token of this scope: it is about pictures.
    Scope(Scope),
    /// Either of them: it is only about the session itself.
    Nothing,
}

impl Need {
    fn check(self, who: &Unlocked, by_cookie: bool) -> Result<(), Problem> {
        match self {
            // People sign in; a token is for programs.
            _ if by_cookie && who.scopes().is_some() => Err(Problem::unauthenticated()),
            Self::SignIn if who.scopes().is_some() => Err(Problem::out_of_scope(None)),
            Self::Scope(scope) if !who.may(scope) => Err(Problem::out_of_scope(Some(scope.name()))),
            Self::SignIn | Self::Scope(_) | Self::Nothing => Ok(()),
        }
    }
}

async fn opened(request: &Request<'_>, need: Need) -> request::Outcome<Reader, ()> {
    let (Some(vault), Some(site), Some(budgets), Some(answers)) = (
        request.rocket().state::<Vault>(),
        request.rocket().state::<Site>(),
        request.rocket().state::<Budgets>(),
        request.rocket().state::<Answers>(),
    ) else {
        return Outcome::Error((Status::InternalServerError, ()));
    };
    let cookie = || request.cookies().get(site.cookie_name());
    let (token, by_cookie) = match bearer(request) {
        Some(token) => (Some(token), false),
        None => (cookie().map(|cookie| cookie.value()), true),
    };
    let opened = match token {
        Some(token) => vault.unlock(token).await,
        None => Err(VaultError::Unauthenticated),
    };
    let who = match opened {
        Ok(who) => who,
        Err(error) => {
            // Nobody we know: it counts by network.
            try_outcome!(request.guard::<Visitor>().await);
            return Problem::from(error).hand_over(request);
        }
    };
    watched::note(request, &who);
    // From here on the memory for this request's body is its account's.
    let payer = request.local_cache(|| Payer::Account(*who.id()));
    let spent = budgets.spend_of_account(request, who.id());
    let admitted = match spent.and_then(|()| need.check(&who, by_cookie)) {
        Ok(()) => answers.admit(request, payer).await,
        refused => refused,
    };
    match admitted {
        Ok(()) => Outcome::Success(Reader { who, by_cookie }),
        Err(problem) => problem.hand_over(request),
    }
}

/// As [`opened`], for a request that our own page has sent, or a program.
async fn proven(request: &Request<'_>, need: Need) -> request::Outcome<(Unlocked, bool), ()> {
    let reader = try_outcome!(opened(request, need).await);
    if reader.by_cookie {
        try_outcome!(request.guard::<SameOrigin>().await);
    }
    let by_cookie = reader.by_cookie;
    match reader.into_writer(request.headers().get_one("X-CSRF-Token")) {
        Ok(who) => Outcome::Success((who, by_cookie)),
        Err(problem) => problem.hand_over(request),
    }
}

fn bearer<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    let header = request.headers().get_one("Authorization")?;
    // A scheme we do not know is still an attempt to say who it is: the cookie does not replace it.
    Some(header.strip_prefix("Bearer ").unwrap_or_default())
}

/// Implements each guard by the authority that it needs.
macro_rules! guards {
    ($($guard:ident: $ask:ident($need:expr) => |$got:pat_param| $made:expr;)+) => {$(
        #[rocket::async_trait]
        impl<'r> FromRequest<'r> for $guard {
            type Error = ();

            async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, ()> {
                $ask(request, $need).await.map(|$got| $made)
            }
        }
    )+};
}

guards! {
    Reader: opened(Need::SignIn) => |reader| reader;
    Writer: proven(Need::SignIn) => |(who, by_cookie)| Self(who, by_cookie);
    PictureReader: opened(Need::Scope(Scope::Read)) => |reader| Self { who: reader.who };
    Collector: proven(Need::Scope(Scope::Read)) => |(who, _)| Self(who);
    PictureWriter: proven(Need::Scope(Scope::Write)) => |(who, _)| Self(who);
    Uploader: opened(Need::Scope(Scope::Write)) => |reader| Self(reader);
    Holder: opened(Need::Nothing) => |reader| Self(reader.who);
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
                .is_some_and(|site| site.hosts.is_own_origin(origin, header("Host"))),
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
