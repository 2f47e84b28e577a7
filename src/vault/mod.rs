//! What the product does: accounts, sessions, images, archives. It knows no HTTP, so that the API,
//! the pages, background work and tests share one set of rules.
//!
//! A signed-in person is an [`Unlocked`]: code that holds one may act for that account. Nothing
//! else opens a picture.

mod accounts;
mod archives;
mod blobs;
mod caller;
mod catalogue;
mod content;
mod credentials;
mod devices;
mod error;
mod events;
mod export;
mod factors;
mod images;
mod import;
mod intake;
mod invitations;
mod keys;
mod leaving;
mod listing;
mod manifest;
mod memory;
mod metadata;
mod passkey_challenges;
mod passkey_sign_in;
mod passkeys;
mod passwords;
mod pending;
mod pool;
mod profile;
mod quotas;
mod rotation;
mod scopes;
mod search;
mod second_factor;
mod selection;
mod sessions;
mod sign_in;
mod strength;
mod throttle;
mod tickets;
mod timeline;
mod tokens;
mod turns;
mod upkeep;
mod uploads;
mod usage;
mod watch;
mod zip_reader;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use accounts::{NewAccount, Opened};
pub use caller::{Caller, site_of};
pub use catalogue::{Filter, Sort};
pub use content::PlainStream;
pub use credentials::{Proof, Recovery};
pub use devices::Device;
pub use error::{FactorPurpose, FieldErrors, ImportError, Result, VaultError};
pub use events::Event;
pub use factors::{Enrolment, Factors, reseal_factor};
pub use images::{Image, ImageEdit, OpenImage, Removal, told_name};
pub use import::{Failure, ImportMode, Imported};
pub use intake::UploadPermit;
pub use invitations::Invitation;
pub use listing::{DEFAULT_LIMIT, ListRequest, MAX_LIMIT, Page};
pub use memory::{MemoryBudget, Payer, Portion};
pub use metadata::Metadata;
pub use passkey_challenges::{Answer, Challenge};
pub use passkeys::{KnownPasskey, MAX_PASSKEYS};
pub use pending::{Begun, SIGN_IN_WAITS, Waiting};
pub use profile::ProfileChange;
pub use quotas::{Allowance, QuotaChange};
pub use scopes::{Scope, Scopes};
pub use search::{Query, Searchable};
pub use selection::{MAX_IDS, Selection};
pub use sessions::{Started, Unlocked};
pub use sign_in::SignIn;
pub use strength::MIN_PASSWORD_CHARS;
pub use tickets::{ARCHIVE_TTL, OpenArchive, Ticket};
pub use timeline::{Section, TIMELINE_PAGE, Timeline};
pub use tokens::{ApiToken, MadeToken, NewToken};
pub use upkeep::Swept;
pub use uploads::Added;
pub use usage::{Quota, Usage};
pub use watch::Watch;

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
    passes: rotation::Passes,
    passkeys: Option<webauthn_rs::Webauthn>,
    catalogues: catalogue::Catalogues,
    intake: intake::Intake,
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
            passes: rotation::Passes::default(),
            passkeys: passkey_challenges::site(config.serving.public_url.as_deref()),
            catalogues: catalogue::Catalogues::new(&config.catalogue),
            intake: intake::Intake::new(&config.uploads),
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
