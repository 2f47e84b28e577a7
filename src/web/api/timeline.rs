//! The shape of a whole list, for clients that draw it.

use rocket::State;
use rocket::serde::json::Json;
use serde::Serialize;

use super::super::guards::PictureReader;
use super::super::problem::Problem;
use super::list_query::{ListQuery, clock};
use crate::vault::Section;
use crate::vault::TIMELINE_PAGE;
use crate::vault::Timeline;
use crate::vault::Vault;

#[derive(Serialize)]
struct TimelineBody {
    total: usize,
    /// Bytes of the originals.
    bytes: u64,
    damaged: usize,
    sections: Vec<SectionBody>,
    /// Base64: one byte an image, `128 + 32 * log2(width / height)`.
    ratios: String,
    /// Images from cursor to cursor.
    page: usize,
    /// For `GET /api/v1/images` with the same query and `limit` = `page`.
    cursors: Vec<Option<String>>,
}

#[derive(Serialize)]
struct SectionBody {
    key: String,
    count: usize,
}

impl From<Section> for SectionBody {
    fn from(section: Section) -> Self {
        let Section { key, count } = section;
        Self { key, count }
    }
}

impl From<Timeline> for TimelineBody {
    fn from(timeline: Timeline) -> Self {
        Self {
            total: timeline.ratios.len(),
            bytes: timeline.total_bytes,
            damaged: timeline.damaged,
            sections: timeline.sections.into_iter().map(Into::into).collect(),
            ratios: data_encoding::BASE64.encode(&timeline.ratios),
            page: TIMELINE_PAGE,
            cursors: timeline.cursors,
        }
    }
}

#[rocket::get("/timeline?<tz>&<utc_offset>&<asked..>")]
async fn timeline(
    reader: PictureReader,
    asked: ListQuery,
    tz: Option<&str>,
    utc_offset: Option<&str>,
    vault: &State<Vault>,
) -> Result<Json<TimelineBody>, Problem> {
    let (filter, order) = asked.order()?;
    let clock = clock(tz, utc_offset)?;
    let timeline = vault.timeline(&reader.who, filter, order, clock).await?;
    Ok(Json(timeline.into()))
}

pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![timeline]
}
