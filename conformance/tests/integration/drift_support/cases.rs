//! Reading the files of cases, for tests that have many.

use std::fs;

use serde_json::Value;

use crate::drift_support::{folder, read};

pub(crate) fn read_json(name: &str) -> Value {
    serde_json::from_str(&read(name)).expect(name)
}

/// The JSON files below a folder of cases, sorted.
pub(crate) fn case_files(below: &str) -> Vec<String> {
    let entries = fs::read_dir(folder().join(below)).expect(below);
    let mut files: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .filter(|name| name.ends_with(".json"))
        .map(|name| format!("{below}/{name}"))
        .collect();
    files.sort();
    files
}
