//! Uploads by form, for the API and the pages alike: the token first, then file after file, each
//! stored (or refused) before the next is read.

use std::sync::Arc;
use std::time::Duration;

use rocket::http::{ContentType, RawStr, Status};
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest, Request};
use tokio::io::AsyncRead;

use super::body::{Arriving, arriving, content_length, pass_by};
use super::file_form::{FileForm, Part};
use super::guards::{Reader, SameOrigin};
use super::problem::Problem;
use super::server::Exchange;
use super::site::Site;
use super::units;
use crate::vault::Added;
use crate::vault::ImportMode;
use crate::vault::Imported;
use crate::vault::Unlocked;
use crate::vault::Vault;
use crate::vault::VaultError;
use crate::vault::told_name;

/// Longest answer to a form, in memory: ten thousand pictures with what cameras say about each.
const MAX_ANSWER: u64 = 16 << 20;
/// Least memory for an answer to a form; beyond it, an answer may take as much as the form itself.
const MIN_ANSWER: u64 = 256 << 10;

/// What a request says about the upload it brings. A browser's request from another site is
/// refused before its body is read.
pub(super) struct Incoming {
    /// Bytes in the body, where the request states them.
    pub length: Option<u64>,
    /// How long the sender may be silent.
    pub stall: Duration,
    kind: Option<ContentType>,
    /// The query's `name`, still percent-encoded.
    encoded_name: Option<String>,
    token: Option<String>,
    exchange: Arc<Exchange>,
}

impl Incoming {
    /// The request's body, as it arrives.
    pub(super) fn body(&self) -> impl AsyncRead + Unpin + Send + use<> {
        self.exchange.body()
    }

