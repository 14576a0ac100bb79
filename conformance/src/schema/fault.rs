//! One fault of a value: where in the value, which keyword of which schema.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use super::writer::Written;
use crate::document::pointer;

/// Longest message that is kept, in characters.
const MESSAGE_LIMIT: usize = 300;

/// What is wrong with a value, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Pointer into the value.
    pub at: String,
    pub keyword: String,
    pub message: String,
    /// Pointer of the keyword in the document.
    pub schema: String,
    /// The member that `required` misses.
    pub missing: Option<String>,
}

/// Appends the faults behind an error. Of `anyOf` and `oneOf` those of the branch that fits best are told, where one does.
pub(super) fn flatten(error: &ValidationError<'_>, written: &Written, faults: &mut Vec<Fault>) {
    let at = error.instance_path().as_str().to_owned();
    let fault = |at: String, message: String, missing: Option<String>| Fault {
        at,
        keyword: error.kind().keyword().to_owned(),
        message: shorten(&message),
        schema: written.origin(error.schema_path().as_str()),
        missing,
    };
    match error.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context }
            if best(context, &at).is_some() =>
        {
            for inner in best(context, &at).into_iter().flatten() {
                flatten(inner, written, faults);
            }
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            faults.extend(unexpected.iter().map(|member| {
                fault(
                    pointer::join(&at, member),
                    format!("member `{member}` is not allowed by the schema"),
                    None,
                )
            }));
        }
        Kind::Required { property } => {
            let member = property.as_str().unwrap_or_default().to_owned();
            faults.push(fault(
                at,
                format!("required member `{member}` is missing"),
                Some(member),
            ));
        }
        _ => faults.push(fault(at, error.to_string(), None)),
    }
}

/// The branch whose faults lie deepest and are fewest; none when two branches fit equally well.
/// A branch that already refuses the type of the whole value fits worst.
fn best<'a>(
    context: &'a [Vec<ValidationError<'static>>],
    at: &str,
) -> Option<&'a [ValidationError<'static>]> {
    let rank = |branch: &[ValidationError<'static>]| {
        let refused = branch.iter().any(|error| {
            error.instance_path().as_str() == at
                && matches!(
                    error.kind(),
                    Kind::Type { .. } | Kind::Constant { .. } | Kind::FalseSchema
                )
        });
        let depth = branch
            .iter()
            .map(|error| error.instance_path().segments().count())
            .max()
            .unwrap_or(0);
        (refused, branch.len(), usize::MAX - depth)
    };
    let mut ranked: Vec<_> = context
        .iter()
        .filter(|branch| !branch.is_empty())
        .map(|branch| (rank(branch), branch))
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    match ranked.as_slice() {
        [(_, only)] => Some(only.as_slice()),
        [(first, best), (second, _), ..] if first < second => Some(best.as_slice()),
        _ => None,
    }
}

/// A message that fits into a report.
pub fn shorten(message: &str) -> String {
    if message.chars().count() <= MESSAGE_LIMIT {
        return message.to_owned();
    }
    let kept: String = message.chars().take(MESSAGE_LIMIT / 2).collect();
    let tail: Vec<char> = message.chars().rev().take(MESSAGE_LIMIT / 2 - 5).collect();
    format!("{kept} ... {}", tail.into_iter().rev().collect::<String>())
}

impl Fault {
    /// A fault that no validator found.
    pub(super) fn of_type(schema: &str, text: &str, expected: &[String]) -> Self {
        Self {
            at: String::new(),
            keyword: "type".to_owned(),
            message: shorten(&format!(
                "{} is not of type {}",
                Value::from(text),
                expected.join(" or ")
            )),
            schema: pointer::join(schema, "type"),
            missing: None,
        }
    }
}
