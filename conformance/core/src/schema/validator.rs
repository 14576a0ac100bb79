//! How plain JSON Schema is compiled: what [`super::writer`] writes.

use jsonschema::{Draft, Keyword, PatternOptions, ValidationError, ValidationOptions, Validator};
use serde_json::Value;

use crate::document::Decimal;
use crate::document::keyword::{LISTS, SINGLE};
use crate::finding::Undecided;

/// How much backtracking one pattern may take; a value that needs more is refused.
const BACKTRACKING: usize = 100_000;

/// Longest message of the validator that is kept, in characters.
const LONGEST: usize = 200;

/// Formats that are asserted. All others constrain nothing.
const FORMATS: [&str; 19] = [
    "date",
    "date-time",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "iri",
    "iri-reference",
    "uri-template",
    "uuid",
    "json-pointer",
    "relative-json-pointer",
    "regex",
];

/// A keyword with the digits of a `multipleOf`, for values that are divided by all their digits: the validator's own divides floats.
pub const MULTIPLE_OF: &str = "x-multiple-of";

/// Keywords with the number of another validator, in the place of references; a schema may have two.
pub(super) const REFERENCES: [&str; 2] = ["x-ref", "x-dynamic-ref"];

/// See [`MULTIPLE_OF`].
struct MultipleOf {
    step: Option<Decimal>,
}

impl Keyword<'_> for MultipleOf {
    fn validate<'i>(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        match self.is_valid(value) {
            true => Ok(()),
            false => Err(ValidationError::custom("not a multiple")),
        }
    }

    fn is_valid(&self, value: &Value) -> bool {
        let (Value::Number(number), Some(step)) = (value, &self.step) else {
            return true;
        };
        Decimal::of(number).is_multiple_of(step).unwrap_or(true)
    }
}

/// Whether `format` is asserted.
#[must_use]
pub fn asserts(format: &str) -> bool {
    FORMATS.contains(&format)
}

/// Compiles a schema.
///
/// # Errors
/// Why it is not a schema.
pub fn compile(schema: &Value) -> Result<Validator, Undecided> {
    build(&options(), schema)
}

/// How schemas are compiled.
pub(super) fn options() -> ValidationOptions<'static> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACKING))
        .with_keyword(MULTIPLE_OF, |_, step, _| {
            let step = step.as_str().and_then(Decimal::parse);
            Ok(Box::new(MultipleOf { step }))
        })
        .offline()
}

fn build(options: &ValidationOptions<'static>, schema: &Value) -> Result<Validator, Undecided> {
    let built = options.build(schema);
    built.map_err(|error| Undecided::Unusable {
        cause: error.to_string().chars().take(LONGEST).collect(),
    })
}

/// Where [`compile_held`] puts a schema: in a keyword that the meta-schema does not know.
const HELD: &str = "x-schema";

/// Compiles a schema without references. One that plainly is a schema is not checked against the meta-schema, which takes longer than all
/// the rest.
///
/// # Errors
/// Why it is not a schema.
pub fn compile_held(schema: Value) -> Result<Validator, Undecided> {
    build_held(&options(), schema)
}

/// The same with options of one's own.
///
/// # Errors
/// As for [`compile_held`].
pub(super) fn build_held(
    options: &ValidationOptions<'static>,
    schema: Value,
) -> Result<Validator, Undecided> {
    if schema.is_boolean() || !is_schema(&schema) {
        return build(options, &schema);
    }
    let around = [
        ("$ref".to_owned(), Value::from(format!("#/{HELD}"))),
        (HELD.to_owned(), schema),
    ];
    build(options, &Value::Object(around.into_iter().collect()))
}

/// Whether the meta-schema certainly accepts a value.
fn is_schema(value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::Object(members) => members
            .iter()
            .all(|(keyword, value)| is_keyword(keyword, value)),
        _ => false,
    }
}

/// Whether a keyword certainly has a value that the meta-schema accepts.
fn is_keyword(keyword: &str, value: &Value) -> bool {
    let is_names = |value: &Value| {
        let Value::Array(names) = value else {
            return false;
        };
        let all: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
        all.is_some_and(|all| (1..all.len()).all(|index| !all[..index].contains(&all[index])))
    };
    match (keyword, value) {
        ("type", Value::String(name)) => TYPES.contains(&name.as_str()),
        ("type", Value::Array(names)) => {
            let mut known = names.iter().filter_map(Value::as_str);
            !names.is_empty() && is_names(value) && known.all(|name| TYPES.contains(&name))
        }
        ("required", names) => is_names(names),
        ("dependentRequired", Value::Object(members)) => members.values().all(is_names),
        ("enum", Value::Array(_)) | ("const" | MULTIPLE_OF, _) => true,
        (_, Value::Number(_)) if REFERENCES.contains(&keyword) => true,
        ("pattern" | "format", Value::String(_)) | ("uniqueItems", Value::Bool(_)) => true,
        ("minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum", Value::Number(_)) => true,
        (
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties"
            | "minContains" | "maxContains",
            Value::Number(number),
        ) => number.is_u64(),
        (_, value) if SINGLE.contains(&keyword) && keyword != "additionalItems" => is_schema(value),
        (_, Value::Array(all)) if LISTS.contains(&keyword) => {
            !all.is_empty() && all.iter().all(is_schema)
        }
        ("properties" | "patternProperties" | "dependentSchemas", Value::Object(all)) => {
            all.values().all(is_schema)
        }
        _ => false,
    }
}

/// The names of types.
const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_taken_for_a_schema_is_one_by_the_meta_schema() {
        let values = [
            json!(true),
            json!(1),
            json!(-1),
            json!(1.5),
            json!("object"),
            json!("a"),
            json!([]),
            json!(["null", "string"]),
            json!(["a", "a"]),
            json!([{"type": "null"}]),
            json!({"a": ["b"]}),
            json!({"a": {"minimum": 1}}),
            json!({"a": {"minimum": "1"}}),
            json!({"type": "integer"}),
        ];
        let bounds = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
        let counts = [
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "minProperties",
            "maxProperties",
            "minContains",
            "maxContains",
        ];
        let others = [
            "type",
            "enum",
            "const",
            "required",
            "dependentRequired",
            "pattern",
            "format",
            "uniqueItems",
            "properties",
            "patternProperties",
            "dependentSchemas",
            MULTIPLE_OF,
        ];
        let keywords = bounds.iter().chain(&counts).chain(&others);
        let mut taken = 0;
        for keyword in keywords.chain(&SINGLE).chain(&LISTS) {
            for value in &values {
                let schema = json!({*keyword: value});
                if is_schema(&schema) {
                    taken += 1;
                    assert!(jsonschema::meta::is_valid(&schema), "{schema}");
                }
            }
        }
        assert!(taken > 80, "{taken}");
    }

    #[test]
    fn a_schema_rejects_the_same_whether_it_is_held_against_the_meta_schema_or_not() {
        let schema = json!({
            "type": "object",
            "properties": {"a": {"type": "string", "pattern": "^a"}},
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
            "unevaluatedProperties": false,
        });
        let plain = compile(&schema).expect("a schema");
        let held = compile_held(schema.clone()).expect("a schema");
        for value in [
            json!({"a": "a"}),
            json!({"a": "b"}),
            json!({"b": 1}),
            json!({}),
            json!(1),
        ] {
            assert_eq!(plain.is_valid(&value), held.is_valid(&value), "{value}");
        }
        let wrong = json!({"type": "text"});
        let said = |found: Result<Validator, Undecided>| format!("{:?}", found.err());
        assert_eq!(said(compile(&wrong)), said(compile_held(wrong.clone())));
    }
}
