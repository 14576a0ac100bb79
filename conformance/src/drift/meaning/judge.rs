//! The plain validator: which values a schema accepts.

use jsonschema::{Draft, Validator};
use serde_json::Value;

use super::plain::{self, Swap, Trouble};
use super::source::Source;

/// How much backtracking one pattern may take; a value that needs more is refused.
const BACKTRACKING: usize = 100_000;

/// Formats that are asserted. All others constrain nothing, and a difference in them cannot be decided.
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

/// Formats that say how wide or secret a value is, not which text it admits.
const OPEN: [&str; 7] = [
    "int32", "int64", "float", "double", "password", "byte", "binary",
];

/// Whether values are held to `format`.
pub(super) fn holds(format: &str) -> bool {
    FORMATS.contains(&format)
}

/// Whether it is known what `format` says of values.
pub(in super::super) fn knows_format(format: &str) -> bool {
    holds(format) || OPEN.contains(&format)
}

/// Compiles a plain schema.
///
/// # Errors
/// Says why the schema is none.
pub(super) fn validator(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .with_pattern_options(
            jsonschema::PatternOptions::fancy_regex().backtrack_limit(BACKTRACKING),
        )
        .offline()
        .build(schema)
        .map_err(|error| {
            let text: String = error.to_string().chars().take(120).collect();
            format!(
                "the schema cannot be used: {}",
                text.replace(['\n', '\r'], " ")
            )
        })
}

/// Which of `values` the schema at `at` accepts.
///
/// # Errors
/// Says why it could not be asked.
pub(super) fn accepted(
    source: Source<'_>,
    at: &str,
    values: &[Value],
    swap: Option<&Swap<'_>>,
) -> Result<Vec<bool>, String> {
    if source.is_spent() {
        return Err(Trouble::Spent.to_string());
    }
    let (schema, count) = plain::seen(source, at, values, swap).map_err(|trouble| {
        source.spend(25_000);
        trouble.to_string()
    })?;
    source.spend(count * (10 + values.len()) / 10);
    let validator = validator(&schema)?;
    Ok(values
        .iter()
        .map(|value| validator.is_valid(value))
        .collect())
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dangling(reference) => write!(out, "the reference `{reference}` leads nowhere"),
            Self::Dynamic(reference) => write!(
                out,
                "the dynamic reference `{reference}` may lead to several schemas"
            ),
            Self::Spent => {
                out.write_str("there are too many differences to try values on all of them")
            }
            Self::Large => {
                out.write_str("the schema is too large or nests too deep to be held against values")
            }
        }
    }
}
