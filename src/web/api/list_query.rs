//! The query of a list, as text: so a value that is not allowed gets its own answer.

use jiff::tz::{Offset, TimeZone};

use super::super::problem::Problem;
use super::super::wire::parse_state;
use crate::vault::DEFAULT_LIMIT;
use crate::vault::Filter;
use crate::vault::ListRequest;
use crate::vault::MAX_LIMIT;
use crate::vault::Sort;

/// Which images, in which order, and which page of them.
#[derive(rocket::FromForm)]
pub(super) struct ListQuery {
    q: Option<String>,
    tag: Option<String>,
    album: Option<String>,
    favourite: Option<String>,
    state: Option<String>,
    sort: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

impl ListQuery {
    /// The images to list, and their order.
    ///
    /// # Errors
    /// 422 naming the field; 404 for an album.
    pub(super) fn order(&self) -> Result<(Filter, (Sort, bool)), Problem> {
        if self.album.is_some() {
            // There are no albums yet, so none has this id.
            return Err(Problem::not_found());
        }
        let sort = self.sort.as_deref().unwrap_or("-uploaded_at");
        let order = Sort::parse(sort).ok_or_else(|| {
            let message = "`sort` is `uploaded_at`, `taken_at`, `name` or `size`, with `-` before \
                           it to turn it round.";
            Problem::invalid_field("sort", message)
        })?;
        let filter = Filter {
            query: self.q.clone().unwrap_or_default(),
            tag: self.tag.clone(),
            favourite: flag("favourite", self.favourite.as_deref())?,
            state: parse_state(self.state.as_deref())?,
        };
        Ok((filter, order))
    }

    /// The page to list.
    ///
    /// # Errors
    /// 422 naming the field; 404 for an album.
    pub(super) fn page(self) -> Result<ListRequest, Problem> {
        let (filter, (sort, descending)) = self.order()?;
        let limit = self
            .limit
            .map_or(Ok(DEFAULT_LIMIT), |limit| limit.parse())
            .map_err(|_| {
                let message = format!("`limit` is a number from 1 to {MAX_LIMIT}.");
                Problem::invalid_field("limit", message)
            })?;
        Ok(ListRequest {
            filter,
            sort,
            descending,
            limit,
            cursor: self.cursor,
        })
    }
}

/// A query field that is `true` or `false`, and `false` when absent.
///
/// # Errors
/// 422 naming the field.
pub(super) fn flag(name: &'static str, value: Option<&str>) -> Result<bool, Problem> {
    match value {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::invalid_field(
            name,
            format!("`{name}` is `true` or `false`."),
        )),
    }
}

/// The clock whose days are meant: that of a zone such as `Europe/Berlin`, or, where this machine
/// does not know the zone, one that is so many minutes ahead of UTC.
///
/// # Errors
/// 422 for an offset that no clock on earth has.
pub(super) fn clock(zone: Option<&str>, minutes: Option<&str>) -> Result<TimeZone, Problem> {
    let parse = |text: &str| {
        let seconds = text.parse::<i32>().ok()?.checked_mul(60)?;
        Offset::from_seconds(seconds).ok()
    };
    let offset = minutes.map_or(Some(Offset::UTC), parse).ok_or_else(|| {
        let message = "`utc_offset` is minutes ahead of UTC, such as 120 or -300.";
        Problem::invalid_field("utc_offset", message)
    })?;
    let named = zone.and_then(|name| TimeZone::get(name).ok());
    Ok(named.unwrap_or_else(|| TimeZone::fixed(offset)))
}
