//! Before and around the server: configuration, the instance key, the other commands.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::client::PASSWORD;
use super::samples;
use super::server::{Server, mode};
use super::store::Backend;

on_both_stores!(
    a_wrong_key_or_value_stops_the_start_and_is_named,
    config_explain_shows_every_key_and_no_secret,
    the_instance_key_is_made_once_for_its_owner_only,
    a_readable_missing_or_foreign_key_stops_the_start,
    administrators_are_made_on_the_command_line,
    doctor_says_what_to_mend,
    what_is_kept_is_its_owners_only_whatever_the_umask,
);

/// It ended with a failure; what it said.
#[track_caller]
fn failed(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it succeeded: {said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

fn a_wrong_key_or_value_stops_the_start_and_is_named(backend: &Backend) {
    let server = Server::prepared(backend, &[]);
    let cases = [
        (
            "IMAGE_VAULT_STROE",
            "embedded",
            "IMAGE_VAULT_STROE",
            "config explain",
        ),
        (
            "IMAGE_VAULT_STORE",
            "postgres://x",
            "IMAGE_VAULT_STORE",
            "mongodb://",
        ),
        (
            "IMAGE_VAULT_MAX_FILE",
            "lots",
            "IMAGE_VAULT_MAX_FILE",
            "size",
        ),
        (
            "IMAGE_VAULT_ARGON2_MEMORY",
            "1 MiB",
            "IMAGE_VAULT_ARGON2_MEMORY",
            "19 MiB",
        ),
        (
            "IMAGE_VAULT_SESSION_IDLE",
            "0s",
            "IMAGE_VAULT_SESSION_IDLE",
            "duration",
        ),
        ("ROCKET_PORT", "99999", "PORT", "u16"),
    ];
    for (variable, value, named, allowed) in cases {
        let said = failed(&server.command(&[]).env(variable, value).output().unwrap());
        assert!(
            said.contains(named) && said.contains(allowed),
            "{variable}: {said}"
        );
    }
    let said = failed(&server.output(&["sreve"]));
    assert!(said.contains("serve"), "{said}");
}

fn config_explain_shows_every_key_and_no_secret(backend: &Backend) {
    let server = Server::prepared(backend, &[("MAX_FILE", "7 MiB")]);
    let secret = data_encoding::BASE64.encode(&[0x5a; 32]);
    let mut command = server.command(&["config", "explain"]);
    let output = command
        .env("IMAGE_VAULT_INSTANCE_KEY", &secret)
        .output()
        .unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    for key in [
        "store",
        "data_dir",
        "max_file",
        "argon2_memory",
        "session_idle",
        "trash_keep",
    ] {
        assert!(
            said.lines().any(|line| line.starts_with(key)),
            "no {key} in {said}"
        );
    }
    let line = said
        .lines()
        .find(|line| line.starts_with("max_file"))
        .unwrap();
    assert!(
        line.contains("7 MiB") && line.contains("environment"),
        "{line}"
    );
    let line = said
        .lines()
        .find(|line| line.starts_with("max_megapixels"))
        .unwrap();
    assert!(line.contains("100") && line.contains("default"), "{line}");
    assert!(!said.contains(&secret), "the instance key is shown");
    // A database's address holds its password (R2.38).
    let address = "mongodb://u:sesame@db.example/x?replicaSet=rs0";
    let mut command = server.command(&["config", "explain"]);
    let output = command.env("IMAGE_VAULT_STORE", address).output().unwrap();
    assert!(!String::from_utf8(output.stdout).unwrap().contains("sesame"));
}

/// R1.27.
fn the_instance_key_is_made_once_for_its_owner_only(backend: &Backend) {
    let mut server = Server::start(backend);
    let key = fs::read(server.key_file()).unwrap();
    assert_eq!(mode(&server.key_file()), 0o600);
    server.user("ada");
    server.restart();
    assert_eq!(fs::read(server.key_file()).unwrap(), key);
    server.anonymous().login("ada", PASSWORD).json(201);
    // Given by the environment it works as well, and no file is needed.
    server.stop();
    fs::remove_file(server.key_file()).unwrap();
    let text = String::from_utf8(key).unwrap();
    let mut command = server.command(&["doctor"]);
    let output = command
        .env("IMAGE_VAULT_INSTANCE_KEY", text.trim())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("opens with this key"));
}

/// R1.27: a missing or world-readable key stops the start.
fn a_readable_missing_or_foreign_key_stops_the_start(backend: &Backend) {
    let mut server = Server::start(backend);
    server.user("ada");
    server.stop();
    let path = server.key_file();
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let key = fs::read(&path).unwrap();
    for open in [0o644, 0o640, 0o604] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
        let said = failed(&server.output(&["serve"]));
        assert!(said.contains(&name) && said.contains("chmod 600"), "{said}");
    }
    fs::remove_file(&path).unwrap();
    let said = failed(&server.output(&["serve"]));
    assert!(said.contains(&name) && said.contains("missing"), "{said}");
    assert!(!path.exists(), "it made another one");
    let write = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    for foreign in [
        data_encoding::BASE64.encode(&[1; 32]),
        "short".into(),
        String::new(),
    ] {
        write(foreign.as_bytes());
        assert!(!failed(&server.output(&["serve"])).is_empty());
    }
    write(&key);
    server.run();
    server.anonymous().login("ada", PASSWORD).json(201);
}

