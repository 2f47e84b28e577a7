//! The golden file of the retired master key, beside those of the first version. `GOLDEN_OUT=some/dir`
//! writes another one, as for the others; the one in the repository is never replaced.

use std::fs;
use std::path::Path;

use data_encoding::HEXLOWER;
use image_vault::crypto::{MasterKey, WrapContext, WrapKind, WrappedKey, sha256};
use serde_json::{Value, json};

use super::golden::{key_of, reveal};
use super::{hex, hex_array, number, vectors_dir};

const FILE: &str = "rotation.json";
const OWNER: [u8; 16] = *b"golden account 1";

#[test]
fn the_golden_retired_key_opens() {
    check(&vectors_dir().join("golden").join(FILE));
}

#[test]
fn a_retired_key_written_today_opens_in_the_same_way() {
    let dir = tempfile::tempdir().unwrap();
    let out = std::env::var_os("GOLDEN_OUT");
    let path = out.as_deref().map_or(dir.path(), Path::new).join(FILE);
    write(&path);
    check(&path);
}

fn context() -> WrapContext<'static> {
    WrapContext {
        kind: WrapKind::RetiredMaster,
        owner: OWNER,
        subject: OWNER,
        params: b"",
    }
}

fn write(path: &Path) {
    let parent = sha256(b"image-vault golden next master key");
    let child = sha256(b"image-vault golden master key");
    let (from, to): (MasterKey, MasterKey) = (key_of(parent), key_of(child));
    let record = WrappedKey::wrap(&from, &to, &context()).unwrap();
    let golden = json!({ "wraps": [{
        "kind": WrapKind::RetiredMaster as u8,
        "owner": HEXLOWER.encode(&OWNER),
        "subject": HEXLOWER.encode(&OWNER),
        "parent": HEXLOWER.encode(&parent),
        "child": HEXLOWER.encode(&child),
        "record": HEXLOWER.encode(record.as_bytes()),
    }] });
    fs::write(path, serde_json::to_string_pretty(&golden).unwrap() + "\n").unwrap();
}

fn check(path: &Path) {
    let golden: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let case = &golden["wraps"][0];
    assert_eq!(number(&case["kind"]), WrapKind::RetiredMaster as u32);
    let parent: MasterKey = key_of(hex_array(&case["parent"]));
    let record = WrappedKey::from_slice(&hex(&case["record"])).unwrap();
    let child: MasterKey = record.unwrap(&parent, &context()).unwrap();
    assert_eq!(reveal(&child), hex_array(&case["child"]));
}
