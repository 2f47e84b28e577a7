//! The shapes of the contract's JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::problem::Problem;
use super::shell::role_name;
use crate::ids::ImageId;
use crate::media::Location;
use crate::store::AccountRow;
use crate::store::ImageState;
use crate::vault::Added;
use crate::vault::Filter;
use crate::vault::Image;
use crate::vault::ImageEdit;
use crate::vault::JsonTime;
use crate::vault::Scope;
use crate::vault::Selection;
use crate::vault::Unlocked;

/// An account, as its owner is told.
#[derive(Serialize)]
pub(super) struct UserBody {
    id: String,
    username: String,
    display_name: String,
    email: String,
    role: &'static str,
    created_at: JsonTime,
}

impl From<&AccountRow> for UserBody {
    fn from(row: &AccountRow) -> Self {
        Self {
            id: row.id.to_string(),
            username: row.username.clone(),
            display_name: row.display_name.clone(),
            email: row.email.clone(),
            role: role_name(row.role),
            created_at: row.created_at.into(),
        }
    }
}

/// An image, for any client: to a token that may not read, no more than it can know already.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ImageBody {
    Whole(Box<Whole>),
    Receipt(Receipt),
}

/// An image, for a client that may read.
#[derive(Serialize)]
pub(super) struct Whole {
    id: ImageId,
    name: String,
    also_named: Vec<String>,
    content_type: String,
    size: u64,
    width: u32,
    height: u32,
    sha256: String,
    uploaded_at: JsonTime,
    trashed_at: Option<JsonTime>,
    taken_at: Option<JsonTime>,
    /// The camera's own clock, without a zone.
    taken_local: Option<jiff::civil::DateTime>,
    camera: Option<String>,
    /// Degrees, WGS 84.
    location: Option<Location>,
    tags: Vec<String>,
    caption: String,
    favourite: bool,
    /// Always `false`: publishing is not built yet.
    public: bool,
    state: &'static str,
    /// Base64.
    thumbhash: String,
    /// Always empty: finding characteristics is not built yet.
    characteristics: [(); 0],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    duplicate: bool,
}

/// An image, for a token that may only write: its state, and the fields that the call has set.
#[derive(Serialize)]
pub(super) struct Receipt {
    id: ImageId,
    uploaded_at: JsonTime,
    trashed_at: Option<JsonTime>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caption: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    favourite: Option<bool>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    duplicate: bool,
}

/// Which fields of an image a call has set.
#[derive(Clone, Copy, Default)]
pub(super) struct Set {
    name: bool,
    tags: bool,
    caption: bool,
    favourite: bool,
}

impl Set {
    /// An upload sets the name.
    pub(super) const NAME: Self = Self {
        name: true,
        tags: false,
        caption: false,
        favourite: false,
    };

    /// The fields that this edit sets.
    pub(super) fn by(edit: &ImageEdit) -> Self {
        Self {
            name: edit.name.is_some(),
            tags: edit.tags.is_some(),
            caption: edit.caption.is_some(),
            favourite: edit.favourite.is_some(),
        }
    }
}

impl ImageBody {
    /// The image, as much of it as `who` may see.
    pub(super) fn shown_to(who: &Unlocked, image: &Image) -> Self {
        Self::made(who, image, Set::default(), false)
    }

    /// The image after a call of `who` that has set these fields.
    pub(super) fn after(who: &Unlocked, image: &Image, set: Set) -> Self {
        Self::made(who, image, set, false)
    }

    /// The image that was added, or was there already: then the upload has set no field.
    pub(super) fn added(who: &Unlocked, added: &Added) -> Self {
        match added {
            Added::New(image) => Self::made(who, image, Set::NAME, false),
            Added::Duplicate(image) => Self::made(who, image, Set::default(), true),
        }
    }

    fn made(who: &Unlocked, image: &Image, set: Set, duplicate: bool) -> Self {
        match who.may(Scope::Read) {
            true => Self::Whole(Box::new(Whole::new(image, duplicate))),
            false => Self::Receipt(Receipt::new(image, set, duplicate)),
        }
    }
}

impl Receipt {
    fn new(image: &Image, set: Set, duplicate: bool) -> Self {
        let about = &image.metadata;
        Self {
            id: image.id,
            uploaded_at: image.uploaded_at.into(),
            trashed_at: image.trashed_at.map(JsonTime),
            state: state_name(image.state),
            name: set.name.then(|| about.name.clone()),
            tags: set.tags.then(|| about.tags.clone()),
            caption: set.caption.then(|| about.caption.clone()),
            favourite: set.favourite.then_some(about.favourite),
            duplicate,
        }
    }
}

