//! Sending the requests of flows and keeping their answers, what was created, and what was found.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use serde_json::Value;

pub(super) use super::call::{Answer, Call, Live, User};

use super::Settings;
use super::body::Bodies;
use super::course::Course;
use super::members::Comparing;
use super::resource::Resource;
use crate::case::key::{Part, is_key};
use crate::case::serialize::{self, decode};
use crate::case::{Case, Intent};
use crate::document::Operation;
use crate::exchange::Exchange;
use crate::finding::{
    CaseRecord, ExchangeRecord, Failure, Finding, FlowFault, FlowPart, Message, NotObserved, Place,
    ReplayStep, SentSample, Severity, StepFailure,
};
use crate::generate::{GENERATED, Generator};
use crate::rule::flows as rules;
use crate::rule::replay as answers;
use crate::samples::{encodings, media_types, template_names};
use crate::session::{Observed, Session};

/// The rules about single answers that hold in flows too; what is sent here may be refused for reasons that no document knows.
const JUDGED: [&str; 7] = [
    answers::ANSWER_COMPLETE,
    answers::NO_SERVER_ERROR,
    answers::STATUS_DOCUMENTED,
    answers::CONTENT_TYPE_DOCUMENTED,
    answers::HEADER_DOCUMENTED,
    answers::BODY_SCHEMA,
    answers::BODY_EMPTY,
];

/// So often it is waited in vain.
pub(super) const PATIENCE: u32 = 3;

/// The run ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stopped;

/// The state of the flows of one run.
pub(super) struct Driver<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) settings: &'a Settings,
    pub(super) resources: &'a [Resource],
    pub(super) bodies: Bodies<'a>,
    pub(super) comparing: Comparing<'a>,
    pub(super) findings: Vec<Finding>,
    pub(super) sent: Vec<SentSample>,
    pub(super) requests: usize,
    /// The observations of each operation.
    pub(super) observed: BTreeMap<usize, Observed>,
    /// The things to delete, the oldest first.
    pub(super) live: Vec<Live>,
    /// A thing of each resource that others are below; none where there is none.
    pub(super) instances: HashMap<usize, Option<Vec<String>>>,
    /// How many bodies were refused before one was accepted, by resource.
    pub(super) refused: HashMap<usize, usize>,
    /// The resources that take each of some values once only.
    pub(super) renewing: HashSet<usize>,
    /// How many things were created.
    pub(super) creations: u64,
    /// How many idempotency keys were used.
    pub(super) keys: u64,
    /// When the last request ended that changes something.
    pub(super) changed: Instant,
    /// The resource whose life it is.
    pub(super) current: Option<usize>,
    /// How much of that life is sent, and which part of it was begun last.
    pub(super) course: Course,
    pub(super) part: Option<FlowPart>,
    /// The exchanges of a sequence that is sent again; none where they are not kept.
    pub(super) trace: Option<Vec<Exchange>>,
    /// How often a change did not show, however long was waited.
    pub(super) in_vain: u32,
    cases: HashMap<usize, Option<Case>>,
    told: HashSet<String>,
}

impl<'a> Driver<'a> {
    pub(super) fn new(
        session: &'a Session<'a>,
        settings: &'a Settings,
        resources: &'a [Resource],
    ) -> Self {
        let schemas = session.judge.schemas;
        Self {
            session,
            settings,
            resources,
            bodies: Bodies {
                document: session.document,
                schemas,
                seed: settings.seed.saturating_sub(1),
            },
            comparing: Comparing::new(schemas),
            findings: Vec::new(),
            sent: Vec::new(),
            requests: 0,
            observed: BTreeMap::new(),
            live: Vec::new(),
            instances: HashMap::new(),
            refused: HashMap::new(),
            renewing: HashSet::new(),
            creations: 0,
            keys: 0,
            changed: Instant::now(),
            current: None,
            course: Course::default(),
            part: None,
            trace: None,
            in_vain: 0,
            cases: HashMap::new(),
            told: HashSet::new(),
        }
    }

    /// Whether there are credentials of a second user.
    pub(super) fn has_second_user(&self) -> bool {
        !self.settings.second.headers.is_empty() || self.session.users().len() > 1
    }

