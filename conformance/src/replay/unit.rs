//! A unit of work over samples or generated cases: sends them one after the other and keeps what it learns.

use std::collections::HashMap;
use std::sync::Arc;

use super::causes::Causes;
use super::creator::Source;
use super::refusals::Refusal;
use crate::case::key::Part;
use crate::case::{self, Case, Intent};
use crate::exchange::Exchange;
use crate::finding::{
    Failure, Finding, Place, ReplayFault, ReplayStep, SentSample, Severity, Unreplayable,
    Unwritable,
};
use crate::generate::Generator;
use crate::rule::replay as rules;
use crate::session::{self, Created, PathValues, Session};

/// A unit while it runs.
pub(super) struct Unit<'s> {
    pub(super) session: &'s Session<'s>,
    pub(super) part: session::Part,
    /// The things that earlier units created.
    pub(super) kept: &'s [Created],
    /// The things that earlier units could not create.
    pub(super) refused_before: &'s [Refusal],
    pub(super) refusals: Vec<Refusal>,
    /// Values of path parameters that serve several cases: by the path with the parameter, the values before it filled in.
    /// Where there is none, none is looked for again.
    pub(super) reusable: Option<HashMap<String, Option<String>>>,
    /// Findings of generated cases, joined as they come.
    pub(super) causes: Option<Causes>,
    /// The operations that create what a parameter of an operation names, where so many parameters are to its left.
    pub(super) creators: HashMap<(usize, String, usize), Option<(usize, Source)>>,
    /// Generated requests that create things, by operation.
    pub(super) bases: HashMap<usize, Option<Case>>,
    /// How many idempotency keys were used.
    pub(super) keys: u64,
    /// The path of one thing of a collection and its parameter, by the operation that creates.
    pub(super) items: HashMap<usize, Option<(String, String)>>,
}

impl<'s> Unit<'s> {
    pub(super) fn new(
        session: &'s Session<'s>,
        kept: &'s [Created],
        refused_before: &'s [Refusal],
    ) -> Self {
        Self {
            session,
            part: session::Part::default(),
            kept,
            refused_before,
            refusals: Vec::new(),
            reusable: None,
            causes: None,
            creators: HashMap::new(),
            bases: HashMap::new(),
            items: HashMap::new(),
            keys: 0,
        }
    }

    pub(super) fn finish(self) -> (session::Part, Vec<Refusal>) {
        (self.part, self.refusals)
    }

    /// Sends the samples of an operation.
    pub(super) async fn samples(&mut self, index: usize) {
        let session = self.session;
        let plan = &session.plans[index];
        let tally = &mut self.part.tally;
        tally.operations += 1;
        tally.not_replayable += plan.not_replayable;
        let before = (tally.replayed, tally.passed);
        self.part.findings.extend(plan.findings.iter().cloned());
        for case in &plan.cases {
            if session.stopped() {
                session.note_unfinished(index);
                break;
            }
            self.case(index, case).await;
        }
        let bare = plan.bare && session.options.generate.is_none();
        if bare {
            self.part.tally.bare.push(plan.operation.clone());
            let (rule, at) = (
                rules::OPERATION_WITHOUT_SAMPLE,
                &session.operations[index].pointer,
            );
            let fault = ReplayFault::NoSamples;
            self.part
                .note(session, rule, Severity::Info, &plan.operation, at, fault);
        }
        session.tell(ReplayStep::Operation {
            operation: plan.operation.clone(),
            replayed: self.part.tally.replayed - before.0,
            passed: self.part.tally.passed - before.1,
            bare,
        });
    }

    /// A case with an idempotency key of its own, where it has one.
    pub(super) fn keyed(&mut self, index: usize, part: Part, case: &Case) -> Case {
        self.keys += 1;
        let case = self.session.with_key(index, part, self.keys, case);
        self.session.referring(index, case)
    }

    /// Creates what a case needs, sends it, and judges the answer.
    pub(super) async fn case(&mut self, index: usize, case: &Case) {
        let case = &self.keyed(index, Part::Sample, case);
        if let Some(path) = self.prepare(index, case).await {
            let sent = send(self.session, index, case, &path).await;
            self.absorb(index, case, &path, sent);
        }
    }

    /// The path values of a case; none where one is missing, which is noted.
    pub(super) async fn prepare(&mut self, index: usize, case: &Case) -> Option<PathValues> {
        let path = match self.path(index, case).await {
            Ok(path) => path,
            Err(parameter) => {
                self.part.tally.unchecked += 1;
                if let Some(parameter) = parameter {
                    let sample = case.sample.clone();
                    let fault = ReplayFault::Unchecked { sample, parameter };
                    let (rule, severity) = (rules::SAMPLE_UNCHECKED, Severity::Undecided);
                    self.note(rule, severity, case, fault);
                }
                return None;
            }
        };
        self.stock(index, case, &path).await;
        Some(path)
    }

