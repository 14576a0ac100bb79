//! The plain validator: which values a schema accepts.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::plain::{self, Edits};
use super::source::Source;
use crate::document::pointer;
use crate::finding::Undecided;
use crate::schema::number_format::range;
use crate::schema::validator::{asserts, compile_held};

/// Formats that say how wide or secret a value is, not which text it admits.
const OPEN: [&str; 4] = ["double", "password", "byte", "binary"];

/// Whether it is known what `format` says of values.
pub(in super::super) fn knows_format(format: &str) -> bool {
    enforces_format(format) || OPEN.contains(&format)
}

/// Whether values are held to `format`, be they texts or numbers.
pub(in super::super) fn enforces_format(format: &str) -> bool {
    asserts(format) || range(format).is_some()
}

/// Which of `values` the schema at `at` accepts, with `edits` applied to it.
///
/// # Errors
/// Says why it could not be asked.
pub(super) fn accepted<'a>(
    source: &Source<'a>,
    at: &str,
    values: &[Value],
    edits: Option<Edits<'_, 'a>>,
) -> Result<Vec<bool>, Undecided> {
    let (schema, count) = plain::seen(source, at, values, edits)?;
    source.spend(count * (1 + values.len() / 8));
    let validator = compile_held(schema)?;
    Ok(values
        .iter()
        .map(|value| validator.is_valid(value))
        .collect())
}

/// Which of `values` the schema at `at` rejects because of what they have, or lack, as the member `name`.
///
/// # Errors
/// Says why it could not be asked.
pub(super) fn rejected_for(
    source: &Source<'_>,
    at: &str,
    values: &[Value],
    name: &str,
) -> Result<Vec<bool>, Undecided> {
    let (schema, _) = plain::seen(source, at, values, None)?;
    let validator = compile_held(schema)?;
    let prefix = pointer::join("", name);
    let is_about = |error: &ValidationError<'_>| {
        let at = error.instance_path().as_str();
        let inside = at
            .strip_prefix(&prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        inside
            || match error.kind() {
                ValidationErrorKind::Required { property } => at.is_empty() && property == name,
                ValidationErrorKind::AdditionalProperties { unexpected }
                | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                    at.is_empty() && unexpected.iter().any(|one| one == name)
                }
                _ => false,
            }
    };
    let rejected = |value| validator.iter_errors(value).any(|error| is_about(&error));
    Ok(values.iter().map(rejected).collect())
}