    pub(super) fn operation(&self, index: usize) -> &'a Operation<'a> {
        &self.session.operations[index]
    }

    /// The plain call of an operation: its first successful sample, or generated values; none where neither is possible.
    pub(super) fn case(&mut self, index: usize) -> Option<Case> {
        if let Some(known) = self.cases.get(&index) {
            return known.clone();
        }
        let session = self.session;
        let operation = self.operation(index);
        let samples = session.plans[index].cases.iter();
        let mut samples =
            samples.filter(|case| case.succeeds() && !case.anonymous && case.overrides.is_empty());
        let base = samples.next().cloned().or_else(|| {
            let generator = Generator::new(session.document, session.judge.schemas);
            generator.plain(operation)
        });
        let parameters = operation.parameters(session.document);
        let is_required = |place: &str, name: &str| {
            let text = |value: &Value, member: &str| {
                value.get(member).and_then(Value::as_str).map(str::to_owned)
            };
            let mut own = parameters
                .iter()
                .filter(|one| text(one.value, "in").as_deref() == Some(place));
            own.any(|one| {
                let same = text(one.value, "name").is_some_and(|known| {
                    known.eq_ignore_ascii_case(name) || name.starts_with(&format!("{known}["))
                });
                same && one.value.get("required") == Some(&Value::Bool(true))
            })
        };
        let case = base.map(|mut case| {
            case.query.retain(|(name, _)| is_required("query", name));
            case.headers
                .retain(|(name, _)| is_required("header", name) || name == "Cookie");
            case.sample = format!("{GENERATED}in a flow");
            case.at.clone_from(&case.pointer);
            case.intent = Intent::Valid;
            case.answer = None;
            session.referring(index, case)
        });
        self.cases.insert(index, case.clone());
        case
    }

    /// A call of an operation that needs no body, where nothing else is known of it.
    pub(super) fn bare(&self, index: usize) -> Case {
        let operation = self.operation(index);
        let sample = format!("{GENERATED}in a flow");
        Case {
            intent: Intent::Valid,
            ..Case::new(operation, sample, "2XX")
        }
    }

    /// The path parameters that take the values in order; those that are left have the documented ones.
    fn path(&self, case: &Case, values: &[String]) -> Vec<(String, String)> {
        let names = template_names(&case.template).into_iter().enumerate();
        let literal = |name: &str| {
            case.path
                .iter()
                .find(|known| known.name == name)?
                .literal
                .clone()
        };
        names
            .map(|(index, name)| {
                let value = values
                    .get(index)
                    .cloned()
                    .or_else(|| literal(&name))
                    .unwrap_or_default();
                (name, value)
            })
            .collect()
    }

    /// Sends a request, judges its answer, and keeps the time of changes.
    pub(super) async fn send(&mut self, call: Call) -> Result<Answer, Stopped> {
        if self.session.stopped() {
            return Err(Stopped);
        }
        Ok(self.send_anyway(call).await)
    }

    /// Sends a request although the run may be ending.
    pub(super) async fn send_anyway(&mut self, call: Call) -> Answer {
        let session = self.session;
        let operation = self.operation(call.operation);
        let mut case = self
            .case(call.operation)
            .unwrap_or_else(|| self.bare(call.operation));
        if let Some(body) = &call.body {
            let media = operation.request_body(session.document);
            let media =
                media.and_then(|owner| media_types(session.document, &owner).into_iter().next());
            let written = match (&case.body, media) {
                (Some(known), _)
                    if known
                        .content_type
                        .as_deref()
                        .is_some_and(serialize::is_json) =>
                {
                    serialize::body(
                        known.content_type.as_deref().unwrap_or("application/json"),
                        body,
                        &Default::default(),
                    )
                    .ok()
                }
                (_, Some((name, media))) => {
                    serialize::body(&name, body, &encodings(session.document, &media)).ok()
                }
                _ => serialize::body("application/json", body, &Default::default()).ok(),
            };
            case.body = written.or(case.body);
        }
        let encoded = call
            .query
            .iter()
            .map(|(name, value)| (name.clone(), serialize::encode(value)));
        case.query.extend(encoded);
        for (name, value) in &call.headers {
            case.headers
                .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            case.headers.push((name.clone(), value.clone()));
        }
        if !call.headers.iter().any(|(name, _)| is_key(name)) {
            case = session.with_key(call.operation, Part::Flow, self.keys, &case);
            self.keys += 1;
        }
        let path = self.path(&case, &call.path);
        self.dispatch(call.operation, case, &path, call.url.as_deref(), call.user)
            .await
    }

