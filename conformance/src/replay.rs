//! The replay run: holds samples against their schemas, creates what is needed, sends every sample, judges, cleans up.
//!
//! Called by the command line. One request after the other, operations in document order, so that the same document and server give
//! the same findings in the same order. Not done: servers of single paths or operations, OAuth flows, unique values (a server that
//! refuses the same body twice is served with what the run created before).

mod base;
mod create;
mod identity;
mod keep;
mod options;
mod template;

use std::collections::{BTreeMap, HashMap, HashSet};

use thiserror::Error;

use crate::case::Case;
use crate::check::Judge;
use crate::document::{Document, Operation};
use crate::exchange::{Client, Exchange, Request, Secrets, SendError, USER_AGENT};
use crate::finding::{
    Failure, Finding, Message, Place, ReplayFault, ReplayStep, SentSample, Severity, Tally,
    Unchecked, Unreplayable, Unwritable,
};
use crate::generate;
use crate::rule::replay as rules;
use crate::samples::{self, Plan};
use crate::schema::Schemas;

pub(crate) use options::header;
pub use options::{Generate, Options};

use create::Refusal;
use keep::Created;

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The base URL that was used.
    pub server: String,
    /// In document order, secrets hidden.
    pub findings: Vec<Finding>,
    /// Operations and samples, by plural noun.
    pub checked: BTreeMap<&'static str, usize>,
    /// The samples that were sent, in order.
    pub sent: Vec<SentSample>,
    /// Why there is no result, if no sample was sent.
    pub unchecked: Option<Unchecked>,
}

/// The server could not be checked at all.
#[derive(Debug, Error)]
pub enum ReplayError {
    #[error("--server {url}: {problem}")]
    Server { url: String, problem: String },
    #[error("--header {name}: {problem}")]
    Header { name: String, problem: String },
    #[error(
        "{url} does not answer: {cause}; check that the server runs there and that --server names it"
    )]
    Unreachable { url: String, cause: String },
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Replays the samples of a document against a server.
///
/// # Errors
/// When the server's URL or a header cannot be used, or when nothing answers at the first contact.
pub async fn run(
    options: &Options,
    document: &Document,
    progress: &mut dyn FnMut(ReplayStep),
) -> Result<Outcome, ReplayError> {
    options.check()?;
    let base = base::url(&options.server, document)?;
    progress(ReplayStep::Started { url: base.clone() });
    let secrets = Secrets::new(document, &options.headers, options.show_secrets);
    let schemas = Schemas::new(document);
    let operations = document.operations();
    let selection = options.selection();
    let wanted: Vec<bool> = operations
        .iter()
        .map(|operation| selection.selects(operation))
        .collect();
    let safe = options.generate.is_some_and(|generate| generate.safe);
    let plan = |operation: &Operation<'_>| {
        let mut plan = samples::plan(document, operation);
        plan.cases.retain(|case| !safe || case.method == "GET");
        plan
    };
    let plans: Vec<Plan> = operations.iter().map(plan).collect();
    let mut run = Run {
        document,
        options,
        base,
        operations: &operations,
        plans: &plans,
        judge: Judge {
            document,
            schemas: &schemas,
            secrets: &secrets,
        },
        client: Client::new(options.timeout())?,
        progress,
        reached: false,
        findings: samples::faults(document, &schemas, &|operation| {
            selection.selects(operation)
        }),
        sent: Vec::new(),
        statuses: BTreeMap::new(),
        created: Vec::new(),
        refusals: Vec::new(),
        tally: Tally::default(),
    };
    let chosen = || wanted.iter().enumerate().filter(|(_, wanted)| **wanted);
    for (index, _) in chosen() {
        run.operation(index).await?;
    }
    // Afterwards, as what a server makes of them may show in the answers to samples.
    if let Some(generate) = &options.generate {
        for (index, _) in chosen() {
            run.generated(index, generate).await?;
        }
    }
    run.clean_up().await;
    run.report_refusals();
    Ok(run.finish(&secrets))
}

struct Run<'a> {
    document: &'a Document,
    options: &'a Options,
    base: String,
    operations: &'a [Operation<'a>],
    plans: &'a [Plan],
    judge: Judge<'a>,
    client: Client,
    progress: &'a mut dyn FnMut(ReplayStep),
    /// Whether the server was ever connected to.
    reached: bool,
    findings: Vec<Finding>,
    sent: Vec<SentSample>,
    /// The statuses of the responses, by operation.
    statuses: BTreeMap<usize, Vec<u16>>,
    created: Vec<Created>,
    refusals: Vec<Refusal>,
    tally: Tally,
}

