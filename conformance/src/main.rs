//! The program `conformance`; see `cli`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    conformance::cli::main().await
}
