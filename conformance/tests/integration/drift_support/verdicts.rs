//! Findings without their places and words.

use conformance::finding::{Finding, Severity};

/// The severities and rules of findings, sorted.
pub(crate) fn verdicts(findings: &[Finding]) -> Vec<(Severity, &'static str)> {
    let mut all: Vec<_> = findings
        .iter()
        .map(|finding| (finding.severity, finding.rule))
        .collect();
    all.sort();
    all
}