/// What tells one cause from another: all but the case that showed it, unless the finding is about that very case.
fn cause(finding: &Finding) -> (&'static str, Option<String>, String) {
    let Message::Replay(fault) = &finding.message else {
        return (finding.rule, None, String::new());
    };
    let own = matches!(
        fault,
        ReplayFault::NotRefused { .. } | ReplayFault::NotAccepted { .. }
    );
    let mut data = serde_json::to_value(fault).unwrap_or_default();
    if let Some(data) = data.as_object_mut().filter(|_| !own) {
        data.shift_remove("sample");
    }
    let place = finding.old.as_ref().map(|place| place.pointer.clone());
    (finding.rule, place, data.to_string())
}

/// Path parameters with their values as they stand in the URL, percent-encoded.
type PathValues = Vec<(String, String)>;

impl Run<'_> {
    async fn operation(&mut self, index: usize) -> Result<(), ReplayError> {
        let plan = &self.plans[index];
        self.tally.operations += 1;
        self.tally.not_replayable += plan.not_replayable;
        self.findings.extend(plan.findings.iter().cloned());
        let before = (self.tally.replayed, self.tally.passed);
        for case in &plan.cases {
            self.case(index, case).await?;
        }
        if plan.bare && self.options.generate.is_none() {
            self.tally.bare.push(plan.operation.clone());
            let at = &self.operations[index].pointer;
            self.note(
                rules::OPERATION_WITHOUT_SAMPLE,
                Severity::Info,
                &plan.operation,
                at,
                ReplayFault::NoSamples,
            );
        }
        (self.progress)(ReplayStep::Operation {
            operation: plan.operation.clone(),
            replayed: self.tally.replayed - before.0,
            passed: self.tally.passed - before.1,
            bare: plan.bare && self.options.generate.is_none(),
        });
        Ok(())
    }

    /// Sends the generated requests of an operation.
    async fn generated(&mut self, index: usize, generate: &Generate) -> Result<(), ReplayError> {
        let (operation, plan) = (&self.operations[index], &self.plans[index]);
        let schemas = self.judge.schemas;
        let mut cases = generate::cases(
            self.document,
            schemas,
            operation,
            &plan.cases,
            generate.max_cases,
        );
        cases.retain(|case| !generate.safe || case.method == "GET");
        let (before, first) = (self.tally.clone(), self.findings.len());
        for case in &cases {
            self.case(index, case).await?;
        }
        let mut seen = HashSet::new();
        let told = self.findings.split_off(first).into_iter();
        let told = told.filter(|finding| seen.insert(cause(finding)));
        self.findings.extend(told);
        let sent = self.tally.replayed - before.replayed;
        let passed = self.tally.passed - before.passed;
        let statuses = self.statuses.entry(index).or_default();
        let accepted = |status: &u16| (200..400).contains(status);
        if !statuses.is_empty() && !statuses.iter().any(accepted) {
            let fault = ReplayFault::NeverAccepted {
                requests: statuses.len(),
                last: statuses.last().copied(),
            };
            let (rule, subject) = (rules::NEVER_ACCEPTED, operation.subject());
            self.note(
                rule,
                Severity::Undecided,
                &subject,
                &operation.pointer,
                fault,
            );
        }
        self.tally = Tally {
            generated: before.generated + sent,
            generated_passed: before.generated_passed + passed,
            ..before
        };
        (self.progress)(ReplayStep::Generated {
            operation: operation.subject(),
            sent,
            passed,
        });
        Ok(())
    }

    async fn case(&mut self, index: usize, case: &Case) -> Result<(), ReplayError> {
        let path = match self.path(index, case).await? {
            Ok(path) => path,
            Err(parameter) => {
                self.tally.unchecked += 1;
                if let Some(parameter) = parameter {
                    let sample = case.sample.clone();
                    let fault = ReplayFault::Unchecked { sample, parameter };
                    let rule = rules::SAMPLE_UNCHECKED;
                    self.note(rule, Severity::Undecided, &case.operation, &case.at, fault);
                }
                return Ok(());
            }
        };
        self.stock(index, case, &path).await?;
        let exchange = match self.send(self.request(case, &path)).await? {
            Ok(exchange) => exchange,
            Err(reason) => {
                self.tally.not_replayable += 1;
                let fault = ReplayFault::NotReplayable {
                    sample: case.sample.clone(),
                    reason: Unreplayable::Unwritable { reason },
                };
                let rule = rules::SAMPLE_NOT_REPLAYABLE;
                self.note(rule, Severity::Info, &case.operation, &case.at, fault);
                return Ok(());
            }
        };
        let statuses = self.statuses.entry(index).or_default();
        statuses.extend(exchange.response.iter().map(|response| response.status));
        self.keep_track(index, &path, &exchange);
        let decoded: PathValues = path
            .iter()
            .map(|(name, value)| (name.clone(), crate::case::serialize::decode(value)))
            .collect();
        let findings = self.judge.judge(case, &exchange, &decoded);
        self.sent.push(SentSample {
            operation: case.operation.clone(),
            sample: case.sample.clone(),
        });
        self.tally.replayed += 1;
        if findings
            .iter()
            .all(|finding| finding.severity > Severity::Undecided)
        {
            self.tally.passed += 1;
        }
        self.findings.extend(findings);
        Ok(())
    }

    /// Sends a request; `Err` in the middle when it cannot be written as HTTP.
    async fn send(
        &mut self,
        request: Request,
    ) -> Result<Result<Exchange, Unwritable>, ReplayError> {
        let exchange = match self.client.send(request).await {
            Ok(exchange) => exchange,
            Err(SendError::Unwritable(reason)) => return Ok(Err(reason)),
            Err(error) => return Err(error.into()),
        };
        match &exchange.failure {
            Some(Failure::Connect { cause }) if !self.reached => Err(ReplayError::Unreachable {
                url: self.base.clone(),
                cause: cause.clone(),
            }),
            Some(Failure::Connect { .. }) => Ok(Ok(exchange)),
            _ => {
                self.reached = true;
                Ok(Ok(exchange))
            }
        }
    }

    /// The request of a case: the document's headers, replaced by those of the command line, replaced by those of `x-replay`.
    fn request(&self, case: &Case, path: &[(String, String)]) -> Request {
        // Without its slash a path could change the host.
        let target = template::expand(&case.template, path);
        let slash = if target.starts_with('/') { "" } else { "/" };
        let mut url = format!("{}{slash}{target}", self.base);
        let secrets = self.judge.secrets;
        let query: Vec<(String, String)> = case
            .query
            .iter()
            .filter(|(name, _)| !case.anonymous || !secrets.is_credential_query(name))
            .cloned()
            .collect();
        if !query.is_empty() {
            url = format!("{url}?{}", crate::case::serialize::query_string(&query));
        }
        let mut headers = vec![
            ("User-Agent".to_owned(), USER_AGENT.to_owned()),
            ("Accept".to_owned(), "*/*".to_owned()),
        ];
        let mut set = |name: &str, values: &[&str]| {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            headers.extend(
                values
                    .iter()
                    .map(|value| (name.to_owned(), (*value).to_owned())),
            );
        };
        for (name, value) in &case.headers {
            set(name, &[value]);
        }
        if let Some(content_type) = case
            .body
            .as_ref()
            .and_then(|body| body.content_type.as_deref())
        {
            set("Content-Type", &[content_type]);
        }
        let mut given: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (name, value) in &self.options.headers {
            given
                .entry(name.to_ascii_lowercase())
                .or_default()
                .push(value);
        }
        for (name, values) in &given {
            set(name, values);
        }
        if case.anonymous {
            headers.retain(|(name, _)| !secrets.is_credential(name));
        }
        let overrides: HashMap<String, &Option<String>> = case
            .overrides
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        headers.retain(|(name, _)| !overrides.contains_key(&name.to_ascii_lowercase()));
        headers.extend(
            case.overrides
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), value.clone()?))),
        );
        let body = case.body.as_ref().map(|body| body.bytes.clone());
        Request {
            method: case.method.clone(),
            url,
            headers,
            body,
        }
    }

    fn note(
        &mut self,
        rule: &'static str,
        severity: Severity,
        subject: &str,
        at: &str,
        fault: ReplayFault,
    ) {
        self.findings.push(Finding {
            old: Some(Place::of(self.document, at)),
            ..Finding::new(rule, severity, subject, fault)
        });
    }

    fn finish(self, secrets: &Secrets) -> Outcome {
        let Run {
            base,
            mut findings,
            sent,
            tally,
            progress,
            ..
        } = self;
        for finding in &mut findings {
            finding.message.redact(&|text| secrets.hide(text));
            if let Some(witness) = &mut finding.witness {
                secrets.hide_in(witness);
            }
        }
        let mut checked = BTreeMap::from([
            ("operations", tally.operations),
            ("sampleless operations", tally.bare.len()),
            ("replayed samples", tally.replayed),
            ("passed samples", tally.passed),
            ("failed samples", tally.failed()),
            ("unreplayable samples", tally.not_replayable),
            ("unchecked samples", tally.unchecked),
        ]);
        if tally.generated > 0 {
            checked.insert("generated requests", tally.generated);
        }
        let unchecked = tally.unchecked();
        progress(ReplayStep::Finished(tally));
        Outcome {
            server: base,
            findings,
            checked,
            sent,
            unchecked,
        }
    }
}
