//! The plain validator: which values a schema accepts.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::plain::{self, Edits};
use super::source::Source;
use crate::document::pointer;
use crate::finding::Undecided;
use crate::schema::number_format::range;
use crate::schema::validator::{asserts, compile_held};

/// Formats that say how wide or secret a value is, not which text it admits.
const OPEN: [&str; 4] = ["double", "password", "byte", "binary"];

/// Up to which length of its text a schema is small: large documents have the same ones in many places.
const SMALL: usize = 500;

/// How many small schemas are kept compiled.
const KEPT_SMALL: usize = 2_000;

/// How many others are kept, which are asked about again and again while a difference is judged. Keeping more was slower than compiling
/// them again: they fill more memory than the processor's caches hold.
const KEPT_OTHERS: usize = 32;

/// The length of text above which a schema is not kept.
const LONGEST: usize = 16_000;

/// What the validations of one comparison share.
#[derive(Default)]
pub(in super::super) struct Judge {
    /// How many schemas were applied.
    spent: Cell<usize>,
    /// Whether a number was replaced by a stand-in since it was last asked.
    replaced: Cell<bool>,
    kept: RefCell<Kept>,
}

/// Schemas that were compiled, by their text.
#[derive(Default)]
struct Kept {
    small: HashMap<String, Rc<Validator>>,
    /// The one that was used last comes last.
    others: VecDeque<(String, Rc<Validator>)>,
}

impl Kept {
    fn get(&mut self, text: &str) -> Option<Rc<Validator>> {
        if text.len() <= SMALL {
            return self.small.get(text).cloned();
        }
        let place = self.others.iter().rposition(|(known, _)| known == text)?;
        let found = self.others.remove(place)?;
        let validator = found.1.clone();
        self.others.push_back(found);
        Some(validator)
    }

    fn keep(&mut self, text: String, validator: Rc<Validator>) {
        if text.len() > LONGEST {
            return;
        }
        if text.len() > SMALL {
            if self.others.len() == KEPT_OTHERS {
                self.others.pop_front();
            }
            self.others.push_back((text, validator));
        } else {
            if self.small.len() == KEPT_SMALL {
                self.small.clear();
            }
            self.small.insert(text, validator);
        }
    }
}

impl Judge {
    /// The effort spent so far, as the number of schemas applied.
    pub(super) fn spent(&self) -> usize {
        self.spent.get()
    }

    /// Counts the schemas that a validation applies.
    pub(super) fn spend(&self, count: usize) {
        self.spent.set(self.spent.get().saturating_add(count));
    }

    /// Notes that a number was replaced by a stand-in.
    pub(super) fn replace(&self) {
        self.replaced.set(true);
    }

    /// Returns whether a number was replaced since the last call.
    pub(super) fn take_replaced(&self) -> bool {
        self.replaced.take()
    }

    fn compiled(&self, schema: Value) -> Result<Rc<Validator>, Undecided> {
        let text = schema.to_string();
        let known = self.kept.borrow_mut().get(&text);
        if let Some(known) = known {
            return Ok(known);
        }
        let validator = Rc::new(compile_held(schema)?);
        self.kept.borrow_mut().keep(text, validator.clone());
        Ok(validator)
    }
}

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
    let validator = source.judge.compiled(schema)?;
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
    let validator = source.judge.compiled(schema)?;
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
