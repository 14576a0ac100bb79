//! Holding values against schemas by the plain validator, in a way of its own: nothing of the program is asked.
//!
//! Values sent in one direction have no members of the other (`readOnly`, `writeOnly`); formats of whole numbers are bounds, and the
//! spellings of OpenAPI 3.0 are written as those of 3.1.

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// Whether the schema at a place of a document accepts a value, by the plain validator over the whole document.
pub(crate) fn accepts(document: &Value, pointer: &str, from_server: bool, value: &Value) -> bool {
    validator(document, pointer, from_server).is_valid(value)
}

/// The plain validator for the schema at a place of a document.
pub(crate) fn validator(document: &Value, pointer: &str, from_server: bool) -> Validator {
    let mut whole = sent(document, from_server);
    // Anchors are found where JSON Schema has schemas.
    if let Some(schemas) = whole.pointer("/components/schemas").cloned() {
        whole["$defs"] = schemas;
    }
    let registry = jsonschema::Registry::new()
        .add("urn:whole", whole)
        .and_then(|registry| registry.prepare())
        .expect("a registry");
    let mut fragment = String::new();
    for byte in pointer.bytes() {
        match byte {
            b'/' | b'~' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                fragment.push(char::from(byte));
            }
            other => fragment.push_str(&format!("%{other:02X}")),
        }
    }
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .with_registry(&registry)
        .build(&json!({"$ref": format!("urn:whole#{fragment}")}))
        .unwrap_or_else(|error| panic!("{pointer}: {error}"))
}

/// Returns the part of a schema that is sent in one direction, in the spelling of the validator.
fn sent(schema: &Value, from_server: bool) -> Value {
    match schema {
        Value::Object(members) => {
            let mut members: Map<String, Value> = members
                .iter()
                .map(|(key, value)| (key.clone(), sent(value, from_server)))
                .collect();
            hide(&mut members, from_server);
            spell(&mut members);
            Value::Object(members)
        }
        Value::Array(items) => items.iter().map(|item| sent(item, from_server)).collect(),
        other => other.clone(),
    }
}

fn hide(members: &mut Map<String, Value>, from_server: bool) {
    let flag = if from_server { "writeOnly" } else { "readOnly" };
    let mut hidden = Vec::new();
    if let Some(Value::Object(properties)) = members.get_mut("properties") {
        for (name, property) in properties {
            if property.get(flag) == Some(&json!(true)) {
                hidden.push(json!(name));
                *property = json!(false);
            }
        }
    }
    if let Some(Value::Array(required)) = members.get_mut("required") {
        required.retain(|name| !hidden.contains(name));
    }
}

fn spell(members: &mut Map<String, Value>) {
    for (flag, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        if let Some(Value::Bool(exclusive)) = members.get(flag).cloned() {
            members.remove(flag);
            if let (true, Some(limit)) = (exclusive, members.get(bound).cloned()) {
                members.remove(bound);
                members.insert(flag.to_owned(), limit);
            }
        }
    }
    // Null is added to the type only: an enum without null refuses it, as OpenAPI 3.0.3 says.
    if let (Some(Value::Bool(true)), Some(Value::String(one))) =
        (members.get("nullable"), members.get("type").cloned())
    {
        members.insert("type".to_owned(), json!([one, "null"]));
    }
    // Legal without the flag `u`, which the validator reads patterns with.
    if let Some(Value::String(pattern)) = members.get_mut("pattern") {
        *pattern = pattern.replace(r"[\w-.]", r"[\w.-]");
    }
    let bound = match members.get("format").and_then(Value::as_str) {
        Some("int32") => Some((json!(i32::MIN), json!(i32::MAX))),
        Some("int64") => Some((json!(i64::MIN), json!(i64::MAX))),
        Some("float") => Some((json!(f64::from(f32::MIN)), json!(f64::from(f32::MAX)))),
        _ => None,
    };
    if let Some((minimum, maximum)) = bound {
        members.entry("minimum").or_insert(minimum);
        members.entry("maximum").or_insert(maximum);
    }
}
