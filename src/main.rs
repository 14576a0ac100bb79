//! The `truehook` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    truehook::cli::main()
}