    /// Sends the request of a case, judges the answer, and counts it.
    pub(super) async fn dispatch(
        &mut self,
        index: usize,
        case: Case,
        path: &[(String, String)],
        url: Option<&str>,
        user: User,
    ) -> Answer {
        let session = self.session;
        let operation = self.operation(index);
        let second = &self.settings.second.headers;
        let by_headers = user == User::Second && !second.is_empty();
        let mut request = match user {
            User::Second if !by_headers => session.request_of(1, &case, path),
            User::First | User::Second => session.request(&case, path),
        };
        if let Some(url) = url {
            url.clone_into(&mut request.url);
        }
        if by_headers {
            let secrets = session.judge.secrets;
            let replaced = |name: &str| {
                secrets.is_credential(name)
                    || second
                        .iter()
                        .any(|(known, _)| known.eq_ignore_ascii_case(name))
            };
            request.headers.retain(|(name, _)| !replaced(name));
            request.headers.extend(second.iter().cloned());
        }
        let sent = request.clone();
        let exchange = match session.send(Some(index), request).await {
            Ok(exchange) => exchange,
            Err(reason) => Exchange {
                request: sent,
                response: None,
                failure: Some(Failure::Broken {
                    cause: reason.to_string(),
                }),
                duration: std::time::Duration::ZERO,
            },
        };
        self.requests += 1;
        let observed = self.observed.entry(index).or_default();
        // A refusal may be right here: the thing was deleted, or belongs to somebody else.
        let is_ok = exchange
            .response
            .as_ref()
            .is_some_and(|response| response.status < 400);
        let accepted = is_ok.then_some(CaseRecord::default);
        observed.count(&exchange, true, accepted);
        let whole = exchange
            .response
            .as_ref()
            .filter(|_| exchange.failure.is_none());
        let answer = Answer {
            status: whole.map_or(0, |response| response.status),
            body: whole.and_then(|response| serde_json::from_slice(&response.body).ok()),
            exchange,
        };
        self.trace(&answer);
        if !matches!(operation.method.as_str(), "GET" | "HEAD") {
            self.changed = Instant::now();
        }
        if user == User::First && url.is_none() {
            let decoded: Vec<(String, String)> = path
                .iter()
                .map(|(name, value)| (name.clone(), decode(value)))
                .collect();
            let mut found = session.judge.judge(&case, &answer.exchange, &decoded);
            found.retain(|finding| JUDGED.contains(&finding.rule));
            session.tell_exchange(index, "flow", &answer.exchange, &found);
            for mut finding in found {
                if !self.is_new(&finding) {
                    continue;
                }
                let judge = &session.judge;
                judge.prove(&mut finding, &case, &answer.exchange, &decoded);
                let rule = finding.rule;
                let exchange = finding.exchange.as_mut();
                if let Some(case) = exchange.and_then(|exchange| exchange.case.as_mut()) {
                    case.flow = Some(self.flow(rule, &answer.exchange));
                }
                self.findings.push(finding);
            }
        } else {
            session.tell_exchange(index, "flow", &answer.exchange, &[]);
        }
        let sample = SentSample {
            operation: operation.subject().into(),
            sample: "flow".into(),
        };
        if !self.sent.contains(&sample) {
            self.sent.push(sample);
        }
        answer
    }

