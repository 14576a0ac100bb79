//! Applying patches of RFC 6902 to documents.

use serde_json::Value;

/// Applies one operation of RFC 6902. A patch that does not fit is a fault of the case, so it panics with its path.
pub(crate) fn patch(value: &mut Value, edit: &Value) {
    let text = |key: &str| {
        edit[key]
            .as_str()
            .unwrap_or_else(|| panic!("{edit}: {key}"))
    };
    let path = text("path");
    let at = |value: &Value, path: &str| {
        let found = value.pointer(path).cloned();
        found.unwrap_or_else(|| panic!("{path} does not exist"))
    };
    match text("op") {
        "add" => add(value, path, given(edit)),
        "remove" => {
            remove(value, path);
        }
        "replace" => {
            let place = value.pointer_mut(path);
            *place.unwrap_or_else(|| panic!("{path} does not exist")) = given(edit);
        }
        "move" => {
            let moved = remove(value, text("from"));
            add(value, path, moved);
        }
        "copy" => {
            let copied = at(value, text("from"));
            add(value, path, copied);
        }
        "test" => assert_eq!(at(value, path), given(edit), "{path}"),
        other => panic!("no such operation: {other}"),
    }
}

fn given(edit: &Value) -> Value {
    let value = edit.get("value").cloned();
    value.unwrap_or_else(|| panic!("{edit}: value"))
}

fn split(path: &str) -> (&str, String) {
    let (parent, last) = path.rsplit_once('/').expect(path);
    (parent, last.replace("~1", "/").replace("~0", "~"))
}

fn add(value: &mut Value, path: &str, new: Value) {
    if path.is_empty() {
        *value = new;
        return;
    }
    let (parent, last) = split(path);
    match value.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.insert(last, new);
        }
        Some(Value::Array(items)) if last == "-" => items.push(new),
        Some(Value::Array(items)) => items.insert(last.parse().expect(path), new),
        _ => panic!("{path} has no container"),
    }
}

fn remove(value: &mut Value, path: &str) -> Value {
    let (parent, last) = split(path);
    match value.pointer_mut(parent) {
        Some(Value::Object(members)) => members.shift_remove(&last).expect(path),
        Some(Value::Array(items)) => items.remove(last.parse().expect(path)),
        _ => panic!("{path} has no container"),
    }
}
