//! Sending the recorded requests of a report again: whether its findings are still there.
//!
//! Called by the command line. A finding about one answer is shown again by its request: what the path names is created anew, credentials
//! are put in the places of their names, and the answer is judged by the document. A finding about a sequence is shown by the whole sequence
//! of its resource, one about a step of a workflow file by all workflows of that file. A finding counts as the same if its rule, its place, and what is wrong are the same, whatever values show it.
//!
//! Not sent again: findings without a request, such as those about samples.

mod kept;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::case::serialize::decode;
use crate::document::Document;
use crate::exchange::fill;
use crate::finding::{
    CaseRecord, Finding, FlowRecord, Place, ReplayFault, ReplayStep, SentRequest, StepFailure,
};
use crate::flows::referred::create_referred;
use crate::flows::{self, Course, Work};
use crate::replay::again::{Again, Answered, Problem, revive, signature};
use crate::replay::keep::step_failure;
use crate::rule::flows as flow_rules;
use crate::rule::replay as rules;
use crate::session::identity::id_in;
use crate::session::{FlowSettings, Options, Session, SessionError, Subject};

use kept::names_in;
pub use kept::{Kept, Recorded, Unreadable, read};

/// The result of reproducing a finding.
#[derive(Debug)]
pub enum Verdict {
    /// It is still there, as this finding of now.
    There(Box<Finding>),
    /// The server answers as the document says.
    Gone,
    /// It was not checked, for this reason.
    Unchecked(String),
}

/// The result.
#[derive(Debug)]
pub struct Outcome {
    /// The base URL that was used.
    pub server: String,
    /// In the order of the findings that were given.
    pub verdicts: Vec<Verdict>,
    /// How many things are left on the server.
    pub left: usize,
}

/// Sends the requests of findings again. `base` is the URL of the server that they were sent to, where it is known; `work` has the workflows
/// of the file that findings are about; `variable` gives the values of names that no credential of the options has.
///
/// # Errors
/// When the server's URL or a header cannot be used, or when nothing answers at the first contact.
pub async fn run(
    options: &Options,
    document: &Document,
    base: Option<&str>,
    findings: &[&Kept],
    work: &Work<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
    progress: &mut dyn FnMut(ReplayStep),
) -> Result<Outcome, SessionError> {
    let subject = Subject::new(document, options);
    let progress = RefCell::new(progress);
    let tell = |step| (progress.borrow_mut())(step);
    let session = Session::open(&subject, options, &tell).await?;
    let with_variables = know(&session, findings, variable);
    let sequences = with_variables
        .as_ref()
        .map(|options| (Subject::new(document, options), options));
    let quiet = |_| {};
    let sequences = match &sequences {
        Some((subject, options)) => Some(Session::open(subject, options, &quiet).await?),
        None => None,
    };
    let operations: Vec<usize> = (0..session.operations.len())
        .filter(|index| {
            let subject = session.operations[*index].subject();
            findings.iter().any(|one| one.subject == subject)
        })
        .collect();
    let referred = create_referred(&session, &operations).await;
    if let Some(sequences) = &sequences {
        let known = session.references.borrow().clone();
        sequences.references.replace(known);
    }
    let mut reproduction = Reproduction {
        session: &session,
        sequences: sequences.as_ref().unwrap_or(&session),
        base,
        work,
        again: Again::new(&session),
        flows: HashMap::new(),
    };
    let mut verdicts = Vec::new();
    for finding in findings {
        let verdict = match reproduction.one(finding).await {
            Ok(Some(found)) => Verdict::There(Box::new(found)),
            Ok(None) => Verdict::Gone,
            Err(problem) => Verdict::Unchecked(session.judge.secrets.hide(&words(&problem))),
        };
        verdicts.push(verdict);
    }
    reproduction.again.keep(referred);
    let left = reproduction.again.clean_up().await;
    let secrets = session.judge.secrets;
    for verdict in &mut verdicts {
        if let Verdict::There(finding) = verdict {
            finding.message.redact(&|text| secrets.hide(text));
            if let Some(witness) = &mut finding.witness {
                secrets.hide_in(witness);
            }
        }
    }
    Ok(Outcome {
        server: session.base.clone(),
        verdicts,
        left,
    })
}

/// The rules about what a second user may do.
const FOREIGN: [&str; 4] = [
    flow_rules::FOREIGN_READ,
    flow_rules::FOREIGN_LIST,
    flow_rules::FOREIGN_UPDATE,
    flow_rules::FOREIGN_DELETE,
];

