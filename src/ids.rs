//! Identifiers: 16 random bytes, written in lower-case base32 (RFC 4648, no padding).
//!
//! An id is parsed once, where it enters, and is opaque afterwards. Random ids are drawn where
//! randomness is injected (the vault), so this file has no generator.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};

/// Bytes in an id.
pub const ID_LEN: usize = 16;
/// Characters of an id's text form: 16 bytes at 5 bits a character, rounded up.
pub const ID_TEXT_LEN: usize = 26;

static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    spec.check_trailing_bits = true;
    spec.encoding()
        .expect("the alphabet has 32 distinct ASCII symbols")
});

/// A text that is no id: wrong length, wrong letter, or unused bits set.
///
/// It does not carry the text, since a mistyped id may be somebody's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct InvalidId;

fn parse(text: &str) -> Result<[u8; ID_LEN], InvalidId> {
    let mut bytes = [0; ID_LEN];
    if text.len() != ID_TEXT_LEN {
        return Err(InvalidId);
    }
    match BASE32.decode_mut(text.as_bytes(), &mut bytes) {
        Ok(ID_LEN) => Ok(bytes),
        _ => Err(InvalidId),
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; ID_LEN]);

        impl $name {
            /// An id of these bytes, which the caller drew at random.
            pub const fn from_bytes(bytes: [u8; ID_LEN]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes, as they enter associated data.
            pub const fn as_bytes(&self) -> &[u8; ID_LEN] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&BASE32.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id! {
    /// An account.
    AccountId
}
id! {
    /// An image of an account.
    ImageId
}
id! {
    /// One sealed blob in the store. Every attempt to write draws a new one: GridFS destroys the
    /// older file when an id is used twice.
    BlobId
}
id! {
    /// An archive's ticket: a frozen selection that can be downloaded as a zip.
    ArchiveId
}
id! {
    /// Something that happened to an account.
    EventId
}
id! {
    /// A passkey, as its owner's list names it: half of the digest of its credential's id.
    PasskeyId
}
id! {
    /// A sign-in, as its owner's list names it. It opens nothing.
    SessionId
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_text_form_reads_back(bytes: [u8; 16]) {
            let id = ImageId::from_bytes(bytes);
            let text = id.to_string();
            prop_assert_eq!(text.len(), ID_TEXT_LEN);
            prop_assert_eq!(text.parse::<ImageId>().unwrap(), id);
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<ImageId>();
        }
    }

    #[test]
    fn each_id_has_exactly_one_text() {
        let text = ImageId::from_bytes([0x11; 16]).to_string();
        assert!(text.to_uppercase().parse::<ImageId>().is_err());
        // The last character carries only three bits of the id.
        assert!(format!("{}7", &text[..25]).parse::<ImageId>().is_err());
    }
}
