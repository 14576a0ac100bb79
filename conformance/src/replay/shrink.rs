//! Shrinking: the request of a finding is made as small as it can be while the answer still breaks the same rule at the same place.
//!
//! Parameters, headers, members and list items are left out, texts and numbers are made short, one after the other, and each such request is
//! sent. The order does not depend on the answers of other findings, so that the same server gives the same request, unless the time is
//! over first. Not made smaller: samples that are judged as such, sequences, bodies that are not JSON, and requests that the server answers
//! late or never.

use std::time::Duration;

use serde_json::{Number, Value};
use tokio::time::Instant;

use super::again::{Again, Answered, Revived, revive, signature};
use super::causes;
use crate::case::serialize::{decode, encode, is_json};
use crate::case::{Body, Intent, Refusal};
use crate::finding::{CaseRecord, Failure, Finding};
use crate::generate::{Generator, Sent};
use crate::rule::replay as rules;
use crate::session::{Created, PathValues, Session};

/// Most requests for one finding.
const REQUESTS: usize = 120;

/// Rules whose findings are about a sample, a whole operation, or time.
const LEFT_ALONE: [&str; 6] = [
    rules::STATUS_AS_SAMPLE,
    rules::SAMPLE_MEMBERS,
    rules::SAMPLE_VALUES,
    rules::NEVER_ACCEPTED,
    rules::RESOURCE_NOT_CREATED,
    rules::RESPONSE_TIME,
];

/// Headers that every request has.
const USUAL: [&str; 3] = ["accept", "content-type", "user-agent"];

/// Makes the requests of findings smaller for at most `time` in all. Returns what that created on the server.
pub(super) async fn run(
    session: &Session<'_>,
    findings: &mut [Finding],
    time: Duration,
) -> Vec<Created> {
    let deadline = Instant::now() + time;
    let mut again = Again::new(session);
    let generator = Generator::new(session.document, session.judge.schemas);
    for finding in findings {
        if session.stopped() || Instant::now() >= deadline {
            break;
        }
        if let Some(smaller) = Shrinking::of(session, &generator, finding, deadline) {
            smaller.run(&mut again, finding).await;
        }
    }
    again.into_created()
}

/// A request that is made smaller.
struct Shrinking<'s> {
    session: &'s Session<'s>,
    generator: &'s Generator<'s>,
    deadline: Instant,
    record: CaseRecord,
    smallest: Revived,
    /// What the answer has to show.
    signature: String,
    /// What the document does not allow of the request, where that is what it is about.
    flaw: Option<Option<String>>,
    requests: usize,
}

