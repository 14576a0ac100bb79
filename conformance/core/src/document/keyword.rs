//! The content of object members: schemas, maps whose keys anybody chooses, or data.
//!
//! The one table of it: every walk over documents and schemas asks here.

use serde_json::Value;

use super::origin::BUNDLED;

/// The content of a keyword of a Schema Object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// One schema.
    Schema,
    /// A list of schemas.
    List,
    /// A map of schemas, by names of any kind.
    Map,
    /// A value of the kind that the schema describes, or of any other that is no schema.
    Data,
}

/// The keyword's content. The dialect of drafts before 2020-12 is included: `items` and `dependencies` may also hold other things than
/// the table says, which the value shows.
pub fn holds(keyword: &str) -> Holds {
    if SINGLE.contains(&keyword) {
        Holds::Schema
    } else if LISTS.contains(&keyword) {
        Holds::List
    } else if MAPS.contains(&keyword) {
        Holds::Map
    } else {
        Holds::Data
    }
}

/// Keywords that hold one schema.
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

/// Keywords that hold a list of schemas.
pub const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];

/// Keywords that hold a map of schemas.
pub const MAPS: [&str; 5] = [
    "properties",
    "patternProperties",
    "dependentSchemas",
    "$defs",
    "definitions",
];

/// Whether the member called `name` is a map whose own keys anybody may choose.
pub fn has_free_names(name: &str) -> bool {
    MAPS.contains(&name)
        || matches!(
            name,
            "responses"
                | "schemas"
                | "parameters"
                | "examples"
                | "headers"
                | "links"
                | "callbacks"
                | "paths"
                | "pathItems"
                | "requestBodies"
                | "securitySchemes"
                | "mediaTypes"
                | "content"
                | "encoding"
                | "webhooks"
                | "variables"
                | "mapping"
                | "scopes"
                | "dependentRequired"
        )
}

/// Whether the member `key` of an object that is itself called `name` holds data, in which `$ref` is not a reference.
pub fn holds_data(name: &str, key: &str, value: &Value) -> bool {
    is_data(key, value) && !has_free_names(name)
}

/// As [`holds_data`], of an object whose keys are not free.
pub(super) fn is_data(key: &str, value: &Value) -> bool {
    match key {
        // `dataValue` and `serializedValue` are of 3.2.
        "example" | "value" | "dataValue" | "serializedValue" | "default" | "enum" | "const"
        | "externalValue" => true,
        "examples" => value.is_array(),
        BUNDLED => false,
        _ => key.starts_with("x-"),
    }
}
