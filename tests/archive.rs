//! What the archive floor writes, read by others: the `zip` crate, Python's `zipfile`, `unzip`.
//!
//! Needs `python3` and `unzip` on the path, and says so where one is missing. The layout's own
//! arithmetic is tested beside it, in `src/archive`.

#![allow(
    clippy::unwrap_used,
    reason = "clippy knows that tests may, but not that their helpers may"
)]

use std::collections::HashSet;
use std::fs;
use std::fs::File;
use std::io::Cursor;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::sync::Arc;

use image_vault::archive::DosTime;
use image_vault::archive::Entry;
use image_vault::archive::Piece;
use image_vault::archive::Plan;
use image_vault::archive::unique_names;
use jiff::civil::datetime;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;
use zip::ZipArchive;

type Files = Vec<(String, Vec<u8>)>;

fn entry(name: &str, size: u64, crc32: u32) -> Entry {
    let modified = DosTime::from(datetime(2026, 11, 20, 13, 37, 43, 0));
    Entry {
        source: [0; 16],
        name: name.to_owned(),
        size,
        crc32,
        modified,
    }
}

fn plan_of(files: &Files) -> Arc<Plan> {
    let entries = files
        .iter()
        .map(|(name, content)| entry(name, content.len() as u64, crc32fast::hash(content)));
    Arc::new(Plan::new(entries.collect()).unwrap())
}

fn archive_of(files: &Files) -> Vec<u8> {
    let plan = plan_of(files);
    let mut archive = Vec::new();
    for piece in plan.pieces(0..plan.total_bytes()) {
        match piece {
            Piece::Bytes(bytes) => archive.extend(bytes),
            Piece::Content { entry, range } => {
                archive.extend(&files[entry].1[range.start as usize..range.end as usize]);
            }
        }
    }
    assert_eq!(archive.len() as u64, plan.total_bytes());
    archive
}

/// Writes an archive whose content is all zeros, without writing the zeros.
fn write_sparse(plan: &Arc<Plan>, path: &Path) {
    let mut file = File::create(path).unwrap();
    for piece in plan.pieces(0..plan.total_bytes()) {
        match piece {
            Piece::Bytes(bytes) => file.write_all(&bytes).unwrap(),
            Piece::Content { range, .. } => {
                file.seek_relative((range.end - range.start) as i64)
                    .unwrap();
            }
        }
    }
    assert_eq!(file.stream_position().unwrap(), plan.total_bytes());
}

fn run(tool: &str, command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| {
        panic!("this test needs `{tool}`, which did not start ({error}): on Debian, apt-get install {tool}")
    })
}

/// Runs a Python program on a file and reads the JSON it prints.
fn python(program: &str, path: &Path) -> Value {
    let output = run(
        "python3",
        Command::new("python3").args(["-c", program]).arg(path),
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "python3 does not accept the archive: {errors}"
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn saved(archive: &[u8]) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pictures.zip");
    fs::write(&path, archive).unwrap();
    (folder, path)
}

fn check_unzip(archive: &[u8]) {
    let (_folder, path) = saved(archive);
    let output = run("unzip", Command::new("unzip").arg("-tqq").arg(path));
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "unzip does not accept the archive: {said}"
    );
}

const PYTHON_FILES: &str = r#"
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    json.dump([[i.filename, z.read(i).hex()] for i in z.infolist()], sys.stdout)
"#;

fn read_by_python(archive: &[u8]) -> Files {
    let (_folder, path) = saved(archive);
    let files: Vec<(String, String)> = serde_json::from_value(python(PYTHON_FILES, &path)).unwrap();
    let bytes = |hex: String| data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
    files
        .into_iter()
        .map(|(name, content)| (name, bytes(content)))
        .collect()
}

fn read_by_zip_crate(archive: &[u8]) -> Files {
    let mut zip = ZipArchive::new(Cursor::new(archive)).unwrap();
    zip.validate_header_consistency().unwrap();
    (0..zip.len())
        .map(|at| {
            let mut file = zip.by_index(at).unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            (file.name().unwrap().into_owned(), content)
        })
        .collect()
}

/// Reads the local headers one after the other, as a reader does that cannot seek.
fn read_as_a_stream(mut archive: &[u8]) -> Files {
    let mut files = Vec::new();
    while let Some(mut file) = zip::read::read_zipfile_from_stream(&mut archive).unwrap() {
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        files.push((file.name().unwrap().into_owned(), content));
    }
    files
}

fn small_files(count: usize) -> Files {
    (0..count)
        .map(|at| (format!("{at}.jpg"), at.to_le_bytes()[..at % 4].to_vec()))
        .collect()
}

