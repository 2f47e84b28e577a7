//! Which of an account's images are meant: by words, tag, mark and state.

use super::catalogue::{Entry, fold};
use super::error::{Result, VaultError};
use crate::store::ImageState;

/// Longest query that is looked at, in bytes.
const MAX_QUERY_BYTES: usize = 1_024;

/// What an image must have to be meant. The default means every image in the vault.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Words that must all occur, also inside longer words, whatever their case or accents.
    pub query: String,
    /// A tag it must have.
    pub tag: Option<String>,
    /// Whether only favourites are meant.
    pub favourite: bool,
    /// Whether from the vault or from the trash.
    pub state: ImageState,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            query: String::new(),
            tag: None,
            favourite: false,
            state: ImageState::Active,
        }
    }
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
        Ok(())
    }

    /// Says of an image whether it is meant.
    pub(super) fn matcher(&self) -> impl Fn(&Entry) -> bool {
        let words: Vec<String> = fold(&self.query)
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        move |entry| {
            entry.state == self.state
                && (!self.favourite || entry.metadata.favourite)
                && self
                    .tag
                    .as_ref()
                    .is_none_or(|tag| entry.metadata.tags.contains(tag))
                && entry.matches(&words)
        }
    }
}
