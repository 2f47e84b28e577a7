//! `/vault/images/{id}`: one picture, and what is said about it.

use rocket::http::Status;
use rocket::{FromForm, State};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::super::forms::Signed;
use super::super::guards::Reader;
use super::super::problem::Problem;
use super::super::shell::Shell;
use super::super::units;
use super::answer::Answer;
use crate::ids::ImageId;
use crate::media::Location;
use crate::store::ImageState;
use crate::vault::FieldErrors;
use crate::vault::Image;
use crate::vault::ImageEdit;
use crate::vault::Unlocked;
use crate::vault::Vault;

#[derive(Serialize)]
struct PicturePage<'a> {
    image: Details,
    form: Typed<'a>,
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
    place_label: String,
    uploaded_label: String,
    favourite: bool,
    state: &'static str,
    sha256: String,
    content_type: String,
    also_named: Vec<String>,
}

/// The values of the fields: those that were typed, where they were refused.
#[derive(Serialize)]
struct Typed<'a> {
    name: &'a str,
    caption: &'a str,
    tags: &'a str,
    favourite: bool,
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
            place_label: about.location.map(place).unwrap_or_default(),
            uploaded_label: units::moment(image.uploaded_at),
            favourite: about.favourite,
            state: match image.state {
                ImageState::Active => "active",
                ImageState::Trashed => "trashed",
            },
            sha256: about.sha256.clone(),
            content_type: about.content_type.clone(),
            also_named: about.also_named.clone(),
        }
    }
}

/// "48.85837° N, 2.29448° E": five digits are a metre. Words and no link, since opening a map would
/// tell somebody else's server.
fn place(at: Location) -> String {
    let side = |degrees: f64, sides: [&str; 2]| {
        let side = sides[usize::from(degrees < 0.0)];
        format!("{:.5}° {side}", degrees.abs())
    };
    let latitude = side(at.latitude, ["N", "S"]);
    let longitude = side(at.longitude, ["E", "W"]);
    format!("{latitude}, {longitude}")
}

#[rocket::get("/vault/images/<id>")]
async fn show(
    id: ImageId,
    reader: Reader,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Template, Problem> {
    page(vault, &reader.who, shell, &id, None).await
}

#[derive(FromForm)]
struct Edit {
    name: String,
    caption: String,
    tags: String,
    favourite: Option<String>,
}

impl Edit {
    fn parse(&self) -> ImageEdit {
        ImageEdit {
            name: Some(self.name.clone()),
            // Browsers send line breaks as CR LF.
            caption: Some(self.caption.replace("\r\n", "\n")),
            tags: Some(self.tags.split(',').map(str::to_owned).collect()),
            favourite: Some(self.favourite.is_some()),
        }
    }
}

#[rocket::post("/vault/images/<id>", data = "<signed>")]
async fn save(
    id: ImageId,
    signed: Signed<Edit>,
    shell: Shell,
    vault: &State<Vault>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    match vault
        .edit(&who, &id, form.parse())
        .await
        .map_err(Problem::from)
    {
        Ok(_) => {
            let back = format!("/vault/images/{id}");
            Ok(Answer::told(back, "Saved."))
        }
        Err(problem) if problem.status() == Status::UnprocessableEntity => {
            let page = page(vault, &who, shell, &id, Some((&form, problem.errors()))).await?;
            Ok(Answer::refused(&problem, page))
        }
        Err(problem) => Err(problem),
    }
}

async fn page(
    vault: &Vault,
    who: &Unlocked,
    shell: Shell,
    id: &ImageId,
    refused: Option<(&Edit, &FieldErrors)>,
) -> Result<Template, Problem> {
    let open = vault.open_image(who, id).await?;
    let about = &open.image.metadata;
    let (newer, older) = vault.neighbours(who, id).await?;
    let url = |id: ImageId| format!("/vault/images/{id}");
    let (tags, nothing_wrong) = (about.tags.join(", "), FieldErrors::new());
    let form = match refused {
        Some((typed, _)) => Typed {
            name: &typed.name,
            caption: &typed.caption,
            tags: &typed.tags,
            favourite: typed.favourite.is_some(),
        },
        None => Typed {
            name: &about.name,
            caption: &about.caption,
            tags: &tags,
            favourite: about.favourite,
        },
    };
    let page = PicturePage {
        image: Details::from(&open.image),
        form,
        newer_url: newer.map(url),
        older_url: older.map(url),
        errors: refused.map_or(&nothing_wrong, |(_, errors)| errors),
    };
    Ok(Template::render(
        "pages/image",
        shell.signed_in(who).with(page),
    ))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![show, save]
}
