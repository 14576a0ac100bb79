//! Noun phrases for schemas, types, and the values that a keyword rejects.

use serde_json::Value;

use super::{list, name, quoted, told_apart};
use crate::finding::Shape;

/// The values that a keyword rejects, where there are words for them.
pub(super) fn outside(keyword: &str, value: Option<&Value>) -> Option<String> {
    let is = |wanted: bool| value.is_none_or(|value| *value == Value::Bool(wanted));
    Some(
        match keyword {
            "maxLength" => "longer values",
            "minLength" => "shorter values",
            "maximum" => "larger numbers",
            "minimum" => "smaller numbers",
            "exclusiveMaximum" => return Some(beyond_bound("not below", "larger", value)),
            "exclusiveMinimum" => return Some(beyond_bound("not above", "smaller", value)),
            "contentEncoding" => "bytes written in another way",
            "contentMediaType" => "text of another kind",
            "multipleOf" => "other numbers",
            "maxItems" => "longer lists",
            "minItems" => "shorter lists",
            "uniqueItems" if is(true) => "lists with equal items",
            "maxProperties" => "objects with more members",
            "minProperties" => "objects with fewer members",
            "additionalProperties" | "unevaluatedProperties" => match value {
                Some(Value::Bool(false)) => "unknown members",
                _ => "other unknown members",
            },
            "items" | "unevaluatedItems" | "additionalItems" => match value {
                Some(Value::Bool(false)) => "more items",
                _ => "other items",
            },
            // The property itself.
            "readOnly" | "writeOnly" if is(true) => "it",
            "enum" | "const" => "other values",
            "pattern" | "format" | "if" | "then" | "else" => "values that do not match",
            "not" => "values that match it",
            "contains" => "lists without such items",
            "minContains" => "lists with fewer such items",
            "maxContains" => "lists with more such items",
            "patternProperties" => "members of that name with other values",
            "propertyNames" => "members with other names",
            "dependentRequired" | "dependentSchemas" | "dependencies" => {
                "objects that do not meet it"
            }
            _ => return None,
        }
        .to_owned(),
    )
}

/// The numbers that a bound which excludes itself rejects.
fn beyond_bound(not: &str, sort: &str, bound: Option<&Value>) -> String {
    match bound {
        Some(bound @ Value::Number(_)) => format!("numbers {not} {}", quoted(bound)),
        _ => format!("{sort} numbers"),
    }
}

/// A type with its article.
fn article(name: &str) -> String {
    match name {
        "null" => "null".to_owned(),
        "integer" | "array" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

fn any_of(types: &[String]) -> String {
    let all: Vec<String> = types.iter().map(|one| article(one)).collect();
    all.join(" or ")
}

pub(super) fn types(types: &Option<Vec<String>>) -> String {
    match types {
        Some(types) if !types.is_empty() => any_of(types),
        _ => "any type".to_owned(),
    }
}

/// The types that `one` allows and `other` does not.
pub(super) fn beyond(one: &Option<Vec<String>>, other: &Option<Vec<String>>) -> Option<String> {
    let other = other.as_ref()?;
    let Some(one) = one else {
        return Some("another type".to_owned());
    };
    let has = |name: &str| other.iter().any(|known| known == name);
    // Every integer is a number.
    let allows = |name: &str| has(name) || (name == "integer" && has("number"));
    let more: Vec<String> = one.iter().filter(|name| !allows(name)).cloned().collect();
    match more.as_slice() {
        [] => None,
        [number] if number == "number" && has("integer") => {
            Some("a number with a fraction".to_owned())
        }
        more => Some(any_of(more)),
    }
}

/// A schema as a noun phrase.
pub(super) fn shape(shape: &Shape) -> String {
    if let Some(one) = &shape.name {
        return name(one);
    }
    if !shape.alternatives.is_empty() {
        return format!("one of {}", alternatives(&shape.alternatives));
    }
    let types = match shape.types.as_slice() {
        [] => String::new(),
        types => any_of(types),
    };
    let is_object = shape.types.is_empty() || shape.types == ["object"];
    match (shape.properties, shape.keywords.as_slice()) {
        (0, []) if types.is_empty() => "any value".to_owned(),
        (0, []) => types,
        (0, keywords) => {
            let noun = if types.is_empty() { "a value" } else { &types };
            let keywords: Vec<Value> = keywords.iter().map(|one| one.as_str().into()).collect();
            format!("{noun} with {}", list(&keywords))
        }
        (1, _) if is_object => "an object with 1 property".to_owned(),
        (count, _) if is_object => format!("an object with {count} properties"),
        (count, _) => format!("{types} with {count} properties"),
    }
}

/// The names of alternatives. Those of one type have no other name: how many there are is said.
fn alternatives(all: &[String]) -> String {
    let count = |name: &String| all.iter().filter(|one| *one == name).count();
    let mut names: Vec<&String> = Vec::new();
    all.iter().for_each(|one| {
        if !names.contains(&one) {
            names.push(one);
        }
    });
    if let [only] = names[..]
        && all.len() > 1
    {
        return format!("{} alternatives of type {}", all.len(), name(only));
    }
    if names.len() == all.len() {
        let names: Vec<Value> = all.iter().map(|one| one.as_str().into()).collect();
        return list(&names);
    }
    let counted = names.iter().map(|one| match count(one) {
        1 => name(one),
        count => format!("{count} of type {}", name(one)),
    });
    counted.collect::<Vec<_>>().join(", ")
}

/// A schema as a noun phrase that says what it has, not its name.
fn unnamed(one: &Shape) -> String {
    shape(&Shape {
        name: None,
        ..one.clone()
    })
}

/// Of two schemas that replace each other the one that has the other among its alternatives: the only alternative of a union is told as
/// that alternative.
pub(super) fn union_of<'s>(old: &'s Shape, new: &'s Shape) -> Option<&'s Shape> {
    let has = |union: &Shape, other: &Shape| {
        let name = other.name.as_ref();
        name.is_some_and(|name| union.alternatives.contains(name))
    };
    match (has(old, new), has(new, old)) {
        (true, false) => Some(old),
        (false, true) => Some(new),
        _ => None,
    }
}

/// Two schemas that replace each other as noun phrases that differ.
pub(super) fn shapes(old: &Shape, new: &Shape) -> (String, String) {
    if union_of(old, new).is_some() {
        let told = |one: &Shape| match one.alternatives.is_empty() {
            true => shape(one),
            false => unnamed(one),
        };
        return (told(old), told(new));
    }
    if let (Some(one), Some(other)) = (&old.name, &new.name)
        && one != other
    {
        return told_apart(one, other);
    }
    let (was, is) = (shape(old), shape(new));
    if was != is {
        return (was, is);
    }
    match (unnamed(old), unnamed(new)) {
        (before, after) if before != after => {
            (format!("{was} ({before})"), format!("{is} ({after})"))
        }
        _ => (
            was,
            format!(
                "another {}",
                is.trim_start_matches("an ").trim_start_matches("a ")
            ),
        ),
    }
}
