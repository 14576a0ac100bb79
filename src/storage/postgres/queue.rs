//! The queue: when a webhook is looked at again, and what becomes of a claimed delivery that is not attempted.

use std::time::Duration;

use deadpool_postgres::{GenericClient, Transaction};
use jiff::Timestamp;
use uuid::Uuid;

use super::sweep::{lock_results, materialize};
use super::{Result, query, rows, run_cached};
use crate::storage::Waiting;

/// Ends pending deliveries by their numbers, in the state `$2` at the time `$3`.
pub(super) const END_PENDING_BY_NUMBER: &str = "WITH ended AS (DELETE FROM pending WHERE number = ANY ($1) RETURNING number, event, webhook, attempts, due_at,
         first_attempt_at, manual, created_at, started_at, outcome, status, error)
     INSERT INTO delivery (number, event, webhook, state, attempts, due_at, first_attempt_at, manual, created_at, completed_at,
         started_at, outcome, status, error)
     SELECT number, event, webhook, $2::text, attempts, due_at, first_attempt_at, manual, created_at, $3::bigint, started_at, outcome,
         status, error FROM ended";

/// Makes sure that webhooks are looked at when something falls due; suspended ones stay out. The due deliveries are written before.
pub(super) async fn wake(
    tx: &Transaction<'_>,
    due: impl Iterator<Item = (i64, i64)>,
) -> Result<()> {
    let mut earliest = std::collections::BTreeMap::new();
    for (lane, due_at) in due {
        let known = earliest.entry(lane).or_insert(due_at);
        *known = due_at.min(*known);
    }
    if earliest.is_empty() {
        return Ok(());
    }
    let (lanes, due): (Vec<i64>, Vec<i64>) = earliest.into_iter().unzip();
    // Locked first, in one order for all, and then read anew: a claim may be at work on the lane that has not seen what is new in it.
    run_cached(
        tx,
        "SELECT webhook FROM lane WHERE webhook = ANY ($1) ORDER BY webhook FOR UPDATE",
        &[&lanes],
    )
    .await?;
    run_cached(
        tx,
        "UPDATE lane SET next_due = new.due_at FROM unnest($1::bigint[], $2::bigint[]) AS new (webhook, due_at)
         WHERE lane.webhook = new.webhook AND NOT lane.suspended AND (lane.next_due IS NULL OR lane.next_due > new.due_at)",
        &[&lanes, &due],
    )
    .await?;
    Ok(())
}

/// How many deliveries of a webhook are counted at most: so that it takes no longer, however many wait.
const COUNTED: i64 = 10_000;

/// Counts the deliveries that wait for each of these webhooks and were never attempted. The last one in the queue tells of retries, which
/// fall due later than what was never attempted.
pub(super) async fn waiting(
    client: &impl GenericClient,
    lanes: &[i64],
    steady: Timestamp,
) -> Result<Vec<Waiting>> {
    let found = query(
        client,
        "SELECT lane.number,
             (SELECT count(*) FROM (
                 SELECT 1 FROM pending WHERE pending.webhook = lane.number AND NOT claimed AND attempts = 0
                     AND due_at BETWEEN (SELECT next_due FROM lane AS stored WHERE stored.webhook = lane.number) AND $2 LIMIT $3
             ) AS waiting),
             (SELECT total_us FROM delivery WHERE delivery.webhook = lane.number ORDER BY delivery.number DESC LIMIT 1),
             (SELECT attempts = 0 FROM pending WHERE pending.webhook = lane.number AND NOT claimed ORDER BY due_at DESC LIMIT 1)
         FROM unnest($1::bigint[]) AS lane (number)",
        &[&lanes, &steady.as_microsecond(), &COUNTED],
    )
    .await?;
    let mut all = Vec::with_capacity(found.len());
    for row in found {
        let count: i64 = row.try_get(1)?;
        let took: Option<i64> = row.try_get(2)?;
        let accepts = row.try_get::<_, Option<bool>>(3)?.unwrap_or(true);
        all.push(Waiting {
            lane: row.try_get(0)?,
            count: usize::try_from(count).unwrap_or_default(),
            // Where all attempts failed none has ended.
            answered: match took {
                Some(took) => Some((Duration::from_micros(took.unsigned_abs()), accepts)),
                None => (!accepts).then_some((Duration::ZERO, false)),
            },
        });
    }
    Ok(all)
}

