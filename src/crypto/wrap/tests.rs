//! What a wrapped key must and must not do.

use std::collections::HashSet;

use super::super::{DataKey, MasterKey};
use super::*;
use proptest::prelude::*;

fn context(kind: WrapKind) -> WrapContext<'static> {
    WrapContext {
        kind,
        owner: [1; 16],
        subject: [2; 16],
        params: b"",
    }
}

struct Case {
    parent: MasterKey,
    child: DataKey,
    wrapped: WrappedKey,
}

fn case() -> Case {
    let (parent, child) = (MasterKey::generate().unwrap(), DataKey::generate().unwrap());
    let wrapped = WrappedKey::wrap(&parent, &child, &context(WrapKind::ImageKey)).unwrap();
    Case {
        parent,
        child,
        wrapped,
    }
}

fn opens(wrapped: &WrappedKey, parent: &MasterKey, context: &WrapContext<'_>) -> bool {
    match wrapped.unwrap::<DataKey>(parent, context) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error, CryptoError::Open);
            false
        }
    }
}

#[test]
fn a_wrapped_key_opens_to_itself() {
    let Case {
        parent,
        child,
        wrapped,
    } = case();
    let stored = WrappedKey::from_slice(wrapped.as_bytes()).unwrap();
    let opened: DataKey = stored
        .unwrap(&parent, &context(WrapKind::ImageKey))
        .unwrap();
    assert_eq!(opened.key().0, child.key().0);
}

// R1.29
#[test]
fn every_changed_byte_is_noticed() {
    let Case {
        parent, wrapped, ..
    } = case();
    for i in 0..LEN {
        for bit in 0..8 {
            let mut changed = wrapped.clone();
            changed.0[i] ^= 1 << bit;
            assert!(
                !opens(&changed, &parent, &context(WrapKind::ImageKey)),
                "byte {i}"
            );
        }
    }
}

// R1.26
#[test]
fn another_parent_or_context_opens_nothing() {
    let Case {
        parent, wrapped, ..
    } = case();
    let right = context(WrapKind::ImageKey);
    assert!(opens(&wrapped, &parent, &right));
    assert!(!opens(&wrapped, &MasterKey::generate().unwrap(), &right));
    assert!(!opens(
        &wrapped,
        &parent,
        &WrapContext {
            owner: [9; 16],
            ..right
        }
    ));
    assert!(!opens(
        &wrapped,
        &parent,
        &WrapContext {
            subject: [9; 16],
            ..right
        }
    ));
    assert!(!opens(
        &wrapped,
        &parent,
        &WrapContext {
            owner: [2; 16],
            subject: [1; 16],
            ..right
        }
    ));
    assert!(!opens(
        &wrapped,
        &parent,
        &WrapContext {
            params: b"x",
            ..right
        }
    ));
}

#[test]
fn a_key_of_one_kind_opens_as_no_other() {
    let (parent, child) = (MasterKey::generate().unwrap(), DataKey::generate().unwrap());
    for written in WrapKind::ALL {
        let wrapped = WrappedKey::wrap(&parent, &child, &context(written)).unwrap();
        for read in WrapKind::ALL {
            assert_eq!(opens(&wrapped, &parent, &context(read)), written == read);
            // The kind's byte alone is not what tells them apart.
            let mut relabelled = wrapped.clone();
            relabelled.0[5] = read as u8;
            assert_eq!(opens(&relabelled, &parent, &context(read)), written == read);
        }
    }
}

// The attack that the commitment is against: a record whose tag is right for a parent it does not
// name. Such a record can be made to open under several parents.
#[test]
fn a_right_tag_does_not_make_up_for_a_wrong_commitment() {
    let (parent, child) = (MasterKey::generate().unwrap(), DataKey::generate().unwrap());
    let context = context(WrapKind::ImageKey);
    let forge = |change: u8| {
        let salt: [u8; 32] = random().unwrap();
        let keys = schedule::wrap(parent.key(), &salt, &context);
        let mut record = [0; LEN];
        record[HEADER].copy_from_slice(&header(context.kind));
        record[SALT].copy_from_slice(&salt);
        record[COMMITMENT].copy_from_slice(&keys.commitment);
        record[COMMITMENT.end - 1] ^= change;
        let (ciphertext, tag) = seal_key(&keys, &context.bind(&record[PREFIX]), child.key());
        record[CIPHERTEXT].copy_from_slice(&ciphertext);
        record[TAG].copy_from_slice(&tag);
        WrappedKey(record)
    };
    assert!(opens(&forge(0), &parent, &context));
    assert!(!opens(&forge(1), &parent, &context));
}

#[test]
fn two_wraps_of_one_key_share_no_block() {
    let Case {
        parent,
        child,
        wrapped,
    } = case();
    let again = WrappedKey::wrap(&parent, &child, &context(WrapKind::ImageKey)).unwrap();
    let blocks: HashSet<&[u8]> = wrapped.0[SALT.start..].windows(16).collect();
    assert!(
        again.0[SALT.start..]
            .windows(16)
            .all(|block| !blocks.contains(block))
    );
}

#[test]
fn a_hundred_thousand_wraps_have_a_hundred_thousand_salts() {
    let Case { parent, child, .. } = case();
    let salts: HashSet<[u8; 32]> = (0..100_000)
        .map(|_| {
            let wrapped = WrappedKey::wrap(&parent, &child, &context(WrapKind::ImageKey));
            *array(&wrapped.unwrap().0[SALT])
        })
        .collect();
    assert_eq!(salts.len(), 100_000);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..240)) {
        let parent = MasterKey::generate().unwrap();
        match WrappedKey::from_slice(&bytes) {
            Ok(record) => prop_assert!(!opens(&record, &parent, &context(WrapKind::ImageKey))),
            Err(error) => {
                prop_assert_ne!(bytes.len(), LEN);
                prop_assert_eq!(error, CryptoError::Open);
            }
        }
    }
}
