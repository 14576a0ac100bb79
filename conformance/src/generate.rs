//! Generated cases: requests that the document allows, and requests that it does not allow, each with one flaw.
//!
//! Called by the replay run, which sends them after the documented samples. Coverage is deterministic: each constraint of a body and of
//! a parameter just inside and just outside its bound, each required member left out, wrong types, formats and patterns, unknown
//! members where the schema is closed; malformed and missing bodies, wrong content types, missing and wrong credentials, methods that
//! the document does not have. A value counts as invalid only if the validator rejects it, as text where it is sent as text.
//! Not generated: combinations of flaws, flaws of cookies, multipart bodies other than the documented ones.

mod base;
mod parameter;
mod protocol;
mod value;

use std::collections::HashSet;

use crate::case::{Case, Intent};
use crate::document::{Document, Operation};
use crate::schema::Schemas;

/// What cases are made from.
struct Source<'a> {
    document: &'a Document,
    schemas: &'a Schemas<'a>,
    operation: &'a Operation<'a>,
}

/// The generated cases of an operation, at most `limit`, in a fixed order. They start from the first of `samples` that is documented to
/// succeed, or from generated values where there is none.
#[must_use]
pub fn cases(
    document: &Document,
    schemas: &Schemas<'_>,
    operation: &Operation<'_>,
    samples: &[Case],
    limit: usize,
) -> Vec<Case> {
    let source = Source {
        document,
        schemas,
        operation,
    };
    let sample = samples
        .iter()
        .find(|case| case.succeeds() && case.overrides.is_empty() && !case.anonymous);
    let mut all = Vec::new();
    let base = match sample {
        Some(sample) => Case {
            answer: None,
            ..sample.clone()
        },
        None => match source.base() {
            Some(base) => {
                all.push(base.clone());
                base
            }
            None => return all,
        },
    };
    all.extend(source.protocol(&base));
    // The flaws of parameters and of the body by turns, so that a limit leaves some of both.
    let mut bodies = source.bodies(&base).into_iter();
    let mut parameters = source.parameters(&base).into_iter();
    loop {
        let next = [bodies.next(), parameters.next()];
        if next.iter().all(Option::is_none) {
            break;
        }
        all.extend(next.into_iter().flatten());
    }
    let mut seen = HashSet::new();
    all.retain(|case| seen.insert(case.sample.clone()));
    all.truncate(limit);
    all
}

/// A case that is `base` with something changed.
fn derived(base: &Case, name: &str, intent: Intent) -> Case {
    Case {
        sample: format!("{GENERATED}{name}"),
        at: base.pointer.clone(),
        intent,
        ..base.clone()
    }
}

/// What the names of generated cases begin with.
pub const GENERATED: &str = "generated: ";
