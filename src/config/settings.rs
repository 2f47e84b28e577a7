//! The table of settings: name, default, what is allowed, what it is for, and how it is read.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::{
    Budgets, Catalogue, Config, Logging, Passwords, Quota, Registration, Serving, Sessions,
    Storage, Uploads,
};

/// One key of the configuration.
pub struct Setting {
    /// Name in `[default.vault]` of `Rocket.toml`; `IMAGE_VAULT_` and the name in capitals is the
    /// environment variable.
    pub key: &'static str,
    /// Value when nobody sets it; empty where there is none.
    pub default: &'static str,
    /// The values that are allowed, for messages and tables.
    pub allowed: &'static str,
    /// The purpose of the setting, in one sentence.
    pub about: &'static str,
    /// Whether its value may be shown.
    pub secret: bool,
    /// Puts a value into the configuration; `None` where it is not allowed.
    pub(super) set: fn(&mut Config, &str) -> Option<()>,
}

impl Setting {
    /// Name of the environment variable.
    pub fn variable(&self) -> String {
        format!("IMAGE_VAULT_{}", self.key.to_uppercase())
    }
}

macro_rules! settings {
    ($($key:literal = $default:literal, $allowed:literal, $about:literal, $secret:literal,
       |$config:ident, $text:ident| $set:expr;)+) => {
        /// Every key there is.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            key: $key, default: $default, allowed: $allowed, about: $about, secret: $secret,
            set: |$config, $text| { $set; Some(()) },
        }),+];
    };
}

