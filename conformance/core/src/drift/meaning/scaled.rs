//! Schemas whose numbers are multiplied by a power of ten: set algebra divides whole numbers only, and amounts of money are multiples of
//! 0.01.

use serde_json::{Map, Value, json};

use super::plain::{EXACT, both};
use crate::document::Decimal;
use crate::document::keyword::{Holds, holds};

/// How many decimal places numbers may have.
const PLACES: u32 = 12;

/// Two schemas with their numbers multiplied by the least power of ten that makes all of them whole, so that they relate as before. None
/// where numbers become too large to be exact.
pub(super) fn scaled(schemas: [&Value; 2]) -> Option<[Value; 2]> {
    let mut most = Some(0);
    for schema in schemas {
        each_number(schema, &mut |number| {
            most = most.and_then(|most| Some(number?.places()?.max(most)));
        });
    }
    let places = most.filter(|places| *places <= PLACES)?;
    let [one, other] = schemas.map(|schema| times(schema, places));
    Some([one?, other?])
}

/// Calls `look` with each number that a schema compares values with.
fn each_number(schema: &Value, look: &mut dyn FnMut(Option<Decimal>)) {
    let Value::Object(members) = schema else {
        return;
    };
    for (keyword, value) in members {
        match (holds(keyword), value) {
            (Holds::Schema, one) => each_number(one, look),
            (Holds::List, Value::Array(all)) => all.iter().for_each(|one| each_number(one, look)),
            (Holds::Map, Value::Object(all)) => all.values().for_each(|one| each_number(one, look)),
            _ if is_of_numbers(keyword) => look(number(value)),
            _ if keyword == "enum" || keyword == "const" => each_in(value, look),
            _ => {}
        }
    }
}

fn each_in(value: &Value, look: &mut dyn FnMut(Option<Decimal>)) {
    match value {
        Value::Number(number) => look(Some(Decimal::of(number))),
        Value::Array(items) => items.iter().for_each(|item| each_in(item, look)),
        Value::Object(members) => members.values().for_each(|member| each_in(member, look)),
        _ => {}
    }
}

fn is_of_numbers(keyword: &str) -> bool {
    const BOUNDS: [&str; 4] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
    keyword == "multipleOf" || BOUNDS.contains(&keyword)
}

/// A number as it stands, or its digits.
fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => Some(Decimal::of(number)),
        Value::String(digits) => Decimal::parse(digits),
        _ => None,
    }
}

fn times(schema: &Value, places: u32) -> Option<Value> {
    let Value::Object(members) = schema else {
        return Some(schema.clone());
    };
    let mut out = Map::new();
    for (keyword, value) in members {
        let written = match (holds(keyword), value) {
            (Holds::Schema, one) => times(one, places)?,
            (Holds::List, Value::Array(all)) => {
                let all: Option<Vec<Value>> = all.iter().map(|one| times(one, places)).collect();
                Value::Array(all?)
            }
            (Holds::Map, Value::Object(all)) => {
                let all = all.iter();
                let all: Option<Map<String, Value>> = all
                    .map(|(name, one)| Some((name.clone(), times(one, places)?)))
                    .collect();
                Value::Object(all?)
            }
            _ if is_of_numbers(keyword) => whole(&number(value)?, places)?,
            _ if keyword == "enum" || keyword == "const" => times_in(value, places)?,
            _ if keyword == "type" => of_types(value),
            _ => value.clone(),
        };
        out.insert(keyword.clone(), written);
    }
    if members.get("type").is_some_and(says_integer) {
        both(&mut out, json!({"multipleOf": 10_u64.checked_pow(places)?}));
    }
    Some(Value::Object(out))
}

fn times_in(value: &Value, places: u32) -> Option<Value> {
    match value {
        Value::Number(number) => whole(&Decimal::of(number), places),
        Value::Array(items) => {
            let all: Option<Vec<Value>> = items.iter().map(|item| times_in(item, places)).collect();
            all.map(Value::Array)
        }
        Value::Object(members) => {
            let all = members.iter();
            let all: Option<Map<String, Value>> = all
                .map(|(name, member)| Some((name.clone(), times_in(member, places)?)))
                .collect();
            all.map(Value::Object)
        }
        other => Some(other.clone()),
    }
}

fn whole(number: &Decimal, places: u32) -> Option<Value> {
    let scaled = i64::try_from(number.scaled(places)?).ok()?;
    (scaled.unsigned_abs() <= EXACT).then(|| Value::from(scaled))
}

/// Whether of numbers only whole ones are of a type.
fn says_integer(types: &Value) -> bool {
    let has = |name: &str| match types {
        Value::Array(all) => all.iter().any(|one| one == name),
        one => one == name,
    };
    has("integer") && !has("number")
}

/// Types in which whole numbers are numbers.
fn of_types(types: &Value) -> Value {
    let of = |one: &Value| match one.as_str() {
        Some("integer") => json!("number"),
        _ => one.clone(),
    };
    match types {
        Value::Array(all) => {
            let mut names: Vec<Value> = Vec::new();
            for name in all.iter().map(of) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            Value::Array(names)
        }
        one => of(one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_numbers_are_whole_afterwards_and_whole_ones_are_multiples() {
        let one =
            json!({"type": ["integer", "null"], "maximum": 5, "enum": [1, {"minimum": 2}, "1"]});
        let other = json!({"properties": {"minimum": {"type": ["number", "integer"], "multipleOf": "0.05", "minimum": 0.1}}});
        let [one, other] = scaled([&one, &other]).unwrap();
        let expected = json!({
            "type": ["number", "null"], "maximum": 500, "enum": [100, {"minimum": 200}, "1"], "allOf": [{"multipleOf": 100}]
        });
        assert_eq!(one, expected);
        let expected = json!({"properties": {"minimum": {"type": ["number"], "multipleOf": 5, "minimum": 10}}});
        assert_eq!(other, expected);
        let large = json!({"maximum": 9_223_372_036_854_775_807_u64, "multipleOf": "0.1"});
        assert_eq!(scaled([&large, &json!(true)]), None);
    }
}
