//! Recorded requests, sent again: what they need is created anew, and their answers are judged by the document.

use serde_json::Value;

use super::keep;
use super::unit::Unit;
use crate::case::key::{Part, is_key};
use crate::case::route;
use crate::case::serialize::decode;
use crate::case::{Body, Case, Intent, PathValue};
use crate::credentials;
use crate::document::Operation;
use crate::exchange::{Exchange, Request, Unfilled, fill, is_spoiled};
use crate::finding::{CaseRecord, Failure, Finding, SentRequest};
use crate::session::{PathValues, Session, is_safe};

/// Members of a fault that differ from one answer to the next.
const VOLATILE: [&str; 24] = [
    "sample",
    "expected",
    "documented",
    "value",
    "cause",
    "byte",
    "bytes",
    "credentials",
    "failure",
    "found",
    "words",
    "last",
    "more",
    "count",
    "sent",
    "before",
    "after",
    "tag",
    "changed",
    // How much there is on the server.
    "items",
    "of",
    "pages",
    "stated",
    "counted",
];

/// Why a recorded request was not sent again, or says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The document has no such operation.
    NoOperation(String),
    /// The URL is not one of the operation.
    OtherPath(String),
    /// It is not known what it was made for.
    UnknownIntent(String),
    /// A credential is not given.
    NoCredential(String),
    /// The report does not have all of it.
    Incomplete,
    /// Only requests may be sent that change nothing.
    Unsafe(String),
    /// A thing that its path names could not be created.
    NotCreated,
    /// It cannot be written as HTTP.
    Unwritable(String),
    /// The run was stopped before it was answered.
    Interrupted,
    /// There is no such resource, or no sequence for it.
    NoFlow(String),
    /// The sequence is that of a file.
    FlowOfFile,
    /// The server refused what the sequence depends on.
    NotObserved,
    /// The server answered with this status, which says nothing about the finding: it let nobody in.
    Refused(u16),
    /// There was no answer.
    NoAnswer,
    /// The credentials of a second user are needed.
    SecondUser,
}

/// A recorded request with its case, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Revived {
    pub(crate) operation: usize,
    pub(crate) case: Case,
    /// The headers, which stand for those that the session adds.
    headers: Vec<(String, String)>,
}

/// An answer to a recorded request.
pub(crate) struct Answered {
    pub(crate) exchange: Exchange,
    /// Without their proof.
    pub(crate) findings: Vec<Finding>,
    pub(crate) path: PathValues,
}

/// Makes a recorded request of `subject` one of this session. `base` is the URL of the server that it was sent to; credentials are those
/// that the session knows by the names of the report.
pub(crate) fn revive(
    session: &Session<'_>,
    base: &str,
    subject: &str,
    sent: &SentRequest,
    record: &CaseRecord,
) -> Result<Revived, Problem> {
    let operations = session.operations;
    let named = |operation: &Operation<'_>| operation.subject() == subject;
    let index = operations.iter().position(named);
    let index = index.ok_or_else(|| Problem::NoOperation(subject.to_owned()))?;
    let operation = &operations[index];
    let intent = Intent::of_word(&record.intent)
        .ok_or_else(|| Problem::UnknownIntent(record.intent.clone()))?;
    let url = text(session, &sent.url)?;
    let other = || Problem::OtherPath(sent.url.clone());
    let below = url
        .strip_prefix(base.trim_end_matches('/'))
        .ok_or_else(other)?;
    let (path, query) = below.split_once('?').unwrap_or((below, ""));
    let values = route::values(operation.path, path).ok_or_else(other)?;
    let mut headers = Vec::new();
    for header in &sent.headers {
        let own = || {
            let plain = session.request(&Case::new(operation, String::new(), "2XX"), &values);
            let mut plain = plain.headers.into_iter();
            let same = |(name, _): &(String, String)| name.eq_ignore_ascii_case(&header.name);
            plain.find(same).map(|(_, value)| value)
        };
        // The answer to a challenge is made anew.
        let is_digest = header.value.to_ascii_lowercase().starts_with("digest ");
        if let Some(own) = own().filter(|_| is_digest) {
            headers.push((header.name.clone(), own));
            continue;
        }
        let value = match text(session, &header.value) {
            // It may be given for another name, such as that of its scheme.
            Err(Problem::NoCredential(name)) if !is_spoiled(&header.value) => {
                own().ok_or(Problem::NoCredential(name))?
            }
            value => value?,
        };
        headers.push((header.name.clone(), value));
    }
    let is_about_credentials = record.intent.ends_with("credentials");
    for (name, value) in &session.options.headers {
        let is_credential = session.judge.secrets.is_credential(name);
        if is_about_credentials && is_credential {
            continue;
        }
        if name.eq_ignore_ascii_case("cookie") {
            // Beside those of the request.
            for (name, value) in value.split(';').filter_map(|pair| pair.split_once('=')) {
                credentials::set_cookie(&mut headers, name.trim(), value);
            }
        } else {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            headers.push((name.clone(), value.clone()));
        }
    }
    let content_type = headers.iter();
    let content_type = content_type
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| value.clone())
        .next();
    let bytes = match (&sent.body, &sent.body_base64) {
        (Some(body), _) => Some(bytes(session, body)?),
        (None, Some(body)) => {
            let decoded = data_encoding::BASE64.decode(body.as_bytes());
            Some(decoded.map_err(|_| Problem::Incomplete)?)
        }
        (None, None) => None,
    };
    let plan = &session.plans[index].cases;
    let sample = plan.iter().find(|case| {
        intent == Intent::Sample && case.sample == record.sample && case.expected == record.expected
    });
    let start = match (sample, intent) {
        (Some(sample), _) => sample.clone(),
        _ => Case::new(operation, record.sample.clone(), &record.expected),
    };
    let create = |name: &String| record.created.contains(name);
    let case = Case {
        at: record.at.clone(),
        method: sent.method.clone(),
        path: values
            .into_iter()
            .map(|(name, value)| PathValue {
                create: create(&name),
                name,
                documented: None,
                literal: Some(value),
            })
            .collect(),
        query: pairs(query),
        headers: headers.clone(),
        overrides: Vec::new(),
        body: bytes.map(|bytes| Body {
            content_type,
            value: serde_json::from_slice(&bytes).ok(),
            bytes,
        }),
        intent,
        changes: Vec::new(),
        ..start
    };
    Ok(Revived {
        operation: index,
        case,
        headers,
    })
}