fn administrators_are_made_on_the_command_line(backend: &Backend) {
    let server = Server::start(backend);
    server.user("ada");
    let bob = server.user("bob");
    let role = || bob.get("/api/v1/session").json(200)["user"]["role"].clone();
    assert_eq!(role(), "user");
    // While the server runs, by name in any case or by email.
    for (command, login, expected) in [
        ("grant", "BOB", "administrator"),
        ("revoke", "bob", "user"),
        ("grant", "bob@example.org", "administrator"),
    ] {
        let output = server.output(&["admin", command, login]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(role(), expected);
    }
    // Its owner is told of each.
    let events = bob.get("/api/v1/account/events").json(200);
    let events = events["items"].as_array().unwrap();
    let told = events.iter().filter(|one| one["kind"] == "role_changed");
    assert_eq!(told.count(), 3);
    let said = failed(&server.output(&["admin", "grant", "nobody"]));
    assert!(said.contains("nobody"), "{said}");
}

fn doctor_says_what_to_mend(backend: &Backend) {
    // Little memory, so that it is there on any machine that runs this beside other tests.
    let modest = [
        ("UPLOAD_MEMORY", "64 MiB"),
        ("ANSWER_MEMORY", "32 MiB"),
        ("CATALOGUE_MEMORY", "64 MiB"),
        ("MAX_DECODE_MEMORY", "64 MiB"),
        ("CONNECTIONS", "64"),
    ];
    let mut server = Server::prepared(backend, &modest);
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let fresh = server.output(&["doctor"]);
    assert!(fresh.status.success(), "{}", said(&fresh));
    server.run();
    let healthy = server.output(&["doctor"]);
    assert!(healthy.status.success(), "{}", said(&healthy));
    server.stop();
    fs::set_permissions(server.key_file(), fs::Permissions::from_mode(0o644)).unwrap();
    let readable = server.output(&["doctor"]);
    assert!(!readable.status.success());
    assert!(said(&readable).contains("chmod 600"), "{}", said(&readable));
    fs::set_permissions(server.key_file(), fs::Permissions::from_mode(0o600)).unwrap();
    let dir = server.store.data_dir();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    let open = server.output(&["doctor"]);
    assert!(
        !open.status.success() && said(&open).contains("chmod 700"),
        "{}",
        said(&open)
    );
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
    fs::remove_file(server.key_file()).unwrap();
    assert!(!server.output(&["doctor"]).status.success());
    assert!(!server.key_file().exists(), "doctor changed something");
    let mut greedy = server.command(&["doctor"]);
    let greedy = greedy
        .env("IMAGE_VAULT_UPLOAD_MEMORY", "64 GiB")
        .output()
        .unwrap();
    assert!(said(&greedy).contains("upload_memory"), "{}", said(&greedy));
}

/// R1.28's place: nobody else on the machine looks in, should the folder be opened one day or its
/// files be moved.
fn what_is_kept_is_its_owners_only_whatever_the_umask(backend: &Backend) {
    for umask in ["umask 000", "umask 022", "umask 077"] {
        let mut server = Server::prepared(backend, &[]);
        server.shell_sets = Some(umask);
        server.run();
        let ada = server.user("ada");
        ada.add("a.jpg", &samples::jpeg(1));
        assert_eq!(open_to_others(&server), "", "{umask}");
        // As older versions have left it, and as a backup may come back.
        server.stop();
        let dir = server.store.data_dir();
        for (path, is_dir) in all_below(&dir) {
            let mode = if is_dir { 0o755 } else { 0o644 };
            // A readable key stops the start, and without files beside it the folder is the operator's.
            let is_the_stores =
                path != server.key_file() && (path != dir || dir.join("vault.db").exists());
            if is_the_stores {
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
        server.run();
        let ada = server.anonymous().signed_in("ada", PASSWORD);
        ada.add("b.jpg", &samples::jpeg(2));
        assert_eq!(open_to_others(&server), "", "{umask}");
    }
}

/// What has not the mode that it should have.
fn open_to_others(server: &Server) -> String {
    let found = all_below(&server.store.data_dir());
    assert!(found.len() > 1, "{found:?}");
    let wrong = found
        .into_iter()
        .filter(|(path, is_dir)| mode(path) != if *is_dir { 0o700 } else { 0o600 });
    let told = wrong.map(|(path, _)| format!("{:o} {}\n", mode(&path), path.display()));
    told.collect()
}

/// A directory and everything in it, and which of it are directories.
fn all_below(dir: &Path) -> Vec<(PathBuf, bool)> {
    let mut all = vec![(dir.to_owned(), true)];
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(all_below(&path)),
            false => all.push((path, false)),
        }
    }
    all
}
