//! The phase of generated cases: a unit for each operation, lanes of them at the same time.

use std::collections::HashMap;
use std::pin::pin;

use futures_util::future::{Either, select};
use futures_util::stream::{self, FuturesOrdered, StreamExt};

use super::ahead::{Ahead, Cases};
use super::causes::Causes;
use super::lanes;
use super::refusals::{self, Refusal};
use super::unit::{self, Unit};
use crate::case::Case;
use crate::exchange::Exchange;
use crate::finding::{ReplayStep, Tally, Unwritable};
use crate::session::{Part, PathValues, Session, is_safe};

/// Sends the generated cases of all selected operations. `before` and `refused` are what the samples came to.
pub(super) async fn run(
    session: &Session<'_>,
    ahead: &Ahead,
    before: &Part,
    refused: &[Refusal],
) -> (Part, Vec<Refusal>) {
    let lanes = lanes::of(session.operations, &session.selected);
    let lane = |lane: Vec<usize>| async move {
        let mut done = Vec::new();
        let mut created = before.created.clone();
        for index in lane {
            if session.stopped() {
                session.note_unfinished(index);
                let part = Part {
                    findings: ahead.faults(index).await,
                    ..Part::default()
                };
                done.push((index, (part, Vec::new())));
                continue;
            }
            let unit = Unit::new(session, &created, refused);
            let (part, refusals) = operation(unit, index, ahead.cases(index)).await;
            // The next one must not count on what this one deleted.
            created.retain(|one| !part.deleted.contains(&one.path()));
            created.extend(part.created.iter().cloned());
            done.push((index, (part, refusals)));
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
        refusals::merge(&mut refusals, more);
    }
    (part, refusals)
}

/// Sends the generated cases of an operation.
async fn operation(mut unit: Unit<'_>, index: usize, mut cases: Cases<'_>) -> (Part, Vec<Refusal>) {
    let session = unit.session;
    unit.reusable = Some(HashMap::new());
    unit.causes = Some(Causes::default());
    send(&mut unit, index, &mut cases).await;
    let joined = unit.causes.take().unwrap_or_default().finish();
    let faults = cases.faults().await;
    unit.part
        .findings
        .splice(0..0, faults.into_iter().chain(joined));
    let tally = &mut unit.part.tally;
    let (sent, passed) = (tally.replayed, tally.passed);
    *tally = Tally {
        generated: sent,
        generated_passed: passed,
        ..Tally::default()
    };
    session.tell(ReplayStep::Generated {
        operation: session.operations[index].subject(),
        sent,
        passed,
    });
    unit.finish()
}

/// Sends cases in their order; those that change nothing at the same time as their neighbors.
async fn send(unit: &mut Unit<'_>, index: usize, cases: &mut Cases<'_>) {
    let session = unit.session;
    let workers = session.options.workers.max(1);
    let mut sending = FuturesOrdered::new();
    loop {
        if session.stopped() {
            session.note_unfinished(index);
            break;
        }
        let (case, arrived) = beside(&mut sending, cases.next()).await;
        for sent in arrived {
            take(unit, index, Some(sent));
        }
        let Some(case) = case else { break };
        if session.has_no_other_case(&case) {
            continue;
        }
        if let Some(causes) = &mut unit.causes {
            causes.note(&case);
        }
        let changes_nothing = is_safe(&case.method);
        // Judged as they come, in the order of the cases: neither a case nor a response that proves nothing is kept.
        while sending.len() >= workers || !changes_nothing && !sending.is_empty() {
            take(unit, index, sending.next().await);
        }
        if session.stopped() {
            session.note_unfinished(index);
            break;
        }
        let (path, arrived) = beside(&mut sending, unit.prepare(index, &case)).await;
        for sent in arrived {
            take(unit, index, Some(sent));
        }
        let Some(path) = path else { continue };
        let case = session.referring(index, case);
        let exchange = async move {
            let sent = match session.stopped() {
                true => None,
                false => Some(unit::send(session, index, &case, &path).await),
            };
            (case, path, sent)
        };
        sending.push_back(exchange);
        if !changes_nothing {
            take(unit, index, sending.next().await);
        }
    }
    while let Some(sent) = sending.next().await {
        take(unit, index, Some(sent));
    }
}

/// Waits for something and drives requests meanwhile: those that nobody drives would hold workers that it may need, and seem slow. Returns
/// those that ended too.
async fn beside<T>(
    sending: &mut FuturesOrdered<impl Future<Output = Sent>>,
    awaited: impl Future<Output = T>,
) -> (T, Vec<Sent>) {
    let mut awaited = pin!(awaited);
    let mut arrived = Vec::new();
    while !sending.is_empty() {
        match select(awaited.as_mut(), sending.next()).await {
            Either::Left((ready, _)) => return (ready, arrived),
            Either::Right((sent, _)) => arrived.extend(sent),
        }
    }
    (awaited.await, arrived)
}

/// A case that was sent, with its path and its exchange; none where the run was stopped before.
type Sent = (Case, PathValues, Option<Result<Exchange, Unwritable>>);

fn take(unit: &mut Unit<'_>, index: usize, sent: Option<Sent>) {
    match sent {
        Some((case, path, Some(exchange))) => unit.absorb(index, &case, &path, exchange),
        Some((.., None)) => unit.session.note_unfinished(index),
        None => {}
    }
}
