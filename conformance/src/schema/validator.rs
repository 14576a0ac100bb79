//! How plain JSON Schema is compiled: what [`super::writer`] writes.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

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
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACKING))
        .offline()
        .build(schema)
        .map_err(|error| Undecided::Unusable {
            cause: error.to_string().chars().take(LONGEST).collect(),
        })
}
