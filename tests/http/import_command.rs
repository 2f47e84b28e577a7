//! `image-vault import`: an export comes back by the command line, beside a running server.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::client::PASSWORD;
use super::exporting::{exported, furnished};
use super::samples;
use super::server::{Server, wait_until};
use super::store::Backend;

on_both_stores!(
    an_export_comes_back_by_the_command_line,
    checking_adds_nothing_and_says_what_is_missing,
    what_cannot_be_imported_ends_with_words_and_a_failure,
    an_import_that_was_killed_is_run_again,
);

/// Starts an import with the password on its standard input.
fn start(server: &Server, arguments: &[&str], zip: &Path, password: &str) -> Child {
    let mut command = server.command(&["import", "--password-stdin", "--user"]);
    let command = command.args(arguments).arg(zip).stdin(Stdio::piped());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{password}").unwrap();
    child
}

fn run(server: &Server, arguments: &[&str], zip: &Path) -> Output {
    let child = start(server, arguments, zip, PASSWORD);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn saved(folder: &tempfile::TempDir, zip: &[u8]) -> PathBuf {
    let path = folder.path().join("export.zip");
    fs::write(&path, zip).unwrap();
    path
}

fn an_export_comes_back_by_the_command_line(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    furnished(&ada);
    let folder = tempfile::tempdir().unwrap();
    let zip = saved(&folder, &exported(&ada));
    let bob = server.user("bob");
    for added in [5, 0] {
        let ended = run(&server, &["BOB@example.org"], &zip);
        assert!(ended.status.success(), "{}", text(&ended.stderr));
        let told = text(&ended.stdout);
        assert!(told.contains(&format!("{added} added")), "{told}");
        assert!(told.ends_with("5 of 5 identical\n"), "{told}");
    }
    assert_eq!(bob.list("")["total"], 4);
    assert_eq!(bob.list("state=trashed")["total"], 1);
    // It signs out when it is done: only the test's own sign-in is left.
    assert_eq!(bob.get("/api/v1/sessions").json(200)["total"], 1);
}

fn checking_adds_nothing_and_says_what_is_missing(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    furnished(&ada);
    let folder = tempfile::tempdir().unwrap();
    let zip = saved(&folder, &exported(&ada));
    let bob = server.user("bob");
    bob.add("sea.jpg", &samples::jpeg(1));
    let ended = run(&server, &["bob", "--check"], &zip);
    assert_eq!(ended.status.code(), Some(1));
    let told = text(&ended.stdout);
    assert!(told.ends_with("1 of 5 identical\n"), "{told}");
    assert!(
        told.contains("turned.jpg: It is not in the vault."),
        "{told}"
    );
    assert!(!told.contains('\u{202e}'), "a name turns the writing round");
    assert_eq!(bob.list("")["total"], 1);
    assert_eq!(bob.list("")["items"][0]["tags"], serde_json::json!([]));
    let ended = run(&server, &["ada", "--check"], &zip);
    assert!(ended.status.success());
}

fn what_cannot_be_imported_ends_with_words_and_a_failure(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    ada.add("a.jpg", &samples::jpeg(1));
    let folder = tempfile::tempdir().unwrap();
    let zip = saved(&folder, &exported(&ada));
    let other = folder.path().join("other.zip");
    fs::write(&other, samples::jpeg(1)).unwrap();
    let missing = folder.path().join("missing.zip");
    let cases = [
        (&zip, "not the password at all", "do not belong together"),
        (&other, PASSWORD, "no export of an Image Vault"),
        (&missing, PASSWORD, "cannot read"),
    ];
    for (path, password, words) in cases {
        let ended = start(&server, &["ada"], path, password);
        let ended = ended.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(1));
        let told = text(&ended.stderr);
        assert!(told.contains(words), "{told}");
        assert!(!told.contains(PASSWORD), "{told}");
    }
    // A picture that is damaged in the zip is named, and the others come.
    ada.add("b.jpg", &samples::jpeg(2));
    let mut bytes = exported(&ada);
    let picture = samples::jpeg(2);
    let at = bytes.windows(picture.len()).position(|w| w == picture);
    bytes[at.unwrap() + 200] ^= 1;
    server.user("bob");
    let ended = run(&server, &["bob"], &saved(&folder, &bytes));
    assert_eq!(ended.status.code(), Some(1));
    let told = text(&ended.stdout);
    assert!(
        told.contains("b.jpg: ") && told.contains("1 of 2 identical"),
        "{told}"
    );
}

/// Through a pipe, so that it is killed in the middle whatever the machine's speed.
fn an_import_that_was_killed_is_run_again(backend: &Backend) {
    let server = Server::start(backend);
    let ada = server.user("ada");
    for n in 0..12 {
        ada.add(&format!("{n}.jpg"), &samples::jpeg(n));
    }
    let zip = exported(&ada);
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let bob = server.user("bob");
    let mut child = start(&server, &["bob"], &pipe, PASSWORD);
    let mut writer = fs::File::options().write(true).open(&pipe).unwrap();
    writer.write_all(&zip[..zip.len() / 2]).unwrap();
    wait_until("some are there", || {
        bob.list("")["total"].as_u64() >= Some(2)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    let half = bob.list("limit=500");
    assert!(half["total"].as_u64().unwrap() < 12);
    for image in half["items"].as_array().unwrap() {
        let bytes = bob.original(image["id"].as_str().unwrap());
        assert_eq!(super::uploads::sha256(&bytes), image["sha256"]);
    }
    // MongoDB ends the transaction of a killed client after a while only; until then an import may
    // meet it, say that the store is busy, and is run once more.
    let path = saved(&folder, &zip);
    let mut told = String::new();
    wait_until("it comes to its end", || {
        let ended = run(&server, &["bob"], &path);
        told = text(&ended.stdout);
        ended.status.success()
    });
    assert!(told.ends_with("12 of 12 identical\n"), "{told}");
    assert_eq!(bob.list("")["total"], 12);
}
