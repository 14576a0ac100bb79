//! Programs whose clock is wrong.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Sets the clock that a program sees ahead, as by `+5m`, or back. The time that it measures stays right.
pub(crate) fn shift_clock(command: &mut Command, by: &str) {
    command
        .env("LD_PRELOAD", faketime())
        .env("FAKETIME", by)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1");
}

/// The library that shifts the clock.
fn faketime() -> PathBuf {
    let folders = Path::new("/usr/lib").read_dir().expect("a folder");
    let library = |folder: std::io::Result<std::fs::DirEntry>| {
        let path = folder.ok()?.path().join("faketime/libfaketimeMT.so.1");
        path.exists().then_some(path)
    };
    let mut libraries = folders.filter_map(library);
    libraries
        .next()
        .expect("libfaketime is installed: apt-get install libfaketime")
}
