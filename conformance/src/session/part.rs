//! The result of one unit of work.

use std::collections::BTreeMap;

use super::template::expand;
use super::{PathValues, Session};
use crate::finding::{Finding, Place, ReplayFault, SentSample, Severity, Tally};

/// Something that a run created and has to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Path template of one thing of the collection.
    pub template: String,
    /// The values of its parameters.
    pub values: PathValues,
}

impl Created {
    /// The path of the thing below the base URL.
    #[must_use]
    pub fn path(&self) -> String {
        expand(&self.template, &self.values)
    }
}

/// What a unit of work found, sent and left behind.
#[derive(Debug, Default)]
pub struct Part {
    /// In the order of the unit.
    pub findings: Vec<Finding>,
    /// The samples that were sent, in order.
    pub sent: Vec<SentSample>,
    /// The statuses of the responses, by operation.
    pub statuses: BTreeMap<usize, Vec<u16>>,
    /// What the unit created and did not delete, the oldest first.
    pub created: Vec<Created>,
    /// Paths of what earlier units created and this one deleted.
    pub deleted: Vec<String>,
    /// How many operations and samples there were.
    pub tally: Tally,
}

impl Part {
    /// Adds a finding about a place of the document, without an exchange.
    pub fn note(
        &mut self,
        session: &Session<'_>,
        rule: &'static str,
        severity: Severity,
        subject: &str,
        at: &str,
        fault: ReplayFault,
    ) {
        self.findings.push(Finding {
            old: Some(Place::of(session.document, at)),
            ..Finding::new(rule, severity, subject, fault)
        });
    }

    /// Appends the result of a unit that comes later in the document.
    pub fn append(&mut self, later: Self) {
        self.findings.extend(later.findings);
        self.sent.extend(later.sent);
        for (operation, statuses) in later.statuses {
            self.statuses.entry(operation).or_default().extend(statuses);
        }
        self.created
            .retain(|created| !later.deleted.contains(&created.path()));
        self.created.extend(later.created);
        self.deleted.extend(later.deleted);
        self.tally.add(later.tally);
    }
}
