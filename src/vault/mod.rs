//! What the product does: accounts, sessions, images, archives. It knows no HTTP, so that the API,
//! the pages, background work and tests share one set of rules.
//!
//! A signed-in person is an [`Unlocked`]: code that holds one may act for that account. Nothing
//! else opens a picture.

mod access;
mod account;
mod admin;
mod blobs;
mod caller;
mod error;
mod json_time;
mod keys;
mod library;
mod memory;
mod passwords;
mod pictures;
mod pool;
mod transfer;
mod turns;
mod upkeep;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use access::{Event, Scope, Scopes, Started, Unlocked, Watch};
pub use account::{
    Allowance, Answer, ApiToken, Begun, Challenge, Device, Enrolment, Factors, KnownPasskey,
    MAX_PASSKEYS, MIN_PASSWORD_CHARS, MadeToken, NewAccount, NewToken, Opened, ProfileChange,
    Proof, QuotaChange, Recovery, SIGN_IN_WAITS, SignIn, Waiting, reseal_factor,
};
pub use admin::{Administrator, INVITATION_TTL, Invitation};
pub use caller::{Caller, site_of};
pub use error::{FactorPurpose, FieldErrors, ImportError, Result, VaultError};
pub use json_time::JsonTime;
pub use library::{
    DEFAULT_LIMIT, Filter, ListRequest, MAX_IDS, MAX_LIMIT, Page, Query, Searchable, Section,
    Selection, Sort, TIMELINE_PAGE, Timeline,
};
pub use memory::{MemoryBudget, Payer, Portion};
pub use pictures::{
    Added, Image, ImageEdit, Metadata, OpenImage, PlainStream, Removal, UploadPermit, told_name,
};
pub use transfer::{ARCHIVE_TTL, Failure, ImportMode, Imported, OpenArchive, Ticket};
pub use upkeep::Swept;
pub use usage::{Quota, Usage};

use crate::config::Config;
use crate::crypto::InstanceSecret;
use crate::store::Store;
use crate::store::StoreError;

/// Changes of many pictures that run at once, and as many plans.
const BULK_AT_ONCE: usize = 4;

/// Most pictures of one account that wait to be decoded.
const MOST_TO_DECODE: usize = 1_000;

/// Tells the time; tests set their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The vault. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Clock,
    passwords: passwords::Hashing,
    turns: turns::Turns,
    /// Changes of many pictures at once: each has hundreds of records in hand.
    changes: turns::Few,
    /// Plans of zips and exports that are made or opened, and pages about many pictures.
    plans: turns::Few,
    passes: account::Passes,
    passkeys: Option<webauthn_rs::Webauthn>,
    catalogues: library::Catalogues,
    intake: pictures::Intake,
    quota: Quota,
    registration: crate::config::Registration,
    sessions: crate::config::Sessions,
    trash_keep: Duration,
    /// Pictures decoded at once; shared by uploads and previews.
    decoders: pool::Pool,
    decoding: turns::Turns,
    instance_tag: String,
}

impl Vault {
    /// A vault over an opened store.
    ///
    /// # Errors
    /// [`StoreError::Incompatible`] where the store belongs to another instance secret.
    pub async fn open(
        store: Store,
        config: &Config,
        secret: &InstanceSecret,
        clock: Clock,
    ) -> std::result::Result<Self, StoreError> {
        let check = secret.check_value();
        if store.records.instance_check(&check).await? != check {
            return Err(StoreError::Incompatible(
                "this store was made with another instance key: give the server the key it was \
                 made with (see `instance_key_file`), or an empty store"
                    .into(),
            ));
        }
        Ok(Self(Arc::new(Inner {
            store,
            clock,
            passwords: passwords::Hashing::new(&config.passwords, secret.pepper())?,
            turns: turns::Turns::new(config.passwords.queue),
            changes: turns::Few::new(BULK_AT_ONCE),
            plans: turns::Few::new(BULK_AT_ONCE),
            passes: account::Passes::default(),
            passkeys: account::site(config.serving.public_url.as_deref()),
            catalogues: library::Catalogues::new(&config.catalogue),
            intake: pictures::Intake::new(&config.uploads),
            quota: Quota {
                bytes: config.quota.bytes,
                images: config.quota.images,
            },
            registration: config.registration,
            sessions: config.sessions,
            trash_keep: config.storage.trash_keep,
            decoders: pool::Pool::start("decoder", config.uploads.decoders)?,
            decoding: turns::Turns::new(MOST_TO_DECODE),
            instance_tag: check[..4]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        })))
    }

    /// Succeeds when the store answers.
    ///
    /// # Errors
    /// The store's.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.0.store.records.ping().await?)
    }

    /// Closes the store: to be called when everything else has ended, before the program does.
    ///
    /// # Errors
    /// The store's.
    pub async fn close(&self) -> Result<()> {
        Ok(self.0.store.records.close().await?)
    }

    /// Eight hex digits that distinguish this instance from others on the same host. Not secret.
    pub fn instance_tag(&self) -> &str {
        &self.0.instance_tag
    }

    /// Now, in whole milliseconds as the store keeps them.
    fn now(&self) -> Timestamp {
        let now = (self.0.clock)();
        Timestamp::from_millisecond(now.as_millisecond())
            .expect("a timestamp cut to milliseconds stays in range")
    }

    fn store(&self) -> &Store {
        &self.0.store
    }
}
