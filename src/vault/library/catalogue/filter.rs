//! Which of an account's images are meant: by words, tag, mark and state.

use std::collections::HashSet;

use super::super::search::Query;
use super::entry::Entry;
use crate::ids::ImageId;
use crate::store::ImageState;
use crate::vault::error::{Result, VaultError};

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
    /// The state it must have; `None` for the state that the call is about.
    pub state: Option<ImageState>,
}

impl Filter {
    /// Refuses a query that is too long.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] naming `field`.
    pub(in crate::vault) fn check(&self, field: &'static str) -> Result<()> {
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

    /// The state all of whose images are meant; `None` where the filter asks for more.
    pub(in crate::vault) fn whole_state(&self, about: ImageState) -> Option<ImageState> {
        let narrows = self.favourite || self.asks_for_words();
        (!narrows).then(|| self.state.unwrap_or(about))
    }

    /// Whether only an image's record can tell if it is meant.
    pub(in crate::vault) fn asks_for_words(&self) -> bool {
        self.tag.is_some() || Query::new(&self.query).words() > 0
    }

    /// The same filter without what only a record can tell.
    pub(in crate::vault) fn without_words(&self) -> Self {
        Self {
            query: String::new(),
            tag: None,
            ..*self
        }
    }

    /// Tells of an image whether it is meant, in a call about images of a state. `beyond` are
    /// images without a record in memory that were looked up and are meant.
    pub(in crate::vault) fn matcher<'a>(
        &'a self,
        about: ImageState,
        beyond: &'a HashSet<ImageId>,
    ) -> impl Fn(&Entry) -> bool + use<'a> {
        let query = Query::new(&self.query);
        let asks_for_words = self.asks_for_words();
        let state = self.state.unwrap_or(about);
        let has_tag = |tags: &[String]| self.tag.as_ref().is_none_or(|tag| tags.contains(tag));
        move |entry| {
            entry.state == state
                && (!self.favourite || entry.facts.favourite)
                && match &entry.metadata {
                    Some(metadata) => has_tag(&metadata.tags) && entry.searchable.matches(&query),
                    None => !asks_for_words || beyond.contains(&entry.id),
                }
        }
    }
}
