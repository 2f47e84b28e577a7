//! The pure floors: sealing and opening, sums, a thumbnail, a search, the plan of a zip. `cargo bench`
//! runs them; `scripts/bench` measures the whole.
#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot go on ends with a panic"
)]
#![allow(missing_docs, reason = "the macros of criterion make the functions")]

use std::hint::black_box;
use std::io::Cursor;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, Rgb, RgbImage};
use image_vault::archive::{DosTime, Entry, Plan, unique_names};
use image_vault::crypto::{BlobContext, BlobRole, DataKey, open, seal, sha256};
use image_vault::media::{Limits, inspect, preview};
use image_vault::vault::{Query, Searchable};
use jiff::civil::date;
use jpeg_decoder::Decoder;
use rayon::ThreadPoolBuilder;

const PHOTO_BYTES: usize = 4 << 20;
const SEARCHED: usize = 100_000;
const PICTURES: usize = 30_000;

fn sealing(criterion: &mut Criterion) {
    let key = DataKey::generate().unwrap().role_key(BlobRole::Original);
    let context = BlobContext {
        owner: [1; 16],
        image: [2; 16],
        role: BlobRole::Original,
    };
    let plaintext = vec![7; PHOTO_BYTES];
    let sealed = seal(&key, &context, &plaintext).unwrap();
    let mut group = criterion.benchmark_group("a blob of 4 MiB");
    group.throughput(Throughput::Bytes(PHOTO_BYTES as u64));
    group.bench_function("seal", |bench| {
        bench.iter(|| seal(&key, &context, black_box(&plaintext)).unwrap());
    });
    group.bench_function("open", |bench| {
        bench.iter(|| open(&key, &context, black_box(&sealed)).unwrap());
    });
}

fn sums(criterion: &mut Criterion) {
    let blob = vec![7; PHOTO_BYTES];
    let mut group = criterion.benchmark_group("the sums of a blob of 4 MiB");
    group.throughput(Throughput::Bytes(PHOTO_BYTES as u64));
    group.bench_function("SHA-256", |bench| {
        bench.iter(|| sha256(black_box(&blob)));
    });
    group.bench_function("CRC-32", |bench| {
        bench.iter(|| crc32fast::hash(black_box(&blob)));
    });
}

/// A picture of 12 megapixels with edges, slopes and grain, as a camera would store it.
fn photo() -> Vec<u8> {
    let mut grain = 1_u32;
    let pixels = RgbImage::from_fn(4_000, 3_000, |x, y| {
        // xorshift32 (Marsaglia, 2003): the same picture on every run.
        grain ^= grain << 13;
        grain ^= grain >> 17;
        grain ^= grain << 5;
        let edge = (x / 97 + y / 61) % 2 * 60;
        let shade = |base: u32| (base + edge + grain % 12).min(255) as u8;
        Rgb([shade(x / 25), shade(y / 20), shade((x + y) / 60)])
    });
    let mut file = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut file, 90)
        .encode_image(&pixels)
        .unwrap();
    file.into_inner()
}

fn pictures(criterion: &mut Criterion) {
    let (photo, limits) = (photo(), Limits::default());
    let mut group = criterion.benchmark_group("a JPEG of 12 megapixels");
    group.sample_size(20);
    group.bench_function("inspect", |bench| {
        bench.iter(|| inspect(black_box(&photo), &limits).unwrap());
    });
    group.bench_function("preview", |bench| {
        bench.iter(|| preview(black_box(&photo), &limits).unwrap());
    });
    group.bench_function("decode with zune-jpeg", |bench| {
        let decode = |file| image::load_from_memory_with_format(file, ImageFormat::Jpeg);
        bench.iter(|| decode(black_box(&photo)).unwrap());
    });
    // On one thread, as a preview does it.
    let alone = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    group.bench_function("decode a quarter with jpeg-decoder", |bench| {
        let decode = |file| {
            let mut decoder = Decoder::new(Cursor::new(file));
            assert_eq!(decoder.scale(1_000, 750).unwrap(), (1_000, 750));
            decoder.decode()
        };
        bench.iter(|| alone.install(|| decode(black_box(&photo)).unwrap()));
    });
}

/// What is known about pictures such as people have.
fn searchables() -> Vec<Searchable> {
    let places = [
        "Grödner Tal",
        "Lago di Braies",
        "Århus",
        "Cap Fréhel",
        "home",
    ];
    let cameras = ["Canon EOS R6", "Apple iPhone 15 Pro", "FUJIFILM X-T5"];
    let of_number = |n: usize| {
        let place = places[n / 40 % places.len()];
        Searchable::new(&[
            format!("IMG_{n:06}.jpg"),
            format!("Day {} at {place}", n / 40),
            "holiday".to_owned(),
            place.to_owned(),
            cameras[n % cameras.len()].to_owned(),
        ])
    };
    (0..SEARCHED).map(of_number).collect()
}

fn searches(criterion: &mut Criterion) {
    let pictures = searchables();
    let mut group = criterion.benchmark_group("a search of 100,000 pictures");
    group.throughput(Throughput::Elements(SEARCHED as u64));
    for (name, words, expected) in [
        ("few match", "fréhel 0123", 1..100),
        ("none matches", "submarine volcano", 0..1),
    ] {
        let query = Query::new(words);
        let found = || pictures.iter().filter(|picture| picture.matches(&query));
        assert!(expected.contains(&found().count()), "{name}");
        group.bench_function(name, |bench| bench.iter(|| black_box(found().count())));
    }
}

fn zips(criterion: &mut Criterion) {
    let names: Vec<String> = (0..PICTURES)
        .map(|n| format!("IMG_{:04}.jpg", n % 10_000))
        .collect();
    let modified = DosTime::from(date(2026, 11, 21).at(0, 0, 0, 0));
    let entry = |(n, name)| Entry {
        source: [n as u8; 16],
        name,
        size: PHOTO_BYTES as u64,
        crc32: n as u32,
        modified,
    };
    let plan = || {
        let names = unique_names(names.iter().map(String::as_str));
        Plan::new(names.into_iter().enumerate().map(entry).collect()).unwrap()
    };
    let made = Arc::new(plan());
    let mut group = criterion.benchmark_group("a zip of 30,000 pictures");
    group.sample_size(20);
    group.bench_function("plan", |bench| bench.iter(|| black_box(plan())));
    group.bench_function("all its headers", |bench| {
        bench.iter(|| made.pieces(0..made.total_bytes()).count());
    });
}

criterion_group!(floors, sealing, sums, pictures, searches, zips);
criterion_main!(floors);
