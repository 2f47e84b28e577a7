//! Many images at once.

use std::collections::BTreeMap;

use rocket::State;
use rocket::serde::json::Json;
use serde::{Deserialize, Serialize};

use super::super::guards::{PictureReader, PictureWriter};
use super::super::json::{JsonBody, JsonParts};
use super::super::problem::Problem;
use super::super::wire::{SelectionBody, counted};
use crate::ids::ImageId;
use crate::store::ImageState;
use crate::vault::ImageEdit;
use crate::vault::JsonTime;
use crate::vault::Vault;

/// Most SHA-256 sums in one call.
const MAX_SUMS: usize = 1_000;

type Count = Json<BTreeMap<&'static str, u64>>;

#[derive(Deserialize)]
struct Deletion {
    #[serde(default)]
    permanent: bool,
}

#[derive(Serialize)]
struct Deleted {
    deleted: u64,
    /// Sent to `/images/restore`, it undoes this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    trashed_at: Option<JsonTime>,
}

#[rocket::post("/images/delete", data = "<body>")]
async fn delete(
    who: PictureWriter,
    body: JsonParts<SelectionBody, Deletion>,
    vault: &State<Vault>,
) -> Result<Json<Deleted>, Problem> {
    let JsonParts(selection, Deletion { permanent }) = body;
    let selection = selection.parse(&who.0)?;
    let (deleted, trashed_at) = if permanent {
        let removed = vault.delete(&who.0, selection, ImageState::Active).await?;
        (removed, None)
    } else {
        let (moved, at) = vault.trash(&who.0, selection).await?;
        (moved, Some(at.into()))
    };
    Ok(Json(Deleted {
        deleted,
        trashed_at,
    }))
}

#[rocket::post("/images/restore", data = "<body>")]
async fn restore(
    who: PictureWriter,
    body: JsonBody<SelectionBody>,
    vault: &State<Vault>,
) -> Result<Count, Problem> {
    let restored = vault.restore(&who.0, body.0.parse(&who.0)?).await?;
    Ok(counted("restored", restored))
}

#[derive(Deserialize)]
struct Marking {
    favourite: bool,
}

#[rocket::post("/images/favourite", data = "<body>")]
async fn favourite(
    who: PictureWriter,
    body: JsonParts<SelectionBody, Marking>,
    vault: &State<Vault>,
) -> Result<Count, Problem> {
    let JsonParts(selection, Marking { favourite }) = body;
    let edit = ImageEdit {
        favourite: Some(favourite),
        ..ImageEdit::default()
    };
    let selection = selection.parse(&who.0)?;
    let marked = vault.edit_all(&who.0, selection, edit).await?;
    Ok(counted("marked", marked))
}

#[derive(Deserialize)]
struct Sums {
    sha256: Vec<String>,
}

#[derive(Serialize)]
struct Known {
    known: BTreeMap<String, ImageId>,
}

#[rocket::post("/images/known", data = "<body>")]
async fn known(
    reader: PictureReader,
    body: JsonBody<Sums>,
    vault: &State<Vault>,
) -> Result<Json<Known>, Problem> {
    let sums = parse_sums(&body.0.sha256)?;
    let known = vault.known(&reader.who, &sums).await?;
    let named = known
        .into_iter()
        .map(|(sum, id)| (data_encoding::HEXLOWER.encode(&sum), id));
    Ok(Json(Known {
        known: named.collect(),
    }))
}

fn parse_sums(texts: &[String]) -> Result<Vec<[u8; 32]>, Problem> {
    if texts.len() > MAX_SUMS {
        let message = format!("At most {MAX_SUMS} sums in one question.");
        return Err(Problem::invalid_field("sha256", message));
    }
    let parse = |text: &String| {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE
            .decode(text.as_bytes())
            .ok()?;
        <[u8; 32]>::try_from(bytes).ok()
    };
    texts
        .iter()
        .map(parse)
        .collect::<Option<_>>()
        .ok_or_else(|| Problem::invalid_field("sha256", "Each sum is 64 hexadecimal digits."))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![delete, restore, favourite, known]
}