impl<'s> Shrinking<'s> {
    fn of(
        session: &'s Session<'s>,
        generator: &'s Generator<'s>,
        finding: &Finding,
        deadline: Instant,
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
            Intent::Valid if finding.rule == rules::VALID_ACCEPTED => Intent::Valid,
            Intent::Refused(Refusal::Invalid) if finding.rule == rules::INVALID_REFUSED => *intent,
            Intent::Sample | Intent::Valid | Intent::Refused(Refusal::Invalid) => Intent::Open,
            other => other,
        };
        revived.case.answer = None;
        let mut shrinking = Self {
            session,
            generator,
            deadline,
            record,
            smallest: revived,
            signature: signature(finding),
            flaw: None,
            requests: 0,
        };
        if matches!(
            shrinking.smallest.case.intent,
            Intent::Valid | Intent::Refused(Refusal::Invalid)
        ) {
            shrinking.flaw = Some(shrinking.flaw_of(&shrinking.smallest));
        }
        Some(shrinking)
    }

    /// What the document does not allow of a request.
    fn flaw_of(&self, revived: &Revived) -> Option<String> {
        let case = &revived.case;
        let path: PathValues = case
            .path
            .iter()
            .filter_map(|value| Some((value.name.clone(), value.literal.clone()?)))
            .collect();
        let operation = &self.session.operations[revived.operation];
        let sent = Sent {
            path: &path,
            query: &case.query,
            headers: &case.headers,
            body: case.body.as_ref(),
        };
        let flaw = self.generator.flaw(operation, sent)?;
        let broken = causes::ignored(self.session, case).unwrap_or_default();
        Some(format!("{flaw}\n{broken}"))
    }

    async fn run(mut self, again: &mut Again<'_>, finding: &mut Finding) {
        let Ok(path) = again.prepare(&self.smallest).await else {
            return;
        };
        let start = self.smallest.clone();
        let Some((status, first)) = self.shows(again, &start, &path, None).await else {
            return;
        };
        // What takes long, or sends much, is not asked for a hundred times.
        if matches!(
            first.exchange.failure,
            Some(Failure::Timeout { .. } | Failure::TooLarge { .. })
        ) {
            return;
        }
        let mut last = None;
        let mut edits = Edits::default();
        while self.requests < REQUESTS && Instant::now() < self.deadline && !self.session.stopped()
        {
            let Some(smaller) = edits.next(self.session, &self.smallest) else {
                break;
            };
            if self.flaw.is_some() && self.flaw != Some(self.flaw_of(&smaller)) {
                continue;
            }
            let path = match smaller.case.method.as_str() {
                "DELETE" => again.prepare(&smaller).await.ok(),
                _ => Some(path.clone()),
            };
            let Some(path) = path else { break };
            if let Some((_, answered)) = self.shows(again, &smaller, &path, Some(status)).await {
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

    /// The status and the answer, where they show the same fault.
    async fn shows(
        &mut self,
        again: &mut Again<'_>,
        revived: &Revived,
        path: &PathValues,
        status: Option<Option<u16>>,
    ) -> Option<(Option<u16>, Answered)> {
        self.requests += 1;
        let answered = again.send_to(revived, path.clone()).await.ok()?;
        let response = answered.exchange.response.as_ref();
        let found = response.map(|response| response.status);
        let is_same = answered
            .findings
            .iter()
            .any(|finding| signature(finding) == self.signature);
        (is_same && status.is_none_or(|status| status == found)).then_some((found, answered))
    }
}

/// What is tried next: an edit that worked leaves its place to the next one.
#[derive(Debug, Default)]
struct Edits {
    stage: usize,
    at: usize,
    /// Whether an edit of this round worked.
    worked: bool,
    stay: bool,
}

impl Edits {
    /// Notes that the last edit worked.
    fn stay(&mut self) {
        self.stay = true;
        self.worked = true;
    }

    /// The next smaller request; none where there is no more.
    fn next(&mut self, session: &Session<'_>, now: &Revived) -> Option<Revived> {
        if !std::mem::take(&mut self.stay) {
            self.at += 1;
        }
        loop {
            let all = match self.stage {
                0 => without_parameters(session, now),
                1 => without_body(now),
                2 => without_parts(now),
                3 => shorter_values(now),
                4 => shorter_parameters(now),
                // What one edit made possible is tried too.
                _ if self.worked => {
                    *self = Self::default();
                    self.at = 1;
                    continue;
                }
                _ => return None,
            };
            if let Some(edited) = all.into_iter().nth(self.at.saturating_sub(1)) {
                return Some(edited);
            }
            self.stage += 1;
            self.at = 1;
        }
    }
}

/// Without one parameter of the query, or one header.
fn without_parameters(session: &Session<'_>, now: &Revived) -> Vec<Revived> {
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in &now.case.query {
        if !names.contains(&name) && !session.judge.secrets.is_credential_query(name) {
            names.push(name);
        }
    }
    let queries = names.into_iter().map(|name| {
        let mut less = now.clone();
        less.case.query.retain(|(known, _)| known != name);
        less
    });
    let removable = |name: &String| {
        let lower = name.to_ascii_lowercase();
        !USUAL.contains(&lower.as_str()) && !session.judge.secrets.is_credential(&lower)
    };
    let headers = now.headers().iter().map(|(name, _)| name);
    let headers = headers.filter(|name| removable(name));
    queries
        .chain(headers.map(|name| now.without_header(name)))
        .collect()
}

fn without_body(now: &Revived) -> Vec<Revived> {
    // What is about the type of a body needs one.
    if now.case.body.is_none() || now.case.intent == Intent::Refused(Refusal::MediaType) {
        return Vec::new();
    }
    let mut less = now.without_header("content-type");
    less.case.body = None;
    vec![less]
}

/// The JSON value of the body.
fn value(now: &Revived) -> Option<&Value> {
    let body = now.case.body.as_ref()?;
    let content_type = body.content_type.as_deref()?;
    body.value.as_ref().filter(|_| is_json(content_type))
}

fn with_value(now: &Revived, value: Value) -> Revived {
    let mut less = now.clone();
    let content_type = now.case.body.as_ref();
    less.case.body = Some(Body {
        content_type: content_type.and_then(|body| body.content_type.clone()),
        bytes: value.to_string().into_bytes(),
        value: Some(value),
    });
    less
}

/// With one member or list item less, the outer ones first.
fn without_parts(now: &Revived) -> Vec<Revived> {
    let mut edited = Vec::new();
    if let Some(value) = value(now) {
        let mut pointers = Vec::new();
        walk(value, "", &mut pointers);
        for at in pointers {
            let mut less = value.clone();
            let (parent, key) = at.rsplit_once('/').unwrap_or_default();
            let removed = match less.pointer_mut(parent) {
                Some(Value::Object(members)) => {
                    let key = key.replace("~1", "/").replace("~0", "~");
                    members.shift_remove(&key).is_some()
                }
                Some(Value::Array(items)) => {
                    let index = key.parse().ok().filter(|index| *index < items.len());
                    index.map(|index: usize| items.remove(index)).is_some()
                }
                _ => false,
            };
            if removed {
                edited.push(with_value(now, less));
            }
        }
    }
    edited
}

/// The pointers of all members and items.
fn walk(value: &Value, at: &str, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let at = crate::document::pointer::join(at, name);
                pointers.push(at.clone());
                walk(member, &at, pointers);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let at = format!("{at}/{index}");
                pointers.push(at.clone());
                walk(item, &at, pointers);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// With one text or number made shorter.
fn shorter_values(now: &Revived) -> Vec<Revived> {
    let mut edited = Vec::new();
    if let Some(value) = value(now) {
        let mut pointers = vec![String::new()];
        walk(value, "", &mut pointers);
        for at in pointers {
            let shorter: Vec<Value> = match value.pointer(&at) {
                Some(Value::String(text)) => shorter(text).into_iter().map(Value::from).collect(),
                Some(Value::Number(number)) => smaller(number),
                _ => Vec::new(),
            };
            for short in shorter {
                let mut less = value.clone();
                if let Some(place) = less.pointer_mut(&at) {
                    *place = short;
                    edited.push(with_value(now, less));
                }
            }
        }
    }
    edited
}

/// With one value of the query made shorter.
fn shorter_parameters(now: &Revived) -> Vec<Revived> {
    let mut edited = Vec::new();
    for (index, (_, value)) in now.case.query.iter().enumerate() {
        for short in shorter(&decode(value)) {
            let mut less = now.clone();
            less.case.query[index].1 = encode(&short);
            edited.push(less);
        }
    }
    edited
}

/// Beginnings of a text: none of it, one character, half of it, all but the last character.
fn shorter(text: &str) -> Vec<String> {
    let length = text.chars().count();
    let mut lengths = vec![0, 1, length / 2, length.saturating_sub(1)];
    lengths.retain(|one| *one < length);
    lengths.dedup();
    let beginning = |count: usize| text.chars().take(count).collect();
    lengths.into_iter().map(beginning).collect()
}

/// Numbers with fewer digits.
fn smaller(number: &Number) -> Vec<Value> {
    let length = number.to_string().len();
    let mut all: Vec<Value> = vec![0.into(), 1.into(), (-1).into()];
    if let Some(whole) = number.as_i64() {
        all.push((whole / 10).into());
        all.push((whole / 2).into());
    } else if let Some(float) = number.as_f64() {
        all.extend([0.5, float.trunc()].map(Value::from));
    }
    all.retain(|one| one.to_string().len() < length);
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_and_numbers_become_shorter_and_never_longer() {
        assert_eq!(shorter("abcdef"), ["", "a", "abc", "abcde"]);
        assert_eq!(shorter("a"), [""]);
        assert_eq!(shorter("äb"), ["", "ä"]);
        assert_eq!(shorter(""), Vec::<String>::new());
        let number = |value: Value| smaller(value.as_number().expect("a number"));
        assert_eq!(number(json!(7)), Vec::<Value>::new());
        assert_eq!(
            number(json!(123)),
            [json!(0), json!(1), json!(-1), json!(12), json!(61)]
        );
        assert_eq!(
            number(json!(1.25)),
            [json!(0), json!(1), json!(-1), json!(0.5), json!(1.0)]
        );
    }

    #[test]
    fn the_outer_members_are_left_out_first() {
        let mut pointers = Vec::new();
        walk(
            &json!({"a": {"b/c": 1}, "d": [2, {"e": 3}]}),
            "",
            &mut pointers,
        );
        assert_eq!(pointers, ["/a", "/a/b~1c", "/d", "/d/0", "/d/1", "/d/1/e"]);
    }
}
