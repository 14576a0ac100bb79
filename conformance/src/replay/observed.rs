//! Gaps in the observations of a run: operations that accepted nothing, a server that lets nobody in, and parts that were never observed.

use std::collections::HashSet;

use url::Url;

use crate::case::is_success;
use crate::finding::{
    Coverage, ExchangeRecord, Finding, Place, ReplayFault, SampleCoverage, Severity, Unchecked,
    Unobserved,
};
use crate::rule::replay as rules;
use crate::session::{Observed, Part, Session, Watched, is_safe, server_urls};

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
        // That what it needs could not be created says so already.
        if refusal.is_none() && needs(&result.findings, &operation.subject()) {
            continue;
        }
        let response = refusal.and_then(|(exchange, _)| exchange.response.as_ref());
        let words = response.map(|response| quoted(&response.body));
        let fault = ReplayFault::NeverAccepted {
            requests: observed.map_or(0, |observed| observed.seen.requests),
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

/// Whether requests of an operation were not sent because something could not be created.
fn needs(findings: &[Finding], subject: &str) -> bool {
    let prefix = format!("{subject}, ");
    let mut refusals = findings
        .iter()
        .filter(|one| one.rule == rules::RESOURCE_NOT_CREATED);
    refusals.any(|one| {
        one.used_by
            .tree
            .iter()
            .any(|user| user.subject.starts_with(&prefix))
    })
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

/// Why the run has no result, though requests were sent: the server let nobody in. It may look at paths, methods and content types before.
pub(super) fn unauthorized(session: &Session<'_>, result: &Part) -> Option<Unchecked> {
    let observed = || result.observed.values();
    let status = |observed: &Observed| {
        let (exchange, _) = observed.refusal.as_deref()?;
        let response = exchange.response.as_ref();
        Some(response.map(|response| response.status))
    };
    let is_unauthorized = |status: Option<u16>| matches!(status, Some(401 | 403));
    let only = |observed: &Observed| {
        let mut statuses = observed.seen.own_statuses();
        observed.accepted == 0
            && status(observed).is_none_or(is_unauthorized)
            && statuses.all(|status| (400..500).contains(&status))
    };
    let refused = observed().any(|one| status(one).is_some_and(is_unauthorized));
    (refused && observed().all(only)).then(|| Unchecked::Unauthorized {
        requests: observed().map(|one| one.seen.requests).sum(),
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
    // Many servers look at credentials before they look for the path.
    let absent = |status: u16| matches!(status, 401 | 403 | 404 | 405 | 501);
    let only = |one: &Observed| one.accepted == 0 && one.seen.all_statuses().all(absent);
    // Where each path has an id, a 404 may mean that the id is unknown.
    let plain = result.observed.iter().any(|(index, one)| {
        !session.operations[*index].path.contains('{') && one.seen.has_status(404)
    });
    (plain && observed().all(only)).then(|| Unchecked::Elsewhere {
        requests: observed().map(|one| one.seen.requests).sum(),
        server: session.base.clone(),
        other: with_base_path(session),
    })
}

/// The base URL with the path of a server URL of the document, where it has no path of its own.
fn with_base_path(session: &Session<'_>) -> Option<String> {
    let base = Url::parse(&session.base).ok()?;
    let urls = server_urls(session.document).into_iter();
    let mut paths = urls.filter_map(|url| Some(Url::parse(&url).ok()?.path().to_owned()));
    let path = paths.find(|path| path != "/")?;
    let other = base.join(&path).ok().filter(|_| base.path() == "/")?;
    Some(other.as_str().trim_end_matches('/').to_owned())
}

/// The coverage of the run.
pub(super) fn coverage(session: &Session<'_>, result: &Part) -> Coverage {
    let seen = result.observed.iter();
    let seen = seen.map(|(index, one)| (*index, &one.seen)).collect();
    let sent: HashSet<(&str, &str)> = result
        .sent
        .iter()
        .map(|sent| (&*sent.operation, &*sent.sample))
        .collect();
    let samples = |index: usize| {
        let cases = session.plans[index].cases.iter();
        cases
            .map(|case| SampleCoverage {
                name: case.sample.clone(),
                sent: sent.contains(&(&case.operation, &case.sample)),
                at: case.at.clone(),
            })
            .collect()
    };
    let (document, operations) = (session.document, session.operations);
    crate::coverage::measure(document, operations, &session.selected, &samples, &seen)
}

/// The findings about things of the watched kinds that were not observed.
pub(super) fn unobserved(
    session: &Session<'_>,
    watched: &[Watched],
    coverage: &Coverage,
) -> Vec<Finding> {
    let mut noted = Vec::new();
    for one in &coverage.operations {
        let mut note = |at: &str, what: Unobserved| {
            let fault = ReplayFault::Unobserved { what };
            let (rule, subject) = (rules::UNOBSERVED, one.operation.clone());
            noted.push(Finding {
                old: Some(Place::of(session.document, at)),
                ..Finding::new(rule, Severity::Undecided, subject, fault)
            });
        };
        if watched.contains(&Watched::Operation) && one.requests == 0 {
            note(&one.at, Unobserved::Operation);
        }
        if watched.contains(&Watched::Status) {
            for status in one.statuses.iter().filter(|status| status.observed == 0) {
                let name = status.name.clone();
                note(&status.at, Unobserved::Status { status: name });
            }
        }
        if watched.contains(&Watched::Sample) {
            for sample in one.samples.iter().filter(|sample| !sample.sent) {
                let name = sample.name.clone();
                note(&sample.at, Unobserved::Sample { sample: name });
            }
        }
    }
    noted
}
