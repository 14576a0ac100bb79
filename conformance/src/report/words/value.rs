//! Values as readers see them: short, on one line, and with the path to what matters.

use serde_json::{Number, Value};

use crate::document::{BUNDLED, Literal, pointer};

/// The most characters of a value or a name that a sentence shows.
const SHOWN: usize = 60;
/// The most values that a sentence lists.
const LISTED: usize = 5;
/// The most characters of a string that an example shows.
const TEXT_SHOWN: usize = 40;
/// The most members or items that an example shows below the path to what matters.
const MEMBERS_SHOWN: usize = 4;
/// How deep an example goes below the path to what matters.
const DEPTH_SHOWN: usize = 2;

/// A value that a sentence can show, with or without all digits of its numbers.
pub(crate) trait Quote {
    fn value(&self) -> &Value;

    /// As JSON.
    fn json(&self) -> String;
}

impl Quote for Value {
    fn value(&self) -> &Value {
        self
    }

    fn json(&self) -> String {
        without_bundles(self).to_string()
    }
}

impl Quote for Literal {
    fn value(&self) -> &Value {
        self.value()
    }

    fn json(&self) -> String {
        match self.spelling() {
            Some(spelling) => spelling.to_owned(),
            None => self.map(without_bundles).to_string(),
        }
    }
}

/// A value in a sentence, as JSON.
pub(crate) fn shown(value: &impl Quote) -> String {
    cut(&value.json(), SHOWN)
}

/// A number as it is, all else in backticks; a string without its quotes, unless it would look like another value.
pub(crate) fn quoted(value: &impl Quote) -> String {
    match value.value() {
        Value::Number(_) => value.json(),
        Value::String(text) if is_clear(text) => name(text),
        _ => name(&shown(value)),
    }
}

/// Two values that differ, as [`quoted`]. Where both are long they begin shortly before they differ.
pub(crate) fn contrasted(old: &impl Quote, new: &impl Quote) -> (String, String) {
    let (was, is) = (quoted(old), quoted(new));
    if was != is {
        return (was, is);
    }
    let text = |value: &Value, json: String| value.as_str().map_or(json, own);
    told_apart(
        &text(old.value(), old.json()),
        &text(new.value(), new.json()),
    )
}

/// Two names that differ, in backticks. Where both are long they begin shortly before they differ.
pub(crate) fn told_apart(old: &str, new: &str) -> (String, String) {
    let (was, is) = (name(old), name(new));
    if was != is {
        return (was, is);
    }
    let same = old
        .chars()
        .zip(new.chars())
        .take_while(|(one, other)| one == other);
    let skipped = same.count().saturating_sub(SHOWN / 3);
    let end = |text: &str| {
        let rest: String = text.chars().skip(skipped).collect();
        name(&format!("…{rest}"))
    };
    (end(old), end(new))
}

/// A name in backticks.
pub(crate) fn name(name: &str) -> String {
    format!("`{}`", cut(name, SHOWN))
}

/// Values in backticks, the first few of them.
pub(crate) fn list(values: &[impl Quote]) -> String {
    let mut all: Vec<String> = values.iter().take(LISTED).map(quoted).collect();
    if values.len() > LISTED {
        return format!("{} and {} more", all.join(", "), values.len() - LISTED);
    }
    match all.pop() {
        Some(last) if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        last => last.unwrap_or_default(),
    }
}

/// The target of a reference: the name of a component, or the reference itself.
pub(crate) fn reference(reference: &str) -> String {
    match reference.strip_prefix("#/components/schemas/") {
        Some(component) if !component.contains('/') => component.to_owned(),
        _ => own(reference),
    }
}

/// Whether a string without quotes is seen to be one.
fn is_clear(text: &str) -> bool {
    let plain = |character: char| !character.is_control() && character != '`';
    !text.is_empty()
        && text.trim() == text
        && text.chars().all(plain)
        && serde_json::from_str::<Value>(text).is_err()
}

/// The beginning and the end of a long text: what is alike often differs there only.
fn cut(text: &str, limit: usize) -> String {
    let count = text.chars().count();
    if count <= limit {
        return text.to_owned();
    }
    let end = limit / 3;
    let start: String = text.chars().take(limit - end).collect();
    let end: String = text.chars().skip(count - end).collect();
    format!("{start}…{end}")
}

