//! What a run did not get to see: operations that accepted nothing, a server that lets nobody in, and what was never observed.

use crate::case::is_success;
use crate::finding::{
    ExchangeRecord, Finding, Place, ReplayFault, Severity, Unchecked, Unobserved,
};
use crate::rule::replay as rules;
use crate::session::{Observed, Part, Session, Watched, is_safe};

/// How much of the last answer to an operation is quoted, in characters.
const QUOTED: usize = 200;

/// Adds a finding for each operation that accepted no request that it should accept: little of it was checked.
pub(super) fn note_never_accepted(session: &Session<'_>, result: &mut Part) {
    let unfinished = session.unfinished();
    for &index in &session.selected {
        let operation = &session.operations[index];
        let responses = operation.responses(session.document);
        let succeeds = |status: &str| is_success(status) || status.starts_with('3');
        let can = responses
            .iter()
            .any(|(status, _)| succeeds(status) || status == "default");
        let wanted = !session.options.safe() || is_safe(&operation.method);
        let observed = result.observed.get(&index);
        let accepted = observed.is_some_and(|observed| observed.accepted > 0);
        if !can || !wanted || accepted || unfinished.contains(&index) {
            continue;
        }
        let refusal = observed.and_then(|observed| observed.refusal.as_deref());
        let response = refusal.and_then(|(exchange, _)| exchange.response.as_ref());
        let words = response.map(|response| quoted(&response.body));
        let fault = ReplayFault::NeverAccepted {
            requests: observed.map_or(0, |observed| observed.requests),
            last: response.map(|response| response.status),
            words: words.filter(|words| !words.is_empty()),
        };
        let subject = operation.subject();
        // A refusal of each valid request tells nothing more.
        result
            .findings
            .retain(|finding| finding.rule != rules::VALID_ACCEPTED || finding.subject != subject);
        result.findings.push(Finding {
            old: Some(Place::of(session.document, &operation.pointer)),
            exchange: refusal.map(|(exchange, case)| ExchangeRecord {
                case: Some(case.clone()),
                ..exchange.record(session.judge.secrets)
            }),
            ..Finding::new(rules::NEVER_ACCEPTED, Severity::Undecided, subject, fault)
        });
    }
}

/// The beginning of a body, on one line.
fn quoted(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * QUOTED)]);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// Why the run has no result, though requests were sent: the server let nobody in.
pub(super) fn unauthorized(session: &Session<'_>, result: &Part) -> Option<Unchecked> {
    let observed = || result.observed.values();
    let only = |observed: &Observed| {
        let statuses = observed.statuses.keys();
        observed.accepted == 0 && statuses.copied().all(|status| matches!(status, 401 | 403))
    };
    let refused = observed().any(|one| one.refusal.is_some() && !one.statuses.is_empty());
    (refused && observed().all(only)).then(|| Unchecked::Unauthorized {
        requests: observed().map(|one| one.requests).sum(),
        missing: missing(session, result),
    })
}

/// How to give the credentials that the refused operations need and that no option gives.
fn missing(session: &Session<'_>, result: &Part) -> Vec<String> {
    let mut missing: Vec<String> = Vec::new();
    for index in result.observed.keys() {
        for way in session.lacking(*index) {
            if !missing.contains(way) {
                missing.push(way.clone());
            }
        }
    }
    missing
}

/// Why the run has no result, though requests were answered: nothing of the document is there.
pub(super) fn elsewhere(session: &Session<'_>, result: &Part) -> Option<Unchecked> {
    let observed = || result.observed.values();
    let absent = |status: u16| matches!(status, 404 | 405 | 501);
    let only = |one: &Observed| one.accepted == 0 && one.statuses.keys().copied().all(absent);
    // Where each path has an id, a 404 may mean that the id is unknown.
    let plain = result.observed.iter().any(|(index, one)| {
        !session.operations[*index].path.contains('{') && one.statuses.contains_key(&404)
    });
    (plain && observed().all(only)).then(|| Unchecked::Elsewhere {
        requests: observed().map(|one| one.requests).sum(),
        server: session.base.clone(),
    })
}

/// Adds a finding for each thing of the watched kinds that was not observed.
pub(super) fn note_unobserved(session: &Session<'_>, watched: &[Watched], result: &mut Part) {
    let mut noted = Vec::new();
    for &index in &session.selected {
        let operation = &session.operations[index];
        let observed = result.observed.get(&index);
        let subject = operation.subject();
        let mut note = |at: &str, what: Unobserved| {
            noted.push(Finding {
                old: Some(Place::of(session.document, at)),
                ..Finding::new(
                    rules::UNOBSERVED,
                    Severity::Undecided,
                    subject.clone(),
                    ReplayFault::Unobserved { what },
                )
            });
        };
        if watched.contains(&Watched::Operation) && observed.is_none_or(|one| one.requests == 0) {
            note(&operation.pointer, Unobserved::Operation);
        }
        if watched.contains(&Watched::Status) {
            for (key, response) in operation.responses(session.document) {
                let seen = |status: &u16| crate::check::falls_under(*status, &key);
                if key != "default" && observed.is_none_or(|one| !one.statuses.keys().any(seen)) {
                    note(&response.pointer, Unobserved::Status { status: key });
                }
            }
        }
        if watched.contains(&Watched::Sample) {
            for case in &session.plans[index].cases {
                let sent = result.sent.iter();
                let mut sent = sent.filter(|sent| sent.operation == case.operation);
                if !sent.any(|sent| sent.sample == case.sample) {
                    let sample = case.sample.clone();
                    note(&case.at, Unobserved::Sample { sample });
                }
            }
        }
    }
    result.findings.extend(noted);
}
