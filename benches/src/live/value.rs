//! A value that a schema describes, for the responses of the stub: examples where the document has some, otherwise the simplest value.

use conformance::document::Document;
use serde_json::{Map, Value, json};

/// How deep a value nests: schemas may contain themselves.
const DEPTH: usize = 6;

/// The example of a Media Type Object, or a value of its schema.
pub(crate) fn of_media(document: &Document, media: &Value) -> Value {
    let examples = media.get("examples").and_then(Value::as_object);
    let first = examples.and_then(|examples| examples.values().next()?.get("value"));
    let example = media.get("example").or(first).cloned();
    let schema = || {
        media
            .get("schema")
            .map_or(Value::Null, |schema| of_schema(document, schema))
    };
    example.unwrap_or_else(schema)
}

/// A value of a schema.
pub(crate) fn of_schema(document: &Document, schema: &Value) -> Value {
    make(document, schema, 0)
}

fn make(document: &Document, schema: &Value, depth: usize) -> Value {
    let below = |schema: &Value| make(document, schema, depth + 1);
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let resolved = target
            .strip_prefix('#')
            .and_then(|pointer| document.resolve(pointer));
        return match resolved {
            Some((_, value)) if depth <= 4 * DEPTH => below(value),
            _ => Value::Null,
        };
    }
    let examples = schema.get("examples").and_then(|examples| examples.get(0));
    for given in [
        schema.get("example"),
        examples,
        schema.get("const"),
        schema.get("default"),
    ] {
        if let Some(given) = given.filter(|given| !given.is_null()) {
            return given.clone();
        }
    }
    if let Some(first) = schema.get("enum").and_then(|values| values.get(0)) {
        return first.clone();
    }
    if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
        let mut members = Map::new();
        let own = schema.get("properties").map(|properties| json!({"type": "object", "properties": properties, "required": schema.get("required")}));
        for part in all.iter().chain(&own) {
            match below(part) {
                Value::Object(more) => members.extend(more),
                other if members.is_empty() && all.len() == 1 && own.is_none() => return other,
                _ => {}
            }
        }
        return Value::Object(members);
    }
    for union in ["oneOf", "anyOf"] {
        if let Some(first) = schema.get(union).and_then(|branches| branches.get(0)) {
            return below(first);
        }
    }
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str).unwrap_or_default(),
        _ if schema.get("properties").is_some() => "object",
        _ => "",
    };
    match kind {
        "object" => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let required = schema.get("required").and_then(Value::as_array);
            let is_required =
                |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
            let members = properties.into_iter().flatten();
            let kept = members.filter(|(name, _)| depth < DEPTH || is_required(name));
            Value::Object(
                kept.map(|(name, schema)| (name.clone(), below(schema)))
                    .collect(),
            )
        }
        "array" if depth < DEPTH || schema.get("minItems").is_some() => {
            json!([schema.get("items").map_or(Value::Null, below)])
        }
        "array" => json!([]),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        "boolean" => json!(true),
        "string" => Value::from(text(schema)),
        _ => Value::Null,
    }
}

fn text(schema: &Value) -> String {
    let format = schema.get("format").and_then(Value::as_str);
    let text = match format.unwrap_or_default() {
        "date" => "2026-11-29",
        "date-time" => "2026-11-29T01:02:03Z",
        "uuid" => "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "uri" | "url" => "https://example.com/a",
        "email" => "a@example.com",
        "ipv4" => "192.0.2.1",
        _ => "text",
    };
    let least = schema
        .get("minLength")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let missing = usize::try_from(least)
        .unwrap_or_default()
        .saturating_sub(text.len());
    format!("{text}{}", "a".repeat(missing))
}
