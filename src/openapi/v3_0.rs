//! An emitted document in OpenAPI 3.0, for tools that do not read 3.1. Both forms say the same.
//!
//! | 3.1 | 3.0 |
//! |---|---|
//! | `type: [string, "null"]` | `type: string, nullable: true` |
//! | `oneOf: [X, {type: "null"}]` | `allOf: [X], nullable: true` |
//! | `$ref` beside other members | `allOf: [$ref]` beside them |
//! | `const: a` | `enum: [a]` |
//! | `exclusiveMinimum: 1` | `minimum: 1, exclusiveMinimum: true` |
//! | `if`, `then`, `else` | `allOf: [{anyOf: [{not: if}, then]}, {anyOf: [if, else]}]` |
//! | `true`, `false` | `{}`, `{not: {}}` |
//! | `examples: [a, b]` of a schema | `example: a`, and `x-examples: [a, b]` where there is more than one |
//! | `webhooks`, `identifier` of a license | `x-webhooks`, `x-identifier` |
//!
//! A keyword that is not in this list and that 3.0 does not have stays as it is; a test holds what our documents come to against the
//! meta-schema of 3.0, and compares both forms with `conformance drift`.

use serde_json::{Map, Value, json};

/// The newest 3.0 that every tool reads.
const VERSION: &str = "3.0.3";

/// Keywords whose value is a schema, or in 3.0 also a boolean.
const SINGLE: [&str; 3] = ["additionalProperties", "items", "not"];

/// Keywords whose value is a list of schemas.
const LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Writes an OpenAPI 3.1 document in 3.0.
pub(crate) fn write(document: &Value) -> Value {
    let mut written = parts(document);
    if let Value::Object(root) = &mut written {
        root.insert("openapi".to_owned(), json!(VERSION));
        rename(root, "webhooks", "x-webhooks");
        if let Some(Value::Object(license)) = root
            .get_mut("info")
            .and_then(|info| info.get_mut("license"))
        {
            rename(license, "identifier", "x-identifier");
        }
    }
    written
}

/// Gives a member another name, and leaves it in its place.
fn rename(object: &mut Map<String, Value>, old: &str, new: &str) {
    if object.contains_key(old) {
        *object = std::mem::take(object)
            .into_iter()
            .map(|(name, value)| {
                if name == old {
                    (new.to_owned(), value)
                } else {
                    (name, value)
                }
            })
            .collect();
    }
}

/// A part of a document that is not a schema, with the schemas in it written in 3.0.
fn parts(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| {
                let member = match name.as_str() {
                    "schema" => schema(member),
                    "schemas" => each(member),
                    // Samples and extensions may contain anything.
                    "example" | "examples" => member.clone(),
                    extension if extension.starts_with("x-") => member.clone(),
                    _ => parts(member),
                };
                (name.clone(), member)
            })
            .collect(),
        Value::Array(items) => items.iter().map(parts).collect(),
        other => other.clone(),
    }
}

/// A map of schemas.
fn each(schemas: &Value) -> Value {
    match schemas {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), schema(member)))
            .collect(),
        other => other.clone(),
    }
}

/// A schema and all schemas below it.
fn schema(value: &Value) -> Value {
    let members = match value {
        Value::Bool(true) => return json!({}),
        Value::Bool(false) => return json!({ "not": {} }),
        Value::Object(members) => members,
        other => return other.clone(),
    };
    if let (Some(Value::String(_)), 1) = (members.get("$ref"), members.len()) {
        return value.clone();
    }
    let mut new = Map::new();
    // Further constraints, where 3.0 needs an `allOf` for them.
    let mut all = Vec::new();
    for (keyword, value) in members {
        match (keyword.as_str(), value) {
            ("$ref", reference) => all.push(json!({ "$ref": reference })),
            ("type", Value::Array(types)) => one_type(types, &mut new),
            ("const", only) => add(&mut new, "enum", json!([only])),
            ("examples", Value::Array(examples)) => samples(examples, &mut new),
            ("exclusiveMinimum", bound @ Value::Number(_)) => {
                exclude(&mut new, "minimum", keyword, bound);
            }
            ("exclusiveMaximum", bound @ Value::Number(_)) => {
                exclude(&mut new, "maximum", keyword, bound);
            }
            ("if", condition) => all.extend(branches(condition, members)),
            ("then" | "else", _) => {}
            ("oneOf" | "anyOf", Value::Array(choices)) => {
                choose(keyword, choices, &mut new, &mut all);
            }
            ("properties", named) => add(&mut new, keyword, each(named)),
            // A boolean means the same in both, and tools expect it here.
            ("additionalProperties", Value::Bool(_)) => add(&mut new, keyword, value.clone()),
            (single, below) if SINGLE.contains(&single) => add(&mut new, keyword, schema(below)),
            (list, Value::Array(below)) if LISTS.contains(&list) => {
                add(&mut new, keyword, below.iter().map(schema).collect());
            }
            (_, other) => add(&mut new, keyword, other.clone()),
        }
    }
    if !all.is_empty() {
        match new.entry("allOf").or_insert_with(|| json!([])) {
            Value::Array(given) => given.append(&mut all),
            _ => unreachable!("allOf is a list"),
        }
    }
    Value::Object(new)
}

fn add(schema: &mut Map<String, Value>, keyword: &str, value: Value) {
    schema.insert(keyword.to_owned(), value);
}

/// One type, or that type and null.
fn one_type(types: &[Value], schema: &mut Map<String, Value>) {
    let null = json!("null");
    match types {
        [one] => add(schema, "type", one.clone()),
        [one, other] | [other, one] if *other == null => {
            add(schema, "type", one.clone());
            add(schema, "nullable", json!(true));
        }
        _ => add(schema, "type", types.into()),
    }
}

fn samples(examples: &[Value], schema: &mut Map<String, Value>) {
    if let Some(first) = examples.first() {
        add(schema, "example", first.clone());
    }
    if examples.len() > 1 {
        add(schema, "x-examples", examples.into());
    }
}

fn exclude(schema: &mut Map<String, Value>, limit: &str, keyword: &str, bound: &Value) {
    add(schema, limit, bound.clone());
    add(schema, keyword, json!(true));
}

/// `if`, `then` and `else` as two alternatives that hold together.
fn branches(condition: &Value, schema_of: &Map<String, Value>) -> Vec<Value> {
    let condition = schema(condition);
    let mut all = Vec::new();
    if let Some(then) = schema_of.get("then") {
        all.push(json!({ "anyOf": [{ "not": condition }, schema(then)] }));
    }
    if let Some(otherwise) = schema_of.get("else") {
        all.push(json!({ "anyOf": [condition, schema(otherwise)] }));
    }
    all
}

/// Choices, of which null is told by `nullable`.
fn choose(
    keyword: &str,
    choices: &[Value],
    schema_of: &mut Map<String, Value>,
    all: &mut Vec<Value>,
) {
    let null = json!({ "type": "null" });
    let mut values: Vec<Value> = choices
        .iter()
        .filter(|choice| **choice != null)
        .map(schema)
        .collect();
    if values.len() < choices.len() {
        add(schema_of, "nullable", json!(true));
    }
    match values.pop() {
        Some(only) if values.is_empty() => all.push(only),
        last => {
            values.extend(last);
            add(schema_of, keyword, values.into());
        }
    }
}
