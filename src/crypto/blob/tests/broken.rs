//! Broken blobs, in the manner of age's testkit: for each fault, that it is an error, and how much
//! plaintext a reader may have been given before it. R1.29.

use proptest::prelude::*;

use super::*;

/// The blob must fail, and a reader may have got exactly the first `released` bytes of `plain`.
#[track_caller]
fn check_broken(key: &RoleKey, sealed: &[u8], plain: &[u8], released: usize) {
    let (out, result) = read(key, sealed);
    assert_eq!(result, Err(CryptoError::Open));
    assert_eq!(out.len(), released);
    assert!(out == plain[..released]);
    assert!(open(key, &CONTEXT, sealed).is_err());
}

#[test]
fn a_file_cut_at_a_segment_border_does_not_pass_for_a_shorter_one() {
    let key = role_key();
    let plain = photograph(3 * SEG);
    let sealed = seal(&key, &CONTEXT, &plain).unwrap();
    for kept in 1..3 {
        let cut = &sealed[..segment_offset(kept) as usize];
        check_broken(&key, cut, &plain, (kept as usize - 1) * SEG);
    }
    check_broken(&key, &sealed[..HEADER_LEN], &plain, 0);
}

#[test]
fn a_file_without_a_final_segment_is_refused() {
    let key = role_key();
    let plain = photograph(2 * SEG);
    let (a, b) = plain.split_at(SEG);
    check_broken(&key, &forge(&key, 16, &[(&a[..9], 0, false)]), &plain, 0);
    check_broken(&key, &forge(&key, 16, &[(a, 0, false)]), &plain, 0);
    check_broken(
        &key,
        &forge(&key, 16, &[(a, 0, false), (b, 1, false)]),
        &plain,
        SEG,
    );
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let key = role_key();
    let plain = photograph(SEG + 40);
    let sealed = seal(&key, &CONTEXT, &plain).unwrap();
    let first_end = segment_offset(1) as usize;
    for len in (0..300).chain(first_end - 20..first_end) {
        check_broken(&key, &sealed[..len], &plain, 0);
    }
    // Among them cut tags, and a last segment that has no room for one.
    for len in first_end + 1..sealed.len() {
        check_broken(&key, &sealed[..len], &plain, SEG);
    }
}

#[test]
fn an_empty_last_segment_is_refused_unless_the_file_is_empty() {
    let key = role_key();
    let plain = photograph(SEG);
    check_broken(
        &key,
        &forge(&key, 16, &[(&plain, 0, false), (&[], 1, true)]),
        &plain,
        SEG,
    );

    let (out, result) = read(&key, &forge(&key, 16, &[(&[], 0, true)]));
    assert_eq!((out.len(), result), (0, Ok(())));
}

#[test]
fn a_full_last_segment_is_accepted() {
    let key = role_key();
    let plain = photograph(2 * SEG);
    let (a, b) = plain.split_at(SEG);
    let sealed = forge(&key, 16, &[(a, 0, false), (b, 1, true)]);
    assert!(*open(&key, &CONTEXT, &sealed).unwrap() == plain);
}

#[test]
fn nothing_follows_the_final_segment() {
    let key = role_key();
    let plain = photograph(2 * SEG);
    let (a, b) = plain.split_at(SEG);
    let sealed = seal(&key, &CONTEXT, &plain).unwrap();

    let two_final = forge(&key, 16, &[(a, 0, true), (b, 1, true)]);
    check_broken(&key, &two_final, &plain, 0);
    for garbage in [1, SEALED_SEGMENT_LEN] {
        let longer = [&sealed[..], &vec![0; garbage]].concat();
        check_broken(&key, &longer, &plain, SEG);
    }
    // A short last segment hides the border, so the garbage spoils that segment itself.
    let short = seal(&key, &CONTEXT, &plain[..SEG + 9]).unwrap();
    check_broken(&key, &[&short[..], &[0]].concat(), &plain, SEG);
}

#[test]
fn a_short_segment_in_the_middle_is_refused() {
    let key = role_key();
    let plain = photograph(2 * SEG);
    let (a, b) = plain.split_at(SEG);
    let short_first = forge(&key, 16, &[(&a[..SEG - 1], 0, false), (b, 1, true)]);
    check_broken(&key, &short_first, &plain, 0);

    // Even where the reader is handed exactly that segment.
    let sealed = forge(&key, 16, &[(&a[..9], 0, false)]);
    let opener = BlobOpener::new(&key, &CONTEXT, sealed.first_chunk().unwrap()).unwrap();
    let mut segment = sealed[HEADER_LEN..].to_vec();
    assert_eq!(
        opener.open_segment(0, false, &mut segment, 0),
        Err(CryptoError::Open)
    );
}

#[test]
fn an_over_long_segment_is_refused_wherever_it_stands() {
    let key = role_key();
    let plain = photograph(SEG + 1);
    for (index, last) in [(0, false), (0, true), (1, false), (1, true)] {
        let sealed = forge(&key, 16, &[(&plain, index, last)]);
        let opener = BlobOpener::new(&key, &CONTEXT, sealed.first_chunk().unwrap()).unwrap();
        let mut segment = sealed[HEADER_LEN..].to_vec();
        let opened = opener.open_segment(index, last, &mut segment, 0);
        assert_eq!(opened, Err(CryptoError::Open));
    }
}

