//! Reading drift's cases.

pub(crate) mod carrier;
pub(crate) mod cases;
pub(crate) mod edits;
pub(crate) mod faults;
pub(crate) mod generate;
pub(crate) mod held;
pub(crate) mod pointers;
pub(crate) mod random;
pub(crate) mod shown;
pub(crate) mod suite;
pub(crate) mod verdicts;

use std::fs;
use std::path::{Path, PathBuf};

use conformance::document::Document;
use serde_json::Value;

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/drift")
}

pub(crate) fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect(name)
}

pub(crate) fn document(name: &str, value: &Value) -> Document {
    let text = serde_json::to_string_pretty(value).expect("is JSON");
    Document::parse(name, &text).unwrap_or_else(|error| panic!("{error}"))
}
