//! Root causes: findings that tell of one fault become one finding, with the number of requests that showed it.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use crate::case::serialize::decode;
use crate::case::{Case, Intent, Refusal, Tamper};
use crate::check::NO_ERROR;
use crate::document::{Operation, pointer};
use crate::exchange::{Exchange, Request};
use crate::finding::{Broken, Finding, Message, ReplayFault, Sender, Undecided};
use crate::generate::RANDOM;
use crate::rule::replay as rules;
use crate::schema::Fault;
use crate::session::Session;

/// The findings of one operation's generated cases, joined as they come: only those that stay need a proof.
#[derive(Debug, Default)]
pub(super) struct Causes {
    kept: Vec<Finding>,
    /// The size of the request that proves each of them; zero where there is none.
    sizes: Vec<usize>,
    /// Where the finding of a cause is.
    known: HashMap<String, usize>,
    /// The cases that others go on from, by the names of these.
    bases: HashMap<String, String>,
}

impl Causes {
    /// Takes note of a case that is sent.
    pub(super) fn note(&mut self, case: &Case) {
        if let Some(base) = &case.builds_on {
            self.bases.insert(case.sample.clone(), base.clone());
        }
    }

    /// Adds a finding about a case. `prove` adds its exchange to it.
    pub(super) fn add(
        &mut self,
        session: &Session<'_>,
        (operation, case): (usize, &Case),
        exchange: &Exchange,
        mut finding: Finding,
        prove: impl FnOnce(&mut Finding),
    ) {
        let constraints = match &finding.message {
            Message::Replay(ReplayFault::NotRefused { .. }) => {
                ignored(session, &session.operations[operation], case)
            }
            _ => None,
        };
        let key = match &constraints {
            Some(constraints) => format!("{}\n{constraints}", finding.rule),
            // Which content type or method it was does not matter.
            None if [rules::MEDIA_TYPE_REFUSED, rules::METHOD_REFUSED].contains(&finding.rule) => {
                format!("{}\n{:?}", finding.rule, finding.severity)
            }
            None => cause(&finding),
        };
        // Several constraints at once, each of which is known to be ignored.
        let mut single = constraints.iter().flat_map(|all| all.lines());
        let mut single = single
            .by_ref()
            .map(|one| self.known.get(&format!("{}\n{one}", finding.rule)));
        if let Some(first) = single.next().flatten().copied()
            && single.all(|one| one.is_some())
        {
            self.known.entry(key.clone()).or_insert(first);
        }
        let Some(&index) = self.known.get(&key) else {
            self.known.insert(key, self.kept.len());
            prove(&mut finding);
            self.kept.push(finding);
            self.sizes.push(sent_size(&exchange.request));
            return;
        };
        let first = &mut self.kept[index];
        let count = first.cases + finding.cases;
        let size = sent_size(&exchange.request);
        if 2 * size < self.sizes[index] {
            prove(&mut finding);
            *first = finding;
            self.sizes[index] = size;
        }
        first.cases = count;
    }

    /// Adds a finding that has no exchange.
    pub(super) fn add_without_proof(&mut self, finding: Finding) {
        match self.known.entry(cause(&finding)) {
            Entry::Occupied(known) => self.kept[*known.get()].cases += finding.cases,
            Entry::Vacant(new) => {
                new.insert(self.kept.len());
                self.kept.push(finding);
                self.sizes.push(0);
            }
        }
    }

    /// The findings in the order of the cases.
    pub(super) fn finish(self) -> Vec<Finding> {
        let mut findings = without_consequences(self.kept, &self.bases);
        join_credentials(&mut findings);
        share_responses(&mut findings);
        findings
    }
}

/// Keeps one text of equal responses: many requests of an operation are answered in the same way.
fn share_responses(findings: &mut [Finding]) {
    let mut known: HashSet<Arc<str>> = HashSet::new();
    let exchanges = findings.iter_mut().filter_map(|one| one.exchange.as_mut());
    for response in exchanges.filter_map(|one| one.response.as_mut()) {
        if let Some(first) = known.get(response) {
            *response = Arc::clone(first);
        } else {
            known.insert(Arc::clone(response));
        }
    }
}

