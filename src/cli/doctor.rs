//! `image-vault doctor`: looks at everything a server needs, changes nothing, and says for each
//! what it found and what to do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{instance, open_store};
use crate::config::Config;
use crate::config::Loaded;
use crate::error::Fatal;
use crate::error::chain;
use crate::web;

/// Memory a server uses besides the configured amounts, roughly.
const BASE_BYTES: u64 = 100 << 20;
/// Most bytes that the listener buffers of a connection, both ways.
const CONNECTION_BYTES: u64 = 128 << 10;

type Finding = Result<String, String>;

pub(super) async fn run(loaded: &Loaded) -> Result<(), Fatal> {
    let config = &loaded.config;
    let findings = [
        ("settings", Ok("every key and value is allowed".to_owned())),
        ("data folder", data_folder(config)),
        ("templates", templates()),
        ("instance key", key(config)),
        ("store", store(config).await),
        ("memory", memory(config)),
        ("open files", open_files(config.serving.connections)),
        ("hosts", Ok(web::hosts_in_words(config))),
    ];
    let mut failed = 0;
    for (what, finding) in findings {
        match finding {
            Ok(text) => println!("ok    {what}: {text}"),
            Err(text) => {
                failed += 1;
                println!("FAIL  {what}: {text}");
            }
        }
    }
    if failed == 0 {
        Ok(())
    } else {
        Err(Fatal::config(format!("{failed} to mend")))
    }
}

fn data_folder(config: &Config) -> Finding {
    let dir = &config.storage.data_dir;
    match std::fs::metadata(dir) {
        Err(_) => Ok(format!(
            "{} does not exist yet; the first start makes it",
            dir.display()
        )),
        Ok(found) if !found.is_dir() => Err(format!("{} is not a folder", dir.display())),
        Ok(found) if found.permissions().mode() & 0o077 != 0 => Err(format!(
            "{} is open to others: run `chmod 700` on it",
            dir.display()
        )),
        Ok(_) => Ok(format!("{} is its owner's only", dir.display())),
    }
}

fn templates() -> Finding {
    match Path::new("templates/base.html.tera").is_file() {
        true => Ok("found in the current folder".into()),
        false => Err("no `templates` in the current folder: start the server from its own".into()),
    }
}

fn key(config: &Config) -> Finding {
    if config.storage.instance_key.is_some() {
        return Ok("given by the configuration".into());
    }
    let path = instance::key_file(config);
    match instance::read(&path) {
        Ok(Some(_)) => Ok(format!("{} is there and its owner's only", path.display())),
        Ok(None) => Ok(format!(
            "{} does not exist yet; the first start makes it",
            path.display()
        )),
        Err(error) => Err(error.to_string()),
    }
}

async fn store(config: &Config) -> Finding {
    // Opening would make the store, and a doctor only looks.
    if config.storage.mongodb.is_none() && !config.storage.data_dir.exists() {
        return Ok("embedded, does not exist yet; the first start makes it".into());
    }
    let store = open_store(config)
        .await
        .map_err(|error| error.to_string())?;
    store.records.ping().await.map_err(|error| chain(&error))?;
    let known = store
        .records
        .existing_instance_check()
        .await
        .map_err(|error| chain(&error))?;
    let kind = if config.storage.mongodb.is_some() {
        "MongoDB"
    } else {
        "embedded"
    };
    let Some(known) = known else {
        return Ok(format!("{kind}, empty"));
    };
    match instance::secret(config, &store).await {
        Ok(secret) if secret.check_value() == known => Ok(format!("{kind}, opens with this key")),
        Ok(_) => Err(format!("{kind}, made with another instance key")),
        Err(error) => Err(error.to_string()),
    }
}

/// The memory that the configured limits can add up to, against what the machine has free.
fn memory(config: &Config) -> Finding {
    let hashes = u64::from(config.passwords.memory_kib) * 1024 * config.passwords.at_once() as u64;
    let decoding = config.uploads.max_decode_bytes * config.uploads.decoders as u64;
    let lists = config.catalogue.memory_bytes;
    let received = config.uploads.memory_bytes + config.uploads.memory_bytes / 8;
    let sent = config.serving.answer_memory_bytes;
    let connections = config.serving.connections as u64 * CONNECTION_BYTES;
    let needed = BASE_BYTES + received + sent + decoding + hashes + lists + connections;
    let mib = |bytes: u64| bytes >> 20;
    match available() {
        Some(free) if free < needed => Err(format!(
            "the limits allow {} MiB, and {} MiB are available: lower `upload_memory`, \
             `max_decode_memory`, `decoders`, `answer_memory`, `catalogue_memory` or `connections`",
            mib(needed),
            mib(free)
        )),
        _ => Ok(format!("the limits allow {} MiB", mib(needed))),
    }
}

/// Whether the system allows enough open files for all connections.
fn open_files(connections: usize) -> Finding {
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let needed = web::files_for(connections);
    match most {
        Some(most) if most < needed => Err(format!(
            "{most} at most, and `connections` needs {needed}: raise the hard limit (`LimitNOFILE=` \
             in systemd, `ulimit -Hn` in a shell), or lower `connections`"
        )),
        Some(most) => Ok(format!("{most} at most, {needed} needed")),
        None => Ok("as many as there are".into()),
    }
}

/// `MemAvailable` of Linux, in bytes; `None` elsewhere.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()?
        .checked_mul(1024)
}
