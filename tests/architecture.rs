//! What the source must look like: floors look down only, libraries stay on their floor, files stay
//! readable, and the README says what the program says.
#![allow(
    clippy::unwrap_used,
    reason = "a test's steps fail by panicking; clippy knows test functions only"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each floor, and the floors it may name.
const MAY_USE: &[(&str, &[&str])] = &[
    ("ids", &[]),
    ("config", &[]),
    ("error", &[]),
    ("crypto", &[]),
    ("media", &[]),
    ("archive", &[]),
    ("store", &["ids"]),
    (
        "vault",
        &["ids", "config", "crypto", "media", "archive", "store"],
    ),
    // The last five lend plain types and pure functions: no storage is reached through them.
    (
        "web",
        &[
            "ids", "config", "error", "vault", "store", "media", "archive", "crypto",
        ],
    ),
    ("worker", &["ids", "config", "error", "vault"]),
    (
        "cli",
        &[
            "ids", "config", "error", "crypto", "store", "vault", "web", "worker",
        ],
    ),
];

/// Libraries that only one place may name.
const AT_HOME: &[(&str, &str)] = &[
    ("rocket", "src/web"),
    ("rocket_dyn_templates", "src/web"),
    ("hyper", "src/web"),
    ("multer", "src/web"),
    ("socket2", "src/web"),
    ("tokio_rustls", "src/web"),
    ("governor", "src/web"),
    ("mongodb", "src/store/mongo"),
    ("rusqlite", "src/store/embedded"),
    ("aes_gcm", "src/crypto"),
    ("argon2", "src/crypto"),
    ("hkdf", "src/crypto"),
    ("hmac", "src/crypto"),
    ("sha2", "src/crypto"),
    ("rand", "src/crypto"),
    ("totp_rs", "src/crypto"),
    ("webauthn_rs", "src/vault"),
    ("x25519_dalek", "src/crypto"),
    ("qrcodegen", "src/web"),
    ("image", "src/media"),
    ("exif", "src/media"),
    ("fast_image_resize", "src/media"),
    ("jpeg_decoder", "src/media"),
    ("clap", "src/cli"),
    ("rpassword", "src/cli"),
    ("figment", "src/config"),
];

/// Values of the store that the web may name. It never gets a store itself.
const WEB_MAY_TAKE_FROM_STORE: &[&str] = &["AccountRow", "ImageState", "Role", "StoreError"];

/// Longest file below a folder. Past it, a file is split by noun.
const MAX_LINES: &[(&str, usize)] = &[("src", 400), ("tests", 500)];

fn rust_files(below: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(below);
    if path.with_extension("rs").is_file() && !path.is_dir() {
        return vec![path.with_extension("rs")];
    }
    let mut found = Vec::new();
    let mut folders = vec![path.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|ending| ending == "rs") => found.push(path),
                false => {}
            }
        }
    }
    assert!(!found.is_empty(), "no source below {}", path.display());
    found
}

fn first_ident(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    &text[..end]
}

#[test]
fn floors_only_look_down() {
    for (floor, allowed) in MAY_USE {
        for file in rust_files(&format!("src/{floor}")) {
            let text = fs::read_to_string(&file).unwrap();
            for (at, found) in text.match_indices("crate::") {
                let used = first_ident(&text[at + found.len()..]);
                let fits = used == *floor || allowed.contains(&used);
                assert!(fits, "{} may not use `crate::{used}`", file.display());
            }
        }
    }
}

/// A route's `format` makes Rocket read the whole `Accept` header, at the square of its length in
/// memory; `clippy.toml` forbids the other ways to that.
#[test]
fn no_route_asks_for_a_format() {
    for file in rust_files("src/web") {
        let text = fs::read_to_string(&file).unwrap();
        for attribute in text.split("#[rocket::").skip(1) {
            let attribute = attribute.split(']').next().unwrap();
            assert!(
                !attribute.contains("format"),
                "{}: {attribute}",
                file.display()
            );
        }
    }
}

#[test]
fn every_floor_has_a_row() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(src).unwrap() {
        let name = entry
            .unwrap()
            .path()
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let known = MAY_USE.iter().any(|(floor, _)| *floor == name);
        assert!(
            known || ["main", "lib"].contains(&name.as_str()),
            "{name} is on no floor"
        );
    }
}

#[test]
fn the_web_reaches_no_storage() {
    for file in rust_files("src/web") {
        let text = fs::read_to_string(&file).unwrap();
        for (at, found) in text.match_indices("crate::store::") {
            let used = first_ident(&text[at + found.len()..]);
            let fits = WEB_MAY_TAKE_FROM_STORE.contains(&used);
            assert!(fits, "{} may not use `store::{used}`", file.display());
        }
    }
}

#[test]
fn libraries_stay_where_they_belong() {
    for file in rust_files("src") {
        let text = fs::read_to_string(&file).unwrap();
        for (library, home) in AT_HOME {
            let below_home = file.starts_with(Path::new(env!("CARGO_MANIFEST_DIR")).join(home));
            let path = format!("{library}::");
            let named = text.match_indices(&path).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                // `crate::image::`, `super::image::` and longer names are other things.
                before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':')
            });
            assert!(
                below_home || !named,
                "{} may not name `{library}`",
                file.display()
            );
        }
    }
}

#[test]
fn files_stay_readable() {
    for (folder, max) in MAX_LINES {
        for file in rust_files(folder) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(
                lines <= *max,
                "{} has {lines} lines: split it by noun",
                file.display()
            );
        }
    }
}

/// The README's table of settings is the program's own.
#[test]
fn the_readme_lists_the_settings_as_they_are() {
    let table = Command::new(env!("CARGO_BIN_EXE_image-vault"))
        .args(["config", "table"])
        .output();
    let table = String::from_utf8(table.unwrap().stdout).unwrap();
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    assert!(table.lines().count() > 10, "the program printed no table");
    assert!(
        readme.contains(&table),
        "paste the output of `image-vault config table` into the README"
    );
}