    /// Whether a finding was not found before; from now on it was.
    fn is_new(&mut self, finding: &Finding) -> bool {
        let identity = match &finding.message {
            Message::Flow(fault) => fault.identity().to_string(),
            Message::Replay(fault) => {
                let mut data = serde_json::to_value(fault).unwrap_or_default();
                // Values differ from answer to answer.
                if let Some(violation) = data.pointer_mut("/violation/broken") {
                    *violation = violation.get("kind").cloned().unwrap_or_default();
                }
                data.to_string()
            }
            Message::Schema(_)
            | Message::Document(_)
            | Message::Delivery(_)
            | Message::Receiver(_)
            | Message::Baseline(_) => finding.message.key(),
        };
        self.told
            .insert(format!("{} {} {identity}", finding.rule, finding.subject))
    }

    /// Notes a fault with the severity of its rule.
    pub(super) fn note(
        &mut self,
        rule: &'static str,
        operation: usize,
        fault: FlowFault,
        proof: Option<&Answer>,
    ) {
        let known = rules::ALL.iter().find(|shown| shown.rule.id == rule);
        let severity = known.map_or(Severity::Breaking, |shown| shown.rule.severity);
        self.note_as(rule, severity, operation, fault, proof);
    }

    pub(super) fn note_as(
        &mut self,
        rule: &'static str,
        severity: Severity,
        operation: usize,
        fault: FlowFault,
        proof: Option<&Answer>,
    ) {
        let session = self.session;
        let own = self.operation(operation);
        let mut finding = Finding {
            old: Some(Place::of(session.document, &own.pointer)),
            ..Finding::new(rule, severity, own.subject(), fault)
        };
        if !self.is_new(&finding) {
            return;
        }
        finding.exchange = proof.map(|answer| ExchangeRecord {
            case: Some(CaseRecord {
                sample: "flow".to_owned(),
                at: own.pointer.clone(),
                expected: "2XX".to_owned(),
                intent: Intent::Open.word().to_owned(),
                created: Vec::new(),
                flow: Some(self.flow(rule, &answer.exchange)),
            }),
            ..answer.exchange.record(session.judge.secrets)
        });
        self.findings.push(finding);
    }

    /// Notes that the server refused what a flow depends on.
    pub(super) fn unobserved(&mut self, operation: usize, answer: &Answer) {
        let reason = NotObserved::Refused {
            failure: answer.failure(),
            words: answer.words(),
        };
        self.note(
            rules::FLOW_NOT_OBSERVED,
            operation,
            FlowFault::Unobserved { reason },
            Some(answer),
        );
    }

    /// Deletes what is left of what the run created, the newest first; says what stays.
    pub(super) async fn tidy(&mut self) {
        while let Some(live) = self.live.pop() {
            let resource = &self.resources[live.resource];
            let reason = match resource.delete {
                Some(operation) => {
                    let answer = self.send_anyway(Call::new(operation, &live.path)).await;
                    (!answer.is_ok() && !answer.is_gone()).then(|| answer.failure())
                }
                None => Some(StepFailure::NoOperation),
            };
            if let Some(reason) = reason {
                let template = resource.item.clone();
                let template =
                    template.unwrap_or_else(|| format!("{}/{{id}}", resource.collection));
                let names = template_names(&template).into_iter().zip(live.path);
                let path = names.fold(template, |path, (name, value)| {
                    path.replace(&format!("{{{name}}}"), &value)
                });
                self.session.tell(ReplayStep::Left { path, reason });
            }
        }
    }
}

/// Waits as long as a workflow says before a step is sent again.
#[expect(
    clippy::disallowed_methods,
    reason = "the author of the workflow knows of nothing that could be awaited"
)]
pub(super) async fn pause(seconds: f64) {
    tokio::time::sleep(std::time::Duration::from_secs_f64(seconds)).await;
}

impl Driver<'_> {
    /// Waits before something is asked again, as some servers show a change a moment later. Not any more where the waiting was in vain
    /// several times, and never was of use: then it is the server that is wrong.
    #[expect(
        clippy::disallowed_methods,
        reason = "there is nothing on the server that could be awaited"
    )]
    pub(super) async fn settle(&self, attempt: u32) {
        if self.in_vain < PATIENCE {
            tokio::time::sleep(std::time::Duration::from_millis(100 << attempt)).await;
        }
    }
}
