//! One fault of a value: how it violates a schema, and where that schema says so.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use super::Subschemas;
use super::writer::Written;
use crate::document::keyword::{Holds, holds};
use crate::document::pointer;
use crate::finding::{Broken, Violation};

/// How a value violates a schema, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The fault.
    pub violation: Violation,
    /// Pointer of the keyword in the document.
    pub schema: String,
}

impl Fault {
    /// A text that stands for no value of the types.
    pub(super) fn of_type(schema: &str, text: &str, types: Vec<String>) -> Self {
        Self {
            violation: Violation {
                at: String::new(),
                keyword: "type".to_owned(),
                broken: Broken::Value {
                    expected: Some(Value::from(types)),
                    found: Value::from(text),
                },
            },
            schema: pointer::join(schema, "type"),
        }
    }
}

/// Appends the faults behind an error. Of `anyOf` and `oneOf` those of the branch that fits best are told, where one does.
pub(super) fn flatten(
    error: &ValidationError<'_>,
    subschemas: Subschemas<'_>,
    written: &Written,
    faults: &mut Vec<Fault>,
) {
    let at = error.instance_path().as_str();
    let schema = written.origin(error.schema_path().as_str());
    let keyword = match written.is_number_format(&schema) {
        true => "format",
        false => error.kind().keyword(),
    };
    let fault = |at: String, broken: Broken| Fault {
        violation: Violation {
            at,
            keyword: keyword.to_owned(),
            broken,
        },
        schema: schema.clone(),
    };
    let here = |broken: Broken| fault(at.to_owned(), broken);
    match error.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => match best(context, at) {
            Some(branch) => {
                for inner in branch {
                    flatten(inner, subschemas, written, faults);
                }
            }
            None => faults.push(here(Broken::Alternatives { several: false })),
        },
        Kind::OneOfMultipleValid { .. } => {
            faults.push(here(Broken::Alternatives { several: true }));
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            faults.extend(unexpected.iter().map(|name| {
                let broken = Broken::Unexpected { name: name.clone() };
                fault(pointer::join(at, name), broken)
            }));
        }
        Kind::PropertyNames { error } => faults.push(here(Broken::Unexpected {
            name: error.instance().as_str().unwrap_or_default().to_owned(),
        })),
        Kind::Required { property } => faults.push(here(Broken::Missing {
            name: property.as_str().unwrap_or_default().to_owned(),
        })),
        _ => {
            let said = subschemas.at(&schema);
            let said = said.filter(|_| holds(keyword) == Holds::Data);
            faults.push(here(Broken::Value {
                expected: said.cloned(),
                found: error.instance().clone().into_owned(),
            }));
        }
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
