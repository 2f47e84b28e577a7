//! What the README tells people to do, done.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::samples;
use super::server::Server;
use super::store::Backend;

on_both_stores!(the_five_curl_lines_work_as_they_stand);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The first block of commands below a heading.
fn commands_below(heading: &str) -> String {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, below) = readme.split_once(heading).unwrap();
    let (_, block) = below.split_once("```console\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

/// R1.53: a newcomer copies these lines. They need `curl` and `jq`.
fn the_five_curl_lines_work_as_they_stand(backend: &Backend) {
    let server = Server::start(backend);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("beach.jpg"), samples::jpeg(7)).unwrap();
    let lines =
        commands_below("## Use it from a program").replace("localhost:8000", &server.host());
    assert_eq!(lines.lines().count(), 5);
    let run = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &lines])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    let complaint = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{told}\n{complaint}");
    assert!(
        told.contains("recovery_code") && told.contains("beach.jpg"),
        "{told}"
    );
    let zip = fs::File::open(folder.path().join("pictures.zip")).unwrap();
    let mut zip = zip::ZipArchive::new(zip).unwrap();
    let mut entry = zip.by_name("beach.jpg").unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
    assert!(bytes == samples::jpeg(7));
}

/// R1.55: pictures and pages that the documents point to are there.
#[test]
fn every_link_between_the_documents_leads_somewhere() {
    for document in [
        "README.md",
        "SECURITY.md",
        "docs/ARCHITECTURE.md",
        "docs/CRYPTO.md",
        "docs/EXPORT.md",
    ] {
        let path = root().join(document);
        let text = fs::read_to_string(&path).unwrap();
        let mut links = 0;
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split([')', '#']).next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            links += 1;
            let file: PathBuf = path.parent().unwrap().join(target);
            assert!(
                file.exists(),
                "{document} points to {target}, which is not there"
            );
        }
        assert!(links > 0, "no link found in {document}");
    }
}

/// R1.55: the map names every table there is.
#[test]
fn the_architecture_names_every_table() {
    let folder = root().join("src/store/embedded/migrations");
    let map = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let mut tables = 0;
    for file in fs::read_dir(folder).unwrap() {
        let sql = fs::read_to_string(file.unwrap().path()).unwrap();
        for (_, after) in sql
            .match_indices("CREATE TABLE ")
            .map(|(at, m)| (at, &sql[at + m.len()..]))
        {
            let name = after.split_whitespace().next().unwrap();
            tables += 1;
            assert!(
                map.contains(&format!("| `{name}` |")),
                "docs/ARCHITECTURE.md does not name `{name}`"
            );
        }
    }
    assert!(tables > 0);
}
