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
