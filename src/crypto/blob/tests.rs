//! Whole blobs, and what the tests of broken ones share.

mod broken;

use std::collections::HashSet;

use aead_stream::EncryptorBE32;
use aes_gcm::aead::Payload;
use proptest::prelude::*;

use super::super::DataKey;
use super::*;

const CONTEXT: BlobContext = BlobContext {
    owner: [1; 16],
    image: [2; 16],
    role: BlobRole::Original,
};

const SEG: usize = SEGMENT_LEN;

fn role_key() -> RoleKey {
    DataKey::generate().unwrap().role_key(BlobRole::Original)
}

/// Bytes in which no two segments are equal.
fn photograph(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i ^ (i >> 8) ^ (i >> 16)) as u8).collect()
}

/// Seals segments that sealing never makes: any length, any number, any "last" flag, but under the
/// right key.
fn forge(key: &RoleKey, log2: u8, segments: &[(&[u8], u32, bool)]) -> Vec<u8> {
    let salt = random().unwrap();
    let keys = schedule::blob(key.key(), &salt, SUITE, &CONTEXT);
    let header = header_of(log2, &CONTEXT, &salt, &keys.commitment);
    let aad = associated_data(&header, &CONTEXT);
    let mut sealed = header.to_vec();
    for (msg, index, last) in segments {
        let payload = Payload { msg, aad: &aad };
        sealed.extend(stream(&keys).encrypt(*index, *last, payload).unwrap());
    }
    sealed
}

/// Reads as a download does, one segment after the other, and returns what came out before the
/// end or the first error.
fn read(key: &RoleKey, sealed: &[u8]) -> (Vec<u8>, Result<(), CryptoError>) {
    let mut out = Vec::new();
    let result = (|| {
        let (header, body) = sealed.split_first_chunk().ok_or(CryptoError::Open)?;
        let opener = BlobOpener::new(key, &CONTEXT, header)?;
        let mut rest = body;
        for index in 0.. {
            let (segment, tail) = rest.split_at(rest.len().min(opener.segment_len() + TAG_LEN));
            rest = tail;
            let mut buffer = segment.to_vec();
            let opened = opener.open_segment(index, rest.is_empty(), &mut buffer, 0);
            out.extend_from_slice(&buffer);
            opened?;
            if rest.is_empty() {
                break;
            }
        }
        Ok(())
    })();
    (out, result)
}

#[test]
fn every_length_around_a_segment_comes_back() {
    let key = role_key();
    let borders = [1, SEG, 2 * SEG];
    for len in borders
        .into_iter()
        .flat_map(|border| border - 1..=border + 1)
    {
        let plain = photograph(len);
        let sealed = seal(&key, &CONTEXT, &plain).unwrap();
        assert_eq!(sealed.len() as u64, sealed_len(len as u64));
        assert_eq!(plain_len(sealed.len() as u64), Some(len as u64));
        assert!(
            *open(&key, &CONTEXT, &sealed).unwrap() == plain,
            "{len} bytes"
        );
        let (out, result) = read(&key, &sealed);
        assert_eq!(result, Ok(()));
        assert!(out == plain);
    }
}

#[test]
fn pieces_are_about_a_mebibyte_and_make_the_same_blob() {
    let key = role_key();
    for (len, pieces) in [
        (0, 1),
        (1, 1),
        (16 * SEG, 1),
        (16 * SEG + 1, 2),
        (40 * SEG, 3),
    ] {
        let plain = photograph(len);
        let chunks = seal_chunks(&key, &CONTEXT, plain.clone().into()).unwrap();
        assert_eq!(chunks.sealed_len(), sealed_len(len as u64));
        let chunks: Vec<Bytes> = chunks.collect();
        assert_eq!(chunks.len(), pieces);
        assert!(
            chunks
                .iter()
                .all(|piece| !piece.is_empty() && piece.len() <= (1 << 20) + 1024)
        );
        assert!(*open(&key, &CONTEXT, &chunks.concat()).unwrap() == plain);
    }
}

#[test]
fn sealing_and_opening_may_move_between_threads() {
    fn is_send_and_static<T: Send + 'static>() {}
    fn is_sync<T: Sync>() {}
    is_send_and_static::<SealedChunks>();
    is_send_and_static::<BlobOpener>();
    is_sync::<BlobOpener>();
}

#[test]
fn segments_are_the_published_stream_construction() {
    let key = role_key();
    let plain = photograph(2 * SEG + 5);
    let sealed = seal(&key, &CONTEXT, &plain).unwrap();

    let keys = schedule::blob(key.key(), array(&sealed[SALT]), SUITE, &CONTEXT);
    let aad = [&sealed[..HEADER_LEN], &CONTEXT.owner].concat();
    let mut encryptor =
        EncryptorBE32::<Aes256Gcm>::new((&*keys.key).into(), &keys.nonce_prefix.into());
    let mut expected = sealed[..HEADER_LEN].to_vec();
    for msg in [&plain[..SEG], &plain[SEG..2 * SEG]] {
        expected.extend(encryptor.encrypt_next(Payload { msg, aad: &aad }).unwrap());
    }
    expected.extend(
        encryptor
            .encrypt_last(Payload {
                msg: &plain[2 * SEG..],
                aad: &aad,
            })
            .unwrap(),
    );
    assert!(sealed == expected);
}

