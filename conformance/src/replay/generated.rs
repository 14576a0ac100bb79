//! The phase of generated cases: a unit for each operation, lanes of them at the same time.

use std::collections::HashMap;

use futures_util::{StreamExt, stream};

use super::create::{self, Refusal};
use super::unit::{self, Unit};
use super::{causes, lanes};
use crate::case::Case;
use crate::finding::{ReplayStep, Tally};
use crate::generate::Generator;
use crate::session::{Generate, Part, PathValues, Session, is_safe};

/// Sends the generated cases of all selected operations. `before` and `refused` are what the samples came to.
pub(super) async fn run(
    session: &Session<'_>,
    generate: &Generate,
    before: &Part,
    refused: &[Refusal],
) -> (Part, Vec<Refusal>) {
    let lanes = lanes::of(session.operations, &session.selected);
    let generator = &Generator::new(session.document, session.judge.schemas);
    let lane = |lane: Vec<usize>| async move {
        let mut done = Vec::new();
        for index in lane {
            if session.stopped() {
                session.note_unfinished(index);
                continue;
            }
            let unit = Unit::new(session, &before.created, refused);
            done.push((index, operation(unit, index, generator, generate).await));
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

/// Sends the generated cases of an operation.
async fn operation(
    mut unit: Unit<'_>,
    index: usize,
    generator: &Generator<'_>,
    generate: &Generate,
) -> (Part, Vec<Refusal>) {
    let session = unit.session;
    let (operation, plan) = (&session.operations[index], &session.plans[index]);
    let own = generator.faults(operation, &plan.cases);
    let mut cases = generator.cases(operation, &plan.cases, generate.max_cases);
    cases.extend(generator.random(operation, &plan.cases, generate.seed, generate.random));
    if generate.safe {
        // Of an operation that changes something nothing is sent, not even with another method.
        let reads = is_safe(&operation.method);
        cases.retain(|case| reads && is_safe(&case.method));
    }
    unit.reusable = Some(HashMap::new());
    send(&mut unit, index, &cases).await;
    let findings = std::mem::take(&mut unit.part.findings);
    unit.part.findings = causes::of_cases(session, findings, &cases);
    unit.part.findings.splice(0..0, own);
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
            session.note_unfinished(index);
            return;
        }
        let mut ready = Vec::new();
        for case in group {
            if let Some(path) = unit.prepare(index, case).await {
                ready.push((case, path));
            }
        }
        let exchange = |(case, path)| async move {
            match session.stopped() {
                true => None,
                false => Some(unit::send(session, index, case, path).await),
            }
        };
        let pairs = ready
            .iter()
            .map(|(case, path): &(&Case, PathValues)| (*case, path));
        let workers = session.options.workers.max(1);
        let mut exchanges = stream::iter(pairs.map(exchange)).buffered(workers);
        let mut cases = ready.iter();
        // Judged as they come, in the order of the cases: a response that proves nothing is not kept.
        while let (Some(sent), Some((case, path))) = (exchanges.next().await, cases.next()) {
            match sent {
                Some(sent) => unit.absorb(index, case, path, sent),
                None => session.note_unfinished(index),
            }
        }
    }
}