/// Sets when a webhook is looked at next to the earliest delivery that waits for it.
pub(super) async fn settle(tx: &Transaction<'_>, lane: i64) -> Result<()> {
    run_cached(
        tx,
        "SELECT webhook FROM lane WHERE webhook = $1 FOR UPDATE",
        &[&lane],
    )
    .await?;
    run_cached(
        tx,
        "UPDATE lane SET next_due = CASE WHEN suspended THEN NULL ELSE
             (SELECT min(due_at) FROM pending WHERE webhook = $1 AND NOT claimed) END WHERE webhook = $1",
        &[&lane],
    )
    .await?;
    Ok(())
}

/// Makes rows for those of these deliveries that are attempted from memory. Takes the lock of results.
async fn materialize_by_id(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<()> {
    lock_results(tx).await?;
    let bases: Vec<Uuid> = ids.iter().map(|id| rows::base_and_index(*id).0).collect();
    let found = query(
        tx,
        "SELECT number FROM event WHERE base = ANY ($1) AND lanes IS NOT NULL",
        &[&bases],
    )
    .await?;
    let mut events = Vec::with_capacity(found.len());
    for row in found {
        events.push(row.try_get(0)?);
    }
    materialize(tx, &events).await
}

/// Lets claimed deliveries fall due at once, as if their leases had ended: this process will not end their attempts.
pub(super) async fn release(
    tx: &Transaction<'_>,
    claimed: &[(Uuid, u32)],
    steady: Timestamp,
) -> Result<()> {
    let (ids, attempts) = split(claimed);
    materialize_by_id(tx, &ids).await?;
    run_cached(
        tx,
        "UPDATE pending SET due_at = $3 FROM unnest($1::uuid[], $2::integer[]) AS gone (id, attempt)
         WHERE pending.id = gone.id AND pending.attempts = gone.attempt AND pending.claimed",
        &[&ids, &attempts, &steady.as_microsecond()],
    )
    .await?;
    Ok(())
}

/// Takes claims back as if they had not been made, and lets their deliveries fall due at `due_at`. A retry schedule that began with such
/// a claim begins anew.
pub(super) async fn postpone(
    tx: &Transaction<'_>,
    claimed: &[(Uuid, u32)],
    due_at: Timestamp,
) -> Result<()> {
    let (ids, attempts) = split(claimed);
    materialize_by_id(tx, &ids).await?;
    let due_at = due_at.as_microsecond();
    let changed = query(
        tx,
        "UPDATE pending SET attempts = attempts - 1, claimed = false, due_at = $3,
             first_attempt_at = CASE WHEN attempts > 1 THEN first_attempt_at END
         FROM unnest($1::uuid[], $2::integer[]) AS gone (id, attempt)
         WHERE pending.id = gone.id AND pending.attempts = gone.attempt AND pending.claimed RETURNING pending.webhook",
        &[&ids, &attempts, &due_at],
    )
    .await?;
    let mut lanes = Vec::with_capacity(changed.len());
    for row in changed {
        lanes.push((row.try_get(0)?, due_at));
    }
    wake(tx, lanes.into_iter()).await
}

fn split(claimed: &[(Uuid, u32)]) -> (Vec<Uuid>, Vec<i32>) {
    claimed
        .iter()
        .map(|(id, attempt)| (*id, i32::try_from(*attempt).unwrap_or(i32::MAX)))
        .unzip()
}

/// Makes a delivery due now, whatever its state; says whether it is: there may be none, and one with a lease is left to its attempt.
///
/// Of a pending one this is an attempt beside the schedule, unless the next attempt is due already or is the first. The retry that would
/// have come next is kept.
pub(super) async fn retry(tx: &Transaction<'_>, id: Uuid, steady: Timestamp) -> Result<bool> {
    let (base, index) = rows::base_and_index(id);
    let found = query(
        tx,
        "SELECT first, matched FROM event WHERE base = $1",
        &[&base],
    )
    .await?;
    let Some(row) = found.first() else {
        return Ok(false);
    };
    let (first, matched): (i64, i32) = (row.try_get(0)?, row.try_get(1)?);
    if index >= i64::from(matched) {
        return Ok(false);
    }
    materialize_by_id(tx, &[id]).await?;
    Ok(make_due(tx, &[first + index], steady).await? > 0)
}

/// Makes deliveries that have rows due now, whatever their state; gives how many they are without those that are left to an attempt that
/// is under way. The caller holds the lock of results.
pub(super) async fn make_due(
    tx: &Transaction<'_>,
    numbers: &[i64],
    steady: Timestamp,
) -> Result<u64> {
    let steady = steady.as_microsecond();
    let pending = query(
        tx,
        "UPDATE pending SET due_at = $2,
             manual = manual + CASE WHEN NOT once AND attempts > 0 AND due_at > $2 THEN 1 ELSE 0 END,
             resume_at = CASE WHEN NOT once AND attempts > 0 AND due_at > $2
                 THEN coalesce(resume_at, due_at) ELSE resume_at END
         WHERE number = ANY ($1) AND NOT (claimed AND due_at > $2) RETURNING webhook",
        &[&numbers, &steady],
    )
    .await?;
    // A delivery that has ended goes back to the queue, and its last attempt to the others.
    let ended = query(
        tx,
        "WITH gone AS (DELETE FROM delivery WHERE number = ANY ($1) RETURNING *), kept AS (
             INSERT INTO attempt (delivery, number, started_at, queue_us, connect_us, first_byte_us, total_us, request_headers, outcome,
                 status, retry_after_s, error, response_body, response_truncated, response_headers)
             SELECT number, attempt, started_at, queue_us, connect_us, first_byte_us, total_us, request_headers, outcome, status,
                 retry_after_s, error, response_body, response_truncated, response_headers
             FROM gone WHERE attempt IS NOT NULL
         )
         INSERT INTO pending (number, id, event, webhook, attempts, due_at, first_attempt_at, claimed, once, manual, created_at,
             started_at, outcome, status, error)
         SELECT gone.number,
             overlay(replace(event.base::text, '-', '') PLACING lpad(to_hex(gone.number - event.first), 5, '0') FROM 28)::uuid,
             gone.event, gone.webhook, gone.attempts, $2, gone.first_attempt_at, false, true, gone.manual, gone.created_at,
             gone.started_at, gone.outcome, gone.status, gone.error
         FROM gone JOIN event ON event.number = gone.event RETURNING webhook",
        &[&numbers, &steady],
    )
    .await?;
    let mut lanes = Vec::with_capacity(pending.len() + ended.len());
    for row in pending.iter().chain(&ended) {
        lanes.push((row.try_get(0)?, steady));
    }
    let count = u64::try_from(lanes.len()).unwrap_or(u64::MAX);
    wake(tx, lanes.into_iter()).await?;
    Ok(count)
}

