//! The result of one unit of work.

use std::collections::{BTreeMap, HashSet};

use super::template::expand;
use super::{PathValues, Session};
use crate::coverage::Seen;
use crate::exchange::Exchange;
use crate::finding::{
    CaseRecord, Coverage, Finding, Place, ReplayFault, SentSample, Severity, Tally, Unchecked,
};

/// The result of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The base URL that was used.
    pub server: String,
    /// In document order, secrets hidden.
    pub findings: Vec<Finding>,
    /// Operations, samples, resources and requests, by plural noun.
    pub checked: BTreeMap<&'static str, usize>,
    /// The samples and generated requests that were sent, in order.
    pub sent: Vec<SentSample>,
    /// The parts of the document that were exercised and observed.
    pub coverage: Option<Coverage>,
    /// Why there is no result, if so.
    pub unchecked: Option<Unchecked>,
    /// Further notes for the reader: parts that were not reached, things that are left on the server.
    pub notes: Vec<String>,
}

/// Something that a run created and has to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Path template of one thing of the collection.
    pub template: String,
    /// The values of its parameters.
    pub values: PathValues,
    /// The headers of the request that created it, where that had no right credential: the thing may be nobody's.
    pub by: Option<Vec<(String, String)>>,
}

impl Created {
    /// The path of the thing below the base URL.
    #[must_use]
    pub fn path(&self) -> String {
        expand(&self.template, &self.values)
    }
}

/// The observations of an operation.
#[derive(Debug, Default)]
pub struct Observed {
    /// The observations from its exchanges.
    pub seen: Seen,
    /// How many requests that should be accepted were: 2xx or 3xx.
    pub accepted: usize,
    /// The last exchange whose request should have been accepted and was not, and its case.
    pub refusal: Option<Box<(Exchange, CaseRecord)>>,
}

impl Observed {
    /// Counts an exchange. `own` is whether the response is one of the operation, `positive` the case of a request that should be accepted.
    pub fn count(
        &mut self,
        exchange: &Exchange,
        own: bool,
        positive: Option<impl FnOnce() -> CaseRecord>,
    ) {
        self.seen.note(exchange, own);
        let status = exchange.response.as_ref().map(|response| response.status);
        match positive {
            Some(_) if status.is_some_and(|status| (200..400).contains(&status)) => {
                self.accepted += 1;
            }
            Some(case) => self.refusal = Some(Box::new((exchange.clone(), case()))),
            None => {}
        }
    }

    fn add(&mut self, later: Self) {
        self.seen.add(later.seen);
        self.accepted += later.accepted;
        self.refusal = later.refusal.or(self.refusal.take());
    }
}

/// The findings of a unit of work, the samples that it sent, and the things that it left behind.
#[derive(Debug, Default)]
pub struct Part {
    /// In the order of the unit.
    pub findings: Vec<Finding>,
    /// The samples that were sent, in order.
    pub sent: Vec<SentSample>,
    /// The observations of each operation, by its index.
    pub observed: BTreeMap<usize, Observed>,
    /// The things that the unit created and did not delete, the oldest first.
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
        for (operation, observed) in later.observed {
            self.observed.entry(operation).or_default().add(observed);
        }
        if !later.deleted.is_empty() {
            let deleted: HashSet<&String> = later.deleted.iter().collect();
            self.created
                .retain(|created| !deleted.contains(&created.path()));
        }
        self.created.extend(later.created);
        self.deleted.extend(later.deleted);
        self.tally.add(later.tally);
    }
}
