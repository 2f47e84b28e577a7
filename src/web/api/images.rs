//! Looking at images and changing what is said about them.

use rocket::State;
use rocket::response::status::NoContent;
use rocket::serde::json::Json;
use serde::Deserialize;

use super::super::download::{Download, Jpeg, disposition};
use super::super::guards::{PictureReader, PictureWriter};
use super::super::json::JsonBody;
use super::super::problem::Problem;
use super::super::range::RangeRequest;
use super::super::wire::{ImageBody, ListBody, Set};
use super::list_query::{ListQuery, flag};
use crate::ids::ImageId;
use crate::vault::ImageEdit;
use crate::vault::Removal;
use crate::vault::Vault;

#[rocket::get("/images?<asked..>")]
async fn list(
    reader: PictureReader,
    asked: ListQuery,
    vault: &State<Vault>,
) -> Result<Json<ListBody<ImageBody>>, Problem> {
    let page = vault.list(&reader.who, asked.page()?).await?;
    let shown = |image| ImageBody::shown_to(&reader.who, image);
    let items = page.items.iter().map(shown).collect();
    Ok(Json(ListBody {
        items,
        total: page.total,
        next_cursor: page.next_cursor,
    }))
}

#[rocket::get("/images/<id>")]
async fn show(
    reader: PictureReader,
    id: ImageId,
    vault: &State<Vault>,
) -> Result<Json<ImageBody>, Problem> {
    let open = vault.open_image(&reader.who, &id).await?;
    Ok(Json(ImageBody::shown_to(&reader.who, &open.image)))
}

#[derive(Deserialize)]
struct Patch {
    name: Option<String>,
    tags: Option<Vec<String>>,
    caption: Option<String>,
    favourite: Option<bool>,
    public: Option<bool>,
}

#[rocket::patch("/images/<id>", data = "<body>")]
async fn edit(
    who: PictureWriter,
    id: ImageId,
    body: JsonBody<Patch>,
    vault: &State<Vault>,
) -> Result<Json<ImageBody>, Problem> {
    let Patch {
        name,
        tags,
        caption,
        favourite,
        public,
    } = body.0;
    if public == Some(true) {
        return Err(Problem::invalid_field(
            "public",
            "Publishing pictures is not possible yet.",
        ));
    }
    let edit = ImageEdit {
        name,
        tags,
        caption,
        favourite,
    };
    let set = Set::by(&edit);
    let image = vault.edit(&who.0, &id, edit).await?;
    Ok(Json(ImageBody::after(&who.0, &image, set)))
}

#[rocket::delete("/images/<id>?<permanent>")]
async fn remove(
    who: PictureWriter,
    id: ImageId,
    permanent: Option<&str>,
    vault: &State<Vault>,
) -> Result<NoContent, Problem> {
    let how = if flag("permanent", permanent)? {
        Removal::ForGood
    } else {
        Removal::OneStep
    };
    vault.remove(&who.0, &id, how).await?;
    Ok(NoContent)
}

#[rocket::get("/images/<id>/original?<inline>")]
async fn original(
    reader: PictureReader,
    id: ImageId,
    inline: Option<&str>,
    wanted: RangeRequest,
    vault: &State<Vault>,
) -> Result<Download, Problem> {
    let open = vault.open_image(&reader.who, &id).await?;
    let about = &open.image.metadata;
    let kind = if flag("inline", inline)? {
        "inline"
    } else {
        "attachment"
    };
    let disposition = disposition(kind, &about.name);
    // The bytes of an image never change, so its id is their entity tag.
    let tag = id.to_string();
    let download = Download::new(
        &wanted,
        about.size,
        &tag,
        &about.content_type,
        disposition,
        |range| vault.read_original(&open, range),
    );
    download.begun().await
}

#[rocket::get("/images/<id>/thumbnail")]
async fn thumbnail(
    reader: PictureReader,
    id: ImageId,
    vault: &State<Vault>,
) -> Result<Jpeg, Problem> {
    Ok(Jpeg(vault.thumbnail(&reader.who, &id).await?))
}

#[rocket::get("/images/<id>/preview")]
async fn preview(
    reader: PictureReader,
    id: ImageId,
    vault: &State<Vault>,
) -> Result<Jpeg, Problem> {
    Ok(Jpeg(vault.preview(&reader.who, &id).await?))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![list, show, edit, remove, original, thumbnail, preview]
}
