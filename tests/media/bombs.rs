//! Small files that claim, or unpack to, far more than they weigh. security.md test 14: each gets its
//! answer in under two seconds and 100 MB. Nothing here is big on disk; `forge` makes it all.

use std::process::Command;

use image_vault::media::Format;
use image_vault::media::Limits;
use image_vault::media::MediaError;
use image_vault::media::inspect;

use super::forge;
use super::look;
use super::picture;
use super::png;
use super::refusal;
use super::samples;

const GIB: u64 = 1 << 30;

/// What a bomb must be answered with.
#[derive(Debug, PartialEq)]
enum Answer {
    TooManyPixels,
    TooMuchMemory,
    /// It is an honest picture with something dishonest beside it.
    Picture,
}

fn answer(bytes: &[u8]) -> Answer {
    match look(bytes) {
        Ok(_) => Answer::Picture,
        Err(MediaError::TooManyPixels { .. }) => Answer::TooManyPixels,
        Err(MediaError::TooMuchMemory { .. }) => Answer::TooMuchMemory,
        Err(other) => panic!("{other:?}"),
    }
}

/// A grey PNG of 64 x 64 with this chunk before its pixels.
fn png_with(kind: &'static [u8; 4], data: Vec<u8>) -> Vec<u8> {
    let pixels = forge::zlib_zeros(65 * 64);
    png::of(&[png::ihdr(64, 64, 8, 0), (kind, data), (b"IDAT", pixels)])
}

/// More pixels than 100 million, most of them in complete files.
fn too_many_pixels() -> Vec<(&'static str, Vec<u8>)> {
    let huge_lossy = forge::riff_chunk(b"VP8 ", &forge::vp8_header(16383, 16383));
    let square = png::ihdr(12_000, 12_000, 8, 2);
    let pixels = forge::zlib_zeros(12_000 * (1 + 12_000 * 3));
    let lossless = forge::riff_chunk(b"VP8L", &forge::vp8l(12_000, 12_000));
    let header_only = |side| png::of(&[png::ihdr(side, side, 8, 2), (b"IDAT", vec![])]);
    vec![
        ("png", png::of(&[square, (b"IDAT", pixels)])),
        ("webp", forge::webp(&[lossless])),
        ("jpeg", forge::Jpeg::new(12_000, 12_000, &[99]).bytes()),
        ("bmp", forge::bmp_header(12_000, 12_000)),
        ("tiff", forge::tiff((12_000, 12_000), &[8, 8, 8], &[], &[])),
        ("gif canvas", forge::gif((65535, 65535), (1, 1), 1)),
        ("png header", header_only(60_000)),
        ("largest png header", header_only(i32::MAX as u32)),
        ("webp frame on a small canvas", {
            forge::webp(&[forge::vp8x(0, 1, 1), huge_lossy.clone()])
        }),
        ("webp animation on a small canvas", {
            let anim = forge::riff_chunk(b"ANIM", &[0; 6]);
            forge::webp(&[
                forge::vp8x(2, 16, 16),
                anim,
                forge::anmf(16, 16, &huge_lossy),
            ])
        }),
        ("gif frame on a small canvas", {
            let mut bytes = forge::gif((1, 1), (1, 1), 1);
            let frame = bytes.iter().position(|b| *b == b',').expect("a frame");
            bytes[frame + 5..frame + 9].fill(0xff);
            bytes
        }),
    ]
}

/// Fewer than 100 million pixels, but more than 512 MiB to decode them, or a part that claims as much.
fn too_much_memory() -> Vec<(&'static str, Vec<u8>)> {
    let mut progressive = forge::Jpeg::new(9_900, 9_900, &[1, 2, 3]);
    progressive.progressive = true;
    let mut by_component = forge::Jpeg::new(9_900, 9_900, &[1, 2, 3]);
    by_component.scan_each = true;
    let deep = png::ihdr(9_000, 9_000, 16, 6);
    let lossless = forge::riff_chunk(b"VP8L", &forge::vp8l(9_900, 9_900));
    vec![
        ("png of 64 bits", png::of(&[deep, (b"IDAT", vec![])])),
        ("progressive jpeg", progressive.bytes()),
        ("jpeg of three scans", by_component.bytes()),
        ("webp", forge::webp(&[lossless])),
        ("tiff", forge::tiff((9_900, 9_900), &[8, 8, 8], &[], &[])),
        (
            "a 70 MB row of png",
            png::of(&[png::ihdr(70_000_000, 1, 8, 0), (b"IDAT", vec![])]),
        ),
    ]
}