settings! {
    "store" = "embedded", "`embedded`, or a `mongodb://` or `mongodb+srv://` address of a replica set",
        "Where rows and sealed files are kept.", true,
        |c, t| c.storage.mongodb = match t {
            "embedded" => None,
            uri if uri.starts_with("mongodb://") || uri.starts_with("mongodb+srv://") => Some(uri.to_owned()),
            _ => return None,
        };
    "data_dir" = "./vault-data", "a folder",
        "Folder of the embedded store and of the instance key; made with access for its owner only.", false,
        |c, t| c.storage.data_dir = path(t)?;
    "instance_key_file" = "", "a file, readable by its owner only",
        "File with the instance secret; `instance.key` in the data folder when empty.", false,
        |c, t| c.storage.instance_key_file = optional(t, path)?;
    "instance_key" = "", "32 bytes in base64",
        "The instance secret itself, instead of a file.", true,
        |c, t| c.storage.instance_key = optional(t, |t| Some(t.to_owned()))?;
    "public_url" = "", "`http://…` or `https://…` without a path",
        "The address users type, and the only name that is answered to beside `localhost`; `http://localhost:PORT` when empty.", false,
        |c, t| c.serving.public_url = optional(t, origin)?;
    "trusted_proxies" = "", "addresses or networks (`127.0.0.1`, `10.0.0.4/31`), parted by commas",
        "Proxies that are believed when they say in `X-Forwarded-For` where a request came from.", false,
        |c, t| c.serving.trusted_proxies = networks(t)?;
    "metrics_port" = "9464", "a port, or 0 for none",
        "Port of 127.0.0.1 for Prometheus to fetch `/metrics` from; each process of a machine needs its own.", false,
        |c, t| c.serving.metrics_port = number(t, 0, u16::MAX)?;
    "max_file" = "100 MiB", "a size from 1 KiB to 2 GiB",
        "Largest file that is taken.", false,
        |c, t| c.uploads.max_file_bytes = size(t, 1 << 10, 2 << 30)?;
    "max_megapixels" = "100", "a whole number from 1 to 1000",
        "Largest picture that is taken, width times height.", false,
        |c, t| c.uploads.max_pixels = number::<u64>(t, 1, 1_000)? * 1_000_000;
    "max_decode_memory" = "512 MiB", "a size from 16 MiB to 8 GiB",
        "Most memory that decoding one picture may take.", false,
        |c, t| c.uploads.max_decode_bytes = size(t, 16 << 20, 8 << 30)?;
    "upload_memory" = "512 MiB", "a size from 16 MiB to 64 GiB",
        "Memory for all files being received, half of it for one account; what finds no room in 20 s is answered with 503. Bodies without files have an eighth of it besides.", false,
        |c, t| c.uploads.memory_bytes = size(t, 16 << 20, 64 << 30)?;
    "decoders" = "2", "a whole number from 1 to 64",
        "Pictures decoded at once.", false,
        |c, t| c.uploads.decoders = number(t, 1, 64)?;
    "quota_bytes" = "none", "`none`, or a size from 1 KiB to 1 PiB",
        "How much one account may keep of all that is stored of its pictures, its trash included; `image-vault admin quota` decides otherwise for one.", false,
        |c, t| c.quota.bytes = quota_bytes(t)?;
    "quota_images" = "none", "`none`, or a whole number up to 1000000000",
        "How many pictures one account may keep, its trash included.", false,
        |c, t| c.quota.images = quota_images(t)?;
    "catalogue_memory" = "256 MiB", "a size from 64 KiB to 64 GiB",
        "Memory for what lists and searches are made of, of all accounts in use. An account has at most a picture for each 512 bytes of it, so do not lower it below that.", false,
        |c, t| c.catalogue.memory_bytes = size(t, 64 << 10, 64 << 30)?;
    "account_catalogue_memory" = "128 MiB", "a size from 0 B to 64 GiB",
        "How much of it one account has, for some 130,000 pictures; in more of them, searches take longer.", false,
        |c, t| c.catalogue.account_bytes = size(t, 0, 64 << 30)?;
    "argon2_memory" = "64 MiB", "a size from 19 MiB to 1 GiB",
        "Memory of one password hash; raised for an account when it signs in.", false,
        |c, t| c.passwords.memory_kib = (size(t, 19 << 20, 1 << 30)? / 1024) as u32;
    "argon2_passes" = "3", "a whole number from 2 to 20",
        "Passes of one password hash.", false,
        |c, t| c.passwords.passes = number(t, 2, 20)?;
    "argon2_lanes" = "1", "a whole number from 1 to 16",
        "Lanes of one password hash.", false,
        |c, t| c.passwords.lanes = number(t, 1, 16)?;
    "argon2_parallel" = "2", "a whole number from 1 to 64",
        "Password hashes computed at once, at most; of several cores one is left to others. Each takes its memory.", false,
        |c, t| c.passwords.parallel = number(t, 1, 64)?;
    "argon2_queue" = "64", "a whole number from 0 to 10000",
        "Password hashes that may wait, and tries at one login or from one network; more are answered with 503.", false,
        |c, t| c.passwords.queue = number(t, 0, 10_000)?;
    "anonymous_calls_per_minute" = "120", "a whole number up to 1000000, or 0 for any",
        "Calls from one network by who is not signed in, assets aside, and as many for what is not there; more are answered with 429.", false,
        |c, t| c.budgets.anonymous_calls_per_minute = number(t, 0, MOST_CALLS)?;
    "account_calls_per_minute" = "6000", "a whole number up to 1000000, or 0 for any",
        "Calls of one account, thumbnails and previews aside.", false,
        |c, t| c.budgets.account_calls_per_minute = number(t, 0, MOST_CALLS)?;
    "thumbnail_calls_per_minute" = "12000", "a whole number up to 1000000, or 0 for any",
        "Thumbnails and previews that one account fetches.", false,
        |c, t| c.budgets.thumbnail_calls_per_minute = number(t, 0, MOST_CALLS)?;
    "registrations_per_hour" = "20", "a whole number up to 1000000, or 0 for any",
        "Tries to register from one network, refused ones included.", false,
        |c, t| c.budgets.registrations_per_hour = number(t, 0, MOST_CALLS)?;
    "registration" = "open", "`open`, `invitation` or `closed`",
        "Who may create an account; the first one always may.", false,
        |c, t| c.registration = match t {
            "open" => Registration::Open,
            "invitation" => Registration::Invitation,
            "closed" => Registration::Closed,
            _ => return None,
        };
    "session_idle" = "30m", "a duration from 1s to 30d",
        "A sign-in ends when it is unused for this long.", false,
        |c, t| c.sessions.idle = duration(t, 1, 30 * DAY)?;
    "session_absolute" = "12h", "a duration from 1s to 365d",
        "A sign-in ends after this long in any case.", false,
        |c, t| c.sessions.absolute = duration(t, 1, 365 * DAY)?;
    "session_keep" = "30d", "a duration from 1s to 365d",
        "A sign-in for which “keep me signed in” was chosen ends after this long.", false,
        |c, t| c.sessions.keep = duration(t, 1, 365 * DAY)?;
    "trash_keep" = "30d", "a duration from 1s to 3650d",
        "How long deleted pictures stay in the trash.", false,
        |c, t| c.storage.trash_keep = duration(t, 1, 3_650 * DAY)?;
    "receive_stall" = "30s", "a duration from 1s to 1h",
        "How long an upload may send nothing, a connection may be idle, and a request's head or agreeing on TLS keys may take. An upload below 16 KiB a second on average is given up as well.", false,
        |c, t| c.serving.receive_stall = duration(t, 1, 3_600)?;
    "send_stall" = "60s", "a duration from 1s to 1h",
        "An answer of which less than 128 KiB is taken in this time is given up, and its connection closed.", false,
        |c, t| c.serving.send_stall = duration(t, 1, 3_600)?;
    "answer_memory" = "256 MiB", "a size from 32 MiB to 64 GiB",
        "Memory for all answers that their readers have not taken yet. One account, or the strangers of one site, have a quarter, and all accounts at one site half; beyond that 503.", false,
        |c, t| c.serving.answer_memory_bytes = size(t, 32 << 20, 64 << 30)?;
    "connections" = "4096", "a whole number from 16 to 100000",
        "Connections at once, never more than half of the open files that the system allows. One address (in IPv6 48 bits) has a quarter at most, and few once half are taken; those of `trusted_proxies` may have all.", false,
        |c, t| c.serving.connections = number(t, 16, 100_000)?;
    "shutdown_grace" = "30s", "a duration from 0s to 1h",
        "How long running downloads may go on after a request to stop.", false,
        |c, t| c.serving.shutdown_grace = duration(t, 0, 3_600)?;
    "log" = "info", "a level (`error`, `warn`, `info`, `debug`) or an EnvFilter expression",
        "Which events are logged; never names, tokens or keys.", false,
        |c, t| c.logging.filter = Some(t.to_owned()).filter(|t| !t.is_empty())?;
    "log_format" = "text", "`text` or `json`",
        "How events are logged.", false,
        |c, t| c.logging.json = match t { "text" => false, "json" => true, _ => return None };
}