/// A reference as its file has it, as far as that can be told: without the place that its file got in the bundle.
fn own(reference: &str) -> String {
    let bundled = reference
        .strip_prefix("#/")
        .and_then(|rest| rest.strip_prefix(BUNDLED))
        .and_then(|rest| rest.strip_prefix('/'));
    match bundled {
        Some(rest) => match rest.split_once('/') {
            Some((_, inside)) => format!("#/{inside}"),
            None => "#".to_owned(),
        },
        None => reference.to_owned(),
    }
}

/// The value as a reader knows it: without references into the bundle, which no file has, and with numbers as people write them.
pub(crate) fn without_bundles(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(own(text)),
        Value::Array(items) => items.iter().map(without_bundles).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| (key.clone(), without_bundles(member)))
            .collect(),
        Value::Number(number) => plain(number),
        Value::Null | Value::Bool(_) => value.clone(),
    }
}

/// A number as a person writes it, where its spelling is not known: 1000, not 1000.0.
fn plain(number: &Number) -> Value {
    let whole = number.as_f64().filter(|float| {
        number.is_f64() && float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0
    });
    match whole {
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        Some(float) => Value::from(float as i64),
        None => Value::Number(number.clone()),
    }
}

/// A value on one line with the path to the node at the pointer `at`; all else is elided: `{"data": {"status": "refunded", …}}`.
/// Where there is no such node, because it is what the value lacks, the path ends at its nearest ancestor.
pub(crate) fn elided(value: &Value, at: &str) -> String {
    let tokens: Vec<String> = pointer::tokens(at).collect();
    let mut text = String::new();
    along(value, &tokens, &mut text);
    text
}

/// Writes `value` with the path `tokens` in it.
fn along(value: &Value, tokens: &[String], text: &mut String) {
    let next = tokens.split_first().and_then(|(token, rest)| match value {
        Value::Object(members) => Some((members.get(token)?, rest, token)),
        Value::Array(items) => Some((items.get(token.parse::<usize>().ok()?)?, rest, token)),
        _ => None,
    });
    let Some((next, rest, token)) = next else {
        return within(value, 0, text);
    };
    match value {
        Value::Object(members) => {
            text.push('{');
            text.push_str(&Value::from(token.as_str()).to_string());
            text.push_str(": ");
            along(next, rest, text);
            text.push_str(if members.len() > 1 { ", …}" } else { "}" });
        }
        Value::Array(items) => {
            text.push_str(if token == "0" { "[" } else { "[…, " });
            along(next, rest, text);
            let is_last = token.parse() == Ok(items.len() - 1);
            text.push_str(if is_last { "]" } else { ", …]" });
        }
        _ => {}
    }
}

