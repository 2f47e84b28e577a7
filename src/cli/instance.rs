//! The instance secret: 32 bytes that lie outside the database. Made once, for an empty store; a
//! key file that is missing, or that others can read, stops the start, since every password depends
//! on it.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::crypto::InstanceSecret;
use crate::error::Fatal;
use crate::error::chain;
use crate::store::Store;

/// Where the key file is, unless the secret itself is configured.
pub(super) fn key_file(config: &Config) -> PathBuf {
    let configured = config.storage.instance_key_file.clone();
    configured.unwrap_or_else(|| config.storage.data_dir.join("instance.key"))
}

/// The secret, from the configuration or its file; made when the store is empty.
pub(super) async fn secret(config: &Config, store: &Store) -> Result<InstanceSecret, Fatal> {
    if let Some(text) = &config.storage.instance_key {
        return decode(text).ok_or_else(|| {
            Fatal::config("`instance_key` must be 32 bytes in base64 (`openssl rand -base64 32`)")
        });
    }
    let path = key_file(config);
    if let Some(secret) = read(&path)? {
        return Ok(secret);
    }
    let in_use = store.records.existing_instance_check().await;
    if in_use
        .map_err(|error| Fatal::config(chain(&error)))?
        .is_some()
    {
        return Err(Fatal::config(format!(
            "the instance key {} is missing, but the store was made with one: put it back from \
             your backup (without it no password opens anything; recovery codes still do)",
            path.display()
        )));
    }
    make(&path, store).await
}

/// Reads the key file, if there is one.
pub(super) fn read(path: &Path) -> Result<Option<InstanceSecret>, Fatal> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path, &error)),
    };
    let mode = file
        .metadata()
        .map_err(|error| failed("read", path, &error))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(Fatal::config(format!(
            "the instance key {} can be read by others (mode {:o}): run `chmod 600` on it",
            path.display(),
            mode & 0o777
        )));
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text)
        .map_err(|error| failed("read", path, &error))?;
    let secret = decode(&text).ok_or_else(|| {
        Fatal::config(format!(
            "the instance key {} is not 32 bytes in base64",
            path.display()
        ))
    })?;
    Ok(Some(secret))
}

/// Makes a secret. Of several processes that start on one empty store, one decides; the others
/// are told to use its key.
async fn make(path: &Path, store: &Store) -> Result<InstanceSecret, Fatal> {
    let secret = InstanceSecret::generate().map_err(|error| Fatal::failure(chain(&error)))?;
    write(path, &secret).map_err(|error| failed("make", path, &error))?;
    let check = secret.check_value();
    let stored = store.records.instance_check(&check).await;
    if stored.map_err(|error| Fatal::config(chain(&error)))? == check {
        tracing::info!(path = %path.display(), "made the instance key; back it up, apart from the store");
        return Ok(secret);
    }
    std::fs::remove_file(path).map_err(|error| failed("remove", path, &error))?;
    Err(Fatal::config(
        "another server has just made the instance key for this store: copy its key file here",
    ))
}

fn write(path: &Path, secret: &InstanceSecret) -> std::io::Result<()> {
    let dir = path
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let text = Zeroizing::new(BASE64_STANDARD.encode(secret.as_bytes()));
    writeln!(file, "{}", *text)?;
    file.sync_all()?;
    File::open(dir)?.sync_all()
}

fn decode(text: &str) -> Option<InstanceSecret> {
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(text.trim()).ok()?);
    Some(InstanceSecret::from_bytes(
        <[u8; 32]>::try_from(bytes.as_slice()).ok()?,
    ))
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Fatal {
    Fatal::config(format!(
        "cannot {what} the instance key {}: {error}",
        path.display()
    ))
}
