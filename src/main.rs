//! The program: parses its arguments, hands over to `cli`, and exits.

use std::hint::black_box;
use std::process::ExitCode;

use image_vault::cli;
use tokio::runtime::Runtime;

/// More than any piece of a download takes, in bytes: a chunk of GridFS is 1 MiB, and a document.
const LARGEST_BUFFER: usize = 3 << 20;

/// Tells the allocator of glibc by example how large buffers get. From the largest that it saw freed
/// it learns what to take from its heap, and to keep twice that of what is free (mallopt(3), "dynamic
/// mmap threshold"). Until then it gives the pages of each piece back to the system and asks for them
/// anew, which is a quarter of the work of a zip. Elsewhere this does nothing.
fn keep_buffers() {
    drop(black_box(Vec::<u8>::with_capacity(LARGEST_BUFFER)));
}

fn main() -> ExitCode {
    keep_buffers();
    let cli = cli::parse();
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("image-vault: no threads to run on: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(cli::run(cli));
    // What had to be finished is. Taken apart, the runtime would end the database driver's tasks
    // one by one, and those that are left panic about the others.
    std::mem::forget(runtime);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => {
            eprintln!("image-vault: {fatal}");
            fatal.exit_code()
        }
    }
}
