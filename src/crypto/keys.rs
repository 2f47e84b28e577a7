//! One type for each kind of key, so that the compiler refuses a key in the wrong place.
//!
//! A key is wiped when it is dropped, and can be neither printed, cloned nor compared. How keys
//! come from one another stands in `schedule`; how they are written down, in `wrap`, `recovery`
//! and `session`.

use data_encoding::BASE64URL_NOPAD;
use rand::TryRng;
use rand::rngs::SysRng;
use subtle::ConstantTimeEq;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::ZeroizeOnDrop;

use super::CryptoError;
use super::blob::BlobRole;
use super::schedule;

/// The 32 bytes inside every key. Opaque outside this floor.
#[derive(ZeroizeOnDrop)]
pub struct KeyBytes(pub(super) [u8; 32]);

impl KeyBytes {
    fn random() -> Result<Self, CryptoError> {
        let mut key = Self([0; 32]);
        // In place: a key should pass through as few copies as possible.
        SysRng
            .try_fill_bytes(&mut key.0)
            .map_err(|_| CryptoError::Random)?;
        Ok(key)
    }
}

/// A key that can wrap another one and be wrapped. Its bytes stay on this floor: `KeyBytes` can
/// be neither read nor made elsewhere.
pub trait SecretKey: Sized {
    /// The key's bytes.
    fn key(&self) -> &KeyBytes;
    /// The key that has these bytes.
    fn from_key(bytes: KeyBytes) -> Self;
}

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name(KeyBytes);

        impl SecretKey for $name {
            fn key(&self) -> &KeyBytes {
                &self.0
            }

            fn from_key(bytes: KeyBytes) -> Self {
                Self(bytes)
            }
        }
    };
}

