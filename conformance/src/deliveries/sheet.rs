//! The findings of a run: equal ones are counted and not repeated.

use std::collections::BTreeMap;

use crate::finding::{Finding, Message};

/// The findings so far.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) findings: Vec<Finding>,
    seen: BTreeMap<String, usize>,
}

impl Sheet {
    pub(super) fn add(&mut self, finding: Finding) {
        let identity = match &finding.message {
            Message::Delivery(fault) => fault.identity().to_string(),
            other => other.key(),
        };
        let key = format!("{}\n{}\n{identity}", finding.rule, finding.subject);
        match self.seen.get(&key) {
            Some(&known) => self.findings[known].cases += 1,
            None => {
                self.seen.insert(key, self.findings.len());
                self.findings.push(finding);
            }
        }
    }
}
