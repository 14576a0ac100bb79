//! Applying edits to documents.

use serde_json::Value;

/// Applies one edit of RFC 6902: add, remove, replace or move.
pub(crate) fn patch(value: &mut Value, edit: &Value) {
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
