//! When two JSON values are the same: objects without order, numbers by value.

use serde_json::Value;

use crate::document::{Decimal, Literal, pointer};

/// Extensions that say where a statement comes from and nothing about the API; never compared.
pub(super) const PROVENANCE: [&str; 3] =
    ["x-decision", "x-documented-defects", "x-documented-names"];

/// Members of OpenAPI objects, schemas apart, that are written for readers.
pub(super) const PROSE: [&str; 3] = ["description", "summary", "externalDocs"];

/// Keywords of schemas that are written for readers.
pub(super) const SCHEMA_PROSE: [&str; 5] = [
    "title",
    "description",
    "$comment",
    "externalDocs",
    "summary",
];

/// A text that is equal exactly when the values are. Recurses as deep as the document, which is limited.
pub(super) fn canonical(value: &Value) -> String {
    written(value, None, false)
}

/// As [`canonical`], with members of [`PROVENANCE`] left out at every level.
pub(super) fn canonical_without_provenance(value: &Value) -> String {
    written(value, None, true)
}

/// As [`canonical`], by all digits of numbers.
pub(super) fn identity(literal: &Literal) -> String {
    written(literal.value(), Some(literal), false)
}

/// As [`identity`], with members of [`PROVENANCE`] left out at every level.
pub(super) fn identity_without_provenance(literal: &Literal) -> String {
    written(literal.value(), Some(literal), true)
}

fn written(value: &Value, exact: Option<&Literal>, strip: bool) -> String {
    let mut text = String::new();
    let exact = exact.filter(|literal| !literal.is_held());
    Writer { strip, exact }.write(value, &mut String::new(), &mut text);
    text
}

struct Writer<'l> {
    strip: bool,
    /// The value as a whole, if it has numbers with digits of their own.
    exact: Option<&'l Literal>,
}

impl Writer<'_> {
    fn write(&self, value: &Value, at: &mut String, text: &mut String) {
        let length = at.len();
        match value {
            Value::Null => text.push_str("null"),
            Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
            Value::Number(number) => {
                match self.exact.and_then(|literal| literal.exact_at(at)) {
                    Some(exact) => text.push_str(&exact.to_string()),
                    // `1`, `1.0` and `1e0` are one number.
                    None if number.is_f64() => text.push_str(&Decimal::of(number).to_string()),
                    None => text.push_str(&number.to_string()),
                }
            }
            Value::String(string) => write_string(string, text),
            Value::Array(items) => {
                text.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.step(&index.to_string(), at);
                    self.write(item, at, text);
                    at.truncate(length);
                    text.push(',');
                }
                text.push(']');
            }
            Value::Object(members) => {
                let mut sorted: Vec<_> = members
                    .iter()
                    .filter(|(key, _)| !(self.strip && PROVENANCE.contains(&key.as_str())))
                    .collect();
                sorted.sort_by_key(|(key, _)| key.as_str());
                text.push('{');
                for (key, member) in sorted {
                    write_string(key, text);
                    text.push(':');
                    self.step(key, at);
                    self.write(member, at, text);
                    at.truncate(length);
                    text.push(',');
                }
                text.push('}');
            }
        }
    }

    /// Where one is counts for numbers with digits of their own only.
    fn step(&self, token: &str, at: &mut String) {
        if self.exact.is_some() {
            pointer::push(at, token);
        }
    }
}

fn write_string(string: &str, text: &mut String) {
    // Debug quotes and escapes, so no string can end early.
    text.push_str(&format!("{string:?}"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_of_members_and_spelling_of_numbers_do_not_count() {
        assert_eq!(
            canonical(&json!({"a": 1, "b": [1.0]})),
            canonical(&json!({"b": [1], "a": 1.0}))
        );
        for (one, other) in [
            (json!([1, 2]), json!([2, 1])),
            (json!("1"), json!(1)),
            (json!(null), json!(false)),
            (json!(1.5), json!(1)),
        ] {
            assert_ne!(canonical(&one), canonical(&other));
        }
        assert_eq!(canonical(&json!(-0.0)), canonical(&json!(0)));
        assert_eq!(canonical(&json!(-10.0)), canonical(&json!(-10)));
        assert_eq!(
            canonical(&json!(1e16)),
            canonical(&json!(10_000_000_000_000_000_u64))
        );
    }

    #[test]
    fn provenance_is_left_out_on_request_only() {
        let (with, without) = (json!({"a": {"x-decision": "C-1"}}), json!({"a": {}}));
        assert_ne!(canonical(&with), canonical(&without));
        assert_eq!(
            identity_without_provenance(&Literal::from(with.clone())),
            identity_without_provenance(&Literal::from(without.clone()))
        );
    }
}
