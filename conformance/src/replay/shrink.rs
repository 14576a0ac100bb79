//! Shrinking: the request of a finding is made as small as it can be while the answer still breaks the same rule at the same place.
//!
//! Parameters, headers, members and list items are left out, texts and numbers are made short, one after the other, and each such request is
//! sent. Fields of forms are left out and shortened likewise; any other body is cut. The order does not depend on the answers of other
//! findings, and the number of requests is limited as well as the time. So the same server gives the same requests, unless it is slow.
//! Sequences are made shorter as a whole: see [`sequence`]. Not made smaller: samples that are judged as such, and requests that are
//! answered late.

mod content;
mod edit;
mod sequence;

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use tokio::time::Instant;

use super::again::{Again, Answered, Revived, revive, signature};
use super::causes;
use crate::case::serialize::is_json;
use crate::case::{Intent, Refusal};
use crate::finding::{CaseRecord, Failure, Finding, Message, ReplayFault};
use crate::flows;
use crate::generate::{Generator, Sent};
use crate::rule::replay as rules;
use crate::session::{Created, PathValues, Session};

use edit::Edits;

/// Most requests for one finding.
const REQUESTS: usize = 120;
/// The same where the server sends more than is read.
const LARGE_REQUESTS: usize = 20;

/// Rules whose findings are about a sample, a whole operation, or time.
const LEFT_ALONE: [&str; 6] = [
    rules::STATUS_AS_SAMPLE,
    rules::SAMPLE_MEMBERS,
    rules::SAMPLE_VALUES,
    rules::NEVER_ACCEPTED,
    rules::RESOURCE_NOT_CREATED,
    rules::RESPONSE_TIME,
];

/// Makes the requests of findings smaller for at most `time` in all. Returns what that created on the server.
pub(super) async fn run(
    session: &Session<'_>,
    findings: &mut Vec<Finding>,
    time: Duration,
) -> Vec<Created> {
    let mut budget = Budget::of(time);
    let mut again = Again::new(session);
    let generator = Generator::new(session.document, session.judge.schemas);
    let resources = flows::selected(session);
    // Sequences first: there are few, and their requests say least on their own.
    for finding in &mut *findings {
        let exchange = finding.exchange.as_ref();
        let flow = exchange.and_then(|exchange| exchange.case.as_ref()?.flow.clone());
        if let Some(flow) = flow {
            sequence::run(session, finding, &flow, &resources, &mut budget).await;
        }
    }
    for finding in &mut *findings {
        if session.stopped() || budget.is_spent() {
            break;
        }
        if let Some(smaller) = Shrinking::of(session, &generator, finding) {
            smaller.run(&mut again, finding, &mut budget).await;
        }
    }
    merge(findings);
    again.into_created()
}

/// What all findings together may cost: the time, and one request for each millisecond of it. A server on the same machine answers faster
/// than that, so the number of requests ends the work there, and the result does not depend on the speed of the machine.
struct Budget {
    deadline: Instant,
    /// Requests that may still be sent.
    requests: usize,
}

impl Budget {
    fn of(time: Duration) -> Self {
        Self {
            deadline: Instant::now() + time,
            requests: usize::try_from(time.as_millis()).unwrap_or(usize::MAX),
        }
    }

    fn is_spent(&self) -> bool {
        !self.allows(Duration::ZERO)
    }

    /// Whether a request that takes this long can be sent.
    fn allows(&self, patience: Duration) -> bool {
        self.requests > 0 && Instant::now() + patience < self.deadline
    }

    fn spend(&mut self, requests: usize) {
        self.requests = self.requests.saturating_sub(requests);
    }
}

/// Joins findings that turned out to be one: the same rule is broken in the same way by the same request.
fn merge(findings: &mut Vec<Finding>) {
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings.drain(..) {
        let smallest = finding
            .exchange
            .as_ref()
            .filter(|_| finding.original.is_some());
        let key = smallest.map(|exchange| format!("{}\n{}", signature(&finding), exchange.request));
        match key.as_ref().and_then(|key| known.get(key)) {
            Some(&same) => kept[same].cases += finding.cases,
            None => {
                known.extend(key.map(|key| (key, kept.len())));
                kept.push(finding);
            }
        }
    }
    *findings = kept;
}

/// What two answers have in common that show one fault in the same way.
#[derive(PartialEq)]
struct Shown {
    status: Option<u16>,
    /// The kind of failure.
    failure: Option<Discriminant<Failure>>,
}

/// A request that is made smaller.
struct Shrinking<'s> {
    session: &'s Session<'s>,
    generator: &'s Generator<'s>,
    record: CaseRecord,
    smallest: Revived,
    /// The signature that the answer has to show.
    signature: String,
    /// The flaw of the request that the document does not allow, where the finding is about it.
    flaw: Option<Option<String>>,
    /// How long each request takes, where it takes all of its time.
    patience: Duration,
    requests: usize,
}