/// A larger number is as good as no limit, and a minute has to be divided by it.
const MOST_CALLS: u32 = 1_000_000;
const DAY: u64 = 24 * 60 * 60;

/// A configuration in which every setting has its default.
pub(super) fn defaults() -> Config {
    let mut config = Config {
        storage: Storage {
            mongodb: None,
            data_dir: PathBuf::new(),
            instance_key_file: None,
            instance_key: None,
            trash_keep: Duration::ZERO,
        },
        uploads: Uploads {
            max_file_bytes: 0,
            max_pixels: 0,
            max_decode_bytes: 0,
            memory_bytes: 0,
            decoders: 0,
        },
        quota: Quota {
            bytes: None,
            images: None,
        },
        catalogue: Catalogue {
            memory_bytes: 0,
            account_bytes: 0,
        },
        passwords: Passwords {
            memory_kib: 0,
            passes: 0,
            lanes: 0,
            parallel: 0,
            queue: 0,
        },
        budgets: Budgets {
            anonymous_calls_per_minute: 0,
            account_calls_per_minute: 0,
            thumbnail_calls_per_minute: 0,
            registrations_per_hour: 0,
        },
        registration: Registration::Open,
        sessions: Sessions {
            idle: Duration::ZERO,
            absolute: Duration::ZERO,
            keep: Duration::ZERO,
        },
        serving: Serving {
            public_url: None,
            trusted_proxies: Vec::new(),
            metrics_port: 0,
            connections: 0,
            shutdown_grace: Duration::ZERO,
            receive_stall: Duration::ZERO,
            send_stall: Duration::ZERO,
            answer_memory_bytes: 0,
        },
        logging: Logging {
            filter: String::new(),
            json: false,
        },
    };
    for setting in SETTINGS {
        (setting.set)(&mut config, setting.default)
            .expect("a test reads the default of every setting");
    }
    config
}

