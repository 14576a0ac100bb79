//! The phase of generated cases: a unit for each operation, lanes of them at the same time.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt, stream};

use super::create::{self, Refusal};
use super::lanes;
use super::unit::Unit;
use crate::case::Case;
use crate::finding::{Finding, Message, ReplayFault, ReplayStep, Severity, Tally};
use crate::generate;
use crate::rule::replay as rules;
use crate::session::{Generate, Part, PathValues, Session, is_safe};

/// Sends the generated cases of all selected operations. `before` and `refused` are what the samples came to.
pub(super) async fn run(
    session: &Session<'_>,
    generate: &Generate,
    before: &Part,
    refused: &[Refusal],
) -> (Part, Vec<Refusal>) {
    let lanes = lanes::of(session.operations, &session.selected);
    let lane = |lane: Vec<usize>| async move {
        let mut done = Vec::new();
        for index in lane {
            if session.stopped() {
                break;
            }
            let unit = Unit::new(session, &before.created, refused);
            let statuses = before.statuses.get(&index);
            let statuses = statuses.map(Vec::as_slice).unwrap_or_default();
            done.push((index, operation(unit, index, generate, statuses).await));
        }
        done
    };
    let workers = session.options.workers.max(1);
    let units = stream::iter(lanes).map(lane).buffer_unordered(workers);
    let mut units: Vec<_> = units
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .flatten()
        .collect();
    units.sort_by_key(|(index, _)| *index);
    let (mut part, mut refusals) = (Part::default(), Vec::new());
    for (_, (later, more)) in units {
        part.append(later);
        create::merge(&mut refusals, more);
    }
    (part, refusals)
}

/// Sends the generated cases of an operation, whose samples were answered with `statuses`.
async fn operation(
    mut unit: Unit<'_>,
    index: usize,
    generate: &Generate,
    statuses: &[u16],
) -> (Part, Vec<Refusal>) {
    let session = unit.session;
    let (operation, plan) = (&session.operations[index], &session.plans[index]);
    let mut cases = generate::cases(
        session.document,
        session.judge.schemas,
        operation,
        &plan.cases,
        generate.max_cases,
    );
    cases.retain(|case| !generate.safe || is_safe(&case.method));
    unit.reusable = Some(HashMap::new());
    send(&mut unit, index, &cases).await;
    let mut seen = HashSet::new();
    unit.part
        .findings
        .retain(|finding| seen.insert(cause(finding)));
    let own = unit.part.statuses.get(&index).into_iter().flatten();
    let statuses: Vec<u16> = statuses.iter().chain(own).copied().collect();
    if !statuses.is_empty() && !statuses.iter().any(|status| (200..400).contains(status)) {
        let fault = ReplayFault::NeverAccepted {
            requests: statuses.len(),
            last: statuses.last().copied(),
        };
        let (rule, severity) = (rules::NEVER_ACCEPTED, Severity::Undecided);
        let (subject, at) = (operation.subject(), &operation.pointer);
        unit.part.note(session, rule, severity, &subject, at, fault);
    }
    let tally = &mut unit.part.tally;
    let (sent, passed) = (tally.replayed, tally.passed);
    *tally = Tally {
        generated: sent,
        generated_passed: passed,
        ..Tally::default()
    };
    session.tell(ReplayStep::Generated {
        operation: operation.subject(),
        sent,
        passed,
    });
    unit.finish()
}

/// Sends cases in their order; those that change nothing at the same time as their neighbors.
async fn send(unit: &mut Unit<'_>, index: usize, cases: &[Case]) {
    let session = unit.session;
    for group in cases.chunk_by(|one, next| is_safe(&one.method) && is_safe(&next.method)) {
        if session.stopped() {
            return;
        }
        let mut ready = Vec::new();
        for case in group {
            if let Some(path) = unit.prepare(index, case).await {
                ready.push((case, path));
            }
        }
        let exchange = |(case, path): &(&Case, PathValues)| {
            let request = session.request(case, path);
            async move {
                match session.stopped() {
                    true => None,
                    false => Some(session.send(Some(index), request).await),
                }
            }
        };
        let workers = session.options.workers.max(1);
        let exchanges = stream::iter(ready.iter().map(exchange)).buffered(workers);
        let exchanges: Vec<_> = exchanges.collect().await;
        for ((case, path), sent) in ready.iter().zip(exchanges) {
            if let Some(sent) = sent {
                unit.absorb(index, case, path, sent);
            }
        }
    }
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
