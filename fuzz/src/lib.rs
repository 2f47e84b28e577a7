//! What several targets share: the golden account's keys, so that every run has the same ones, and
//! the two things that turn a quiet fault into a crash which libFuzzer sees. Not here: what holds
//! for one parser. That stands in its target.

use std::alloc::GlobalAlloc;
use std::alloc::Layout;
use std::alloc::System;
use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use arbitrary::Arbitrary;
use data_encoding::HEXLOWER;
use image_vault::crypto::InstanceSecret;
use image_vault::crypto::SecretKey;
use image_vault::crypto::WrapContext;
use image_vault::crypto::WrapKind;
use image_vault::crypto::WrappedKey;
use serde_json::Value;

/// `tests/vectors/golden/manifest.json`.
pub static GOLDEN: LazyLock<Value> = LazyLock::new(|| {
    let manifest = include_str!("../../tests/vectors/golden/manifest.json");
    serde_json::from_str(manifest).expect("the manifest is JSON")
});

/// The bytes of a hexadecimal field of the manifest.
pub fn bytes(field: &Value) -> Vec<u8> {
    let digits = field.as_str().expect("a text");
    HEXLOWER.decode(digits.as_bytes()).expect("digits")
}

/// As [`bytes`], for a field of a known length.
pub fn array<const N: usize>(field: &Value) -> [u8; N] {
    bytes(field).try_into().expect("the field's length")
}

/// The golden wrap of this kind: its record, what it was sealed under, and its context with the
/// given parameters, which are the case's `params`.
pub fn golden_wrap(kind: WrapKind, params: &[u8]) -> (Vec<u8>, InstanceSecret, WrapContext<'_>) {
    let case = &GOLDEN["wraps"][kind as usize - 1];
    let context = WrapContext {
        kind,
        owner: array(&case["owner"]),
        subject: array(&case["subject"]),
        params,
    };
    let parent = InstanceSecret::from_bytes(array(&case["parent"]));
    (bytes(&case["record"]), parent, context)
}

/// The key in the golden wrap of this kind, which has no parameters.
pub fn golden_key<K: SecretKey>(kind: WrapKind) -> K {
    let (record, parent, context) = golden_wrap(kind, &[]);
    let record = WrappedKey::from_slice(&record).expect("a record's length");
    record.unwrap(&parent, &context).expect("a golden record")
}

/// A change to bytes of which libFuzzer could never find the original: they are authenticated.
#[derive(Arbitrary, Debug, Clone, Copy)]
pub enum Edit {
    /// Turns bits round.
    Xor { at: u32, bits: u8 },
    /// Ends the bytes here.
    Cut { at: u32 },
    /// Removes some.
    Remove { at: u32, len: u32 },
    /// Writes some of the bytes over others.
    Copy { from: u32, to: u32, len: u32 },
    /// Appends a byte.
    Push { byte: u8 },
}

/// Applies the edits in their order; positions wrap round.
pub fn edited(original: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for edit in edits {
        let size = bytes.len();
        let place = |at: u32| at as usize % (size + 1);
        let end = |start: usize, len: u32| size.min(start + len as usize);
        match *edit {
            Edit::Xor { at, bits } => {
                if let Some(byte) = bytes.get_mut(place(at)) {
                    *byte ^= bits;
                }
            }
            Edit::Cut { at } => bytes.truncate(place(at)),
            Edit::Remove { at, len } => drop(bytes.drain(place(at)..end(place(at), len))),
            Edit::Copy { from, to, len } => {
                let (from, to) = (place(from), place(to));
                let len = (end(from, len) - from).min(end(to, len) - to);
                bytes.copy_within(from..from + len, to);
            }
            Edit::Push { byte } => bytes.push(byte),
        }
    }
    bytes
}

/// Lets a decoder panic, which `media` makes an error of; the vault's own code still may not, not
/// even where it would be caught. For a target's `init`.
pub fn only_decoders_may_panic() {
    let report_and_abort = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let in_a_dependency = |file: &str| file.contains("/registry/src/");
        if !panic
            .location()
            .is_some_and(|at| in_a_dependency(at.file()))
        {
            report_and_abort(panic);
        }
    }));
}

/// Most bytes of heap at any moment of any target, touched or not: the resident set shows no memory
/// that was asked for and left alone.
const MOST_HEAP: usize = 64 << 20;

struct Bounded {
    held: AtomicUsize,
}

#[global_allocator]
static HEAP: Bounded = Bounded {
    held: AtomicUsize::new(0),
};

// SAFETY: every call is the system allocator's, with the arguments that came.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.hold(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.hold(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.held.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.hold(size);
        self.held.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(block, layout, size) }
    }
}

impl Bounded {
    fn hold(&self, size: usize) {
        if self.held.fetch_add(size, Relaxed).saturating_add(size) > MOST_HEAP {
            let _ = std::io::stderr().write_all(b"more heap than a target may hold\n");
            std::process::abort();
        }
    }
}
