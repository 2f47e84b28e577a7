//! Ids in paths. A text that cannot be an id is answered like an id that does not exist, and is not
//! repeated anywhere: it may be a mistyped secret.

use rocket::request::FromParam;

use crate::ids::ArchiveId;
use crate::ids::ImageId;
use crate::ids::InvalidId;
use crate::ids::PasskeyId;
use crate::ids::SessionId;

macro_rules! path_ids {
    ($($id:ty),+) => {
        $(impl<'r> FromParam<'r> for $id {
            type Error = InvalidId;
            fn from_param(text: &'r str) -> Result<Self, InvalidId> {
                text.parse()
            }
        })+
    };
}

path_ids!(ImageId, ArchiveId, PasskeyId, SessionId);