/// Writes `value` without much of what is deep or long.
fn within(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::String(string) => {
            let length = string.chars().count();
            if length > TEXT_SHOWN {
                let start: String = string.chars().take(TEXT_SHOWN / 2).collect();
                let start = Value::from(start).to_string();
                text.push_str(start.trim_end_matches('"'));
                text.push_str(&format!("…\" ({length} characters)"));
            } else {
                text.push_str(&value.to_string());
            }
        }
        Value::Array(items) if !items.is_empty() => {
            if depth >= DEPTH_SHOWN {
                return text.push_str("[…]");
            }
            text.push('[');
            for (index, item) in items.iter().take(MEMBERS_SHOWN).enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                within(item, depth + 1, text);
            }
            let more = items.len().saturating_sub(MEMBERS_SHOWN);
            text.push_str(&if more > 0 {
                format!(", … {more} more]")
            } else {
                "]".to_owned()
            });
        }
        Value::Object(members) if !members.is_empty() => {
            if depth >= DEPTH_SHOWN {
                return text.push_str("{…}");
            }
            text.push('{');
            for (index, (key, member)) in members.iter().take(MEMBERS_SHOWN).enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                text.push_str(&format!("{}: ", Value::from(key.as_str())));
                within(member, depth + 1, text);
            }
            text.push_str(if members.len() > MEMBERS_SHOWN {
                ", …}"
            } else {
                "}"
            });
        }
        other => text.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_example_shows_the_path_to_what_matters_and_elides_the_rest() {
        let value = json!({
            "id": 1,
            "data": {"a": "b", "status": "refunded"},
            "list": [1, 2, {"x": [5]}],
            "long": "a".repeat(100),
            "many": (0..100).collect::<Vec<_>>(),
            "a/b": {"c": {"d": {"e": 1}}},
        });
        for (at, expected) in [
            ("/data/status", r#"{"data": {"status": "refunded", …}, …}"#),
            (
                "/data/missing",
                r#"{"data": {"a": "b", "status": "refunded"}, …}"#,
            ),
            ("/list/2/x/0", r#"{"list": […, {"x": [5]}], …}"#),
            ("/list/0", r#"{"list": [1, …], …}"#),
            (
                "/long",
                r#"{"long": "aaaaaaaaaaaaaaaaaaaa…" (100 characters), …}"#,
            ),
            ("/many", r#"{"many": [0, 1, 2, 3, … 96 more], …}"#),
            ("/a~1b", r#"{"a/b": {"c": {"d": {…}}}, …}"#),
            (
                "",
                r#"{"id": 1, "data": {"a": "b", "status": "refunded"}, "list": [1, 2, {…}], "long": "aaaaaaaaaaaaaaaaaaaa…" (100 characters), …}"#,
            ),
        ] {
            assert_eq!(elided(&value, at), expected, "{at}");
        }
        assert_eq!(elided(&json!([]), "/0"), "[]");
        assert_eq!(elided(&json!({"only": {}}), "/only"), r#"{"only": {}}"#);
        assert_eq!(elided(&json!("a"), "/x"), r#""a""#);
    }

    #[test]
    fn a_string_has_quotes_only_where_it_would_be_taken_for_another_value() {
        for (value, expected) in [
            (json!("refunded"), "`refunded`"),
            (json!("null"), "`\"null\"`"),
            (json!("12"), "`\"12\"`"),
            (json!(""), "`\"\"`"),
            (json!(" a"), "`\" a\"`"),
            (json!(null), "`null`"),
            (json!(1000.0), "1000"),
            (json!(-0.5), "-0.5"),
            (json!([1, "a"]), "`[1,\"a\"]`"),
        ] {
            assert_eq!(quoted(&value), expected);
        }
        let many: Vec<Value> = (0..7).map(Value::from).collect();
        assert_eq!(list(&many[..1]), "0");
        assert_eq!(list(&many[..3]), "0, 1 and 2");
        assert_eq!(list(&many), "0, 1, 2, 3, 4 and 2 more");
    }

    #[test]
    fn long_values_are_shown_where_they_differ() {
        let of = |middle: &str| json!({"name": "n".repeat(100), "middle": middle, "rest": "r".repeat(50)});
        let (was, is) = contrasted(&of("a"), &of("b"));
        assert_eq!(
            was,
            "`…nnnnnnnn\",\"middle\":\"a\",\"rest\":\"rrrrrrrr…rrrrrrrrrrrrrrrrrr\"}`"
        );
        assert_eq!(
            is,
            "`…nnnnnnnn\",\"middle\":\"b\",\"rest\":\"rrrrrrrr…rrrrrrrrrrrrrrrrrr\"}`"
        );
        let (was, is) = contrasted(
            &json!("n".repeat(100)),
            &json!(format!("{}m", "n".repeat(99))),
        );
        assert_ne!(was, is);
        let long = "Component".repeat(10);
        let (was, is) = told_apart(&format!("{long}One"), &format!("{long}Two"));
        assert_ne!(was, is);
        assert!(was.ends_with("One`") && is.ends_with("Two`"), "{was} {is}");
        assert_eq!(
            contrasted(&json!(1), &json!(2)),
            ("1".to_owned(), "2".to_owned())
        );
    }

    #[test]
    fn nothing_of_the_bundle_is_shown() {
        let value =
            json!({"anyOf": [{"$ref": "#/x-bundled/2/schemas/Cat"}, {"$ref": "#/x-bundled/3"}]});
        assert_eq!(
            shown(&value),
            r##"{"anyOf":[{"$ref":"#/schemas/Cat"},{"$ref":"#"}]}"##
        );
        assert_eq!(reference("#/components/schemas/Cat"), "Cat");
        assert_eq!(reference("#/x-bundled/2/schemas/Cat"), "#/schemas/Cat");
    }
}
