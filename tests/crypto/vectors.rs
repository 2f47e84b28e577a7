//! Published vectors (`tests/vectors/README.md` says whose) against the primitives that the key
//! schedule is made of, in the versions this program is built with.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::{hex, hex_array, number, vectors_dir};

/// Runs every test of the file; a "valid" one must agree and an "invalid" one must not.
#[track_caller]
fn check(file: &str, count: usize, agrees: impl Fn(&Value) -> bool) {
    let text = std::fs::read_to_string(vectors_dir().join(file)).unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let tests = vectors["tests"].as_array().unwrap();
    assert_eq!(
        tests.len(),
        count,
        "{file} is not the file this test was written for"
    );
    for test in tests {
        let valid = match test["result"].as_str().unwrap() {
            "valid" => true,
            "invalid" => false,
            other => panic!("{other}"),
        };
        assert_eq!(
            agrees(test),
            valid,
            "{file} {}: {}",
            test["tcId"],
            test["comment"]
        );
    }
}

fn hkdf_agrees(test: &Value) -> bool {
    let mut okm = vec![0; number(&test["size"]) as usize];
    Hkdf::<Sha256>::new(Some(&hex(&test["salt"])), &hex(&test["ikm"]))
        .expand(&hex(&test["info"]), &mut okm)
        .is_ok_and(|()| okm == hex(&test["okm"]))
}

#[test]
fn hkdf_agrees_with_rfc_5869() {
    check("rfc5869_hkdf_sha256.json", 3, hkdf_agrees);
}

#[test]
fn hkdf_agrees_with_wycheproof() {
    check("wycheproof_hkdf_sha256.json", 86, hkdf_agrees);
}

#[test]
fn hmac_agrees_with_wycheproof() {
    check("wycheproof_hmac_sha256.json", 87, |test| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&hex(&test["key"])).unwrap();
        mac.update(&hex(&test["msg"]));
        mac.verify_slice(&hex(&test["tag"])).is_ok()
    });
}

#[test]
fn aes_256_gcm_agrees_with_wycheproof() {
    check("wycheproof_aes_256_gcm.json", 66, |test| {
        let cipher = Aes256Gcm::new(&hex_array(&test["key"]).into());
        let nonce = Nonce::from(hex_array::<12>(&test["iv"]));
        let (msg, aad) = (hex(&test["msg"]), hex(&test["aad"]));
        let sealed = [hex(&test["ct"]), hex(&test["tag"])].concat();

        let written = cipher
            .encrypt(
                &nonce,
                Payload {
                    msg: &msg,
                    aad: &aad,
                },
            )
            .unwrap();
        let read = cipher.decrypt(
            &nonce,
            Payload {
                msg: &sealed,
                aad: &aad,
            },
        );
        assert_eq!(written == sealed, read.is_ok(), "the two directions differ");
        read.is_ok_and(|read| read == msg)
    });
}

#[test]
fn argon2id_agrees_with_rfc_9106() {
    let text = std::fs::read_to_string(vectors_dir().join("rfc9106_argon2id.json")).unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let test = &vectors["tests"][0];
    let params = ParamsBuilder::new()
        .m_cost(number(&test["memory_kib"]))
        .t_cost(number(&test["passes"]))
        .p_cost(number(&test["lanes"]))
        .data(AssociatedData::new(&hex(&test["associated_data"])).unwrap())
        .build()
        .unwrap();
    let secret = hex(&test["secret"]);
    let argon2 =
        Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2
        .hash_password_into(&hex(&test["password"]), &hex(&test["salt"]), &mut tag)
        .unwrap();
    assert_eq!(tag, hex_array(&test["tag"]));
}
