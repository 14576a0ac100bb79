//! Values that stand for those of a schema of which none was found.
//!
//! That no value of a member was made does not mean that there is none: its pattern may look around, or its keywords may fit few values. Where
//! such a member changes nowhere, it must not decide what a difference of another one does. So a presumed value takes its place: a text
//! that names its schemas by their content, and that these accept, on both sides. A value that has one in it is never shown.

use serde_json::Value;

use super::tried::hash;

/// The first character of a presumed value: a noncharacter, which no document has.
const MARK: char = '\u{10FFFE}';

/// A value that all of `schemas` are presumed to accept; another one for each `index`.
pub(super) fn value<'s>(schemas: impl Iterator<Item = &'s Value>, index: usize) -> Value {
    let mut text = String::from(MARK);
    schemas.for_each(|schema| text += &name(schema));
    Value::from(format!("{text}#{index}"))
}

/// The values of `all` that `schema` is presumed to accept.
pub(super) fn accepted(all: &[&Value], schema: &Value) -> Vec<Value> {
    let mut presumed = all.iter().filter(|value| is_one(value)).peekable();
    if presumed.peek().is_none() {
        return Vec::new();
    }
    let name = name(schema);
    let of_it = presumed.filter(|value| value.as_str().is_some_and(|text| text.contains(&name)));
    of_it.map(|value| (*value).clone()).collect()
}

/// Whether a value has a presumed one in it.
pub(super) fn is_in(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_in),
        Value::Object(members) => members.values().any(is_in),
        other => is_one(other),
    }
}

fn is_one(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with(MARK))
}

fn name(schema: &Value) -> String {
    format!("-{:016x}", hash(schema))
}
