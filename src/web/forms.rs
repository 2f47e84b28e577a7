//! Forms of our own pages: read whole, proven to be ours, then parsed.

use rocket::data::{Data, FromData};
use rocket::form::{Form, FromForm};
use rocket::http::{RawStr, Status};
use rocket::outcome::Outcome;
use rocket::request::Request;
use zeroize::Zeroizing;

use super::body::read_small;
use super::guards::{Reader, SameOrigin};
use super::problem::Problem;
use crate::vault::Unlocked;

/// Most fields of a form: ten thousand ticked pictures and some. Short ones take many times their
/// length when they are read.
const MAX_FIELDS: usize = 11_000;

/// A form of somebody signed in, whose `csrf_token` was right.
pub(super) struct Signed<T> {
    /// The person who sent it.
    pub(super) who: Unlocked,
    /// The form's other fields.
    pub(super) form: T,
}

/// A form of somebody who is not signed in, such as the one for signing in.
pub(super) struct Posted<T>(pub(super) T);

#[derive(FromForm)]
struct Token {
    csrf_token: String,
}

#[rocket::async_trait]
impl<'r, T: for<'f> FromForm<'f> + Send + 'static> FromData<'r> for Signed<T> {
    type Error = ();

    async fn from_data(
        request: &'r Request<'_>,
        _: Data<'r>,
    ) -> rocket::data::Outcome<'r, Self, ()> {
        let reader = match request.guard::<Reader>().await {
            Outcome::Success(reader) => reader,
            Outcome::Error(error) => return Outcome::Error(error),
            Outcome::Forward(status) => return Outcome::Error((status, ())),
        };
        let signed = |body: Zeroizing<String>| {
            let token = Form::<Token>::parse_encoded(RawStr::new(&*body)).ok();
            let who = reader.into_writer(token.as_ref().map(|token| token.csrf_token.as_str()))?;
            Ok(Self {
                who,
                form: parse(&body)?,
            })
        };
        answer(request, signed).await
    }
}

#[rocket::async_trait]
impl<'r, T: for<'f> FromForm<'f> + Send + 'static> FromData<'r> for Posted<T> {
    type Error = ();

    async fn from_data(
        request: &'r Request<'_>,
        _: Data<'r>,
    ) -> rocket::data::Outcome<'r, Self, ()> {
        answer(request, |body| Ok(Self(parse(&body)?))).await
    }
}

/// Reads a form that comes from one of our own pages, and returns what `parsed` makes of it.
async fn answer<'r, T>(
    request: &'r Request<'_>,
    parsed: impl FnOnce(Zeroizing<String>) -> Result<T, Problem>,
) -> rocket::data::Outcome<'r, T, ()> {
    if let Outcome::Error(error) = request.guard::<SameOrigin>().await {
        return Outcome::Error(error);
    }
    match read(request).await.and_then(parsed) {
        Ok(form) => Outcome::Success(form),
        Err(problem) => problem.hand_over(request),
    }
}

async fn read(request: &Request<'_>) -> Result<Zeroizing<String>, Problem> {
    if request.content_type().is_none_or(|kind| !kind.is_form()) {
        return Err(Problem::new(
            Status::UnsupportedMediaType,
            "Send this as a form.",
        ));
    }
    let mut body = read_small(request).await?;
    if memchr::memchr_iter(b'&', &body).count() >= MAX_FIELDS {
        return Err(Problem::of(Status::PayloadTooLarge));
    }
    let text = String::from_utf8(std::mem::take(&mut *body));
    text.map(Zeroizing::new)
        .map_err(|_| Problem::of(Status::BadRequest))
}

fn parse<T: for<'f> FromForm<'f> + 'static>(body: &str) -> Result<T, Problem> {
    Form::<T>::parse_encoded(RawStr::new(body)).map_err(|_| {
        let detail = "This form is not complete. Reload the page and try again.";
        Problem::new(Status::UnprocessableEntity, detail)
    })
}