// R1.38, R1.41
#[test]
fn everybody_reads_back_exactly_the_names_and_contents() {
    let names = [
        "my cat.png",
        "图片.png",
        "👩‍👩‍👧‍👦.jpg",
        "Ä.jpg",
        "A\u{308}.jpg",
        "../x",
        "x",
        "empty",
    ];
    let contents = [
        b"cat".to_vec(),
        vec![0; 100_000],
        vec![255; 1],
        b"PK\x05\x06".to_vec(),
        b"a".to_vec(),
        b"b".to_vec(),
        b"c".to_vec(),
        Vec::new(),
    ];
    let files: Files = unique_names(names).into_iter().zip(contents).collect();
    let archive = archive_of(&files);
    assert!(read_by_zip_crate(&archive) == files);
    assert!(read_as_a_stream(&archive) == files);
    assert!(read_by_python(&archive) == files);
    check_unzip(&archive);
}

/// Any contents under any names, made safe.
fn any_files() -> impl Strategy<Value = Files> {
    let given = prop::collection::vec((any::<String>(), any::<Vec<u8>>()), 0..8);
    given.prop_map(|given| {
        let names = unique_names(given.iter().map(|(name, _)| name.as_str()));
        let contents = given.iter().map(|(_, content)| content.clone());
        names.into_iter().zip(contents).collect()
    })
}

