//! The program: parses its arguments, hands over to `cli`, and exits.

use std::process::ExitCode;

use image_vault::cli;

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => {
            eprintln!("image-vault: {fatal}");
            fatal.exit_code()
        }
    }
}
