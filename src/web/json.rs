//! JSON bodies: of the right type, of bounded length, and with an answer that says what is wrong.

use rocket::data::{Data, FromData};
use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::Request;
use serde::de::{DeserializeOwned, IgnoredAny};
use zeroize::Zeroizing;

use super::body::read_small;
use super::problem::Problem;

/// Most values in a body: ten thousand ids, several times. Short values take many times their
/// length.
const MAX_VALUES: usize = 50_000;
/// Bytes of a field's path that an answer repeats.
const MAX_TOLD: usize = 100;

/// A body that was JSON of this shape.
pub(super) struct JsonBody<T>(pub T);

/// A body whose one part says which images, and whose other part says what to do. Each is parsed by
/// itself, since a flattened structure forgets which field was wrong.
pub(super) struct JsonParts<A, B>(pub A, pub B);

#[rocket::async_trait]
impl<'r, T: DeserializeOwned> FromData<'r> for JsonBody<T> {
    type Error = ();

    async fn from_data(
        request: &'r Request<'_>,
        _: Data<'r>,
    ) -> rocket::data::Outcome<'r, Self, ()> {
        match read(request).await.and_then(|body| parse(&body)) {
            Ok(value) => Outcome::Success(Self(value)),
            Err(problem) => problem.hand_over(request),
        }
    }
}

#[rocket::async_trait]
impl<'r, A: DeserializeOwned, B: DeserializeOwned> FromData<'r> for JsonParts<A, B> {
    type Error = ();

    async fn from_data(
        request: &'r Request<'_>,
        _: Data<'r>,
    ) -> rocket::data::Outcome<'r, Self, ()> {
        let both = |body: Zeroizing<Vec<u8>>| Ok(Self(parse(&body)?, parse(&body)?));
        match read(request).await.and_then(both) {
            Ok(parts) => Outcome::Success(parts),
            Err(problem) => problem.hand_over(request),
        }
    }
}

async fn read(request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Problem> {
    if request.content_type().is_none_or(|kind| !kind.is_json()) {
        // Not only tidiness: a form of another site cannot send this type without asking first.
        let detail = "Send JSON with the header `Content-Type: application/json`.";
        return Err(Problem::new(Status::UnsupportedMediaType, detail));
    }
    let body = read_small(request).await?;
    // Each value but the first follows one of these.
    match memchr::memchr2_iter(b',', b':', &body).count() {
        0..MAX_VALUES => Ok(body),
        _ => Err(Problem::of(Status::PayloadTooLarge)),
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // Every body of the contract is an object. A struct would also be read from an array.
    if body.trim_ascii_start().first() != Some(&b'{') {
        serde_json::from_slice::<IgnoredAny>(body).map_err(|error| malformed(&error))?;
        return Err(Problem::new(
            Status::UnprocessableEntity,
            "Send a JSON object.",
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field: String = error.path().to_string().chars().take(MAX_TOLD).collect();
        match error.inner().is_data() {
            true => wrong_kind(field, error.inner()),
            false => malformed(error.inner()),
        }
    })?;
    reader.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

// The messages of the parser may quote what was sent: the place and the field are enough.

fn malformed(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let detail = format!("This is not valid JSON (line {line}, column {column}).");
    Problem::new(Status::BadRequest, detail)
}

fn wrong_kind(field: String, error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let message = format!("This is missing or of the wrong kind (line {line}, column {column}).");
    Problem::invalid_field(field, message)
}
