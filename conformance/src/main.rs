//! The program `conformance`; see `cli`.

use std::process::ExitCode;

/// Documents are many small values, which the system's allocator spends a fifth of the time on.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    conformance::cli::main().await
}
