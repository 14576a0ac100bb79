//! The `truehook` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Takes an eighth of the processor time of a delivery away: an attempt allocates some hundred times, on threads that free for others.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    truehook::cli::main()
}