// Around the counter's carry past one byte. The shortest segments allowed, so that this is quick.
#[test]
fn any_segment_of_a_long_file_opens_alone() {
    const LEN: usize = 1 << 12;
    let key = role_key();
    for count in [257, 258] {
        let plain = photograph((count - 1) * LEN + 7);
        let segments: Vec<_> = (0..)
            .zip(plain.chunks(LEN))
            .map(|(index, segment)| (segment, index, index as usize == count - 1))
            .collect();
        let sealed = forge(&key, 12, &segments);
        let opener = BlobOpener::new(&key, &CONTEXT, sealed.first_chunk().unwrap()).unwrap();
        for (segment, index, last) in segments.into_iter().rev() {
            let start = opener.segment_offset(index) as usize;
            let ciphertext = &sealed[start..start + segment.len() + TAG_LEN];
            let mut buffer = ciphertext.to_vec();
            opener.open_segment(index, last, &mut buffer, 0).unwrap();
            assert!(buffer == segment);

            for wrong in [
                index.wrapping_sub(1),
                index + 1,
                index + 256,
                index | 1 << 31,
            ] {
                let mut buffer = ciphertext.to_vec();
                assert!(opener.open_segment(wrong, last, &mut buffer, 0).is_err());
                assert!(buffer.is_empty());
            }
            let mut buffer = ciphertext.to_vec();
            assert!(opener.open_segment(index, !last, &mut buffer, 0).is_err());
        }
        assert_eq!(
            opener.plain_len(sealed.len() as u64),
            Some(plain.len() as u64)
        );
    }
}

#[test]
fn a_read_around_every_border_finds_its_bytes() {
    let key = role_key();
    let plain = photograph(3 * SEG + 7);
    let sealed = seal(&key, &CONTEXT, &plain).unwrap();
    let opener = BlobOpener::new(&key, &CONTEXT, sealed.first_chunk().unwrap()).unwrap();
    for border in [0, SEG, 2 * SEG, 3 * SEG, plain.len()] {
        for at in border.saturating_sub(1)..plain.len().min(border + 2) {
            let index = (at / SEG) as u32;
            let start = segment_offset(index) as usize;
            let end = sealed.len().min(start + SEALED_SEGMENT_LEN);
            let mut buffer = sealed[start..end].to_vec();
            opener
                .open_segment(index, end == sealed.len(), &mut buffer, 0)
                .unwrap();
            assert_eq!(buffer[at % SEG], plain[at]);
        }
    }
    assert_eq!(opener.segment_offset(3), segment_offset(3));
}

#[test]
fn other_segment_lengths_are_read_from_4_kib_to_1_mib() {
    let key = role_key();
    for log2 in 0..=255 {
        if (12..=20).contains(&log2) {
            let plain = photograph((1 << log2) + 3);
            let (a, b) = plain.split_at(1 << log2);
            let sealed = forge(&key, log2, &[(a, 0, false), (b, 1, true)]);
            assert!(*open(&key, &CONTEXT, &sealed).unwrap() == plain, "2^{log2}");
            let opener = BlobOpener::new(&key, &CONTEXT, sealed.first_chunk().unwrap()).unwrap();
            assert_eq!(opener.segment_len(), 1 << log2);
            assert_eq!(
                opener.plain_len(sealed.len() as u64),
                Some(plain.len() as u64)
            );
            assert_eq!(
                opener.segment_offset(1),
                (HEADER_LEN + (1 << log2) + TAG_LEN) as u64
            );
        } else {
            assert!(open(&key, &CONTEXT, &forge(&key, log2, &[(b"x", 0, true)])).is_err());
        }
    }
}

#[test]
fn no_segment_lies_beyond_a_tebibyte() {
    let key = role_key();
    let plain = photograph(SEG);
    let count = (MAX_PLAIN_LEN / SEG as u64) as u32;
    for (index, allowed) in [(count - 1, true), (count, false), (u32::MAX, false)] {
        let sealed = forge(&key, 16, &[(&plain, index, false)]);
        let opener = BlobOpener::new(&key, &CONTEXT, sealed.first_chunk().unwrap()).unwrap();
        let mut segment = sealed[HEADER_LEN..].to_vec();
        assert_eq!(
            opener.open_segment(index, false, &mut segment, 0).is_ok(),
            allowed,
            "{index}"
        );
    }
    assert_eq!(plain_len(sealed_len(MAX_PLAIN_LEN)), Some(MAX_PLAIN_LEN));
    assert_eq!(plain_len(sealed_len(MAX_PLAIN_LEN + 1)), None);
}

#[test]
fn two_blobs_of_one_file_share_no_block() {
    let key = role_key();
    let plain = vec![0; 3000];
    let a = seal(&key, &CONTEXT, &plain).unwrap();
    let b = seal(&key, &CONTEXT, &plain).unwrap();
    let blocks: HashSet<&[u8]> = a[SALT.start..].windows(16).collect();
    assert_eq!(
        blocks.len(),
        a.len() - SALT.start - 15,
        "zeros leave no pattern"
    );
    assert!(
        b[SALT.start..]
            .windows(16)
            .all(|block| !blocks.contains(block))
    );
}

#[test]
fn lengths_that_no_blob_has_are_recognised() {
    let one_full = sealed_len(SEG as u64);
    for len in [
        0,
        95,
        96,
        97,
        111,
        one_full + 1,
        one_full + 15,
        one_full + 16,
    ] {
        assert_eq!(plain_len(len), None, "{len}");
    }
    assert_eq!(plain_len(112), Some(0));
    assert_eq!(plain_len(one_full + 17), Some(SEG as u64 + 1));
}

proptest! {
    #[test]
    fn every_length_of_a_blob_and_no_other_is_recognised(len in 0..MAX_PLAIN_LEN) {
        prop_assert_eq!(plain_len(sealed_len(len)), Some(len));
        for between in sealed_len(len) + 1..sealed_len(len + 1) {
            prop_assert_eq!(plain_len(between), None);
        }
    }

    #[test]
    fn no_length_panics(len: u64) {
        prop_assert_eq!(plain_len(len).map_or(len, sealed_len), len);
        prop_assert!(sealed_len(len) >= len);
    }
}
