//! Reading drift's cases and applying their edits.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::fs;
use std::path::{Path, PathBuf};

use conformance::document::Document;
use serde_json::Value;

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/drift")
}

pub fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect(name)
}

pub fn read_json(name: &str) -> Value {
    serde_json::from_str(&read(name)).expect(name)
}

/// The JSON files below a folder of cases, sorted.
pub fn case_files(below: &str) -> Vec<String> {
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

pub fn document(name: &str, value: &Value) -> Document {
    let text = serde_json::to_string_pretty(value).expect("is JSON");
    Document::parse(name, &text).unwrap_or_else(|error| panic!("{error}"))
}

/// Applies one edit of RFC 6902: add, remove, replace or move.
pub fn patch(value: &mut Value, edit: &Value) {
    let path = edit["path"].as_str().expect("path");
    match edit["op"].as_str().expect("op") {
        "replace" => *value.pointer_mut(path).expect(path) = edit["value"].clone(),
        "add" => add(value, path, edit["value"].clone()),
        "remove" => {
            remove(value, path);
        }
        "move" => {
            let moved = remove(value, edit["from"].as_str().expect("from"));
            add(value, path, moved);
        }
        other => panic!("no such edit: {other}"),
    }
}

fn split(path: &str) -> (&str, String) {
    let (parent, last) = path.rsplit_once('/').expect(path);
    (parent, last.replace("~1", "/").replace("~0", "~"))
}

fn add(value: &mut Value, path: &str, new: Value) {
    let (parent, last) = split(path);
    match value.pointer_mut(parent).expect(path) {
        Value::Object(members) => assert!(members.insert(last, new).is_none(), "{path} exists"),
        Value::Array(items) => items.insert(last.parse().expect(path), new),
        _ => panic!("{path} has no container"),
    }
}

fn remove(value: &mut Value, path: &str) -> Value {
    let (parent, last) = split(path);
    match value.pointer_mut(parent).expect(path) {
        Value::Object(members) => members.shift_remove(&last).expect(path),
        Value::Array(items) => items.remove(last.parse().expect(path)),
        _ => panic!("{path} has no container"),
    }
}

/// The pointers of all nodes.
pub fn pointers(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, all: &mut Vec<String>) {
        all.push(at.to_owned());
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    walk(
                        member,
                        &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                        all,
                    );
                }
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(index, item)| walk(item, &format!("{at}/{index}"), all)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    walk(value, "", &mut all);
    all
}
