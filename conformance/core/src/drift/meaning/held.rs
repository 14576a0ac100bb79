//! Which keywords values are held to.

/// Keywords that are held against values, or that only name, hold or explain schemas.
const HELD: [&str; 44] = [
    "discriminator",
    "$ref",
    "$dynamicRef",
    "$defs",
    "definitions",
    "$id",
    "$anchor",
    "$dynamicAnchor",
    "type",
    "enum",
    "const",
    "pattern",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "minContains",
    "maxContains",
    "dependentRequired",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "format",
    "required",
    "properties",
    "patternProperties",
    "dependentSchemas",
    "items",
    "additionalItems",
    "prefixItems",
    "contains",
    "unevaluatedItems",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
];

/// Whether values are held to a keyword.
pub(in super::super) fn is_held(keyword: &str) -> bool {
    HELD.contains(&keyword) || ["if", "then", "else"].contains(&keyword)
}
