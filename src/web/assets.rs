//! Style sheets, scripts and icons, compiled in and served under one hash of them all: a new
//! version has new addresses, so browsers may keep what they have for ever.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use rocket::http::{ContentType, Header};
use rocket::response::Responder;

use crate::crypto;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/static");

static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut all = Vec::new();
    collect(&FILES, &mut all);
    data_encoding::HEXLOWER.encode(&crypto::sha256(&all)[..8])
});

static BASE: LazyLock<String> = LazyLock::new(|| format!("/static/{}", *HASH));

/// The path below which every asset is, such as `/static/0123456789abcdef`.
pub(super) fn base() -> &'static str {
    &BASE
}

/// The bytes of the asset at this path below `static/`.
pub(super) fn bytes(path: impl AsRef<Path>) -> Option<&'static [u8]> {
    Some(FILES.get_file(path)?.contents())
}

/// The scripts of the vault's page. Named in its head, they come all at once: a browser would find each
/// by the one that imports it, in five rounds.
pub(super) static VAULT_MODULES: LazyLock<Vec<String>> =
    LazyLock::new(|| modules_of(&["app", "gallery", "menu", "theme", "upload"]));

/// The same for the trash, where nothing is uploaded.
pub(super) static TRASH_MODULES: LazyLock<Vec<String>> =
    LazyLock::new(|| modules_of(&["app", "gallery", "menu", "theme"]));

/// The scripts of a page with these behaviours.
fn modules_of(behaviours: &[&str]) -> Vec<String> {
    let behaviours = behaviours
        .iter()
        .map(|name| format!("js/behaviours/{name}.js"));
    closure_of(["js/main.js".to_owned()].into_iter().chain(behaviours))
}

/// These scripts and all that they import, one by the other, each once.
fn closure_of(starts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = starts.into_iter().collect();
    let mut at = 0;
    while let Some(path) = all.get(at).cloned() {
        at += 1;
        let script = bytes(&path).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let folder = Path::new(&path).parent().unwrap_or(Path::new(""));
        for after in script.unwrap_or_default().split(" from \"").skip(1) {
            let found = after.split('"').next().unwrap_or_default();
            let imported = resolved(folder, found);
            if !all.contains(&imported) {
                all.push(imported);
            }
        }
    }
    all
}

/// A relative path seen from a folder.
fn resolved(folder: &Path, relative: &str) -> String {
    let mut parts: Vec<&str> = folder.iter().filter_map(|part| part.to_str()).collect();
    for part in relative.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn collect(dir: &Dir<'_>, all: &mut Vec<u8>) {
    for file in dir.files() {
        all.extend_from_slice(file.path().to_string_lossy().as_bytes());
        all.extend_from_slice(file.contents());
    }
    dir.dirs().for_each(|dir| collect(dir, all));
}

/// A file that is the same for everybody.
#[derive(Responder)]
pub(super) struct Asset {
    bytes: &'static [u8],
    kind: ContentType,
    cache: Header<'static>,
}

#[rocket::get("/static/<hash>/<path..>")]
fn asset(hash: &str, path: PathBuf) -> Option<Asset> {
    // An open page may still ask for an address of an older version; it gets the current file, but
    // must not keep it.
    let rule = match hash == *HASH {
        true => "public, max-age=31536000, immutable",
        false => "no-store",
    };
    let bytes = bytes(&path)?;
    let kind = path
        .extension()
        .and_then(|ending| ContentType::from_extension(ending.to_str()?))?;
    Some(Asset {
        bytes,
        kind,
        cache: Header::new("Cache-Control", rule),
    })
}

#[rocket::get("/favicon.ico")]
fn favicon() -> rocket::response::Redirect {
    rocket::response::Redirect::permanent(format!("{}/favicon.svg", base()))
}

/// The routes of this file.
pub(super) fn routes() -> Vec<rocket::Route> {
    rocket::routes![asset, favicon]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_every_script_that_it_needs_once() {
        for modules in [&*VAULT_MODULES, &*TRASH_MODULES] {
            assert!(modules.len() > 30, "{modules:?}");
            for (at, path) in modules.iter().enumerate() {
                assert!(bytes(path).is_some(), "{path} is imported and not there");
                assert!(!modules[..at].contains(path), "{path} twice");
            }
        }
    }
}