    /// Judges the answer to a case.
    pub(super) fn absorb(
        &mut self,
        index: usize,
        case: &Case,
        path: &PathValues,
        sent: Result<Exchange, Unwritable>,
    ) {
        let exchange = match sent {
            Ok(exchange) => exchange,
            Err(reason) => {
                self.part.tally.not_replayable += 1;
                let fault = ReplayFault::NotReplayable {
                    sample: case.sample.clone(),
                    reason: Unreplayable::Unwritable { reason },
                };
                self.note(rules::SAMPLE_NOT_REPLAYABLE, Severity::Info, case, fault);
                return;
            }
        };
        if exchange.failure == Some(Failure::Interrupted) {
            self.session.note_unfinished(index);
            return;
        }
        let positive = match case.intent {
            Intent::Sample => case.succeeds(),
            Intent::Valid => true,
            // Whether what should be refused, or another method, is accepted says nothing about the operation.
            Intent::Open
            | Intent::Refused(_)
            | Intent::Unreadable
            | Intent::Head
            | Intent::Options => false,
        };
        let observed = self.part.observed.entry(index).or_default();
        let (judge, operation) = (&self.session.judge, &self.session.operations[index]);
        let positive = positive.then_some(|| case.record(path));
        let own = !matches!(
            case.intent,
            Intent::Refused(case::Refusal::Method)
                | Intent::Unreadable
                | Intent::Head
                | Intent::Options
        );
        observed.count(&exchange, own, positive);
        observed.seen.note_values(judge, operation, case, &exchange);
        self.keep_track(index, path, &exchange, case.intent);
        let decoded: PathValues = path
            .iter()
            .map(|(name, value)| (name.clone(), crate::case::serialize::decode(value)))
            .collect();
        let mut findings = match self.session.expects(index, &exchange) {
            true => Vec::new(),
            false => judge.judge(case, &exchange, &decoded),
        };
        // A server may refuse a sample that its own schema does not allow, which is a finding about the document.
        let status = exchange.response.as_ref().map(|response| response.status);
        if case.intent == Intent::Sample
            && status.is_some_and(|status| (400..500).contains(&status))
            && findings
                .iter()
                .any(|one| one.rule == rules::STATUS_AS_SAMPLE)
        {
            let generator = Generator::new(self.session.document, judge.schemas);
            if !generator.is_valid(operation, case) {
                findings.retain(|one| one.rule != rules::STATUS_AS_SAMPLE);
            }
        }
        self.session
            .tell_exchange(index, &case.sample, &exchange, &findings);
        let before = self.part.sent.last().map(|sent| &sent.operation);
        let operation = match before.filter(|name| ***name == *case.operation) {
            Some(name) => Arc::clone(name),
            None => Arc::from(case.operation.as_str()),
        };
        self.part.sent.push(SentSample {
            operation,
            sample: case.sample.as_str().into(),
        });
        self.part.tally.replayed += 1;
        if findings
            .iter()
            .all(|finding| finding.severity > Severity::Undecided)
        {
            self.part.tally.passed += 1;
        }
        for mut finding in findings {
            let prove = |finding: &mut Finding| judge.prove(finding, case, &exchange, &decoded);
            match &mut self.causes {
                Some(causes) => causes.add(self.session, (index, case), &exchange, finding, prove),
                None => {
                    prove(&mut finding);
                    self.part.findings.push(finding);
                }
            }
        }
    }

    fn note(&mut self, rule: &'static str, severity: Severity, case: &Case, fault: ReplayFault) {
        let finding = Finding {
            old: Some(Place::of(self.session.document, &case.at)),
            ..Finding::new(rule, severity, &case.operation, fault)
        };
        match &mut self.causes {
            Some(causes) => causes.add_without_proof(finding),
            None => self.part.findings.push(finding),
        }
    }

    /// Returns the things that earlier units and this one created and did not delete, the oldest first.
    pub(super) fn existing(&self) -> impl DoubleEndedIterator<Item = &Created> {
        let there = |created: &&Created| !self.part.deleted.contains(&created.path());
        self.kept.iter().filter(there).chain(&self.part.created)
    }
}

/// Sends a case whose path is known.
pub(super) async fn send(
    session: &Session<'_>,
    index: usize,
    case: &Case,
    path: &PathValues,
) -> Result<Exchange, Unwritable> {
    let request = session.request(case, path);
    // Where 429 is the documented answer, it is not an answer to wait after.
    if case.expected == "429" {
        session.send_once(Some(index), request).await
    } else {
        session.send(Some(index), request).await
    }
}
