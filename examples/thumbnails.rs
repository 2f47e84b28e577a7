//! Makes thumbnails as an upload does, one after the other: for `scripts/bench`, no part of the
//! product.
//!
//! `thumbnails <folder> <file>…` writes each into the folder, under its own name.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use image_vault::media::{Limits, inspect};

fn main() -> Result<(), Box<dyn Error>> {
    let mut given = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = given.next().ok_or("usage: thumbnails <folder> <file>…")?;
    for file in given {
        let name = file.file_name().ok_or("a file has a name")?;
        let picture = inspect(&fs::read(&file)?, &Limits::default())?;
        fs::write(folder.join(Path::new(name)), picture.thumbnail)?;
    }
    Ok(())
}
