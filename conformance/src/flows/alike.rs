//! Whether two values are the same, apart from what servers make of values: spaces, letter case, time zones, the order of lists.

use jiff::Timestamp;
use serde_json::Value;

/// Nothing, or as good as nothing.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

pub(super) fn is_masked(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        text.contains("**") || text.contains('•') || text.contains("[redacted]")
    })
}

/// Whether two values are the same, apart from what servers normalize.
pub(super) fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other
                || one
                    .as_f64()
                    .zip(other.as_f64())
                    .is_some_and(|(one, other)| close(one, other))
        }
        (Value::String(one), Value::String(other)) => alike_text(one, other),
        (Value::String(text), Value::Number(number))
        | (Value::Number(number), Value::String(text)) => text
            .trim()
            .parse()
            .ok()
            .zip(number.as_f64())
            .is_some_and(|(one, other): (f64, f64)| close(one, other)),
        (Value::Array(one), Value::Array(other)) => {
            let within = |one: &[Value], other: &[Value]| {
                one.iter()
                    .all(|item| other.iter().any(|known| alike(item, known)))
            };
            // As sets where an item stands twice: servers drop the second one.
            let is_set = one
                .iter()
                .enumerate()
                .any(|(index, item)| one[..index].iter().any(|known| alike(item, known)));
            (one.len() == other.len() || is_set && !other.is_empty())
                && within(one, other)
                && within(other, one)
        }
        (Value::Object(one), Value::Object(other)) => one.iter().all(|(name, value)| {
            other
                .get(name)
                .map_or(is_empty(value), |known| alike(value, known))
        }),
        _ => one == other,
    }
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0)
}

fn alike_text(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    let folded = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    if folded(one) == folded(other) {
        return true;
    }
    // Codes, ids and addresses, and not what a person wrote.
    if !one.contains(char::is_whitespace) && one.to_lowercase() == other.to_lowercase() {
        return true;
    }
    if let (Ok(one), Ok(other)) = (one.parse::<Timestamp>(), other.parse::<Timestamp>()) {
        // Servers keep seconds, or round.
        return one.duration_since(other).abs().as_millis() <= 1000;
    }
    if let (Ok(one), Ok(other)) = (one.parse::<f64>(), other.parse::<f64>()) {
        return close(one, other);
    }
    if let (Ok(one), Ok(other)) = (url::Url::parse(one), url::Url::parse(other)) {
        return one == other
            || one.as_str().trim_end_matches('/') == other.as_str().trim_end_matches('/');
    }
    // Telephone numbers.
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    let is_number = |text: &str| {
        text.len() > 6
            && text
                .chars()
                .all(|letter| letter.is_ascii_digit() || "+-(). ".contains(letter))
    };
    is_number(one) && is_number(other) && digits(one) == digits(other)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_servers_normalize_is_alike_and_what_they_lose_is_not() {
        for (sent, found, same) in [
            (json!(1), json!(1.0), true),
            (json!("1.50"), json!("1.5"), true),
            (json!("10"), json!(10), true),
            (json!(" a  b "), json!("a b"), true),
            (json!("Me@Example.com"), json!("me@example.com"), true),
            (json!("A Title"), json!("a title"), false),
            (json!("A long title"), json!("A long"), false),
            (
                json!("2024-01-01T00:00:00.123Z"),
                json!("2024-01-01T01:00:00+01:00"),
                true,
            ),
            (
                json!("2024-01-01T00:00:00Z"),
                json!("2024-01-01T00:01:00Z"),
                false,
            ),
            (
                json!("https://example.com"),
                json!("https://example.com/"),
                true,
            ),
            (json!("+44 20 7946-0000"), json!("+442079460000"), true),
            (json!(["a", "b"]), json!(["b", "a"]), true),
            (json!(["a", "a"]), json!(["a"]), true),
            (json!(["a", "b"]), json!(["a"]), false),
            (json!(true), json!(false), false),
            (json!({"a": 1}), json!({"a": 1, "b": 2}), true),
            (json!({"a": 1}), json!({"b": 2}), false),
        ] {
            assert_eq!(alike(&sent, &found), same, "{sent} and {found}");
        }
    }
}