fn text(session: &Session<'_>, template: &str) -> Result<String, Problem> {
    String::from_utf8(bytes(session, template)?).map_err(|_| Problem::Incomplete)
}

fn bytes(session: &Session<'_>, template: &str) -> Result<Vec<u8>, Problem> {
    let filled = fill(template, &|name| session.judge.secrets.value(name));
    filled.map_err(|unfilled| match unfilled {
        Unfilled::Unknown(name) => Problem::NoCredential(name),
        Unfilled::Unusable => Problem::Incomplete,
    })
}

/// The pairs of a query: decoded names and percent-encoded values.
fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), value.to_owned())
        })
        .collect()
}

impl Revived {
    /// The request with these values in its path.
    pub(crate) fn request(&self, session: &Session<'_>, path: &PathValues) -> Request {
        let mut url = session.url(&self.case.template, path);
        if !self.case.query.is_empty() {
            let query = crate::case::serialize::query_string(&self.case.query);
            url = format!("{url}?{query}");
        }
        Request {
            method: self.case.method.clone(),
            url,
            headers: self.headers.clone(),
            body: self.case.body.as_ref().map(|body| body.bytes.clone()),
        }
    }

    /// The same request without one of its headers.
    pub(crate) fn without_header(&self, name: &str) -> Self {
        let mut less = self.clone();
        let other = |(known, _): &(String, String)| !known.eq_ignore_ascii_case(name);
        less.headers.retain(other);
        less.case.headers.retain(other);
        less
    }

    /// The headers as they are sent.
    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }
}

/// Sends recorded requests one after the other.
pub(crate) struct Again<'s> {
    unit: Unit<'s>,
}

impl<'s> Again<'s> {
    pub(crate) fn new(session: &'s Session<'s>) -> Self {
        Self {
            unit: Unit::new(session, &[], &[]),
        }
    }

    /// Creates what the request needs, sends it, and judges its answer.
    pub(crate) async fn send(&mut self, revived: &Revived) -> Result<Answered, Problem> {
        let path = self.prepare(revived).await?;
        self.send_to(revived, path).await
    }

    /// The values of the path, creating what it names.
    pub(crate) async fn prepare(&mut self, revived: &Revived) -> Result<PathValues, Problem> {
        let session = self.unit.session;
        let operation = &session.operations[revived.operation];
        if session.options.safe() && !(is_safe(&revived.case.method) && is_safe(&operation.method))
        {
            return Err(Problem::Unsafe(revived.case.method.clone()));
        }
        // Without a sample a generated request creates.
        let mut case = revived.case.clone();
        if case.path.iter().any(|value| value.create) {
            case.intent = Intent::Valid;
        }
        let prepared = self.unit.prepare(revived.operation, &case).await;
        prepared.ok_or(Problem::NotCreated)
    }

