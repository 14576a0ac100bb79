//! What a rule is: a kind of finding with a stable id, a severity and a meaning. The tables stand where the findings are made; see
//! `catalogue` for all of them.

pub mod flows;
pub mod replay;

use crate::finding::Severity;

/// One kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable id in kebab-case.
    pub id: &'static str,
    /// The severity in the usual case.
    pub severity: Severity,
    /// What a finding of this rule says.
    pub meaning: &'static str,
}

/// A rule with the example of it: what the document says, and what comes or stands there.
#[derive(Debug)]
pub struct Shown {
    /// The rule.
    pub rule: Rule,
    /// The documented value.
    pub documented: &'static str,
    /// The actual value.
    pub found: &'static str,
}
