//! What the operator decides: values only, read once at start and passed down. No globals.
//!
//! Every key stands once in [`settings::SETTINGS`]; loading, `config explain` and the table in the
//! README come from there. What Rocket itself reads (address, port, TLS) stays Rocket's.

mod settings;
mod source;

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

pub use settings::{SETTINGS, Setting, quota_bytes, quota_images};
pub use source::{ConfigError, Explained, Loaded, Origin, load};

/// All settings. [`Default`] gives the defaults of the table of settings.
#[derive(Clone)]
pub struct Config {
    /// Where rows, blobs and the instance secret are kept.
    pub storage: Storage,
    /// What one upload may cost.
    pub uploads: Uploads,
    /// How much one account may keep.
    pub quota: Quota,
    /// Memory for the opened records that lists are made of.
    pub catalogue: Catalogue,
    /// How passwords become keys.
    pub passwords: Passwords,
    /// How many calls a client may make.
    pub budgets: Budgets,
    /// Who may register.
    pub registration: Registration,
    /// How long a sign-in lasts.
    pub sessions: Sessions,
    /// How the server treats connections.
    pub serving: Serving,
    /// What the logs hold.
    pub logging: Logging,
}

/// Where rows, blobs and the instance secret are kept.
#[derive(Clone)]
pub struct Storage {
    /// MongoDB's connection string, or nothing for the embedded store.
    pub mongodb: Option<String>,
    /// Folder of the embedded store and, unless told otherwise, of the instance key.
    pub data_dir: PathBuf,
    /// File with the instance secret; `instance.key` in the data folder when empty.
    pub instance_key_file: Option<PathBuf>,
    /// The instance secret itself (base64 of 32 bytes), for those who keep no file.
    pub instance_key: Option<String>,
    /// How long deleted pictures stay in the trash.
    pub trash_keep: Duration,
}

/// What one upload may cost.
#[derive(Clone, Copy)]
pub struct Uploads {
    /// Largest file, in bytes.
    pub max_file_bytes: u64,
    /// Most pixels of a picture, width times height.
    pub max_pixels: u64,
    /// Most memory that decoding one picture may take, in bytes.
    pub max_decode_bytes: u64,
    /// Memory for all files being received at once, in bytes.
    pub memory_bytes: u64,
    /// Pictures decoded at once.
    pub decoders: usize,
}

/// How much one account may keep, unless the operator has decided otherwise about it; `None` is no
/// limit.
#[derive(Clone, Copy)]
pub struct Quota {
    /// Bytes of all that is stored of its pictures.
    pub bytes: Option<u64>,
    /// Pictures.
    pub images: Option<u64>,
}

/// Memory for the opened records of accounts in use, from which lists and searches are answered.
#[derive(Clone, Copy)]
pub struct Catalogue {
    /// Memory for all accounts, in bytes.
    pub memory_bytes: u64,
    /// Memory for one account, in bytes.
    pub account_bytes: u64,
}

/// How passwords become keys (Argon2id, RFC 9106).
#[derive(Clone, Copy)]
pub struct Passwords {
    /// Memory of one hash in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// Most hashes computed at once.
    pub parallel: usize,
    /// Hashes that may wait for their turn before new ones are refused.
    pub queue: usize,
}

impl Passwords {
    /// Hashes computed at once on this machine: a core is left for looking at pictures.
    pub fn at_once(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.parallel.min(cores - 1).max(1)
    }
}

/// How many calls a client may make, in each process; any number where it is 0.
#[derive(Clone, Copy)]
pub struct Budgets {
    /// Calls from one network, by clients that are not signed in.
    pub anonymous_calls_per_minute: u32,
    /// Calls of one account, but for thumbnails and previews.
    pub account_calls_per_minute: u32,
    /// Calls for thumbnails and previews of one account.
    pub thumbnail_calls_per_minute: u32,
    /// Tries to register, from one network.
    pub registrations_per_hour: u32,
}

/// Who may register. The first person always may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Everybody who reaches the server.
    Open,
    /// People who were sent a link.
    Invitation,
    /// Nobody.
    Closed,
}

/// How long a sign-in lasts.
#[derive(Clone, Copy)]
pub struct Sessions {
    /// A sign-in ends when unused for this long.
    pub idle: Duration,
    /// A sign-in ends after this long in any case.
    pub absolute: Duration,
    /// A sign-in that was asked to last ends after this long, used or not.
    pub keep: Duration,
}

/// How the server treats connections.
#[derive(Clone)]
pub struct Serving {
    /// The address users type, such as `https://pictures.example.org`; `http://localhost:PORT`
    /// when empty.
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` says where a request came from.
    pub trusted_proxies: Vec<IpNet>,
    /// Port on this machine for `/metrics`; none when 0.
    pub metrics_port: u16,
    /// Connections at once.
    pub connections: usize,
    /// How long running downloads may go on after a request to stop.
    pub shutdown_grace: Duration,
    /// An upload that sends nothing for this long is given up.
    pub receive_stall: Duration,
    /// An answer whose reader takes less than 128 KiB in this time is given up.
    pub send_stall: Duration,
    /// Memory for all answers that are made or wait for their readers.
    pub answer_memory_bytes: u64,
}

/// What the logs hold.
#[derive(Clone)]
pub struct Logging {
    /// Which events, in the notation of `tracing`'s `EnvFilter`.
    pub filter: String,
    /// One JSON object a line instead of text.
    pub json: bool,
}

impl Default for Config {
    fn default() -> Self {
        settings::defaults()
    }
}