#[test]
fn a_damaged_segment_releases_nothing_of_itself() {
    let key = role_key();
    let plain = photograph(3 * SEG + 9);
    let sealed = seal(&key, &CONTEXT, &plain).unwrap();
    for segment in 0..4_usize {
        let start = segment_offset(segment as u32) as usize;
        let tag_end = sealed.len().min(start + SEALED_SEGMENT_LEN);
        for at in [start, start + 8, tag_end - TAG_LEN, tag_end - 1] {
            let mut damaged = sealed.clone();
            damaged[at] ^= 0x10;
            check_broken(&key, &damaged, &plain, segment * SEG);
        }
    }
}

#[test]
fn segments_cannot_change_places() {
    let key = role_key();
    let plain = photograph(4 * SEG);
    let sealed = seal(&key, &CONTEXT, &plain).unwrap();
    let segment = |i: usize| &sealed[HEADER_LEN + i * SEALED_SEGMENT_LEN..][..SEALED_SEGMENT_LEN];
    let assemble = |order: &[usize]| {
        order
            .iter()
            .fold(sealed[..HEADER_LEN].to_vec(), |mut blob, i| {
                blob.extend_from_slice(segment(*i));
                blob
            })
    };
    assert!(assemble(&[0, 1, 2, 3]) == sealed);
    check_broken(&key, &assemble(&[0, 2, 1, 3]), &plain, SEG);
    check_broken(&key, &assemble(&[0, 1, 1, 3]), &plain, 2 * SEG);
    check_broken(&key, &assemble(&[0, 1, 3]), &plain, 2 * SEG);
    check_broken(&key, &assemble(&[1, 2, 3]), &plain, 0);
    check_broken(&key, &assemble(&[3, 1, 2, 0]), &plain, 0);
}

#[test]
fn segments_of_two_blobs_do_not_mix() {
    let key = role_key();
    let plain = photograph(2 * SEG);
    let a = seal(&key, &CONTEXT, &plain).unwrap();
    let b = seal(&key, &CONTEXT, &plain).unwrap();
    let border = segment_offset(1) as usize;
    check_broken(&key, &[&a[..border], &b[border..]].concat(), &plain, SEG);
    check_broken(
        &key,
        &[&a[..HEADER_LEN], &b[HEADER_LEN..]].concat(),
        &plain,
        0,
    );
}

#[test]
fn every_bit_of_the_header_is_checked() {
    let key = role_key();
    let sealed = seal(&key, &CONTEXT, b"a photograph").unwrap();
    for byte in 0..HEADER_LEN {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[byte] ^= 1 << bit;
            check_broken(&key, &changed, b"", 0);
        }
    }
}

// R1.26: another account's or image's key, and a row that was copied to another account.
#[test]
fn another_key_owner_image_or_role_opens_nothing() {
    let image = DataKey::generate().unwrap();
    let key = image.role_key(BlobRole::Original);
    let sealed = seal(&key, &CONTEXT, b"a photograph").unwrap();
    let fails = |key: &RoleKey, context: BlobContext, sealed: &[u8]| {
        assert_eq!(
            open(key, &context, sealed).err(),
            Some(CryptoError::Open),
            "{context:?}"
        );
    };
    fails(&role_key(), CONTEXT, &sealed);
    fails(
        &key,
        BlobContext {
            owner: [9; 16],
            ..CONTEXT
        },
        &sealed,
    );
    fails(
        &key,
        BlobContext {
            image: [9; 16],
            ..CONTEXT
        },
        &sealed,
    );
    for role in [
        BlobRole::Thumbnail,
        BlobRole::Preview,
        BlobRole::Metadata,
        BlobRole::ArchivePlan,
    ] {
        let context = BlobContext { role, ..CONTEXT };
        fails(&key, context, &sealed);
        fails(&image.role_key(role), context, &sealed);
        // Nor where the header is made to agree.
        let mut relabelled = sealed.clone();
        relabelled[11] = role as u8;
        fails(&key, context, &relabelled);
        fails(&image.role_key(role), context, &relabelled);
    }
    let mut relabelled = sealed.clone();
    relabelled[ID].copy_from_slice(&[9; 16]);
    fails(
        &key,
        BlobContext {
            image: [9; 16],
            ..CONTEXT
        },
        &relabelled,
    );
}

// As in wrap: a right tag does not make up for a wrong commitment.
#[test]
fn a_blob_that_names_another_key_is_refused() {
    let key = role_key();
    let salt = random().unwrap();
    let keys = schedule::blob(key.key(), &salt, SUITE, &CONTEXT);
    let mut commitment = keys.commitment;
    commitment[31] ^= 1;
    for (commitment, opens) in [(keys.commitment, true), (commitment, false)] {
        let header = header_of(SEGMENT_LOG2, &CONTEXT, &salt, &commitment);
        let aad = associated_data(&header, &CONTEXT);
        let payload = Payload {
            msg: b"a photograph",
            aad: &aad,
        };
        let segment = stream(&keys).encrypt(0, true, payload).unwrap();
        let sealed = [&header[..], &segment].concat();
        assert_eq!(open(&key, &CONTEXT, &sealed).is_ok(), opens);
    }
}

proptest! {
    #[test]
    fn a_flipped_bit_anywhere_is_noticed(len in 0_usize..3000, at: prop::sample::Index, bit in 0_u8..8) {
        let key = role_key();
        let mut sealed = seal(&key, &CONTEXT, &photograph(len)).unwrap();
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(open(&key, &CONTEXT, &sealed).is_err());
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), like_a_blob: bool) {
        let mut bytes = bytes;
        if like_a_blob && bytes.len() > 32 {
            bytes[..12].copy_from_slice(b"IVAULTB1\x01\x01\x10\x01");
            bytes[12..16].fill(0);
            bytes[ID].copy_from_slice(&CONTEXT.image);
        }
        prop_assert!(open(&role_key(), &CONTEXT, &bytes).is_err());
    }
}
