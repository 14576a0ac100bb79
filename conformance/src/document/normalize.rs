//! Folding the schema dialect of OpenAPI 3.0 into JSON Schema 2020-12.
//!
//! Used before validation and comparison. Folding one Schema Object is shallow ([`fold`]) for those who walk a schema themselves,
//! or deep ([`fold_deep`]) for validators. Only what means the same is rewritten; positions stay those of the original.

use serde_json::{Map, Value};

/// Keywords whose value is one schema.
pub const SINGLE: [&str; 12] = [
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
    "additionalItems",
];

/// Keywords whose value is a list of schemas.
pub const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];

/// Keywords whose value is a map of schemas.
pub const MAPS: [&str; 5] = [
    "properties",
    "patternProperties",
    "dependentSchemas",
    "$defs",
    "definitions",
];

/// Folds the 3.0 spelling of one Schema Object, not of those below it:
/// `nullable`, boolean `exclusiveMinimum` and `exclusiveMaximum`, `example`, and `x-examples` where it lists several.
///
/// With `nullable: true` and a `$ref`, `allOf`, `anyOf` or `oneOf` but no `type`, 3.0.3 says that `nullable` has no effect, yet
/// authors mean "or null", and that is how it is read here.
pub fn fold(schema: &Map<String, Value>) -> Map<String, Value> {
    let mut folded = schema.clone();
    let several = folded
        .get("x-examples")
        .is_some_and(Value::is_array)
        .then(|| folded.remove("x-examples"))
        .flatten();
    let one = folded
        .remove("example")
        .map(|example| Value::Array(vec![example]));
    if let Some(examples) = several.or(one)
        && !folded.contains_key("examples")
    {
        folded.insert("examples".to_owned(), examples);
    }
    for (flag, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        if let Some(Value::Bool(exclusive)) = folded.get(flag) {
            let exclusive = *exclusive;
            folded.remove(flag);
            if exclusive && let Some(limit) = folded.remove(bound) {
                folded.insert(flag.to_owned(), limit);
            }
        }
    }
    if let Some(Value::Bool(nullable)) = folded.get("nullable") {
        let nullable = *nullable;
        folded.remove("nullable");
        if nullable {
            return with_null(folded);
        }
    }
    folded
}

/// `schema` or null.
fn with_null(mut schema: Map<String, Value>) -> Map<String, Value> {
    let null = Value::String("null".to_owned());
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    match schema.get_mut("type") {
        Some(Value::String(one)) => {
            let one = Value::String(std::mem::take(one));
            schema.insert("type".to_owned(), Value::Array(vec![one, null]));
            return schema;
        }
        Some(Value::Array(types)) => {
            if !types.contains(&null) {
                types.push(null);
            }
            return schema;
        }
        _ => {}
    }
    let constrains = ["$ref", "allOf", "anyOf", "oneOf"]
        .iter()
        .any(|keyword| schema.contains_key(*keyword));
    if !constrains {
        return schema;
    }
    let mut nullable = Map::new();
    // What only documents the schema stays outside, where a reader of 2020-12 looks for it.
    for keyword in [
        "title",
        "description",
        "default",
        "deprecated",
        "examples",
        "readOnly",
        "writeOnly",
        "externalDocs",
        "xml",
    ] {
        if let Some(value) = schema.remove(keyword) {
            nullable.insert(keyword.to_owned(), value);
        }
    }
    let null_schema = Map::from_iter([("type".to_owned(), null)]);
    nullable.insert(
        "anyOf".to_owned(),
        Value::Array(vec![Value::Object(schema), Value::Object(null_schema)]),
    );
    nullable
}

/// Folds a schema and all schemas below it. The depth is that of the document, which is limited when it is loaded.
pub fn fold_deep(schema: &Value) -> Value {
    let Value::Object(members) = schema else {
        return schema.clone();
    };
    let mut folded = fold(members);
    for (keyword, value) in &mut folded {
        let keyword = keyword.as_str();
        if SINGLE.contains(&keyword) {
            *value = fold_deep(value);
        } else if LISTS.contains(&keyword) {
            if let Value::Array(items) = value {
                items.iter_mut().for_each(|item| *item = fold_deep(item));
            }
        } else if MAPS.contains(&keyword)
            && let Value::Object(members) = value
        {
            members
                .values_mut()
                .for_each(|member| *member = fold_deep(member));
        }
    }
    Value::Object(folded)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_dialect_of_3_0_folds_into_2020_12() {
        for (old, new) in [
            (
                json!({"type": "string", "nullable": true}),
                json!({"type": ["string", "null"]}),
            ),
            (
                json!({"type": "string", "nullable": false}),
                json!({"type": "string"}),
            ),
            (
                json!({"type": "string", "enum": ["a"], "nullable": true}),
                json!({"type": ["string", "null"], "enum": ["a", null]}),
            ),
            (
                json!({"minimum": 1, "exclusiveMinimum": true}),
                json!({"exclusiveMinimum": 1}),
            ),
            (
                json!({"maximum": 1, "exclusiveMaximum": false}),
                json!({"maximum": 1}),
            ),
            (json!({"example": 1}), json!({"examples": [1]})),
            (
                json!({"example": 1, "x-examples": [1, 2]}),
                json!({"examples": [1, 2]}),
            ),
            (
                json!({"allOf": [{"$ref": "#/a"}], "nullable": true, "description": "d"}),
                json!({"description": "d", "anyOf": [{"allOf": [{"$ref": "#/a"}]}, {"type": "null"}]}),
            ),
            (
                json!({"properties": {"nullable": {"type": "string", "nullable": true}}}),
                json!({"properties": {"nullable": {"type": ["string", "null"]}}}),
            ),
        ] {
            assert_eq!(fold_deep(&old), new, "{old}");
        }
    }
}
