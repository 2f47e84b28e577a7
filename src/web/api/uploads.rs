//! Taking pictures in: one as the body, or several in a form.

use rocket::State;
use rocket::data::Data;
use rocket::http::{ContentType, Status};
use rocket::response::Responder;
use rocket::response::status::Custom;
use rocket::serde::json::Json;
use serde::Serialize;

use super::super::body::read_file;
use super::super::guards::Uploader;
use super::super::problem::Problem;
use super::super::receive::{Incoming, Received, receive_form};
use super::super::wire::ImageBody;
use crate::vault::Added;
use crate::vault::Vault;

#[derive(Responder)]
enum Answer {
    One(Box<Custom<Json<ImageBody>>>),
    Several(Json<Results>),
}

#[derive(Serialize)]
struct Results {
    items: Vec<Item>,
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

#[rocket::post("/images", data = "<data>")]
async fn upload(
    sender: Uploader,
    incoming: Incoming,
    kind: Option<&ContentType>,
    data: Data<'_>,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    if kind.is_some_and(|kind| kind.is_form_data()) {
        let (_, received) = receive_form(sender.0, &incoming, data, vault).await?;
        return Ok(Answer::Several(Json(Results {
            items: received.into_iter().map(item).collect(),
        })));
    }
    let who = sender.0.into_writer(incoming.proof())?;
    let name = incoming.name()?;
    let _permit = vault.admit(&who, incoming.length).await?;
    let bytes = read_file(
        data,
        incoming.length,
        vault.max_file_bytes(),
        incoming.stall,
    )
    .await?;
    let answer = match vault.add_image(&who, &name, bytes).await? {
        Added::New(image) => Custom(Status::Created, Json(ImageBody::from(&image))),
        Added::Duplicate(image) => Custom(Status::Ok, Json(ImageBody::duplicate(&image))),
    };
    Ok(Answer::One(Box::new(answer)))
}

fn item(received: Received) -> Item {
    let (status, image, problem) = match received.outcome {
        Ok(Added::New(image)) => (Status::Created, Some(ImageBody::from(&image)), None),
        Ok(Added::Duplicate(image)) => (Status::Ok, Some(ImageBody::duplicate(&image)), None),
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
