//! Creations that did not work: each is told once, with the samples that needed it.

use crate::case::Case;
use crate::exchange::Exchange;
use crate::finding::{
    ExchangeRecord, Finding, Place, ReplayFault, ReplayStep, Severity, StepFailure, Users,
};
use crate::rule::replay as rules;
use crate::session::{Part, PathValues, Session};

/// A creation that did not work, told once.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    /// Index of the operation that should have created.
    pub(super) operation: usize,
    /// The sample that should have created.
    pub(super) sample: Case,
    pub(super) path: PathValues,
    pub(super) reason: StepFailure,
    pub(super) exchange: Option<Exchange>,
    pub(super) used_by: Users,
}

impl Refusal {
    /// Adds a user, once.
    pub(super) fn add(&mut self, user: String) {
        if self.used_by.tree.iter().all(|known| known.subject != user) {
            self.used_by.add(user);
        }
    }
}

/// Adds what later units could not create.
pub(super) fn merge(refusals: &mut Vec<Refusal>, later: Vec<Refusal>) {
    for refusal in later {
        match refusals
            .iter_mut()
            .find(|known| known.operation == refusal.operation)
        {
            Some(known) => {
                let users = refusal.used_by.tree.into_iter();
                users.for_each(|user| known.add(user.subject));
            }
            None => refusals.push(refusal),
        }
    }
}

/// Adds what could not be created to the findings.
pub(super) fn report(session: &Session<'_>, refusals: Vec<Refusal>, result: &mut Part) {
    for refusal in refusals {
        let Refusal {
            sample,
            path,
            reason,
            exchange,
            used_by,
            ..
        } = refusal;
        let samples = used_by.count;
        let case = sample.record(&path);
        let operation = sample.operation;
        session.tell(ReplayStep::NotCreated {
            operation: operation.clone(),
            reason: reason.clone(),
            samples,
        });
        let fault = ReplayFault::NotCreated {
            sample: sample.sample,
            reason,
            samples,
        };
        let rule = rules::RESOURCE_NOT_CREATED;
        result.findings.push(Finding {
            old: Some(Place::of(session.document, &sample.at)),
            exchange: exchange.map(|exchange| ExchangeRecord {
                case: Some(case),
                ..exchange.record(session.judge.secrets)
            }),
            used_by,
            ..Finding::new(rule, Severity::Undecided, operation, fault)
        });
    }
}
