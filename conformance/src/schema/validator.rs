//! How plain JSON Schema is compiled: what [`super::writer`] writes.

use jsonschema::{Draft, Keyword, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::document::Decimal;
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
        .build(schema)
        .map_err(|error| Undecided::Unusable {
            cause: error.to_string().chars().take(LONGEST).collect(),
        })
}
