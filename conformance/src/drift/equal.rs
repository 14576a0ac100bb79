//! When two JSON values are the same: objects without order, numbers by value.

use serde_json::{Number, Value};

/// Extensions that say where a statement comes from and nothing about the API; never compared.
pub(super) const PROVENANCE: [&str; 3] =
    ["x-decision", "x-documented-defects", "x-documented-names"];

/// A text that is equal exactly when the values are. Recurses as deep as the document, which is limited.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, false, &mut text);
    text
}

/// As [`canonical`], with members of [`PROVENANCE`] left out at every level.
pub(super) fn canonical_without_provenance(value: &Value) -> String {
    let mut text = String::new();
    write(value, true, &mut text);
    text
}

fn write(value: &Value, strip: bool, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&number_text(number)),
        Value::String(string) => write_string(string, text),
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write(item, strip, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members
                .iter()
                .filter(|(key, _)| !(strip && PROVENANCE.contains(&key.as_str())))
                .collect();
            sorted.sort_by_key(|(key, _)| key.as_str());
            text.push('{');
            for (key, member) in sorted {
                write_string(key, text);
                text.push(':');
                write(member, strip, text);
                text.push(',');
            }
            text.push('}');
        }
    }
}

fn write_string(string: &str, text: &mut String) {
    // Debug quotes and escapes, so no string can end early.
    text.push_str(&format!("{string:?}"));
}

/// `1`, `1.0` and `1e0` are one number.
fn number_text(number: &Number) -> String {
    /// Below this, a float that has no fraction is one integer and no other.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT => {
            format!("{:.0}", float + 0.0)
        }
        _ => number.to_string(),
    }
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
    }

    #[test]
    fn provenance_is_left_out_on_request_only() {
        let (with, without) = (json!({"a": {"x-decision": "C-1"}}), json!({"a": {}}));
        assert_ne!(canonical(&with), canonical(&without));
        assert_eq!(
            canonical_without_provenance(&with),
            canonical_without_provenance(&without)
        );
    }
}