/// Cancels the pending deliveries of a webhook, those included that are attempted from memory at this moment.
pub(super) async fn cancel(tx: &Transaction<'_>, lane: i64, now: Timestamp) -> Result<()> {
    tx.batch_execute("SET LOCAL statement_timeout = '120s'")
        .await?;
    lock_results(tx).await?;
    let found = query(
        tx,
        "SELECT DISTINCT event FROM handed_over WHERE webhook = $1",
        &[&lane],
    )
    .await?;
    let mut events = Vec::with_capacity(found.len());
    for row in found {
        events.push(row.try_get(0)?);
    }
    materialize(tx, &events).await?;
    run_cached(
        tx,
        "WITH ended AS (DELETE FROM pending WHERE webhook = $1 RETURNING number, event, webhook, attempts, due_at, first_attempt_at,
             manual, created_at, started_at, outcome, status, error)
         INSERT INTO delivery (number, event, webhook, state, attempts, due_at, first_attempt_at, manual, created_at, completed_at,
             started_at, outcome, status, error)
         SELECT number, event, webhook, 'cancelled', attempts, due_at, first_attempt_at, manual, created_at, $2::bigint, started_at,
             outcome, status, error FROM ended",
        &[&lane, &now.as_microsecond()],
    )
    .await?;
    Ok(())
}
