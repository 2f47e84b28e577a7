//! Taking pictures in: one as the body, or several in a form.

use rocket::State;
use rocket::http::{ContentType, Status};
use rocket::response::Responder;
use rocket::response::content::RawJson;
use rocket::response::status::Custom;
use rocket::serde::json::Json;
use serde::Serialize;

use super::super::body::read_file;
use super::super::guards::Uploader;
use super::super::problem::Problem;
use super::super::receive::{Incoming, Received, receive_form};
use super::super::wire::ImageBody;
use crate::vault::Added;
use crate::vault::Unlocked;
use crate::vault::Vault;

#[derive(Responder)]
enum Answer {
    One(Custom<Json<ImageBody>>),
    Several(RawJson<String>),
}

/// The outcomes of a form's files, as they are sent. They become text at once: a picture's words
/// take more memory by themselves.
struct Results(String);

impl Results {
    fn new() -> Self {
        Self("{\"items\":[".into())
    }

    /// Adds the outcome of a file; returns the bytes that it takes.
    fn note(&mut self, who: &Unlocked, received: Received) -> u64 {
        let before = self.0.len();
        if self.0.ends_with('}') {
            self.0.push(',');
        }
        let text = serde_json::to_string(&item(who, received));
        self.0 += &text.expect("strings and numbers always make JSON");
        (self.0.len() - before) as u64
    }

    fn end(self) -> RawJson<String> {
        RawJson(self.0 + "]}")
    }
}

#[derive(Serialize)]
struct Item {
    name: String,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<ImageBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

#[rocket::post("/images")]
async fn upload(
    sender: Uploader,
    incoming: Incoming,
    kind: Option<&ContentType>,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    if kind.is_some_and(|kind| kind.is_form_data()) {
        let mut results = Results::new();
        let note = |who: &Unlocked, received| results.note(who, received);
        receive_form(sender.0, &incoming, vault, note).await?;
        return Ok(Answer::Several(results.end()));
    }
    let who = sender.0.into_writer(incoming.proof())?;
    let name = incoming.name()?;
    let _permit = vault.admit(&who, incoming.length).await?;
    let bytes = read_file(
        incoming.body(),
        incoming.length,
        vault.max_file_bytes(),
        incoming.stall,
    )
    .await?;
    let added = vault.add_image(&who, &name, bytes).await?;
    let body = Json(ImageBody::added(&who, &added));
    Ok(Answer::One(Custom(status_of(&added), body)))
}

fn status_of(added: &Added) -> Status {
    match added {
        Added::New(_) => Status::Created,
        Added::Duplicate(_) => Status::Ok,
    }
}

fn item(who: &Unlocked, received: Received) -> Item {
    let (status, image, problem) = match received.outcome {
        Ok(added) => (status_of(&added), Some(ImageBody::added(who, &added)), None),
        Err(problem) => (problem.status(), None, Some(problem.detail().to_owned())),
    };
    Item {
        name: received.name,
        status: status.code,
        image,
        problem,
    }
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![upload]
}