fn optional<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() {
        Some(None)
    } else {
        parse(text).map(Some)
    }
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

fn number<T: std::str::FromStr + PartialOrd>(text: &str, min: T, max: T) -> Option<T> {
    text.parse().ok().filter(|n| *n >= min && *n <= max)
}

fn size(text: &str, min: u64, max: u64) -> Option<u64> {
    let bytes = text.parse::<bytesize::ByteSize>().ok()?.as_u64();
    (min..=max).contains(&bytes).then_some(bytes)
}

/// A limit of bytes as the operator writes it; the outer `None` where it is not allowed.
pub fn quota_bytes(text: &str) -> Option<Option<u64>> {
    unless_none(text, |text| size(text, 1 << 10, 1 << 50))
}

/// A limit of pictures as the operator writes it; the outer `None` where it is not allowed.
pub fn quota_images(text: &str) -> Option<Option<u64>> {
    unless_none(text, |text| number(text, 0, 1_000_000_000))
}

fn unless_none(text: &str, parse: impl Fn(&str) -> Option<u64>) -> Option<Option<u64>> {
    match text {
        "none" => Some(None),
        text => parse(text).map(Some),
    }
}

/// Whole seconds in `jiff`'s friendly notation, where a day is 24 hours.
fn duration(text: &str, min_secs: u64, max_secs: u64) -> Option<Duration> {
    let secs = match text.strip_suffix('d').map(str::parse::<u64>) {
        Some(Ok(days)) => days.checked_mul(DAY)?,
        _ => u64::try_from(text.parse::<jiff::SignedDuration>().ok()?.as_secs()).ok()?,
    };
    (min_secs..=max_secs)
        .contains(&secs)
        .then(|| Duration::from_secs(secs))
}

fn networks(text: &str) -> Option<Vec<IpNet>> {
    let one = |text: &str| {
        let text = text.trim();
        let address = || text.parse().map(|address: IpAddr| address.into()).ok();
        text.parse().ok().or_else(address)
    };
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    text.split(',').map(one).collect()
}

/// Scheme, host and port, without a trailing slash.
fn origin(text: &str) -> Option<String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))?;
    let host = rest.strip_suffix('/').unwrap_or(rest);
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    let has_host = || url::Url::parse(text).is_ok_and(|url| url.has_host());
    (host.chars().all(plain) && has_host()).then(|| text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_allowed() {
        defaults();
    }

    #[test]
    fn values_outside_their_range_are_refused() {
        let refused = [
            ("store", "postgres://x"),
            ("max_file", "3 GiB"),
            ("max_file", "big"),
            ("decoders", "0"),
            ("session_idle", "-5m"),
            ("session_idle", "0s"),
            ("public_url", "ftp://x"),
            ("public_url", "https://x/path"),
            ("public_url", "https://"),
            ("public_url", "https://x:99999"),
            ("public_url", "https://[x]"),
            ("log_format", "xml"),
            ("trusted_proxies", "proxy.example.org"),
            ("trusted_proxies", "10.0.0.0/8,"),
            ("data_dir", ""),
            ("quota_bytes", "lots"),
            ("quota_bytes", ""),
            ("quota_images", "-1"),
            ("max_megapixels", "99999999999999999999"),
        ];
        for (key, value) in refused {
            let setting = SETTINGS.iter().find(|s| s.key == key).unwrap();
            assert!(
                (setting.set)(&mut defaults(), value).is_none(),
                "{key} = {value}"
            );
        }
    }

    #[test]
    fn sizes_and_durations_read_as_people_write_them() {
        assert_eq!(size("100 MiB", 0, u64::MAX), Some(100 << 20));
        assert_eq!(size("1048576", 0, u64::MAX), Some(1 << 20));
        assert_eq!(
            duration("30d", 0, u64::MAX),
            Some(Duration::from_secs(30 * DAY))
        );
        assert_eq!(
            duration("12h", 0, u64::MAX),
            Some(Duration::from_secs(12 * 3600))
        );
    }
}
