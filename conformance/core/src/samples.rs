//! The documented samples of a document: checked against their own schemas, and paired to cases.
//!
//! Called by the replay run. Samples are named `examples` entries, an unnamed `example`, or, where there is neither, the `example`
//! of a schema. A request sample and the answer with the same name are a pair; see [`pair`] for the other rules. Samples of
//! webhooks and callbacks are checked against their schemas and never sent. Not read: `externalValue` (said as not replayable).

mod collect;
mod encoding;
mod own;
mod pair;
mod recipe;
mod request;

use crate::case::Case;
use crate::document::{Document, Operation};
use crate::finding::Finding;
use crate::schema::Schemas;

pub use collect::media_types;
pub use encoding::of as encodings;
pub use request::template_names;

/// The result of the samples of one operation.
#[derive(Debug, Default)]
pub struct Plan {
    /// The operation as findings name it.
    pub operation: String,
    pub cases: Vec<Case>,
    /// Samples that cannot be replayed, and faults of `x-replay`, as findings.
    pub findings: Vec<Finding>,
    /// How many samples cannot be replayed.
    pub not_replayable: usize,
    /// Whether the document has no sample for the operation at all.
    pub bare: bool,
}

/// The cases of an operation, in a fixed order.
#[must_use]
pub fn plan(document: &Document, operation: &Operation<'_>) -> Plan {
    pair::plan(document, operation)
}

/// Findings of the samples that break their own schemas: of the operations and webhooks that `wanted` picks with their callbacks,
/// and of all schemas when it picks every operation.
#[must_use]
pub fn faults(
    document: &Document,
    schemas: &Schemas<'_>,
    wanted: &dyn Fn(&Operation<'_>) -> bool,
) -> Vec<Finding> {
    own::check(document, schemas, wanted)
}
