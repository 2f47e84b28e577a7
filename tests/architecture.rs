//! What the source must look like: floors look down only, libraries stay on their floor, files stay
//! readable, and the README says what the program says.
#![allow(
    clippy::unwrap_used,
    reason = "a test's steps fail by panicking; clippy knows test functions only"
)]

use std::collections::{BTreeMap, BTreeSet};
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
    ("unicode_security", "src/vault"),
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
                for used in first_names(&text[at + found.len()..]) {
                    let fits = used == *floor || allowed.contains(&used);
                    assert!(fits, "{} may not use `crate::{used}`", file.display());
                }
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

/// By itself a `Timestamp` drops zeros at the end: the times of one answer would not be in order as
/// text. `JsonTime` writes them all, so no body of the API holds anything else.
#[test]
fn no_answer_of_the_api_writes_a_time_by_itself() {
    for below in ["src/web/api", "src/web/wire"] {
        for file in rust_files(below) {
            let text = fs::read_to_string(&file).unwrap();
            let named = text.contains("Timestamp");
            assert!(!named, "{} may not name `Timestamp`", file.display());
        }
    }
}

/// The rooms of a floor, and the rooms that each may name. `docs/ARCHITECTURE.md` prints this.
const ROOMS: &[(&str, &str, &[&str])] = &[
    ("vault", "access", &[]),
    ("vault", "account", &["access"]),
    ("vault", "admin", &["access"]),
    ("vault", "pictures", &["access"]),
    ("vault", "library", &["access", "pictures"]),
    ("vault", "transfer", &["access", "pictures", "library"]),
    ("static/js/lib", "base", &[]),
    ("static/js/lib", "account", &["base"]),
    ("static/js/lib", "grid", &["base"]),
    ("static/js/lib", "transfer", &["base"]),
    ("static/js/lib", "upload", &["base"]),
    ("static/js/lib", "viewer", &["base", "grid"]),
];

/// The floors of [`ROOMS`] that are Rust.
fn floors_with_rooms() -> BTreeSet<&'static str> {
    let floors = ROOMS.iter().map(|(floor, ..)| *floor);
    floors
        .filter(|floor| !floor.starts_with("static/"))
        .collect()
}