impl Whole {
    fn new(image: &Image, duplicate: bool) -> Self {
        let about = &image.metadata;
        Self {
            id: image.id,
            name: about.name.clone(),
            also_named: about.also_named.clone(),
            content_type: about.content_type.clone(),
            size: about.size,
            width: about.width,
            height: about.height,
            sha256: about.sha256.clone(),
            uploaded_at: image.uploaded_at.into(),
            trashed_at: image.trashed_at.map(JsonTime),
            taken_at: about.taken_at().map(JsonTime),
            taken_local: about.taken_local(),
            camera: about.camera.clone(),
            location: about.location,
            tags: about.tags.clone(),
            caption: about.caption.clone(),
            favourite: about.favourite,
            public: false,
            state: state_name(image.state),
            thumbhash: data_encoding::BASE64.encode(&about.thumbhash),
            characteristics: [],
            duplicate,
        }
    }
}

fn state_name(state: ImageState) -> &'static str {
    match state {
        ImageState::Active => "active",
        ImageState::Trashed => "trashed",
    }
}

/// A page of a list.
#[derive(Serialize)]
pub(super) struct ListBody<T> {
    /// The page.
    pub items: Vec<T>,
    /// Length of the whole list.
    pub total: usize,
    /// Leads to the next page.
    pub next_cursor: Option<String>,
}

/// Which images a bulk call means: exactly one of `ids`, `all`, `query` and `trashed_at`.
#[derive(Deserialize)]
pub(super) struct SelectionBody {
    ids: Option<Vec<String>>,
    #[serde(default)]
    all: bool,
    query: Option<String>,
    // These four narrow a query.
    favourite_only: Option<bool>,
    state: Option<String>,
    except: Option<Vec<String>>,
    /// How many images the query must find.
    count: Option<usize>,
    trashed_at: Option<JsonTime>,
    album: Option<String>,
}

impl SelectionBody {
    /// The selection. Selecting by what pictures hold needs the right to read: the number found
    /// tells what they hold.
    ///
    /// # Errors
    /// 422 where it is none or several; 403 for a query of a token that may not read; 404 for what
    /// cannot be an id, as for an unknown one.
    pub(super) fn parse(self, who: &Unlocked) -> Result<Selection, Problem> {
        if self.query.is_some() && !who.may(Scope::Read) {
            return Err(Problem::out_of_scope(Some(Scope::Read.name())));
        }
        // There are no albums yet, so none has this id.
        if self.album.is_some() {
            return Err(Problem::not_found());
        }
        self.refuse_what_narrows_nothing()?;
        match (self.ids, self.all, self.query, self.trashed_at) {
            (Some(ids), false, None, None) => Ok(Selection::Ids(parse_ids("ids", &ids)?)),
            (None, true, None, None) => Ok(Selection::All),
            (None, false, Some(query), None) => Ok(Selection::Matching {
                filter: Filter {
                    query,
                    favourite: self.favourite_only.unwrap_or_default(),
                    state: parse_state(self.state.as_deref())?,
                    ..Filter::default()
                },
                except: parse_ids("except", &self.except.unwrap_or_default())?,
                count: self.count,
            }),
            (None, false, None, Some(JsonTime(at))) => Ok(Selection::TrashedAt(at)),
            _ => Err(Problem::invalid_field(
                "ids",
                "Send exactly one of `ids`, `all`, `query` and `trashed_at`.",
            )),
        }
    }

    /// Ignored, a word like `"state": "trashed"` beside `"all"` would delete what it was to spare.
    fn refuse_what_narrows_nothing(&self) -> Result<(), Problem> {
        let given = [
            ("favourite_only", self.favourite_only.is_some()),
            ("state", self.state.is_some()),
            ("except", self.except.is_some()),
            ("count", self.count.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((field, _)) if self.query.is_none() => Err(Problem::invalid_field(
                *field,
                format!("`{field}` narrows a `query` only; send `\"query\": \"\"` for everything."),
            )),
            _ => Ok(()),
        }
    }
}

/// `active` or `trashed`; `None` where the call itself says which.
///
/// # Errors
/// 422 for anything else.
pub(super) fn parse_state(text: Option<&str>) -> Result<Option<ImageState>, Problem> {
    match text {
        None => Ok(None),
        Some("active") => Ok(Some(ImageState::Active)),
        Some("trashed") => Ok(Some(ImageState::Trashed)),
        Some(_) => Err(Problem::invalid_field(
            "state",
            "`state` is `active` or `trashed`.",
        )),
    }
}

/// Ids as they come in bodies and forms.
///
/// # Errors
/// 404 for a text that cannot be an id; 422 where there are too many ids to look at.
pub(super) fn parse_ids(field: &'static str, ids: &[String]) -> Result<Vec<ImageId>, Problem> {
    if ids.len() > crate::vault::MAX_IDS {
        let message = format!("At most {} ids in one call.", crate::vault::MAX_IDS);
        return Err(Problem::invalid_field(field, message));
    }
    Ok(ids.iter().map(|id| id.parse()).collect::<Result<_, _>>()?)
}

/// A single number under a name, such as `{"deleted": 3}`.
pub(super) fn counted(
    name: &'static str,
    count: u64,
) -> rocket::serde::json::Json<BTreeMap<&'static str, u64>> {
    rocket::serde::json::Json(BTreeMap::from([(name, count)]))
}
