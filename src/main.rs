//! The program: parses its arguments, hands over to `cli`, and exits.

use std::process::ExitCode;

use image_vault::cli;
use tokio::runtime::Runtime;

/// Gives freed memory back to the system after seconds, by a thread of its own: after a storm of
/// hostile requests glibc's allocator keeps hundreds of MiB.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = cli::parse();
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("image-vault: no threads to run on: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(cli::run(cli));
    // All work that must finish has finished. Dropping the runtime would end the database driver's
    // tasks one by one, and the tasks that are left panic about the others.
    std::mem::forget(runtime);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => {
            eprintln!("image-vault: {fatal}");
            fatal.exit_code()
        }
    }
}
