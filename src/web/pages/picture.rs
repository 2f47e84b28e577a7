//! `/vault/images/{id}`: one picture, and what is said about it.

use rocket::http::Status;
use rocket::response::{Flash, Redirect, Responder};
use rocket::{FromForm, State};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::super::guards::{Reader, Signed};
use super::super::problem::Problem;
use super::super::shell::Shell;
use super::super::units;
use crate::ids::ImageId;
use crate::store::ImageState;
use crate::vault::FieldErrors;
use crate::vault::Image;
use crate::vault::ImageEdit;
use crate::vault::Unlocked;
use crate::vault::Vault;

#[derive(Serialize)]
struct ImagePage<'a> {
    image: Details,
    newer_url: Option<String>,
    older_url: Option<String>,
    errors: &'a FieldErrors,
}

#[derive(Serialize)]
struct Details {
    id: ImageId,
    name: String,
    width: u32,
    height: u32,
    size_label: String,
    taken_label: String,
    camera: String,
    uploaded_label: String,
    favourite: bool,
    state: &'static str,
    sha256: String,
    content_type: String,
    also_named: Vec<String>,
    caption: String,
    tags: Vec<String>,
}

impl From<&Image> for Details {
    fn from(image: &Image) -> Self {
        let about = &image.metadata;
        Self {
            id: image.id,
            name: about.name.clone(),
            width: about.width,
            height: about.height,
            size_label: units::bytes(about.size),
            taken_label: about.taken_local().map(units::day).unwrap_or_default(),
            camera: about.camera.clone().unwrap_or_default(),
            uploaded_label: units::moment(image.uploaded_at),
            favourite: about.favourite,
            state: match image.state {
                ImageState::Active => "active",
                ImageState::Trashed => "trashed",
            },
            sha256: about.sha256.clone(),
            content_type: about.content_type.clone(),
            also_named: about.also_named.clone(),
            caption: about.caption.clone(),
            tags: about.tags.clone(),
        }
    }
}

#[derive(Responder)]
enum Answer {
    Refused((Status, Template)),
    Done(Flash<Redirect>),
}

#[rocket::get("/vault/images/<id>")]
async fn show(
    id: ImageId,
    reader: Reader,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Template, Problem> {
    page(vault, &reader.who, shell, &id, &FieldErrors::new()).await
}

#[derive(FromForm)]
struct Edit {
    name: String,
    caption: String,
    tags: String,
    favourite: Option<String>,
}

#[rocket::post("/vault/images/<id>", data = "<signed>")]
async fn save(
    id: ImageId,
    signed: Signed<Edit>,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let edit = ImageEdit {
        name: Some(form.name),
        caption: Some(form.caption),
        tags: Some(form.tags.split(',').map(str::to_owned).collect()),
        favourite: Some(form.favourite.is_some()),
    };
    match vault.edit(&who, &id, edit).await.map_err(Problem::from) {
        Ok(_) => {
            let back = Redirect::to(format!("/vault/images/{id}"));
            Ok(Answer::Done(Flash::success(back, "Saved.")))
        }
        Err(problem) if problem.status() == Status::UnprocessableEntity => {
            let page = page(vault, &who, shell, &id, problem.errors()).await?;
            Ok(Answer::Refused((problem.status(), page)))
        }
        Err(problem) => Err(problem),
    }
}

async fn page(
    vault: &Vault,
    who: &Unlocked,
    shell: Shell,
    id: &ImageId,
    errors: &FieldErrors,
) -> Result<Template, Problem> {
    let open = vault.open_image(who, id).await?;
    let (newer, older) = vault.neighbours(who, id).await?;
    let url = |id: ImageId| format!("/vault/images/{id}");
    let page = ImagePage {
        image: Details::from(&open.image),
        newer_url: newer.map(url),
        older_url: older.map(url),
        errors,
    };
    Ok(Template::render(
        "pages/image",
        shell.signed_in(who).with(page),
    ))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![show, save]
}