macro_rules! drawn_key {
    ($(#[$doc:meta])* $name:ident) => {
        key! {
            $(#[$doc])*
            $name
        }

        impl $name {
            /// Draws a new one from the operating system's generator.
            ///
            /// # Errors
            /// [`CryptoError::Random`].
            pub fn generate() -> Result<Self, CryptoError> {
                KeyBytes::random().map(Self)
            }
        }
    };
}

drawn_key! {
    /// An account's root key. It never changes with the password, and wraps the key of each image.
    ///
    /// No key can be printed:
    /// ```compile_fail
    /// let key = image_vault::crypto::MasterKey::generate().unwrap();
    /// println!("{key:?}");
    /// ```
    /// nor cloned:
    /// ```compile_fail
    /// let key = image_vault::crypto::MasterKey::generate().unwrap();
    /// let copy = key.clone();
    /// ```
    MasterKey
}
drawn_key! {
    /// The key of one image (or archive plan), from which its role keys come.
    DataKey
}
key! {
    /// The key of one role of an image: a share that shows thumbnails holds the thumbnails' role
    /// keys, and they open no original.
    RoleKey
}
drawn_key! {
    /// The key of the digests by which an account's duplicates are found. Without it two accounts'
    /// equal files cannot be told to be equal, nor a known file to be there.
    DigestKey
}
drawn_key! {
    /// The secret half of an account's X25519 pair (RFC 7748), which opens what was sealed to the
    /// account while its owner was away.
    AccountSecret
}
key! {
    /// The key that Argon2id derives from a password.
    PasswordKey
}
drawn_key! {
    /// The secret that a recovery code spells.
    RecoverySecret
}
drawn_key! {
    /// The half of a session's token that wraps the master key. Only the client keeps it.
    SessionSecret
}
drawn_key! {
    /// The secret of the installation, kept in a file outside the store. Without it no password
    /// opens anything.
    InstanceSecret
}
key! {
    /// Argon2id's secret input: a stolen database is not enough to guess passwords.
    Pepper
}
drawn_key! {
    /// The key that an account shares with an authenticator app; the app gets a secret derived from
    /// it.
    AuthenticatorKey
}
drawn_key! {
    /// The key of the digests of an account's spare codes.
    SpareCodeKey
}
key! {
    /// The output of a passkey's PRF extension for our input. Only the authenticator can compute
    /// it.
    PasskeySecret
}
key! {
    /// The key under which an account's list cursors are sealed.
    CursorKey
}

impl MasterKey {
    /// The key of this account's list cursors.
    pub fn cursor_key(&self) -> CursorKey {
        CursorKey(schedule::cursor_key(&self.0))
    }
}

impl DataKey {
    /// The key of the image's blob in this role.
    pub fn role_key(&self, role: BlobRole) -> RoleKey {
        RoleKey(schedule::role(&self.0, role))
    }
}

impl DigestKey {
    /// HMAC-SHA256 over the SHA-256 of a file's bytes. Equal for equal files of one account only.
    pub fn digest(&self, sha256_of_content: &[u8; 32]) -> [u8; 32] {
        schedule::digest(&self.0, sha256_of_content)
    }
}

impl AccountSecret {
    /// The public half, to which anybody can seal.
    pub fn public_key(&self) -> [u8; 32] {
        PublicKey::from(&self.to_x25519()).to_bytes()
    }

    /// X25519 (RFC 7748, 6.1) with somebody's public key.
    pub(super) fn to_x25519(&self) -> StaticSecret {
        StaticSecret::from(self.0.0)
    }
}

impl SessionSecret {
    /// The secret with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(KeyBytes(bytes))
    }

    /// The token a changing request must carry besides the cookie: 43 characters of base64url. It
    /// does not reveal the secret, so it may stand in a page.
    pub fn csrf_token(&self) -> String {
        BASE64URL_NOPAD.encode(&schedule::csrf(&self.0))
    }

    /// Whether `given` is [`Self::csrf_token`], in a time that does not depend on where they
    /// differ.
    pub fn csrf_matches(&self, given: &str) -> bool {
        self.csrf_token().as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl PasskeySecret {
    /// The secret with these bytes, as the browser sent them.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(KeyBytes(bytes))
    }
}

impl InstanceSecret {
    /// The secret with these bytes, as read from the key file.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(KeyBytes(bytes))
    }

    /// The bytes, to write the key file with. The only secret that leaves this floor in the clear;
    /// copy them nowhere else.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0.0
    }

    /// The pepper that goes into every password's hash.
    pub fn pepper(&self) -> Pepper {
        Pepper(schedule::pepper(&self.0))
    }

    /// A value that tells whether a store was made with this secret. It reveals nothing of it.
    pub fn check_value(&self) -> [u8; 32] {
        schedule::instance_check(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_drawn_keys_are_equal() {
        let (a, b) = (
            MasterKey::generate().unwrap(),
            MasterKey::generate().unwrap(),
        );
        assert_ne!(a.key().0, b.key().0);
        assert_ne!(a.key().0, [0; 32]);
    }

    #[test]
    fn each_role_has_its_own_key() {
        let image = DataKey::generate().unwrap();
        let keys = [
            BlobRole::Original,
            BlobRole::Thumbnail,
            BlobRole::Preview,
            BlobRole::Metadata,
            BlobRole::ArchivePlan,
        ]
        .map(|role| image.role_key(role).key().0);
        for (i, key) in keys.iter().enumerate() {
            assert!(!keys[..i].contains(key));
            assert_ne!(*key, image.key().0);
        }
    }

    // R1.26: one account's key tells nothing about another's files, not even that they are equal.
    #[test]
    fn equal_files_of_two_accounts_have_different_digests() {
        let (a, b) = (
            DigestKey::generate().unwrap(),
            DigestKey::generate().unwrap(),
        );
        let content = super::super::sha256(b"the same photograph");
        assert_eq!(a.digest(&content), a.digest(&content));
        assert_ne!(a.digest(&content), b.digest(&content));
    }

    #[test]
    fn a_csrf_token_belongs_to_one_session() {
        let (a, b) = (
            SessionSecret::generate().unwrap(),
            SessionSecret::generate().unwrap(),
        );
        let token = a.csrf_token();
        assert!(a.csrf_matches(&token));
        assert!(!b.csrf_matches(&token));
        assert!(!a.csrf_matches(""));
        assert!(!a.csrf_matches(&token[..42]));
        assert!(!a.csrf_matches(&format!("{token}A")));
    }

    #[test]
    fn what_comes_from_the_instance_secret_is_told_apart() {
        let instance = InstanceSecret::from_bytes([7; 32]);
        assert_ne!(instance.pepper().key().0, instance.check_value());
        assert_ne!(instance.check_value(), *instance.as_bytes());
        assert_eq!(
            instance.check_value(),
            InstanceSecret::from_bytes([7; 32]).check_value()
        );
        assert_ne!(
            instance.check_value(),
            InstanceSecret::from_bytes([8; 32]).check_value()
        );
    }
}
