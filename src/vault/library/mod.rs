//! All pictures of an account: its catalogue, kept opened in memory, with lists, searches and the
//! timeline over it, and which pictures a call means.
//!
//! It changes pictures only many at a time ([`Selection`]); one picture is `pictures`'.

mod catalogue;
mod listing;
mod search;
mod selection;
mod timeline;

pub use catalogue::{Filter, Sort};
pub use listing::{DEFAULT_LIMIT, ListRequest, MAX_LIMIT, Page};
pub use search::{Query, Searchable};
pub use selection::{MAX_IDS, Selection};
pub use timeline::{Section, TIMELINE_PAGE, Timeline};

pub(super) use catalogue::{Catalogues, Entry};