/// Scripts of a room import those of their own and of the rooms below it; behaviours import any.
#[test]
fn scripts_only_import_from_the_rooms_below_them() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("static/js/lib");
    let mut seen = 0;
    for room in fs::read_dir(&scripts).unwrap() {
        let room = room.unwrap().file_name().into_string().unwrap();
        let known = ROOMS
            .iter()
            .find(|(floor, name, _)| *floor == "static/js/lib" && *name == room);
        let (.., below) = known.unwrap_or_else(|| panic!("{room} is no room of the table"));
        for script in fs::read_dir(scripts.join(&room)).unwrap() {
            let path = script.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let imports = text.split(['"', '\'']).filter(|word| word.ends_with(".js"));
            for import in imports.filter(|word| word.starts_with("./") || word.starts_with("../")) {
                let fits = match import.strip_prefix("../") {
                    None => true,
                    Some(other) => below.contains(&other.split('/').next().unwrap()),
                };
                assert!(fits, "{} may not import {import}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "only {seen} imports were seen");
}

#[test]
fn rooms_only_name_the_rooms_below_them() {
    for floor in floors_with_rooms() {
        let rooms: BTreeMap<&str, &[&str]> = ROOMS
            .iter()
            .filter(|(of, ..)| *of == floor)
            .map(|(_, room, below)| (*room, *below))
            .collect();
        let door = format!("src/{floor}");
        let folders = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(door)).unwrap();
        for entry in folders.map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_str().unwrap();
            let is_known = !entry.is_dir() || rooms.contains_key(name);
            assert!(is_known, "{floor}/{name} is no room of the table");
        }
        for (module, used) in arrows_of(floor) {
            let may = rooms.get(module.as_str()).copied().unwrap_or_default();
            for room in used.iter().filter(|used| rooms.contains_key(used.as_str())) {
                let fits = may.contains(&room.as_str());
                assert!(fits, "{floor}/{module} may not name {room}");
            }
        }
    }
}

#[test]
fn the_documents_print_the_rooms_as_they_are() {
    let row = |(floor, room, below): &(&str, &str, &[&str])| {
        let below = match below {
            [] => "none".to_owned(),
            below => format!("`{}`", below.join("`, `")),
        };
        format!("| `{floor}/{room}` | {below} |")
    };
    let table: Vec<String> = ROOMS.iter().map(row).collect();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ARCHITECTURE.md");
    let docs = fs::read_to_string(docs).unwrap();
    let table = table.join("\n");
    assert!(
        docs.contains(&table),
        "docs/ARCHITECTURE.md lacks:\n{table}"
    );
}

/// Folders whose modules are so many that their arrows are looked at as well.
const WITHOUT_RINGS: &[&str] = &["vault", "web"];

#[test]
fn no_modules_name_each_other_in_a_ring() {
    let rust = floors_with_rooms();
    let rooms = ROOMS.iter().filter(|(floor, ..)| rust.contains(floor));
    let rooms = rooms.map(|(floor, room, _)| format!("{floor}/{room}"));
    let floors = WITHOUT_RINGS.iter().map(|floor| (*floor).to_owned());
    for floor in floors.chain(rooms) {
        let arrows = arrows_of(&floor);
        for start in arrows.keys() {
            let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
            while let Some(module) = next.pop() {
                for used in arrows.get(module).into_iter().flatten() {
                    assert_ne!(used, start, "{floor}: {module} leads back to {start}");
                    if seen.insert(used) {
                        next.push(used);
                    }
                }
            }
        }
    }
}

/// Which module of a floor names which others. A module is what `mod.rs` declares, with all below it.
fn arrows_of(floor: &str) -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src")
        .join(floor);
    let door = code_of(&root.join("mod.rs"));
    let declared = |name: &str| {
        let line = format!("mod {name};");
        door.lines()
            .any(|l| l == line || l.ends_with(&format!(" {line}")))
    };
    let exported: BTreeMap<_, _> = door
        .split("pub")
        .filter_map(|export| export.split_once("use "))
        .filter_map(|(_, path)| path.trim_start_matches("self::").split_once("::"))
        .filter(|(module, _)| declared(module))
        .flat_map(|(module, names)| first_names(names).map(move |name| (name, module)))
        .collect();
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in rust_files(&format!("src/{floor}")) {
        let inner = file.strip_prefix(&root).unwrap().with_extension("");
        let path: Vec<_> = inner.iter().map(|part| part.to_str().unwrap()).collect();
        if path == ["mod"] || path.ends_with(&["tests"]) {
            continue;
        }
        let depth = path.len() - usize::from(path.ends_with(&["mod"]));
        let to_root = [
            "super::".repeat(depth),
            format!("crate::{}::", floor.replace('/', "::")),
        ];
        let text = code_of(&file);
        for (way, (at, found)) in to_root
            .iter()
            .flat_map(|way| text.match_indices(way.as_str()).map(move |hit| (way, hit)))
        {
            // Further up, or the end of a longer way: another floor, or seen already.
            if text[..at].ends_with("super::") || text[at + way.len()..].starts_with("super::") {
                continue;
            }
            for name in first_names(&text[at + found.len()..]) {
                let used = if declared(name) {
                    Some(name)
                } else {
                    exported.get(name).copied()
                };
                if let Some(used) = used.filter(|used| *used != path[0]) {
                    arrows
                        .entry(path[0].into())
                        .or_default()
                        .insert(used.into());
                }
            }
        }
    }
    arrows
}

/// A file without its comments and its tests.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The first name of a path, or of each path in braces.
fn first_names(paths: &str) -> impl Iterator<Item = &str> {
    let (mut names, mut depth) = (Vec::new(), 0_u32);
    let mut rest = paths;
    loop {
        rest = rest.trim_start();
        if let Some(inner) = rest.strip_prefix('{') {
            (depth, rest) = (depth + 1, inner);
            continue;
        }
        let name = first_ident(rest);
        if !name.is_empty() && depth <= 1 {
            names.push(name);
        }
        // On to the next path of the braces that were opened.
        loop {
            let Some(at) = rest.find(['{', '}', ',', ';']).filter(|_| depth > 0) else {
                return names.into_iter();
            };
            let mark = rest.as_bytes()[at];
            rest = &rest[at + 1..];
            match mark {
                b'{' => depth += 1,
                b'}' if depth == 1 => return names.into_iter(),
                b'}' => depth -= 1,
                b',' if depth == 1 => break,
                _ => {}
            }
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