proptest! {
    // R1.38, R1.41
    #[test]
    fn any_files_come_out_as_they_went_in(files in any_files()) {
        let archive = archive_of(&files);
        prop_assert!(read_by_zip_crate(&archive) == files);
        prop_assert!(read_as_a_stream(&archive) == files);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    // R1.38, R1.41
    #[test]
    fn any_files_come_out_of_python_as_they_went_in(files in any_files()) {
        prop_assert!(read_by_python(&archive_of(&files)) == files);
    }
}

#[test]
fn an_archive_of_nothing_opens() {
    let archive = archive_of(&Vec::new());
    assert_eq!(archive.len(), 22);
    assert!(read_by_zip_crate(&archive).is_empty());
    assert!(read_by_python(&archive).is_empty());
}

// R1.39: the number at which the old end of a zip no longer suffices, and its neighbours.
#[test]
fn as_many_entries_as_need_no_zip64_come_back() {
    check_many(65_534);
}

#[test]
fn one_entry_more_needs_zip64_and_comes_back() {
    check_many(65_535);
}

#[test]
fn more_entries_than_16_bits_count_come_back() {
    check_many(65_536);
}

fn check_many(count: usize) {
    const PROGRAM: &str = r#"
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    names = z.namelist()
    json.dump([len(names), names == [f"{n}.jpg" for n in range(len(names))], z.testzip()], sys.stdout)
"#;
    let files = small_files(count);
    let archive = archive_of(&files);
    assert!(read_by_zip_crate(&archive) == files);
    let (_folder, path) = saved(&archive);
    assert_eq!(python(PROGRAM, &path), json!([count, true, null]));
    check_unzip(&archive);
}

#[test]
fn the_headers_say_what_the_specification_asks() {
    const PROGRAM: &str = r#"
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    i = z.infolist()[0]
    json.dump({"time": i.date_time, "mode": i.external_attr >> 16, "system": i.create_system,
               "needs": i.extract_version, "flags": i.flag_bits, "method": i.compress_type,
               "extra": i.extra.hex(), "comment": z.comment.hex()}, sys.stdout)
"#;
    let (_folder, path) = saved(&archive_of(&vec![("a.jpg".into(), b"a".to_vec())]));
    let expected = json!({
        "time": [2026, 11, 20, 13, 37, 42], "mode": 0o100_644, "system": 3, "needs": 20,
        "flags": 1 << 11, "method": 0, "extra": "", "comment": "",
    });
    assert_eq!(python(PROGRAM, &path), expected);
}

// R1.41 and the names that attack whoever unpacks.
#[test]
fn hostile_names_unpack_as_plain_different_files_in_one_folder() {
    const PROGRAM: &str = r#"
import json, os, sys, zipfile
target = sys.argv[1] + ".d"
with zipfile.ZipFile(sys.argv[1]) as z:
    z.extractall(target)
json.dump([[e.name, e.is_file()] for e in os.scandir(target)], sys.stdout)
"#;
    let long = "x".repeat(300) + ".jpg";
    let mut names = vec![
        "../x",
        "/x",
        "C:\\x",
        "a\\b",
        "nul\0.jpg",
        "CON",
        ".",
        "..",
        "",
        &long,
        "a\u{202E}gpj.exe",
        "Ä.jpg",
        "A\u{308}.jpg",
        "aux.jpg",
        "a ",
        "a.",
        "a?",
        "a*",
        "-rf",
        "~",
    ];
    names.extend([long.as_str(); 50]);
    let files: Files = unique_names(names)
        .into_iter()
        .map(|name| (name, b"picture".to_vec()))
        .collect();
    let (folder, path) = saved(&archive_of(&files));

    let unpacked: HashSet<(String, bool)> = serde_json::from_value(python(PROGRAM, &path)).unwrap();
    assert_eq!(
        unpacked,
        files.iter().map(|(name, _)| (name.clone(), true)).collect()
    );

    let target = folder.path().join("unzipped");
    let output = run(
        "unzip",
        Command::new("unzip")
            .arg("-qq")
            .arg(&path)
            .arg("-d")
            .arg(&target),
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(fs::read_dir(&target).unwrap().count(), files.len());
    // Nothing but the archive and the two folders: nothing has climbed out.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

/// A plan of 16 GiB of zeros: two entries below 4 GiB, a late small one, a large one, a last one.
fn large_plan() -> Arc<Plan> {
    let gib = 1 << 30;
    let late = crc32fast::hash(&[0; 4]);
    let entries = vec![
        entry("early.jpg", 3 * gib, 0),
        entry("across.jpg", 3 * gib, 0),
        entry("late.jpg", 4, late),
        entry("large.jpg", 10 * gib, 0),
        entry("last.jpg", 4, late),
    ];
    Arc::new(Plan::new(entries).unwrap())
}

// R1.39: beyond 4 GiB, for an entry and for the whole.
#[test]
fn python_reads_an_archive_beyond_four_gib() {
    const PROGRAM: &str = r#"
import json, struct, sys, zipfile
def local(f, i):
    f.seek(i.header_offset)
    h = struct.unpack("<IHHHIIIIHH", f.read(30))
    f.read(h[8])
    return [h[1], h[6], h[7], f.read(h[9]).hex()]
with zipfile.ZipFile(sys.argv[1]) as z, open(sys.argv[1], "rb") as f:
    json.dump({"sizes": [[i.filename, i.file_size] for i in z.infolist()],
               "needs": [i.extract_version for i in z.infolist()],
               "large": local(f, z.getinfo("large.jpg")), "late": local(f, z.getinfo("late.jpg")),
               "content": [z.read("late.jpg").hex(), z.read("last.jpg").hex()]}, sys.stdout)
"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.zip");
    let plan = large_plan();
    write_sparse(&plan, &path);
    let sizes: Vec<(&str, u64)> = plan
        .entries()
        .iter()
        .map(|e| (e.name.as_str(), e.size))
        .collect();
    let expected = json!({
        "sizes": sizes,
        "needs": [20, 20, 45, 45, 45],
        "large": [45, 0xffff_ffff_u32, 0xffff_ffff_u32, "0100100000000080020000000000008002000000"],
        "late": [20, 4, 4, ""],
        "content": ["00000000", "00000000"],
    });
    assert_eq!(python(PROGRAM, &path), expected);
}

// R1.39
#[test]
fn the_zip_crate_and_unzip_read_an_archive_beyond_four_gib() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.zip");
    write_sparse(&large_plan(), &path);

    let mut zip = ZipArchive::new(File::open(&path).unwrap()).unwrap();
    zip.validate_header_consistency().unwrap();
    let mut content = Vec::new();
    zip.by_name("last.jpg")
        .unwrap()
        .read_to_end(&mut content)
        .unwrap();
    assert_eq!(content, [0; 4]);

    let output = run(
        "unzip",
        Command::new("unzip")
            .arg("-tqq")
            .arg(&path)
            .args(["late.jpg", "last.jpg"]),
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

// R1.39: a download that stopped beyond 4 GiB.
#[test]
fn a_resumed_download_beyond_four_gib_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.zip");
    let plan = large_plan();
    write_sparse(&plan, &path);
    let mut file = File::open(&path).unwrap();

    let total = plan.total_bytes();
    for start in (total - 600..total).step_by(7) {
        let mut rest = Vec::new();
        for piece in plan.pieces(start..total) {
            match piece {
                Piece::Bytes(bytes) => rest.extend(bytes),
                Piece::Content { range, .. } => {
                    rest.resize(rest.len() + (range.end - range.start) as usize, 0)
                }
            }
        }
        let mut expected = Vec::new();
        file.seek(SeekFrom::Start(start)).unwrap();
        file.read_to_end(&mut expected).unwrap();
        assert!(rest == expected, "from {start}");
    }
}