impl<'s> Shrinking<'s> {
    fn of(
        session: &'s Session<'s>,
        generator: &'s Generator<'s>,
        finding: &Finding,
    ) -> Option<Self> {
        let exchange = finding.exchange.as_ref()?;
        let record = exchange.case.clone()?;
        if record.flow.is_some() || LEFT_ALONE.contains(&finding.rule) {
            return None;
        }
        let base = &session.base;
        let mut revived = revive(session, base, &finding.subject, &exchange.sent, &record).ok()?;
        let intent = &mut revived.case.intent;
        // Whether the request is allowed matters only where that is what is wrong.
        *intent = match *intent {
            Intent::Valid
                if [rules::VALID_ACCEPTED, rules::NO_SERVER_ERROR].contains(&finding.rule) =>
            {
                Intent::Valid
            }
            Intent::Refused(Refusal::Invalid) if finding.rule == rules::INVALID_REFUSED => *intent,
            Intent::Sample | Intent::Valid | Intent::Refused(Refusal::Invalid) => Intent::Open,
            other => other,
        };
        revived.case.answer = None;
        let mut shrinking = Self {
            session,
            generator,
            record,
            smallest: revived.clone(),
            signature: signature(finding),
            flaw: None,
            patience: match finding.message {
                Message::Replay(ReplayFault::NoResponse {
                    failure: Failure::Timeout { seconds },
                    ..
                }) => Duration::from_secs_f64(seconds),
                _ => Duration::ZERO,
            },
            requests: 0,
        };
        if matches!(
            revived.case.intent,
            Intent::Valid | Intent::Refused(Refusal::Invalid)
        ) {
            shrinking.flaw = Some(shrinking.flaw_of(&mut revived));
        }
        shrinking.smallest = revived;
        Some(shrinking)
    }

    /// What the document does not allow of a request. Reads the value of its body, where that is a form.
    fn flaw_of(&self, revived: &mut Revived) -> Option<String> {
        let operation = &self.session.operations[revived.operation];
        let case = &mut revived.case;
        if let Some(body) = &mut case.body
            && body.value.is_none()
        {
            body.value = self.generator.value_of(operation, body);
        }
        let path: PathValues = case
            .path
            .iter()
            .filter_map(|value| Some((value.name.clone(), value.literal.clone()?)))
            .collect();
        let sent = Sent {
            path: &path,
            query: &case.query,
            headers: &case.headers,
            body: case.body.as_ref(),
        };
        let flaw = self.generator.flaw(operation, sent)?;
        let broken = causes::ignored(self.session, operation, case).unwrap_or_default();
        Some(format!("{flaw}\n{broken}"))
    }

    async fn run(mut self, again: &mut Again<'_>, finding: &mut Finding, budget: &mut Budget) {
        if !budget.allows(self.patience) {
            return;
        }
        let Ok(path) = again.prepare(&self.smallest).await else {
            return;
        };
        let start = self.smallest.clone();
        budget.spend(1);
        let Some((shown, first)) = self.shows(again, &start, &path, None).await else {
            return;
        };
        let most = match first.exchange.failure {
            Some(Failure::TooLarge { .. }) => LARGE_REQUESTS,
            _ => REQUESTS,
        };
        let mut last = None;
        let mut edits = Edits::new(self.flaw.is_some() && !is_unreadable(&start));
        while self.requests < most && budget.allows(self.patience) && !self.session.stopped() {
            let Some(mut smaller) = edits.next(self.session, &self.smallest) else {
                break;
            };
            if self.flaw.is_some() && self.flaw != Some(self.flaw_of(&mut smaller)) {
                continue;
            }
            let path = match smaller.case.method.as_str() {
                "DELETE" => again.prepare(&smaller).await.ok(),
                _ => Some(path.clone()),
            };
            let Some(path) = path else { break };
            budget.spend(1);
            if let Some((_, answered)) = self.shows(again, &smaller, &path, Some(&shown)).await {
                self.smallest = smaller;
                last = Some(answered);
                edits.stay();
            }
        }
        let Some(answered) = last else { return };
        let mut exchange = answered.exchange.record(self.session.judge.secrets);
        exchange.case = Some(CaseRecord {
            intent: self.smallest.case.intent.word().to_owned(),
            ..self.record
        });
        finding.original = finding.exchange.replace(exchange).map(Box::new);
    }

    /// What the answer is like, and the answer, where it shows the same fault.
    async fn shows(
        &mut self,
        again: &mut Again<'_>,
        revived: &Revived,
        path: &PathValues,
        before: Option<&Shown>,
    ) -> Option<(Shown, Answered)> {
        self.requests += 1;
        let answered = again.send_to(revived, path.clone()).await.ok()?;
        let response = answered.exchange.response.as_ref();
        let shown = Shown {
            status: response.map(|response| response.status),
            failure: answered.exchange.failure.as_ref().map(discriminant),
        };
        let is_same = answered
            .findings
            .iter()
            .any(|finding| signature(finding) == self.signature);
        (is_same && before.is_none_or(|before| *before == shown)).then_some((shown, answered))
    }
}

/// Whether a request is about a body in JSON that cannot be read: any such body is as good as another.
fn is_unreadable(revived: &Revived) -> bool {
    let body = revived.case.body.as_ref();
    body.is_some_and(|body| {
        let content_type = body.content_type.as_deref().unwrap_or_default();
        body.value.is_none() && is_json(content_type)
    })
}
