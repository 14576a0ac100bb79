//! Values that stand as text: in a request line, in headers, in forms.

use serde_json::{Value, json};

use super::super::site::Text;
use super::judge;
use super::plain::Edits;
use super::source::Source;
use super::trial::KEPT;
use super::tried::distinct;
use crate::finding::Undecided;

/// Which values the schema accepts; those that stand as text, in any meaning of the text.
pub(super) fn accepted<'a>(
    source: &Source<'a>,
    at: &str,
    values: &[Value],
    edits: Option<Edits<'_, 'a>>,
    text: Text,
) -> Result<Vec<bool>, Undecided> {
    if text == Text::No {
        return judge::accepted(source, at, values, edits);
    }
    let meanings: Vec<Vec<Value>> = values.iter().map(|value| meanings(value, text)).collect();
    let flat: Vec<Value> = meanings.iter().flatten().cloned().collect();
    let mut judged = judge::accepted(source, at, &flat, edits)?.into_iter();
    Ok(meanings
        .iter()
        .map(|all| {
            judged
                .by_ref()
                .take(all.len())
                .fold(false, |any, one| any | one)
        })
        .collect())
}

/// Whether a value is sent at all where values are text: null and a list of nothing have no text, and a segment of a path is not empty.
pub(super) fn is_written(value: &Value, text: Text) -> bool {
    let has_text = |value: &Value| !value.is_null() && *value != json!([]);
    let is_blank =
        |value: &Value| *value == json!("") || *value == json!([""]) || *value == json!({});
    match (text, value) {
        (Text::No, _) => true,
        (Text::Segment, value) => has_text(value) && !is_blank(value),
        (Text::Form, Value::Object(members)) => members.values().all(has_text),
        (Text::Form | Text::Scalar | Text::Exploded, value) => has_text(value),
    }
}

/// The values that the text of a form may be read as: one of its members may be read in another way.
fn form_meanings(value: &Value) -> Vec<Value> {
    let mut all = vec![value.clone()];
    if let Value::Object(members) = value {
        for (name, member) in members.iter().filter(|(_, member)| !member.is_object()) {
            for meaning in meanings(member, Text::Exploded) {
                let mut members = members.clone();
                members.insert(name.clone(), meaning);
                all.push(Value::Object(members));
            }
        }
    }
    distinct(all, KEPT)
}

/// The values that the text of a value may be read as; a list or an object is written item by item.
fn meanings(value: &Value, text: Text) -> Vec<Value> {
    if text == Text::Form {
        return form_meanings(value);
    }
    let each = |form: fn(&Value) -> Value| match value {
        Value::Array(items) => items.iter().map(form).collect(),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, value)| (key.clone(), form(value)));
            Value::Object(members.collect())
        }
        other => form(other),
    };
    let mut all = vec![value.clone(), each(written), each(read)];
    if text == Text::Exploded {
        // A name that is given once is a value, or a list of one.
        let other = |value: &Value| match value {
            Value::Array(items) => match items.as_slice() {
                [Value::Array(_) | Value::Object(_)] => None,
                [only] => Some(only.clone()),
                _ => None,
            },
            Value::Object(_) => None,
            value => Some(json!([value])),
        };
        let others: Vec<Value> = all.iter().filter_map(other).collect();
        all.extend(others);
    }
    distinct(all, 6)
}

/// A scalar as its text.
fn written(value: &Value) -> Value {
    match value {
        Value::Number(_) | Value::Bool(_) => json!(value.to_string()),
        other => other.clone(),
    }
}

/// A text that is how a number or a boolean is written, as that.
fn read(value: &Value) -> Value {
    let Value::String(text) = value else {
        return value.clone();
    };
    match serde_json::from_str::<Value>(text) {
        Ok(read) if (read.is_number() || read.is_boolean()) && text.trim() == text => read,
        _ => value.clone(),
    }
}