/// Gives names that no credential of the options has the values of variables. A request has them in the places of their names; the requests
/// of a sequence are made anew, so they get them as options do: returns these, where there are any.
fn know(
    session: &Session<'_>,
    findings: &[&Kept],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Option<Options> {
    let secrets = session.judge.secrets;
    let mut known = BTreeSet::new();
    for name in findings.iter().flat_map(|finding| finding.names()) {
        if secrets.value(&name).is_none()
            && let Some(value) = variable(&name)
        {
            secrets.remember(&value);
            secrets.know_as(&name, &value);
            known.insert(name);
        }
    }
    let filled = |template: &str| {
        let is_of_variable = !names_in(template).is_disjoint(&known);
        let bytes = is_of_variable.then(|| fill(template, &|name| secrets.value(name)))?;
        String::from_utf8(bytes.ok()?).ok()
    };
    let mut options = session.options.clone();
    let before = (options.headers.len(), options.queries.len());
    // What proves those of the second user was sent by them.
    let own =
        |finding: &&&Kept| finding.flow().is_some() && !FOREIGN.contains(&finding.rule.as_str());
    for finding in findings.iter().filter(own) {
        let (headers, query) = finding.templates();
        for (name, template) in headers {
            let mut given = options.headers.iter();
            if given.all(|(given, _)| !given.eq_ignore_ascii_case(name))
                && let Some(value) = filled(template)
            {
                options.headers.push((name.to_owned(), value));
            }
        }
        for (name, template) in query {
            let name = decode(name);
            let mut given = options.queries.iter();
            if given.all(|(given, _)| *given != name)
                && let Some(value) = filled(template)
            {
                options.queries.push((name, decode(&value)));
            }
        }
    }
    (before != (options.headers.len(), options.queries.len())).then_some(options)
}

struct Reproduction<'s> {
    session: &'s Session<'s>,
    /// The session of sequences: with the credentials that variables give, where there are any.
    sequences: &'s Session<'s>,
    base: Option<&'s str>,
    work: &'s Work<'s>,
    again: Again<'s>,
    /// What the sequences that were sent found, by resource and seed; those of a file have no resource.
    flows: HashMap<(String, u64, Course), Option<Vec<Finding>>>,
}

