//! Which of an account's images are meant: by words, tag, mark and state.

use super::catalogue::Entry;
use super::error::{Result, VaultError};
use super::search::Query;
use crate::store::ImageState;

/// Longest query that is looked at, in bytes.
const MAX_QUERY_BYTES: usize = 1_024;
/// Most words of a query: each is looked for in every image.
const MAX_WORDS: usize = 32;

/// What an image must have to be meant. The default means every image.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words that must all occur, also inside longer words, whatever their case or accents.
    pub query: String,
    /// A tag it must have.
    pub tag: Option<String>,
    /// Whether only favourites are meant.
    pub favourite: bool,
    /// Whether from the vault or from the trash; nothing for what the call is about.
    pub state: Option<ImageState>,
}

impl Filter {
    /// Refuses a query that is too long.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] naming `field`.
    pub(super) fn check(&self, field: &'static str) -> Result<()> {
        if self.query.len() > MAX_QUERY_BYTES {
            let message = format!("A query has at most {MAX_QUERY_BYTES} bytes.");
            return Err(VaultError::invalid(field, message));
        }
        if Query::new(&self.query).words() > MAX_WORDS {
            let message = format!("A query has at most {MAX_WORDS} words.");
            return Err(VaultError::invalid(field, message));
        }
        Ok(())
    }

    /// The state whose images are meant, every one of them; nothing where more is asked of an image.
    pub(super) fn whole_state(&self, about: ImageState) -> Option<ImageState> {
        let Self {
            query,
            tag,
            favourite,
            state,
        } = self;
        let narrows = *favourite || tag.is_some() || Query::new(query).words() > 0;
        (!narrows).then(|| state.unwrap_or(about))
    }

    /// Says of an image whether it is meant, in a call about images of a state.
    pub(super) fn matcher(&self, about: ImageState) -> impl Fn(&Entry) -> bool {
        let query = Query::new(&self.query);
        let state = self.state.unwrap_or(about);
        move |entry| {
            entry.state == state
                && (!self.favourite || entry.metadata.favourite)
                && self
                    .tag
                    .as_ref()
                    .is_none_or(|tag| entry.metadata.tags.contains(tag))
                && entry.searchable.matches(&query)
        }
    }
}