    /// The CSRF token, where it came in the header.
    pub(super) fn proof(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The name that the query gives the file, exactly: one that is no UTF-8 is refused, not
    /// altered.
    ///
    /// # Errors
    /// 422 where it is missing or no UTF-8.
    pub(super) fn name(&self) -> Result<String, Problem> {
        let missing = "Say what the file is called: `?name=beach.jpg`.";
        let encoded = self
            .encoded_name
            .as_deref()
            .ok_or_else(|| Problem::invalid_field("name", missing))?;
        let decoded = RawStr::new(encoded).url_decode();
        let not_utf8 = |_| Problem::invalid_field("name", "`name` is not valid UTF-8.");
        decoded.map(|name| name.into_owned()).map_err(not_utf8)
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Incoming {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, ()> {
        // A program's bearer token is its own proof; asking costs it nothing, since it sends
        // neither of the headers a browser sends.
        if let Outcome::Error(error) = request.guard::<SameOrigin>().await {
            return Outcome::Error(error);
        }
        Outcome::Success(Self {
            length: content_length(request),
            stall: request
                .rocket()
                .state::<Site>()
                .map_or(Duration::MAX, |site| site.receive_stall),
            kind: request.content_type().cloned(),
            encoded_name: query_field(request, "name"),
            token: request.headers().get_one("X-CSRF-Token").map(str::to_owned),
            exchange: Arc::clone(Exchange::of(request)),
        })
    }
}

fn query_field(request: &Request<'_>, name: &str) -> Option<String> {
    let mut fields = request.uri().query()?.raw_segments();
    fields.find_map(|field| match field.split_at_byte(b'=') {
        (key, value) if key == name => Some(value.to_string()),
        _ => None,
    })
}

/// One file of a form, and its outcome.
pub(super) struct Received {
    /// Its name, as the client calls it.
    pub name: String,
    /// The image, or why there is none.
    pub outcome: Result<Added, Problem>,
}

fn open_form(incoming: &Incoming) -> Result<FileForm<'static>, Problem> {
    let body = incoming.body();
    FileForm::open(incoming.kind.as_ref(), body, incoming.stall)
}

/// Imports the export that is the first file of a form.
///
/// # Errors
/// 403 without the right token before the file; 422 where no file was chosen or it is no export of
/// ours; 400, 401, 408, 503.
pub(super) async fn import_form(
    reader: Reader,
    incoming: &Incoming,
    vault: &Vault,
) -> Result<(Unlocked, Result<Imported, Problem>), Problem> {
    let form = open_form(incoming)?;
    let beginning = vault.admit_beginning(&reader.who).await?;
    let (token, zip) = form.up_to_file("csrf_token").await?;
    drop(beginning);
    let token = token.as_deref().map(String::as_str);
    let who = reader.into_writer(token.or(incoming.proof()))?;
    let imported = import(&who, zip, vault).await;
    Ok((who, imported))
}

/// Imports the export that is the whole body.
///
/// # Errors
/// 422 where it is no export of ours; 400, 401, 403, 408, 503.
pub(super) async fn import_body(
    reader: Reader,
    incoming: &Incoming,
    vault: &Vault,
) -> Result<Imported, Problem> {
    let who = reader.into_writer(incoming.proof())?;
    let zip = arriving(incoming.body(), incoming.stall);
    import(&who, zip, vault).await
}

async fn import(who: &Unlocked, mut zip: Arriving<'_>, vault: &Vault) -> Result<Imported, Problem> {
    let imported = vault.import(who, &mut zip, ImportMode::Add, |_, _| {});
    let imported = imported.await.map_err(Problem::from);
    pass_by(zip).await;
    imported
}

/// Reads a form with files to its end. `note` keeps the outcome of each file, and returns how much
/// memory that takes.
///
/// # Errors
/// 403 without the right token before the first file; 422 where no file was chosen; 413 where there
/// are too many for one answer; 400, 408, 503. A file that is refused is no error: the others still
/// come.
pub(super) async fn receive_form(
    reader: Reader,
    incoming: &Incoming,
    vault: &Vault,
    mut note: impl FnMut(&Unlocked, Received) -> u64 + Send,
) -> Result<Unlocked, Problem> {
    let mut form = open_form(incoming)?;
    let max_bytes = vault.max_file_bytes();
    let length = incoming.length.unwrap_or(u64::MAX);
    let most = length.saturating_add(MIN_ANSWER).min(MAX_ANSWER);
    // One file is in memory at a time, so the form never needs more than the largest.
    let mut permit = vault.admit_form(&reader.who, incoming.length, most).await?;
    let mut reader = Some(reader);
    let mut token = incoming.token.clone();
    let mut signed: Option<Unlocked> = None;
    let (mut noted, mut answer) = (0, 0);
    while let Some(part) = form.next(max_bytes).await? {
        match part {
            Part::Field { name, value } if name == "csrf_token" => token = Some(value.to_string()),
            Part::Field { .. } => {}
            Part::File { filename, content } => {
                if let Some(reader) = reader.take() {
                    signed = Some(reader.into_writer(token.as_deref())?);
                }
                let nothing_chosen =
                    filename.is_empty() && content.as_ref().is_ok_and(|b| b.is_empty());
                let Some(who) = signed.as_ref().filter(|_| !nothing_chosen) else {
                    continue;
                };
                let outcome = match content {
                    Ok(bytes) => match vault.add_image(who, &filename, bytes).await {
                        // The files that follow would not be taken either.
                        Err(VaultError::Unauthenticated) => return Err(Problem::unauthenticated()),
                        added => added.map_err(Problem::from),
                    },
                    Err(problem) => Err(problem),
                };
                let name = told_name(&filename);
                noted += 1;
                answer += note(who, Received { name, outcome });
                if answer > most {
                    return Err(answer_full(noted));
                }
            }
        }
    }
    // The answer keeps as much of the memory set aside as it says.
    permit.shrink_to(answer);
    incoming.exchange.memory().brought = Some(permit);
    signed.filter(|_| noted > 0).ok_or_else(|| {
        let message = "No file was chosen: choose at least one picture.";
        Problem::invalid_field("file", message)
    })
}

fn answer_full(noted: usize) -> Problem {
    let detail = format!(
        "What is to be said about these files is too long for one answer. The first {} were looked \
         at: send the others in a form of their own.",
        units::count(noted)
    );
    Problem::new(Status::PayloadTooLarge, detail)
}