/// A progressive JPEG of 9,900 x 9,900 whose frame looks like a comment that these bytes begin.
fn hidden_frame(comment: &[u8]) -> Vec<u8> {
    let mut jpeg = forge::Jpeg::new(9_900, 9_900, &[1, 2, 3]);
    jpeg.progressive = true;
    let bytes = jpeg.bytes();
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc2]);
    let (before, after) = bytes.split_at(frame.expect("it has a frame"));
    // Its own length and the frame's 19 bytes.
    [before, comment, &[0, 21], after].concat()
}

/// What is measured must be what is decoded.
#[test]
fn a_frame_that_only_the_decoder_would_see_is_seen() {
    let zero_before_marker = hidden_frame(&[0xff, 0, 0xfe]);
    assert_eq!(answer(&zero_before_marker), Answer::TooMuchMemory);
    // The decoder reads one byte more of such an APP0 than it has.
    let short_app0 = hidden_frame(&[0xff, 0xe0, 0, 6, 1, 2, 3, 4, 0xff, 0xfe]);
    assert_eq!(refusal(&short_app0), MediaError::Broken);
}

/// TIFF fields that claim more values than any picture has: found by fuzzing, since the decoder made
/// room for them before any limit applied.
fn long_lists() -> Vec<(&'static str, Vec<u8>)> {
    let claim = |tag: u16, kind: u16, count: u32| {
        let mut bytes = b"II*\0\x08\0\0\0\x01\0".to_vec();
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend([26, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    };
    const MANY: u32 = 8 << 20;
    let mut values = claim(262, 1, MANY);
    values.resize(values.len() + MANY as usize, 7);
    let mut strips = forge::tiff((64, 64), &[8], &[0; 64 * 64], &[forge::longs(273, &[8; 2])]);
    let field = [0x11, 0x01, 4, 0, 2, 0, 0, 0];
    let at = strips
        .windows(8)
        .position(|w| w == field)
        .expect("it is there");
    strips[at + 4..at + 8].copy_from_slice(&[0xff, 0xff, 0xff, 0x0f]);
    vec![
        ("a list of 268 million strips", strips),
        ("8 million widths in 26 bytes", claim(256, 3, MANY)),
        ("8 million photometric interpretations", values),
    ]
}

/// Honest pictures; the bomb is in what accompanies them.
fn loaded_pictures() -> Vec<(&'static str, Vec<u8>)> {
    let packed = |start: &[u8], size| [start, &forge::zlib_zeros(size)].concat();
    let mut profile = forge::Jpeg::new(64, 64, &[99]);
    for part in 1..=160 {
        let mut data = b"ICC_PROFILE\0".to_vec();
        data.extend([part, 160]);
        data.resize(65_000, 7);
        profile.segments.push((0xe2, data));
    }
    let mut pointers = forge::Jpeg::new(64, 64, &[99]);
    pointers
        .segments
        .push((0xe1, [b"Exif\0\0", &exif_of_pointers()[..]].concat()));
    let frame = forge::riff_chunk(b"VP8L", &forge::vp8l(64, 64));
    let mut lying_exif = forge::webp(&[
        forge::vp8x(0x18, 64, 64),
        frame.clone(),
        forge::riff_chunk(b"EXIF", &[0; 40]),
    ]);
    let claimed = lying_exif.len() - 44;
    lying_exif[claimed..claimed + 4].copy_from_slice(&[0xf0, 0xff, 0xff, 0xff]);
    let animation = forge::anmf(64, 64, &frame);
    let mut animated = vec![
        forge::vp8x(0x12, 64, 64),
        forge::riff_chunk(b"ANIM", &[0; 6]),
    ];
    animated.extend(vec![animation; 1000]);
    vec![
        (
            "1 GiB of packed text",
            png_with(b"zTXt", packed(b"a\0\0", GIB)),
        ),
        ("1 GiB of packed XMP", {
            png_with(b"iTXt", packed(b"XML:com.adobe.xmp\0\x01\0\0\0", GIB))
        }),
        (
            "1 GiB of packed profile",
            png_with(b"iCCP", packed(b"a\0\0", GIB)),
        ),
        ("10 MB of EXIF", png_with(b"eXIf", vec![b'I'; 10_000_000])),
        ("10 MB of profile", profile.bytes()),
        ("EXIF that claims 4 GiB", lying_exif),
        ("EXIF of nothing but pointers", pointers.bytes()),
        (
            "1000 frames of gif",
            forge::gif((200, 200), (200, 200), 1000),
        ),
        ("1000 frames of webp", forge::webp(&animated)),
    ]
}

/// 64 KB in which each of 2,700 pointers leads to a directory of 2,700 entries: an EXIF reader that
/// follows them all keeps 7 million entries.
fn exif_of_pointers() -> Vec<u8> {
    let entry = |tag: u16, value: u32| {
        let mut bytes = tag.to_le_bytes().to_vec();
        bytes.extend([4, 0, 1, 0, 0, 0]);
        bytes.extend(value.to_le_bytes());
        bytes
    };
    let count = 2_700u16;
    let second = 8 + 2 + u32::from(count) * 12 + 4;
    let mut block = b"II*\0\x08\0\0\0".to_vec();
    for (tag, value) in [(0x8769, second), (0x9000, 0)] {
        block.extend(count.to_le_bytes());
        block.extend(entry(tag, value).repeat(usize::from(count)));
        block.extend([0; 4]);
    }
    block
}

/// A row of 50 million pixels: weights for each of them would take gigabytes to scale it by.
fn long_row() -> Vec<(&'static str, Vec<u8>)> {
    let pixels = forge::zlib_zeros(50_000_001);
    let row = png::ihdr(50_000_000, 1, 8, 0);
    vec![("long row", png::of(&[row, (b"IDAT", pixels)]))]
}

/// The most memory this process ever held, in bytes, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib << 10)
}

/// Runs in a process of its own, so that other tests' memory is not counted, and the system ends it
/// after a minute of work on them all: a bomb that goes off would take far longer.
#[test]
fn every_bomb_is_answered_quickly_and_in_little_memory() {
    const INSIDE: &str = "IMAGE_VAULT_TEST_BOMBS";
    const NAME: &str = "bombs::every_bomb_is_answered_quickly_and_in_little_memory";
    if std::env::var_os(INSIDE).is_none() {
        let test = std::env::current_exe().unwrap();
        let inside = Command::new("sh")
            .args(["-c", "ulimit -t 60; exec \"$0\" \"$@\""])
            .arg(test)
            .args(["--exact", NAME])
            .env(INSIDE, "1")
            .output()
            .unwrap();
        assert!(
            inside.status.success(),
            "{}: {}",
            inside.status,
            String::from_utf8_lossy(&inside.stdout)
        );
        return;
    }
    let cases = [
        (Answer::TooManyPixels, 100, too_many_pixels()),
        (Answer::TooMuchMemory, 100, too_much_memory()),
        (Answer::TooMuchMemory, 40, long_lists()),
        (Answer::Picture, 100, loaded_pictures()),
        (Answer::Picture, 300, long_row()),
    ];
    for (expected, max_mb, bombs) in cases {
        for (name, bytes) in bombs {
            let before = peak_memory();
            assert_eq!(answer(&bytes), expected, "{name}");
            if let (Some(before), Some(after)) = (before, peak_memory()) {
                let grown = (after - before) / 1_000_000;
                println!("{name}: {grown} MB");
                assert!(grown < max_mb, "{name} took {grown} MB");
            }
        }
    }
}

/// The limits are what decides, not a constant somewhere.
#[test]
fn limits_are_exact() {
    let bytes = samples::encoded_rgb(&samples::pattern(100, 50), Format::Png);
    let with = |max_pixels, max_decode_bytes| {
        inspect(
            &bytes,
            &Limits {
                max_pixels,
                max_decode_bytes,
            },
        )
        .err()
    };
    assert_eq!(with(5_000, 15_000), None);
    let pixels = MediaError::TooManyPixels {
        width: 100,
        height: 50,
        max_pixels: 4_999,
    };
    assert_eq!(with(4_999, 15_000), Some(pixels));
    let memory = MediaError::TooMuchMemory {
        needed: 15_000,
        max: 14_999,
    };
    assert_eq!(with(5_000, 14_999), Some(memory));
}

#[test]
fn a_refusal_says_what_the_limit_is() {
    let png = |side, depth| png::of(&[png::ihdr(side, side, depth, 6), (b"IDAT", vec![])]);
    let told = refusal(&png(12_000, 8)).to_string();
    assert!(
        told.contains("12000 x 12000") && told.contains("100 megapixels"),
        "{told}"
    );
    let told = refusal(&png(9_000, 16)).to_string();
    assert!(
        told.contains("618 MiB") && told.contains("512 MiB"),
        "{told}"
    );
}

/// The `gif` crate has a memory limit of its own (50 MB), which must not get in the way of ours.
#[test]
fn a_large_gif_is_a_picture() {
    let (found, _) = picture(&forge::gif((3600, 3600), (3600, 3600), 1));
    assert_eq!((found.width, found.height), (3600, 3600));
}

/// A pixel may take no bits at all: four megapixels in 30 bytes are a picture like any other.
#[test]
fn much_from_little_is_no_crime_within_the_limits() {
    let bytes = forge::webp(&[forge::riff_chunk(b"VP8L", &forge::vp8l(2_000, 2_000))]);
    assert!(bytes.len() < 60);
    assert_eq!(picture(&bytes).0.width, 2_000);
}