impl Reproduction<'_> {
    /// The finding of now, if it is still there.
    async fn one(&mut self, old: &Kept) -> Result<Option<Finding>, Problem> {
        let exchange = old.exchange.as_ref().ok_or(Problem::Incomplete)?;
        let case = exchange.case.as_ref().ok_or(Problem::Incomplete)?;
        if let Some(flow) = &case.flow {
            return self.flow(old, flow).await;
        }
        self.request(old, &exchange.sent, case).await
    }

    async fn flow(&mut self, old: &Kept, flow: &FlowRecord) -> Result<Option<Finding>, Problem> {
        let options = self.session.options;
        let own = options.flows.clone().unwrap_or_default();
        let is_of_file = flow.resource.is_empty();
        if is_of_file && self.work.description.is_none() {
            return Err(Problem::FlowOfFile);
        }
        if own.safe {
            return Err(Problem::Unsafe("a sequence".to_owned()));
        }
        if FOREIGN.contains(&old.rule.as_str())
            && own.second.headers.is_empty()
            && self.session.users().len() < 2
        {
            return Err(Problem::SecondUser);
        }
        let course = Course::of(flow);
        let key = (flow.resource.clone(), flow.seed, course.clone());
        // A client whose credentials are refused cannot observe the fault.
        let secrets = self.session.judge.secrets;
        let mut names = old.names().into_iter();
        if let Some(name) = names.find(|name| secrets.value(name).is_none()) {
            return Err(Problem::NoCredential(name));
        }
        if !self.flows.contains_key(&key) {
            let settings = FlowSettings {
                seed: flow.seed,
                ..own
            };
            let found = match is_of_file {
                true => flows::again_of_file(self.sequences, &settings, self.work).await,
                false => {
                    let session = self.sequences;
                    let resources = flows::selected(session);
                    let resource = &flow.resource;
                    flows::again(session, &settings, &resources, resource, &course, true).await
                }
            };
            if self.session.stopped() {
                return Err(Problem::Interrupted);
            }
            self.flows.insert(key.clone(), found);
        }
        let found = self.flows.get(&key).and_then(Option::as_ref);
        let found = found.ok_or_else(|| Problem::NoFlow(flow.resource.clone()))?;
        let wanted = old.signature();
        let same = found.iter().find(|one| signature(one) == wanted);
        let is_unobserved = |one: &Finding| one.rule == flow_rules::FLOW_NOT_OBSERVED;
        match same {
            None if found.iter().any(is_unobserved)
                && old.rule != flow_rules::FLOW_NOT_OBSERVED =>
            {
                Err(Problem::NotObserved)
            }
            same => Ok(same.cloned()),
        }
    }

    async fn request(
        &mut self,
        old: &Kept,
        sent: &SentRequest,
        case: &CaseRecord,
    ) -> Result<Option<Finding>, Problem> {
        let base = match self.base {
            Some(base) => base.to_owned(),
            // A finding alone does not name it: the path is that of this server.
            None => {
                let own = url::Url::parse(&self.session.base).ok();
                let path = own.map_or_else(String::new, |own| own.path().to_owned());
                format!("{}{path}", old.origin().unwrap_or_default())
            }
        };
        let revived = revive(self.session, &base, &old.subject, sent, case)?;
        let answered = self.again.send(&revived).await?;
        if let Some(found) = self.same(old, case, &answered) {
            return Ok(Some(found));
        }
        // Only an answer of the kind that the finding is about shows that it is gone.
        let is_about_credentials = case.intent.ends_with("credentials");
        match answered.exchange.response.as_ref().map(|one| one.status) {
            Some(status @ (401 | 403)) if !is_about_credentials && old.status() != Some(status) => {
                return Err(Problem::Refused(status));
            }
            None => return Err(Problem::NoAnswer),
            Some(_) => {}
        }
        // An empty list does not show a fault of its items.
        let index = revived.operation;
        if self.again.fill_list(index, &answered.path).await {
            let answered = self.again.send_to(&revived, answered.path).await?;
            return Ok(self.same(old, case, &answered));
        }
        Ok(None)
    }

    /// The finding of now that is the old one.
    fn same(&self, old: &Kept, case: &CaseRecord, answered: &Answered) -> Option<Finding> {
        let response = answered.exchange.response.as_ref();
        let last = response.map(|response| response.status);
        let mut exchange = answered.exchange.record(self.session.judge.secrets);
        exchange.case = Some(case.clone());
        let (rule, fault) = match old.rule.as_str() {
            rules::NEVER_ACCEPTED => {
                let is_accepted = last.is_some_and(|status| (200..400).contains(&status));
                let fault = ReplayFault::NeverAccepted {
                    requests: 1,
                    last,
                    words: None,
                };
                (rules::NEVER_ACCEPTED, (!is_accepted).then_some(fault))
            }
            rules::RESOURCE_NOT_CREATED => {
                let parameter = old.change.pointer("/reason/name").and_then(Value::as_str);
                let lacking = parameter.filter(|name| id_in(&answered.exchange, name).is_none());
                let no_id = lacking.map(|name| StepFailure::NoId {
                    name: name.to_owned(),
                });
                let reason = step_failure(&answered.exchange).or(no_id);
                let fault = reason.map(|reason| ReplayFault::NotCreated {
                    sample: case.sample.clone(),
                    reason,
                    samples: 1,
                });
                (rules::RESOURCE_NOT_CREATED, fault)
            }
            _ => {
                let wanted = old.signature();
                let mut found = answered.findings.iter();
                let found = found.find(|one| signature(one) == wanted);
                return found.map(|found| Finding {
                    exchange: Some(exchange),
                    ..found.clone()
                });
            }
        };
        Some(Finding {
            old: Some(Place::of(self.session.document, &case.at)),
            exchange: Some(exchange),
            ..Finding::new(rule, old.severity, old.subject.clone(), fault?)
        })
    }
}

fn words(problem: &Problem) -> String {
    match problem {
        Problem::NoOperation(subject) => format!("the document has no operation {subject}"),
        Problem::OtherPath(url) => format!("{url} is not a URL of the operation"),
        Problem::UnknownIntent(word) => {
            format!("the report is of another version: unknown intent `{word}`")
        }
        Problem::NoCredential(name) => format!(
            "the credential {name} is not given; set the environment variable {name}, or give it as in the run"
        ),
        Problem::Incomplete => "the report does not have the whole request".to_owned(),
        Problem::Unsafe(what) => format!("{what} may change something, and --safe forbids it"),
        Problem::NotCreated => "what the request is about could not be created".to_owned(),
        Problem::Unwritable(reason) => format!("the request cannot be written as HTTP: {reason}"),
        Problem::Interrupted => "the run was stopped".to_owned(),
        Problem::NoFlow(resource) => format!("the document has no resource {resource}"),
        Problem::FlowOfFile => {
            "it is about a step of a workflow file; give that file with --flows FILE".to_owned()
        }
        Problem::NotObserved => {
            "the server refused what the sequence depends on; check the credentials".to_owned()
        }
        Problem::Refused(status) => {
            format!("the server answered {status}, as it did not in the run; check the credentials")
        }
        Problem::NoAnswer => "the server did not answer".to_owned(),
        Problem::SecondUser => {
            "it needs the credentials of a second user; give --second-user".to_owned()
        }
    }
}