    /// The same with a path that is there already.
    pub(crate) async fn send_to(
        &mut self,
        revived: &Revived,
        path: PathValues,
    ) -> Result<Answered, Problem> {
        let session = self.unit.session;
        let index = revived.operation;
        let mut revived = self.keyed(revived);
        revived.case = session.referring(index, revived.case);
        let revived = &revived;
        let request = revived.request(session, &path);
        let sent = match revived.case.expected == "429" {
            true => session.send_once(Some(index), request).await,
            false => session.send(Some(index), request).await,
        };
        let exchange = sent.map_err(|reason| Problem::Unwritable(reason.to_string()))?;
        if exchange.failure == Some(Failure::Interrupted) {
            return Err(Problem::Interrupted);
        }
        let intent = revived.case.intent;
        self.unit.keep_track(index, &path, &exchange, intent);
        let decoded: PathValues = path
            .iter()
            .map(|(name, value)| (name.clone(), decode(value)))
            .collect();
        let findings = match session.expects(index, &exchange) {
            true => Vec::new(),
            false => session.judge.judge(&revived.case, &exchange, &decoded),
        };
        Ok(Answered {
            exchange,
            findings,
            path,
        })
    }

    /// The same request with another idempotency key, where it has one of a run: a server that remembers the first one answers as it did.
    fn keyed(&mut self, revived: &Revived) -> Revived {
        let run = self.unit.session.options.run_id().to_string();
        let mut keyed = revived.clone();
        let own = |(name, value): &(String, String)| is_key(name) && value.contains(&run);
        let Some(at) = keyed.headers.iter().position(own) else {
            return keyed;
        };
        keyed.case = self.unit.keyed(revived.operation, Part::Again, &keyed.case);
        let name = &keyed.headers[at].0;
        let mut new = keyed.case.headers.iter();
        if let Some((_, value)) = new.find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            keyed.headers[at].1.clone_from(value);
        }
        keyed
    }

    /// Puts something into the list that an operation reads; returns whether that may have worked.
    pub(crate) async fn fill_list(&mut self, operation: usize, path: &PathValues) -> bool {
        let session = self.unit.session;
        let list = &session.operations[operation];
        if list.method != "GET" || session.options.safe() {
            return false;
        }
        let creates = |one: &Operation<'_>| one.method == "POST" && one.path == list.path;
        let Some(creator) = session.operations.iter().position(creates) else {
            return false;
        };
        let samples = session.plans[creator].cases.iter();
        let mut samples = samples.filter(|case| case.succeeds() && !case.anonymous);
        let sample = samples.next().cloned();
        let Some(case) = sample.or_else(|| self.unit.base(creator)) else {
            return false;
        };
        let case = self.unit.keyed(creator, Part::SetUp, &case);
        let request = session.request(&case, path);
        let Ok(exchange) = session.send(Some(creator), request).await else {
            return false;
        };
        self.unit
            .keep_track(creator, path, &exchange, Intent::Valid);
        true
    }

    /// Takes things that were created before: they are deleted with the others, the newest first.
    pub(crate) fn keep(&mut self, created: Vec<crate::session::Created>) {
        self.unit.part.created.splice(0..0, created);
    }

    /// Deletes what was created; returns how many things are left.
    pub(crate) async fn clean_up(&mut self) -> usize {
        let created = std::mem::take(&mut self.unit.part.created);
        keep::clean_up(self.unit.session, created).await
    }

    /// Returns the things that were created and not deleted.
    pub(crate) fn into_created(self) -> Vec<crate::session::Created> {
        self.unit.part.created
    }
}

/// Returns the text that a finding shares with the same one of another run: not the values, which differ.
pub(crate) fn signature(finding: &Finding) -> String {
    let change = serde_json::to_value(&finding.message).unwrap_or_default();
    let change = change.get("change").cloned().unwrap_or_default();
    let place = finding.old.as_ref().map(|place| place.pointer.as_str());
    signature_of(
        finding.rule,
        &finding.subject,
        place.unwrap_or_default(),
        change,
    )
}

/// Returns the text that a finding shares with the same one of another run.
pub(crate) fn signature_of(rule: &str, subject: &str, pointer: &str, mut change: Value) -> String {
    if let Some(members) = change.as_object_mut() {
        members.retain(|name, _| !VOLATILE.contains(&name.as_str()));
        if let Some(violation) = members.get_mut("violation").and_then(Value::as_object_mut) {
            // Which item of a list it is does not matter.
            violation.shift_remove("at");
            let broken = violation.get_mut("broken").and_then(Value::as_object_mut);
            broken.and_then(|broken| broken.shift_remove("found"));
        }
        // The status and the time are values, too.
        members.shift_remove("status");
        members.shift_remove("limit");
    }
    format!("{rule}\n{subject}\n{pointer}\n{change}")
}
