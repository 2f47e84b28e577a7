//! Seconds that one password hash takes, as by default: for `scripts/bench`, no part of the product.

use std::error::Error;
use std::time::Instant;

use image_vault::crypto::{InstanceSecret, KdfParams, PasswordHashing};

fn main() -> Result<(), Box<dyn Error>> {
    let pepper = InstanceSecret::from_bytes([7; 32]).pepper();
    let hashing = PasswordHashing {
        params: KdfParams {
            memory_kib: 64 << 10,
            passes: 3,
            lanes: 1,
        },
        salt: [7; 16],
        pepper_id: 1,
    };
    let begun = Instant::now();
    hashing.derive(b"a wedding of four herons", &pepper)?;
    println!("{}", begun.elapsed().as_secs_f64());
    Ok(())
}