/// Joins wrong credentials that are accepted because any are, or because none are needed.
fn join_credentials(findings: &mut Vec<Finding>) {
    let sample = |finding: &Finding| match &finding.message {
        Message::Replay(ReplayFault::NotRefused { sample, .. }) => Some(sample.clone()),
        _ => None,
    };
    // `with the credential `name``, which the kind of change follows.
    let scheme = |sample: &str| -> Option<String> {
        let end = sample.match_indices('`').nth(1)?.0;
        Some(sample[..=end].to_owned())
    };
    let is_open = |one: &Finding| one.rule == rules::CREDENTIALS_REQUIRED;
    let cause = |one: &Finding| -> Option<usize> {
        let own = sample(one).filter(|_| one.rule == rules::CREDENTIALS_CHECKED)?;
        let open = findings.iter().position(|other| {
            is_open(other) && sample(other).is_some_and(|sample| !sample.contains('`'))
        });
        let scheme = scheme(&own)?;
        let with = |tamper: Tamper| {
            let other = format!("{scheme} {}", tamper.words());
            let is_it = |one: &Finding| sample(one).is_some_and(|known| known == other);
            findings.iter().position(is_it).filter(|_| own != other)
        };
        // A server that takes another letter may take one in another case.
        let is_cased = own.ends_with(Tamper::OtherCase.words());
        open.or_else(|| with(Tamper::Unknown))
            .or_else(|| with(Tamper::Alter).filter(|_| is_cased))
    };
    let causes: Vec<Option<usize>> = findings.iter().map(cause).collect();
    for (index, cause) in causes.iter().enumerate() {
        if let Some(cause) = cause {
            findings[*cause].cases += findings[index].cases;
        }
    }
    let mut causes = causes.into_iter();
    findings.retain(|_| causes.next().is_none_or(|cause| cause.is_none()));
}

/// Leaves out valid requests that were refused because they build on one that was refused. Of random ones it is not known what they
/// build on, so they count only where nothing else was refused.
fn without_consequences(
    mut findings: Vec<Finding>,
    bases: &HashMap<String, String>,
) -> Vec<Finding> {
    let sample = |finding: &Finding| match &finding.message {
        Message::Replay(ReplayFault::NotAccepted { sample, .. }) => Some(sample.clone()),
        _ => None,
    };
    let refused: HashSet<String> = findings.iter().filter_map(sample).collect();
    let is_random = |sample: &str| sample.starts_with(RANDOM);
    let any = refused.iter().any(|sample| !is_random(sample));
    findings.retain(|finding| {
        let Some(own) = sample(finding) else {
            return true;
        };
        let mut basis =
            std::iter::successors(bases.get(&own), |sample| bases.get(*sample)).take(20);
        !(is_random(&own) && any || basis.any(|sample| refused.contains(sample)))
    });
    findings
}

/// Joins the findings of a whole run: a fault of a shared schema or answer is one, whatever operations show it.
pub(crate) fn of_run(findings: Vec<Finding>) -> Vec<Finding> {
    join(findings, |finding| {
        let place = finding.old.as_ref();
        let shared = place.is_some_and(|place| !place.node.starts_with("/paths/"));
        let subject = if shared { "" } else { &finding.subject };
        format!("{subject}\n{}", cause(finding))
    })
}

/// Keeps the first finding of each cause, with the smallest request that shows it. The subjects of others are its users.
fn join(findings: Vec<Finding>, key: impl Fn(&Finding) -> String) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for finding in findings {
        let key = key(&finding);
        let Some(&index) = known.get(&key) else {
            known.insert(key, kept.len());
            kept.push(finding);
            continue;
        };
        let first = &mut kept[index];
        let count = first.cases + finding.cases;
        let mut users = std::mem::take(&mut first.used_by);
        if finding.subject != first.subject || users.count > 0 {
            for subject in [&first.subject, &finding.subject] {
                if users.tree.iter().all(|user| user.subject != *subject) {
                    users.add(subject.clone());
                }
            }
        } else if is_much_smaller(&finding, first) {
            *first = finding;
        }
        first.cases = count;
        first.used_by = users;
    }
    kept
}

/// Whether the request of a finding is less than half as long as that of another one. The first one usually says best what is wrong.
fn is_much_smaller(finding: &Finding, other: &Finding) -> bool {
    let generated = |finding: &Finding| match &finding.message {
        Message::Replay(fault) => fault
            .sample()
            .is_some_and(|sample| sample.starts_with(crate::generate::GENERATED)),
        Message::Schema(_)
        | Message::Document(_)
        | Message::Flow(_)
        | Message::Delivery(_)
        | Message::Receiver(_)
        | Message::Baseline(_) => false,
    };
    generated(other) && generated(finding) && 2 * size(finding) < size(other)
}

