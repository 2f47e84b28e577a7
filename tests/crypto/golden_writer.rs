//! Writes a set of golden files with what the program writes today.

use std::fs;
use std::path::Path;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use image_vault::crypto::{
    AccountSecret, BlobContext, CursorKey, DataKey, DigestKey, InstanceSecret, MasterKey,
    PasswordHashing, RecoverySecret, SealedBox, SessionSecret, WrapContext, WrapKind, WrappedKey,
    seal, sha256,
};
use serde_json::{Value, json};

use super::golden::{BLOBS, FIRST_KINDS, KDF_PARAMS, key_of, plaintext, reveal};
use super::{hex, hex_array};

const OWNER: [u8; 16] = *b"golden account 1";
const IMAGE: [u8; 16] = *b"golden image  01";
const PASSWORD: &str = "Zwölf Boxkämpfer jagen Viktor 🥊";

/// The 32 bytes that the name stands for.
fn fixed(name: &str) -> [u8; 32] {
    sha256(format!("image-vault golden {name}").as_bytes())
}

fn text(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// Fills an existing directory. Keys are fixed, salts are random.
pub(super) fn write(dir: &Path) {
    let instance = InstanceSecret::from_bytes(fixed("instance secret"));
    let (master, data_key) = (fixed("master key"), fixed("data key"));
    let (account, digest_key) = (fixed("account secret"), fixed("digest key"));
    let recovery: RecoverySecret = key_of(fixed("recovery secret"));
    let session = SessionSecret::from_bytes(fixed("session secret"));
    let session_id: [u8; 16] = *b"golden session 1";

    let passwords: Vec<Value> = KDF_PARAMS
        .into_iter()
        .map(|params| {
            let hashing = PasswordHashing {
                params,
                salt: *b"golden salt 0001",
                pepper_id: 1,
            };
            let key = hashing
                .derive(PASSWORD.as_bytes(), &instance.pepper())
                .unwrap();
            json!({
                "password": PASSWORD,
                "memory_kib": params.memory_kib,
                "passes": params.passes,
                "lanes": params.lanes,
                "salt": text(&hashing.salt),
                "pepper_id": hashing.pepper_id,
                "associated_data": text(&hashing.associated_data()),
                "key": text(&reveal(&key)),
            })
        })
        .collect();

    let wraps: Vec<Value> = WrapKind::ALL
        .into_iter()
        .take(FIRST_KINDS)
        .map(|kind| {
            let (parent, child, subject) = match kind {
                WrapKind::Password => (hex_array(&passwords[0]["key"]), master, OWNER),
                WrapKind::Recovery => (reveal(&recovery), master, OWNER),
                WrapKind::Session => (reveal(&session), master, session_id),
                WrapKind::ImageKey => (master, data_key, IMAGE),
                WrapKind::AccountSecret => (master, account, OWNER),
                WrapKind::DigestKey => (master, digest_key, OWNER),
                _ => (
                    fixed("some parent"),
                    fixed("some child"),
                    *b"golden subject 1",
                ),
            };
            let params = match kind {
                WrapKind::Password => hex(&passwords[0]["associated_data"]),
                _ => Vec::new(),
            };
            let context = WrapContext {
                kind,
                owner: OWNER,
                subject,
                params: &params,
            };
            let parent = InstanceSecret::from_bytes(parent);
            let child = InstanceSecret::from_bytes(child);
            let record = WrappedKey::wrap(&parent, &child, &context).unwrap();
            json!({
                "kind": kind as u8,
                "owner": text(&OWNER),
                "subject": text(&subject),
                "params": text(&params),
                "parent": text(parent.as_bytes()),
                "child": text(child.as_bytes()),
                "record": text(record.as_bytes()),
            })
        })
        .collect();

    let recipient: AccountSecret = key_of(account);
    let context = WrapContext {
        kind: WrapKind::ImageKey,
        owner: OWNER,
        subject: IMAGE,
        params: b"",
    };
    let child: DataKey = key_of(data_key);
    let sealed_box = SealedBox::seal(&recipient.public_key(), &child, &context).unwrap();

    let blobs: Vec<Value> = BLOBS
        .into_iter()
        .map(|(role, len)| {
            let context = BlobContext {
                owner: OWNER,
                image: IMAGE,
                role,
            };
            let sealed = seal(&child.role_key(role), &context, &plaintext(len)).unwrap();
            let file = format!("blob_{len}.bin");
            fs::write(dir.join(&file), sealed).unwrap();
            json!({
                "file": file,
                "data_key": text(&data_key),
                "owner": text(&OWNER),
                "image": text(&IMAGE),
                "role": role as u8,
                "plaintext_len": len,
                "plaintext_sha256": text(&sha256(&plaintext(len))),
            })
        })
        .collect();

    let token = BASE64URL_NOPAD.encode(&[&session_id[..], &reveal(&session)].concat());
    let digests: DigestKey = key_of(digest_key);
    let cursors: CursorKey = key_of::<MasterKey>(master).cursor_key();
    let manifest = json!({
        "instance": {
            "secret": text(instance.as_bytes()),
            "pepper": text(&reveal(&instance.pepper())),
            "check_value": text(&instance.check_value()),
        },
        "passwords": passwords,
        "wraps": wraps,
        "boxes": [{
            "kind": WrapKind::ImageKey as u8,
            "owner": text(&OWNER),
            "subject": text(&IMAGE),
            "params": "",
            "recipient_secret": text(&account),
            "recipient_public": text(&recipient.public_key()),
            "child": text(&data_key),
            "box": text(sealed_box.as_bytes()),
        }],
        "blobs": blobs,
        "recovery": { "secret": text(&reveal(&recovery)), "code": *recovery.to_code() },
        "session": {
            "id": text(&session_id),
            "secret": text(&reveal(&session)),
            "token": token,
            "digest": text(&sha256(&session_id)),
            "csrf_token": session.csrf_token(),
        },
        "digest": {
            "key": text(&digest_key),
            "content": "a photograph",
            "digest": text(&digests.digest(&sha256(b"a photograph"))),
        },
        "cursor": {
            "master_key": text(&master),
            "bytes": "beach.jpg",
            "sealed": text(&cursors.seal(b"beach.jpg").unwrap()),
        },
    });
    let mut manifest = serde_json::to_string_pretty(&manifest).unwrap();
    manifest.push('\n');
    fs::write(dir.join("manifest.json"), manifest).unwrap();
}
