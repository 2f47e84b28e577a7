//! Golden files: what an earlier version of this program wrote, and every later one must open.
//! `tests/vectors/decrypt.py` opens the same files without any of this code.
//!
//! They were written once, with random salts. `GOLDEN_OUT=some/dir cargo test --test crypto` writes
//! another set into an existing directory. A set that is in the repository is never replaced: a
//! new version of a format gets a set of its own beside it.

use std::fs;
use std::path::Path;

use image_vault::crypto::{
    AccountSecret, BlobContext, BlobRole, DataKey, DigestKey, InstanceSecret, KdfParams, MasterKey,
    PasswordHashing, RecoverySecret, SealedBox, SecretKey, SessionToken, WrapContext, WrapKind,
    WrappedKey, open, sha256,
};
use serde_json::Value;

use super::golden_writer::write;
use super::{hex, hex_array, number, vectors_dir};

pub(super) const BLOBS: [(BlobRole, usize); 5] = [
    (BlobRole::Thumbnail, 1),
    (BlobRole::Preview, 65_535),
    (BlobRole::Metadata, 65_536),
    (BlobRole::ArchivePlan, 65_537),
    (BlobRole::Original, 200_000),
];

pub(super) const KDF_PARAMS: [KdfParams; 3] = [
    KdfParams::DEFAULT,
    KdfParams::FLOOR,
    KdfParams {
        memory_kib: 1024,
        passes: 1,
        lanes: 4,
    },
];

/// Kinds of wrapped keys that there were when the set was written; later ones have files of their own.
pub(super) const FIRST_KINDS: usize = 14;

#[test]
fn the_golden_files_open() {
    check(&vectors_dir().join("golden"));
}

#[test]
fn what_is_written_today_opens_in_the_same_way() {
    match std::env::var_os("GOLDEN_OUT") {
        Some(dir) => {
            write(Path::new(&dir));
            check(Path::new(&dir));
        }
        None => {
            let dir = tempfile::tempdir().unwrap();
            write(dir.path());
            check(dir.path());
        }
    }
}

/// Plaintext of any length: SHA-256 of 0, 1, 2 … (each as 64 bits, big-endian), one after the
/// other.
pub(super) fn plaintext(len: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..len.div_ceil(32) as u64)
        .flat_map(|i| sha256(&i.to_be_bytes()))
        .collect();
    bytes.truncate(len);
    bytes
}

fn check(dir: &Path) {
    let golden: Value =
        serde_json::from_slice(&fs::read(dir.join("manifest.json")).unwrap()).unwrap();

    let instance = InstanceSecret::from_bytes(hex_array(&golden["instance"]["secret"]));
    assert_eq!(
        reveal(&instance.pepper()),
        hex_array(&golden["instance"]["pepper"])
    );
    assert_eq!(
        instance.check_value(),
        hex_array(&golden["instance"]["check_value"])
    );

    let passwords = list(&golden["passwords"]);
    assert_eq!(passwords.len(), KDF_PARAMS.len());
    for case in passwords {
        let hashing = hashing(case);
        assert_eq!(
            hashing.associated_data(),
            hex_array(&case["associated_data"])
        );
        let password = case["password"].as_str().unwrap();
        let key = hashing
            .derive(password.as_bytes(), &instance.pepper())
            .unwrap();
        assert_eq!(reveal(&key), hex_array(&case["key"]));
    }

    let wraps = list(&golden["wraps"]);
    assert_eq!(wraps.len(), FIRST_KINDS);
    for (kind, case) in WrapKind::ALL.into_iter().zip(wraps) {
        assert_eq!(number(&case["kind"]), kind as u32);
        let params = hex(&case["params"]);
        let parent = InstanceSecret::from_bytes(hex_array(&case["parent"]));
        let child: InstanceSecret = wrapped(case)
            .unwrap(&parent, &context(kind, case, &params))
            .unwrap();
        assert_eq!(
            *child.as_bytes(),
            hex_array(&case["child"]),
            "kind {kind:?}"
        );
    }

    for case in list(&golden["boxes"]) {
        let recipient: AccountSecret = key_of(hex_array(&case["recipient_secret"]));
        assert_eq!(recipient.public_key(), hex_array(&case["recipient_public"]));
        assert_eq!(number(&case["kind"]), WrapKind::ImageKey as u32);
        let sealed = SealedBox::from_slice(&hex(&case["box"])).unwrap();
        let params = hex(&case["params"]);
        let child: DataKey = sealed
            .open(&recipient, &context(WrapKind::ImageKey, case, &params))
            .unwrap();
        assert_eq!(reveal(&child), hex_array(&case["child"]));
    }

    check_texts(&golden);
    check_whole_chain(dir, &golden);
}