/// How long the request of a finding is, as it is shown.
fn size(finding: &Finding) -> usize {
    let exchange = finding.exchange.as_ref();
    exchange.map_or(0, |exchange| exchange.request.len())
}

/// How long a request is. Cheaper than to write it as it is shown, which most requests never are.
fn sent_size(request: &Request) -> usize {
    let headers = request.headers.iter();
    let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
    request.url.len() + headers + request.body.as_ref().map_or(0, Vec::len)
}

/// The constraints that an invalid request violates: the server ignores them, whatever value shows it.
pub(super) fn ignored(
    session: &Session<'_>,
    operation: &Operation<'_>,
    case: &Case,
) -> Option<String> {
    if case.intent != Intent::Refused(Refusal::Invalid) {
        return None;
    }
    let mut broken: Vec<String> = Vec::new();
    let mut add = |faults: Result<Vec<Fault>, Undecided>| {
        for Fault { violation, schema } in faults.ok().into_iter().flatten() {
            let missing = match violation.broken {
                Broken::Missing { name } => name,
                Broken::Unexpected { .. } | Broken::Alternatives { .. } | Broken::Value { .. } => {
                    String::new()
                }
            };
            broken.push(format!("{schema} {missing}"));
        }
    };
    let (document, schemas) = (session.document, session.judge.schemas);
    for parameter in operation.parameters(document) {
        let member = |name| parameter.value.get(name).and_then(Value::as_str);
        let (Some(name), Some("query")) = (member("name"), member("in")) else {
            continue;
        };
        let mut values = case.query.iter().filter(|(known, _)| known == name);
        // A parameter that is sent several times, or in parts, has no single text.
        if let (Some((_, value)), None) = (values.next(), values.next()) {
            let schema = pointer::join(&parameter.pointer, "schema");
            add(schemas.text_faults(&schema, &decode(value), false, Some(Sender::Client)));
        }
    }
    if let Some(body) = &case.body
        && let (Some(value), Some(content_type)) = (&body.value, &body.content_type)
    {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let content = pointer::join(&pointer::join(&case.pointer, "requestBody"), "content");
        let schema = pointer::join(&pointer::join(&content, media_type), "schema");
        if let Some((schema, _)) = document.resolve(&schema) {
            add(schemas.faults(&schema, value, Some(Sender::Client)));
        }
    }
    broken.sort();
    broken.dedup();
    (!broken.is_empty()).then(|| broken.join("\n"))
}

/// Returns the text that tells one cause from another: all but the case that showed it, unless the finding is about that very case.
fn cause(finding: &Finding) -> String {
    let place = finding.old.as_ref().map(|place| place.node.as_str());
    let place = place.unwrap_or_default();
    let Message::Replay(fault) = &finding.message else {
        return format!("{}\n{place}", finding.rule);
    };
    let own = matches!(
        fault,
        ReplayFault::NotRefused { .. }
            | ReplayFault::NotAccepted { .. }
            | ReplayFault::NotReplayable { .. }
            | ReplayFault::NeverAccepted { .. }
    );
    let mut data = serde_json::to_value(fault).unwrap_or_default();
    if let Some(data) = data.as_object_mut() {
        // How each operation says that it accepts.
        if finding.rule == rules::CREDENTIALS_CHECKED {
            data.shift_remove("found");
        }
        // A request that cannot be read is one that may be refused, too.
        let expected = data.get("expected").and_then(Value::as_str);
        if finding.rule == rules::NO_SERVER_ERROR
            && expected.is_some_and(|one| one == NO_ERROR || one == "4XX")
        {
            data.shift_remove("expected");
        }
    }
    if let Some(data) = data.as_object_mut().filter(|_| !own) {
        // Members that differ from one answer to the next.
        for member in [
            "sample",
            "value",
            "cause",
            "byte",
            "bytes",
            "credentials",
            "failure",
        ] {
            data.shift_remove(member);
        }
        if let Some(violation) = data.get_mut("violation").and_then(Value::as_object_mut) {
            violation.shift_remove("at");
            let broken = violation.get_mut("broken").and_then(Value::as_object_mut);
            broken.and_then(|broken| broken.shift_remove("found"));
        }
    }
    format!("{}\n{place}\n{data}", finding.rule)
}
