//! Sentences about values that violate their schema or differ from a sample.

use serde_json::Value;

use super::shown;
use crate::finding::{Broken, ShapeDifference, Violation};

pub(super) fn difference(difference: &ShapeDifference) -> String {
    match difference {
        ShapeDifference::Missing { name } => {
            format!("the member `{name}` of the documented sample is missing")
        }
        ShapeDifference::Unexpected { declared: true } => {
            "the schema declares this member, but the documented sample does not have it".to_owned()
        }
        ShapeDifference::Unexpected { declared: false } => {
            "neither the documented sample nor the schema has this member".to_owned()
        }
        ShapeDifference::Type { found, documented } => {
            format!(
                "expected {} as in the documented sample, got {}",
                article(documented),
                article(found)
            )
        }
    }
}

/// A fault of a value: where, and by which keyword.
pub(super) fn violation(violation: &Violation) -> String {
    let said = match &violation.broken {
        Broken::Missing { name } => format!("the required member `{name}` is missing"),
        Broken::Unexpected { name } => format!("the member `{name}` is not allowed"),
        Broken::Alternatives { several: false } => "none of the alternatives matches".to_owned(),
        Broken::Alternatives { several: true } => {
            "more than one of the alternatives matches, but only one may".to_owned()
        }
        Broken::Value { expected, found } => value(
            &violation.keyword,
            expected.as_ref().unwrap_or(&Value::Null),
            found,
        ),
    };
    format!("{}{said} (`{}`)", inside(&violation.at), violation.keyword)
}

fn value(keyword: &str, expected: &Value, found: &Value) -> String {
    let (limit, got) = (shown(expected), shown(found));
    // The number of characters, items or members that is compared with the limit.
    let size = match found {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    let sized = |what: &str| match limit.as_str() {
        "1" => format!("1 {what}"),
        limit => format!("{limit} {what}s"),
    };
    let list = |between: &str, form: &dyn Fn(&Value) -> String| match expected {
        Value::Array(values) => values.iter().map(form).collect::<Vec<_>>().join(between),
        one => form(one),
    };
    match keyword {
        "type" => {
            let names = list(" or ", &|name| article(name.as_str().unwrap_or_default()));
            format!("expected {names}, got {got}")
        }
        "enum" => format!("expected one of {}, got {got}", list(", ", &shown)),
        "const" => format!("expected {limit}, got {got}"),
        "format" => format!(
            "{got} is not a valid {}",
            expected.as_str().unwrap_or_default()
        ),
        "pattern" => format!(
            "{got} does not match `{}`",
            expected.as_str().unwrap_or_default()
        ),
        "minimum" => format!("expected at least {limit}, got {got}"),
        "maximum" => format!("expected at most {limit}, got {got}"),
        "exclusiveMinimum" => format!("expected more than {limit}, got {got}"),
        "exclusiveMaximum" => format!("expected less than {limit}, got {got}"),
        "multipleOf" => format!("expected a multiple of {limit}, got {got}"),
        "minLength" => format!(
            "expected at least {}, got {size}: {got}",
            sized("character")
        ),
        "maxLength" => format!("expected at most {}, got {size}: {got}", sized("character")),
        "minItems" => format!("expected at least {}, got {size}", sized("item")),
        "maxItems" => format!("expected at most {}, got {size}", sized("item")),
        "minProperties" => format!("expected at least {}, got {size}", sized("member")),
        "maxProperties" => format!("expected at most {}, got {size}", sized("member")),
        "uniqueItems" => format!("the items are not unique: {got}"),
        "contains" => format!("no item is one that the schema asks for: {got}"),
        "not" => format!("{got} is what the schema excludes"),
        _ => format!("{got} is not allowed"),
    }
}

/// A number or the like where the schema has a string: in YAML `1234` is one unless it is quoted.
pub(super) fn unquoted(violation: &Violation) -> Option<String> {
    let Broken::Value {
        expected: Some(expected),
        found: found @ (Value::Number(_) | Value::Bool(_)),
    } = &violation.broken
    else {
        return None;
    };
    let string = match expected {
        Value::Array(names) => names.iter().any(|name| name == "string"),
        one => one == "string",
    };
    let kind = if found.is_number() {
        "number"
    } else {
        "boolean"
    };
    (violation.keyword == "type" && string).then(|| format!("{kind} {found}"))
}

/// The place before what is said about it.
pub(super) fn inside(at: &str) -> String {
    if at.is_empty() {
        String::new()
    } else {
        format!("{at}: ")
    }
}

/// The name of a JSON type with its article.
pub(super) fn article(kind: &str) -> String {
    match kind {
        "null" => "null".to_owned(),
        "array" | "object" | "integer" => format!("an {kind}"),
        kind => format!("a {kind}"),
    }
}
