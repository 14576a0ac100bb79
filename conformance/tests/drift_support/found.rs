//! Findings as the tests of verdicts read them: the one place that knows how the library says what differs.

use conformance::finding::{Finding, Message, Place, SchemaChange, Severity, Side};
use serde_json::Value;

/// A finding.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    /// JSON pointers.
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
    pub(crate) message: Message,
    pub(crate) witness: Option<Value>,
    pub(crate) proof: Option<Claim>,
}

/// What is claimed of a witness.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) part: String,
    pub(crate) accepted_by: Side,
    /// Where within the witness what matters is.
    pub(crate) at: String,
}

/// Reads a finding.
pub(crate) fn found(finding: &Finding) -> Found {
    let pointer = |place: &Option<Place>| place.as_ref().map(|place| place.pointer.clone());
    Found {
        rule: finding.rule,
        severity: finding.severity,
        old: pointer(&finding.old),
        new: pointer(&finding.new),
        message: finding.message.clone(),
        witness: finding.witness.clone(),
        proof: finding.proof.as_ref().map(|proof| Claim {
            part: proof.part.clone(),
            accepted_by: proof.accepted_by,
            at: proof.at.clone(),
        }),
    }
}

impl Found {
    /// How two schemas differ, where that is what is said.
    pub(crate) fn change(&self) -> Option<&SchemaChange> {
        match &self.message {
            Message::Schema(change) => Some(change),
            _ => None,
        }
    }
}
