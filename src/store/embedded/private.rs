//! Modes of what lies in the data directory: its owner's alone, whatever the umask was, also where
//! an older version or a restored backup has left something open.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A directory that nobody else may enter.
const DIRECTORY: u32 = 0o700;
/// A file that nobody else may read.
const FILE: u32 = 0o600;

/// Makes the data directory, and those above it, where it is missing, and closes it.
///
/// # Errors
/// The system's, such as for a directory of somebody else's.
pub(super) fn data_directory(dir: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(DIRECTORY)
        .create(dir)?;
    set_mode(dir, DIRECTORY)
}

/// Makes a directory below it where it is missing, and closes it.
///
/// # Errors
/// The system's.
pub(super) fn directory(dir: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(DIRECTORY).create(dir) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => set_mode(dir, DIRECTORY),
    }
}

/// Makes the file of a database where it is missing, and closes it and what SQLite keeps beside it.
/// SQLite gives its log and index the mode of the database itself, whatever the umask
/// (`findCreateFileMode` and `robust_open` in its `os_unix.c`), so the file has to be there first.
///
/// # Errors
/// The system's.
pub(super) fn database(path: &Path) -> io::Result<()> {
    // Never opened where it exists: closing any descriptor of it would end the locks that this
    // process holds (fcntl(2), "advisory record locks").
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE)
        .open(path);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => set_mode(path, FILE)?,
    }
    for suffix in ["-wal", "-shm", "-journal"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        // Another process may just have removed it.
        if_there(set_mode(&PathBuf::from(beside), FILE))?;
    }
    Ok(())
}

/// Closes a directory and all that is in it. Where it was closed nobody could get further, so only
/// one that was open is gone through; it is closed last, so that an interruption begins anew.
///
/// # Errors
/// The system's.
pub(super) fn tree(dir: &Path) -> io::Result<()> {
    match fs::metadata(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return directory(dir),
        Err(error) => return Err(error),
        Ok(found) if found.permissions().mode() & 0o777 == DIRECTORY => return Ok(()),
        Ok(_) => {}
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            tree(&entry.path())?;
        } else if kind.is_file() {
            if_there(set_mode(&entry.path(), FILE))?;
        }
    }
    set_mode(dir, DIRECTORY)
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    if fs::metadata(path)?.permissions().mode() & 0o777 != mode {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(())
}

fn if_there(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
