//! JSON bodies: of the right type, of bounded length, and with an answer that says what is wrong.

use rocket::data::{Data, FromData, ToByteUnit};
use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::Request;
use serde::de::DeserializeOwned;

use super::body::read_small;
use super::problem::Problem;

/// Longest JSON body: ten thousand ids and some.
const MAX_BODY_MIB: u64 = 1;

/// A body that was JSON of this shape.
pub(super) struct JsonBody<T>(pub T);

#[rocket::async_trait]
impl<'r, T: DeserializeOwned> FromData<'r> for JsonBody<T> {
    type Error = ();

    async fn from_data(
        request: &'r Request<'_>,
        data: Data<'r>,
    ) -> rocket::data::Outcome<'r, Self, ()> {
        match parse(request, data).await {
            Ok(value) => Outcome::Success(Self(value)),
            Err(problem) => {
                let status = problem.status();
                request.local_cache(|| problem);
                Outcome::Error((status, ()))
            }
        }
    }
}

async fn parse<T: DeserializeOwned>(request: &Request<'_>, data: Data<'_>) -> Result<T, Problem> {
    if request.content_type().is_none_or(|kind| !kind.is_json()) {
        // Not only tidiness: a form of another site cannot send this type without asking first.
        let detail = "Send JSON with the header `Content-Type: application/json`.";
        return Err(Problem::new(Status::UnsupportedMediaType, detail));
    }
    let body = read_small(request, data, MAX_BODY_MIB.mebibytes()).await?;
    serde_json::from_slice(&body).map_err(|error| {
        // The message may quote what was sent; place and kind are enough.
        let place = format!("line {}, column {}", error.line(), error.column());
        if error.is_data() {
            let detail = format!("A field is missing or has a value of the wrong kind ({place}).");
            Problem::new(Status::UnprocessableEntity, detail)
        } else {
            Problem::new(
                Status::BadRequest,
                format!("This is not valid JSON ({place})."),
            )
        }
    })
}