fn check_texts(golden: &Value) {
    let recovery = &golden["recovery"];
    let code = recovery["code"].as_str().unwrap();
    let secret = RecoverySecret::from_code(code).unwrap();
    assert_eq!(reveal(&secret), hex_array(&recovery["secret"]));
    assert_eq!(*secret.to_code(), code);

    let session = &golden["session"];
    let token = SessionToken::parse(session["token"].as_str().unwrap()).unwrap();
    assert_eq!(*token.id(), hex_array(&session["id"]));
    assert_eq!(reveal(token.secret()), hex_array(&session["secret"]));
    assert_eq!(token.digest(), hex_array(&session["digest"]));
    assert_eq!(
        token.secret().csrf_token(),
        session["csrf_token"].as_str().unwrap()
    );

    let digest = &golden["digest"];
    let key: DigestKey = key_of(hex_array(&digest["key"]));
    let content = sha256(digest["content"].as_str().unwrap().as_bytes());
    assert_eq!(key.digest(&content), hex_array(&digest["digest"]));

    let cursor = &golden["cursor"];
    let master: MasterKey = key_of(hex_array(&cursor["master_key"]));
    let opened = master.cursor_key().open(&hex(&cursor["sealed"])).unwrap();
    assert_eq!(opened, cursor["bytes"].as_str().unwrap().as_bytes());
}

/// From the password, the recovery code and the session's token, by way of the master and data
/// keys, to the bytes of the files.
fn check_whole_chain(dir: &Path, golden: &Value) {
    let wrap_of = |kind: WrapKind| &golden["wraps"][kind as usize - 1];
    fn by<K: SecretKey>(kind: WrapKind, parent: &impl SecretKey, case: &Value) -> K {
        let params = hex(&case["params"]);
        wrapped(case)
            .unwrap(parent, &context(kind, case, &params))
            .unwrap()
    }

    let instance = InstanceSecret::from_bytes(hex_array(&golden["instance"]["secret"]));
    let case = &golden["passwords"][0];
    let password = case["password"].as_str().unwrap();
    let password_key = hashing(case)
        .derive(password.as_bytes(), &instance.pepper())
        .unwrap();
    let master: MasterKey = by(
        WrapKind::Password,
        &password_key,
        wrap_of(WrapKind::Password),
    );

    let code = golden["recovery"]["code"].as_str().unwrap();
    let recovery = RecoverySecret::from_code(code).unwrap();
    let same: MasterKey = by(WrapKind::Recovery, &recovery, wrap_of(WrapKind::Recovery));
    assert_eq!(reveal(&same), reveal(&master));

    let token = SessionToken::parse(golden["session"]["token"].as_str().unwrap()).unwrap();
    let same: MasterKey = by(
        WrapKind::Session,
        token.secret(),
        wrap_of(WrapKind::Session),
    );
    assert_eq!(reveal(&same), reveal(&master));

    let data_key: DataKey = by(WrapKind::ImageKey, &master, wrap_of(WrapKind::ImageKey));
    let blobs = list(&golden["blobs"]);
    assert_eq!(blobs.len(), BLOBS.len());
    for ((role, len), case) in BLOBS.into_iter().zip(blobs) {
        assert_eq!(number(&case["role"]), role as u32);
        assert_eq!(reveal(&data_key), hex_array(&case["data_key"]));
        let context = BlobContext {
            owner: hex_array(&case["owner"]),
            image: hex_array(&case["image"]),
            role,
        };
        let sealed = fs::read(dir.join(case["file"].as_str().unwrap())).unwrap();
        let opened = open(&data_key.role_key(role), &context, &sealed).unwrap();
        assert!(*opened == plaintext(len), "{case}");
        assert_eq!(sha256(&opened), hex_array(&case["plaintext_sha256"]));
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn wrapped(case: &Value) -> WrappedKey {
    WrappedKey::from_slice(&hex(&case["record"])).unwrap()
}

fn context<'a>(kind: WrapKind, case: &Value, params: &'a [u8]) -> WrapContext<'a> {
    WrapContext {
        kind,
        owner: hex_array(&case["owner"]),
        subject: hex_array(&case["subject"]),
        params,
    }
}

fn hashing(case: &Value) -> PasswordHashing {
    PasswordHashing {
        params: KdfParams {
            memory_kib: number(&case["memory_kib"]),
            passes: number(&case["passes"]),
            lanes: number(&case["lanes"]),
        },
        salt: hex_array(&case["salt"]),
        pepper_id: number(&case["pepper_id"]),
    }
}

const ANY_CONTEXT: WrapContext<'static> = WrapContext {
    kind: WrapKind::Share,
    owner: [0; 16],
    subject: [0; 16],
    params: b"",
};

/// A key with these bytes. No key but the instance's has a way in from plain bytes, so this goes
/// round by a wrap.
pub(super) fn key_of<K: SecretKey>(bytes: [u8; 32]) -> K {
    let parent = InstanceSecret::from_bytes([0; 32]);
    WrappedKey::wrap(&parent, &InstanceSecret::from_bytes(bytes), &ANY_CONTEXT)
        .and_then(|wrapped| wrapped.unwrap(&parent, &ANY_CONTEXT))
        .unwrap()
}

/// A key's bytes; again no key but the instance's has a way out.
pub(super) fn reveal(key: &impl SecretKey) -> [u8; 32] {
    let parent = InstanceSecret::from_bytes([0; 32]);
    let same: InstanceSecret = WrappedKey::wrap(&parent, key, &ANY_CONTEXT)
        .and_then(|wrapped| wrapped.unwrap(&parent, &ANY_CONTEXT))
        .unwrap();
    *same.as_bytes()
}
