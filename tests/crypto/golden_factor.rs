//! The golden file of the second factor, beside those of the first version. `GOLDEN_OUT=some/dir` writes
//! another one, as for the others; the one in the repository is never replaced.

use std::fs;
use std::path::Path;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use image_vault::crypto::{
    AuthenticatorKey, FactorCode, MasterKey, SpareCodeKey, WrapContext, WrapKind, WrappedKey,
    sha256,
};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use super::golden::{key_of, reveal};
use super::{hex, hex_array, number, vectors_dir};

const FILE: &str = "second_factor.json";
const OWNER: [u8; 16] = *b"golden account 1";
const TOKEN_ID: [u8; 16] = *b"golden pending 1";
const KINDS: [WrapKind; 3] = [
    WrapKind::Authenticator,
    WrapKind::SpareCodes,
    WrapKind::PendingSignIn,
];
/// Seconds since 1970.
const TIMES: [u64; 3] = [59, 1_800_000_000, 20_000_000_000];

#[test]
fn the_golden_second_factor_opens() {
    check(&vectors_dir().join("golden").join(FILE));
}

#[test]
fn a_second_factor_written_today_opens_in_the_same_way() {
    let dir = tempfile::tempdir().unwrap();
    let out = std::env::var_os("GOLDEN_OUT");
    let path = out.as_deref().map_or(dir.path(), Path::new).join(FILE);
    write(&path);
    check(&path);
}

fn fixed(name: &str) -> [u8; 32] {
    sha256(format!("image-vault golden {name}").as_bytes())
}

/// Parent, child and subject of a wrap.
fn chain(kind: WrapKind) -> ([u8; 32], [u8; 32], [u8; 16]) {
    match kind {
        WrapKind::Authenticator => (fixed("master key"), fixed("authenticator key"), OWNER),
        WrapKind::SpareCodes => (fixed("master key"), fixed("spare code key"), OWNER),
        _ => (fixed("pending secret"), fixed("master key"), TOKEN_ID),
    }
}

fn context(kind: WrapKind, subject: [u8; 16]) -> WrapContext<'static> {
    WrapContext {
        kind,
        owner: OWNER,
        subject,
        params: b"",
    }
}

fn write(path: &Path) {
    let text = |bytes: &[u8]| HEXLOWER.encode(bytes);
    let wraps: Vec<Value> = KINDS
        .into_iter()
        .map(|kind| {
            let (parent, child, subject) = chain(kind);
            let (from, to): (MasterKey, MasterKey) = (key_of(parent), key_of(child));
            let record = WrappedKey::wrap(&from, &to, &context(kind, subject)).unwrap();
            json!({
                "kind": kind as u8,
                "owner": text(&OWNER),
                "subject": text(&subject),
                "parent": text(&parent),
                "child": text(&child),
                "record": text(record.as_bytes()),
            })
        })
        .collect();
    let app: AuthenticatorKey = key_of(fixed("authenticator key"));
    let secret = BASE32_NOPAD.decode(app.secret_text().as_bytes()).unwrap();
    let codes: Vec<Value> = TIMES
        .into_iter()
        .map(|at| json!({ "at": at, "code": code_at(&secret, at) }))
        .collect();
    let (code, digest) = key_of::<SpareCodeKey>(fixed("spare code key"))
        .draw()
        .unwrap();
    let manifest = json!({
        "wraps": wraps,
        "authenticator": { "secret": text(&secret), "codes": codes },
        "spare_code": { "code": *code, "digest": text(&digest) },
    });
    let mut manifest = serde_json::to_string_pretty(&manifest).unwrap();
    manifest.push('\n');
    fs::write(path, manifest).unwrap();
}

/// As an app computes it.
fn code_at(secret: &[u8], at: u64) -> String {
    let secret = Secret::new_stack(secret.try_into().unwrap());
    let totp = Builder::new().with_secret(secret).build().unwrap();
    totp.generate(at).to_string()
}

fn check(path: &Path) {
    let golden: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let wraps = golden["wraps"].as_array().unwrap();
    assert_eq!(wraps.len(), KINDS.len());
    let mut children = Vec::new();
    for (kind, case) in KINDS.into_iter().zip(wraps) {
        assert_eq!(number(&case["kind"]), kind as u32);
        let parent: MasterKey = key_of(hex_array(&case["parent"]));
        let record = WrappedKey::from_slice(&hex(&case["record"])).unwrap();
        let context = context(kind, hex_array(&case["subject"]));
        let child: MasterKey = record.unwrap(&parent, &context).unwrap();
        assert_eq!(reveal(&child), hex_array(&case["child"]), "{kind:?}");
        children.push(reveal(&child));
    }
    let app: AuthenticatorKey = key_of(children[0]);
    let secret = BASE32_NOPAD.encode(&hex(&golden["authenticator"]["secret"]));
    assert_eq!(*app.secret_text(), secret);
    for case in golden["authenticator"]["codes"].as_array().unwrap() {
        let at = case["at"].as_u64().unwrap();
        assert_eq!(
            app.step_of(case["code"].as_str().unwrap(), at),
            Some(at / 30)
        );
    }
    let spare: SpareCodeKey = key_of(children[1]);
    let code = FactorCode::parse(golden["spare_code"]["code"].as_str().unwrap());
    let Ok(FactorCode::Spare(chars)) = code else {
        panic!("it is no spare code");
    };
    assert_eq!(
        spare.digest(&chars),
        hex_array(&golden["spare_code"]["digest"])
    );
}
