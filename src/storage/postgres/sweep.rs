//! Deliveries that were handed over from memory and have no result: where their leases have ended they get a row, from which they are
//! claimed like others.
//!
//! Events are gone over once, in order, up to the first that has a delivery without a row; what is before it is settled. The lock of
//! results makes sure that a delivery gets its row either here or with its result: results are written under the shared lock, and rows
//! are made here under the exclusive one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::Transaction;
use jiff::Timestamp;

use super::{Db, Result, query, rows, run_cached};

/// How many events one sweep goes over.
const STEP: i64 = 4_096;

/// How often events are gone over at least, since other nodes publish too.
const PAUSE: Duration = Duration::from_millis(500);

/// The deliveries, as far as this node knows them, that are attempted from memory.
#[derive(Debug, Default)]
pub(super) struct Sweep(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When the first lease ends, in steady time.
    next: Option<Timestamp>,
    /// When events were gone over last.
    swept: Option<Instant>,
}

impl Sweep {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lease ends at this time.
    pub(super) fn lease_ends(&self, at: Timestamp) {
        let mut state = self.lock();
        state.next = Some(state.next.map_or(at, |next| next.min(at)));
    }

    /// When the first lease ends that is known.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.lock().next
    }

    fn is_due(&self, steady: Timestamp) -> bool {
        let state = self.lock();
        let known = state.next.is_some_and(|next| next <= steady);
        known || state.swept.is_none_or(|swept| swept.elapsed() >= PAUSE)
    }

    fn done(&self, next: Option<Timestamp>, whole: bool) {
        let mut state = self.lock();
        state.next = next;
        state.swept = whole.then(Instant::now);
    }
}

/// Takes the lock of results, alone: none is written until the end of the transaction.
pub(super) async fn lock_results(tx: &Transaction<'_>) -> Result<()> {
    run_cached(
        tx,
        "SELECT pg_advisory_xact_lock('event_number'::regclass::oid::integer, 2)",
        &[],
    )
    .await?;
    Ok(())
}

/// Takes the lock of results beside others who write some.
pub(super) async fn share_results(tx: &Transaction<'_>) -> Result<()> {
    run_cached(
        tx,
        "SELECT pg_advisory_xact_lock_shared('event_number'::regclass::oid::integer, 2)",
        &[],
    )
    .await?;
    Ok(())
}

/// Goes over the next events, where it is time.
pub(super) async fn sweep(db: &Db, tx: &Transaction<'_>, steady: Timestamp) -> Result<()> {
    if !db.sweep.is_due(steady) {
        return Ok(());
    }
    // Beside a publication of this node the time that it tells would be forgotten.
    db.sweep.lock().next = None;
    let found = query(
        tx,
        "WITH step AS MATERIALIZED (
             SELECT number, lanes, first, lease_end FROM event
             WHERE number > (SELECT event FROM settled) ORDER BY number LIMIT $1
         ), open AS MATERIALIZED (
             SELECT step.number, min(step.lease_end) AS lease_end
             FROM step CROSS JOIN LATERAL unnest(step.lanes) WITH ORDINALITY AS lane (webhook, position)
             WHERE (SELECT delivery.number FROM delivery WHERE delivery.number = step.first + lane.position - 1) IS NULL
                 AND (SELECT pending.number FROM pending WHERE pending.number = step.first + lane.position - 1) IS NULL
             GROUP BY step.number
         )
         SELECT (SELECT count(*) FROM step), (SELECT max(number) FROM step),
             (SELECT min(number) FROM open), (SELECT min(lease_end) FROM open),
             (SELECT array_agg(number) FROM open WHERE lease_end <= $2)",
        &[&STEP, &steady.as_microsecond()],
    )
    .await?;
    let row = &found[0];
    let whole = row.try_get::<_, i64>(0)? < STEP;
    let (last, first_open): (Option<i64>, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
    let mut next = rows::optional_time(row, 3)?;
    let expired: Option<Vec<i64>> = row.try_get(4)?;
    if let Some(expired) = expired {
        lock_results(tx).await?;
        materialize(tx, &expired).await?;
        db.floors.leases_changed();
        // The others are found by the next sweep, at once.
        next = Some(steady);
    } else if let Some(settled) = first_open.map(|first| first - 1).or(last) {
        run_cached(
            tx,
            "UPDATE settled SET event = $1 WHERE event < $1 AND pg_try_advisory_xact_lock('event_number'::regclass::oid::integer, 3)",
            &[&settled],
        )
        .await?;
    }
    if let Some(at) = next {
        db.sweep.lease_ends(at);
    }
    let next = db.sweep.next();
    db.sweep.done(next, whole || first_open.is_some());
    Ok(())
}

/// Makes rows for the deliveries of these events that have none. The caller holds the lock of results.
pub(super) async fn materialize(tx: &Transaction<'_>, events: &[i64]) -> Result<()> {
    run_cached(
        tx,
        "INSERT INTO pending (number, id, event, webhook, attempts, due_at, first_attempt_at, claimed, created_at)
         SELECT event.first + lane.position - 1,
             overlay(replace(event.base::text, '-', '') PLACING lpad(to_hex(lane.position - 1), 5, '0') FROM 28)::uuid,
             event.number, lane.webhook, 1, event.lease_end, event.kept_since, true, event.created_at
         FROM unnest($1::bigint[]) AS wanted (number) JOIN event ON event.number = wanted.number
             CROSS JOIN LATERAL unnest(event.lanes) WITH ORDINALITY AS lane (webhook, position)
         WHERE (SELECT delivery.number FROM delivery WHERE delivery.number = event.first + lane.position - 1) IS NULL
         ON CONFLICT (number) DO NOTHING",
        &[&events],
    )
    .await?;
    Ok(())
}
