//! The buttons below the grids: download, favourite, delete, restore. Deleting asks first.

use rocket::response::Redirect;
use rocket::{FromForm, State};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::super::api;
use super::super::forms::Signed;
use super::super::problem::Problem;
use super::super::shell::Shell;
use super::super::site::Site;
use super::super::units;
use super::super::wire::parse_ids;
use super::answer::Answer;
use super::tiles::{Tile, link};
use crate::store::ImageState;
use crate::vault::Filter;
use crate::vault::ImageEdit;
use crate::vault::Selection;
use crate::vault::Unlocked;
use crate::vault::Vault;

/// Pictures shown when asking whether to delete.
const SHOWN: usize = 12;

#[derive(FromForm)]
struct Choice {
    action: String,
    ids: Vec<String>,
    all: Option<String>,
    q: Option<String>,
    favourites: Option<String>,
}

#[derive(Serialize)]
struct ConfirmPage {
    count: usize,
    count_label: String,
    permanent: bool,
    images: Vec<Tile>,
    hidden: Vec<Hidden>,
    action_url: &'static str,
    cancel_url: String,
}

#[derive(Serialize)]
struct Hidden {
    name: &'static str,
    value: String,
}

impl Choice {
    fn query(&self) -> &str {
        self.q.as_deref().map_or("", str::trim)
    }

    fn favourites(&self) -> bool {
        self.favourites.as_deref() == Some("on")
    }

    fn selection(&self) -> Result<Selection, Problem> {
        match (&self.all, self.query()) {
            (None, _) => Ok(Selection::Ids(parse_ids("ids", &self.ids)?)),
            (Some(_), "") if !self.favourites() => Ok(Selection::All),
            (Some(_), query) => Ok(Selection::Matching {
                filter: Filter {
                    query: query.to_owned(),
                    favourite: self.favourites(),
                    ..Filter::default()
                },
                except: vec![],
                count: None,
            }),
        }
    }

    /// The page the choice was made on.
    fn back(&self, to: &str) -> String {
        let favourites = if self.favourites() { "on" } else { "" };
        link(to, &[("q", self.query()), ("favourites", favourites)])
    }

    fn hidden(&self) -> Vec<Hidden> {
        let all = self.all.iter().map(|_| Hidden {
            name: "all",
            value: "on".into(),
        });
        let query = Some(Hidden {
            name: "q",
            value: self.query().to_owned(),
        });
        let favourites = self.favourites().then(|| Hidden {
            name: "favourites",
            value: "on".into(),
        });
        let ids = self.ids.iter().filter(|_| self.all.is_none());
        let ids = ids.map(|id| Hidden {
            name: "ids",
            value: id.clone(),
        });
        all.chain(query).chain(favourites).chain(ids).collect()
    }
}

#[rocket::post("/vault/selection", data = "<signed>")]
async fn in_vault(
    signed: Signed<Choice>,
    shell: Shell,
    vault: &State<Vault>,
    site: &State<Site>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let selection = form.selection()?;
    let back = form.back("/vault");
    Ok(match form.action.as_str() {
        "download" => Answer::To(Redirect::to(download(vault, &who, selection).await?)),
        "favourite" => Answer::told(back, &favourite(vault, &who, selection).await?),
        "delete" => Answer::Page(confirm(vault, &who, shell, site, &form, TO_TRASH).await?),
        "delete-confirmed" => Answer::told(back, &to_trash(vault, &who, selection).await?),
        _ => return Err(unknown_action()),
    })
}

#[rocket::post("/trash/selection", data = "<signed>")]
async fn in_trash(
    signed: Signed<Choice>,
    shell: Shell,
    vault: &State<Vault>,
    site: &State<Site>,
) -> Result<Answer, Problem> {
    let Signed { who, form } = signed;
    let selection = form.selection()?;
    let back = "/trash".to_owned();
    Ok(match form.action.as_str() {
        "restore" => Answer::told(back, &restore(vault, &who, selection).await?),
        "delete" => Answer::Page(confirm(vault, &who, shell, site, &form, FOR_GOOD).await?),
        "delete-confirmed" => Answer::told(back, &for_good(vault, &who, selection).await?),
        _ => return Err(unknown_action()),
    })
}

const TO_TRASH: Asks = Asks {
    permanent: false,
    of: ImageState::Active,
    at: "/vault",
};

const FOR_GOOD: Asks = Asks {
    permanent: true,
    of: ImageState::Trashed,
    at: "/trash",
};

async fn to_trash(vault: &Vault, who: &Unlocked, selection: Selection) -> Result<String, Problem> {
    let (deleted, _) = vault.trash(who, selection).await?;
    let pictures = pictures(deleted);
    Ok(format!(
        "{pictures} moved to the trash. Open the trash to bring them back."
    ))
}

async fn restore(vault: &Vault, who: &Unlocked, selection: Selection) -> Result<String, Problem> {
    let restored = vault.restore(who, selection).await?;
    Ok(format!("{} back in your vault.", pictures(restored)))
}

async fn for_good(vault: &Vault, who: &Unlocked, selection: Selection) -> Result<String, Problem> {
    let deleted = vault.delete(who, selection, ImageState::Trashed).await?;
    Ok(format!("{} gone for good.", pictures(deleted)))
}

fn unknown_action() -> Problem {
    Problem::invalid_field(
        "action",
        "This page does not know what to do with the selection.",
    )
}

fn pictures(count: u64) -> String {
    units::pictures(usize::try_from(count).unwrap_or(usize::MAX))
}

/// One picture is fetched as it is (R1.37), several in one zip.
async fn download(vault: &Vault, who: &Unlocked, selection: Selection) -> Result<String, Problem> {
    if let Selection::Ids(ids) = &selection
        && let [id] = ids[..]
    {
        vault.open_image(who, &id).await?;
        return Ok(format!("/api/v1/images/{id}/original"));
    }
    let ticket = vault.create_archive(who, selection, None).await?;
    Ok(api::archive_address(&ticket))
}

async fn favourite(vault: &Vault, who: &Unlocked, selection: Selection) -> Result<String, Problem> {
    let edit = ImageEdit {
        favourite: Some(true),
        ..ImageEdit::default()
    };
    let count = vault.edit_all(who, selection, edit).await?;
    Ok(format!("{} marked as favourite.", pictures(count)))
}

struct Asks {
    permanent: bool,
    of: ImageState,
    at: &'static str,
}

async fn confirm(
    vault: &Vault,
    who: &Unlocked,
    shell: Shell,
    site: &Site,
    form: &Choice,
    asks: Asks,
) -> Result<Template, Problem> {
    let (shown, count) = vault
        .preview_selection(who, form.selection()?, asks.of, SHOWN)
        .await?;
    let page = ConfirmPage {
        count,
        count_label: units::count(count),
        permanent: asks.permanent,
        images: shown
            .iter()
            .map(|image| Tile::new(image, site.limits.trash_days))
            .collect(),
        hidden: form.hidden(),
        action_url: if asks.permanent {
            "/trash/selection"
        } else {
            "/vault/selection"
        },
        cancel_url: form.back(asks.at),
    };
    Ok(Template::render(
        "pages/confirm",
        shell.signed_in(who).with(page),
    ))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![in_vault, in_trash]
}
