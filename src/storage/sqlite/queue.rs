//! The queue: what becomes of a claimed delivery, and when a webhook is looked at again.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Statement, params};
use uuid::Uuid;

use super::super::StoreError;
use super::super::queue::{AttemptResult, Recorded};
use crate::domain::{Next, Outcome};

type Result<T> = std::result::Result<T, StoreError>;

/// Makes sure that a webhook is looked at when `due_at` comes; a suspended one stays out.
pub(super) fn wake(connection: &Connection, lane: i64, due_at: Timestamp) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE webhook SET next_due = ?2 WHERE number = ?1 AND suspended = 0 AND (next_due IS NULL OR next_due > ?2)",
        )?
        .execute(params![lane, due_at.as_microsecond()])?;
    Ok(())
}

/// Sets a webhook's place in the index to the earliest delivery that waits for it.
pub(super) fn settle(connection: &Connection, lane: i64) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE webhook SET next_due = CASE WHEN suspended THEN NULL ELSE
                 (SELECT min(due_at) FROM delivery WHERE webhook = ?1 AND state = 'pending' AND claimed = 0) END WHERE number = ?1",
        )?
        .execute([lane])?;
    Ok(())
}

/// A result as it is written. Made outside the writer's thread.
pub(super) struct ResultRow {
    result: Arc<AttemptResult>,
    request_headers: String,
    response_headers: String,
}

impl ResultRow {
    pub(super) fn new(result: Arc<AttemptResult>) -> Result<Self> {
        let json = |headers: &[(String, String)]| {
            serde_json::to_string(headers).map_err(|error| StoreError::Damaged(error.to_string()))
        };
        Ok(Self {
            request_headers: json(&result.attempt.request_headers)?,
            response_headers: json(&result.attempt.response_headers)?,
            result,
        })
    }
}

/// Records results of attempts, each unless a later attempt was claimed since or the delivery has ended.
pub(super) fn record(connection: &Connection, rows: &[ResultRow]) -> Result<Vec<Recorded>> {
    let mut update = connection.prepare_cached(
        "UPDATE delivery SET state = ?3, due_at = coalesce(?4, due_at), completed_at = ?5, claimed = 0, once = 0, resume_at = NULL
         WHERE number = ?1 AND id = ?6 AND attempts = ?2 AND claimed = 1 AND state = 'pending'",
    )?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO attempt (delivery, number, started_at, queue_us, connect_us, first_byte_us, total_us,
             request_headers, outcome, status, retry_after_s, error, response_body, response_truncated,
             response_headers)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?;
    let mut recorded = Vec::with_capacity(rows.len());
    for row in rows {
        let result = &row.result;
        let (state, due_at) = match result.next {
            Next::Delivered => ("delivered", None),
            Next::Exhausted => ("exhausted", None),
            Next::RetryAt(due_at) => ("pending", Some(due_at)),
        };
        let completed_at = due_at.is_none().then(|| result.now.as_microsecond());
        let changed = update.execute(params![
            result.number,
            result.attempt.number,
            state,
            due_at.map(Timestamp::as_microsecond),
            completed_at,
            result.delivery.as_bytes(),
        ])?;
        if changed == 0 {
            recorded.push(Recorded::TooLate);
            continue;
        }
        recorded.push(Recorded::Yes);
        insert_attempt(&mut insert, row)?;
        if let Some(due_at) = due_at {
            wake(connection, result.lane, due_at)?;
        }
    }
    Ok(recorded)
}

fn insert_attempt(insert: &mut Statement<'_>, row: &ResultRow) -> Result<()> {
    let attempt = &row.result.attempt;
    let (outcome, status, retry_after) = match &attempt.outcome {
        Outcome::Answered {
            status,
            retry_after,
        } => ("answered", Some(*status), *retry_after),
        Outcome::TimedOut { status } => ("timed-out", *status, None),
        Outcome::Refused(_) => ("refused", None, None),
        Outcome::Failed { status, .. } => ("failed", *status, None),
    };
    let microseconds =
        |duration: std::time::Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    insert.execute(params![
        row.result.number,
        attempt.number,
        attempt.started_at.as_microsecond(),
        microseconds(attempt.timing.queue),
        attempt.timing.connect.map(microseconds),
        attempt.timing.first_byte.map(microseconds),
        microseconds(attempt.timing.total),
        row.request_headers,
        outcome,
        status,
        retry_after.map(|wait| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX)),
        match &attempt.outcome {
            Outcome::Refused(reason) | Outcome::Failed { reason, .. } => Some(reason),
            Outcome::Answered { .. } | Outcome::TimedOut { .. } => None,
        },
        attempt.response_body,
        attempt.response_truncated,
        row.response_headers,
    ])?;
    Ok(())
}

/// Lets claimed deliveries fall due at once, as if their leases had ended: this process will not end their attempts.
pub(super) fn release(
    connection: &Connection,
    claimed: &[(Uuid, u32)],
    steady: Timestamp,
) -> Result<()> {
    let mut update = connection.prepare_cached(
        "UPDATE delivery SET due_at = ?3 WHERE id = ?1 AND attempts = ?2 AND claimed = 1 AND state = 'pending'",
    )?;
    for (id, attempt) in claimed {
        update.execute(params![id.as_bytes(), attempt, steady.as_microsecond()])?;
    }
    Ok(())
}

/// Takes claims back as if they had not been made, and lets their deliveries fall due at `due_at`. A retry schedule that began with such
/// a claim begins anew.
pub(super) fn postpone(
    connection: &Connection,
    claimed: &[(Uuid, u32)],
    due_at: Timestamp,
) -> Result<()> {
    let mut update = connection.prepare_cached(
        "UPDATE delivery SET attempts = attempts - 1, claimed = 0, due_at = ?3,
             first_attempt_at = CASE WHEN attempts > 1 THEN first_attempt_at END
         WHERE id = ?1 AND attempts = ?2 AND claimed = 1 AND state = 'pending'",
    )?;
    let mut lane = connection.prepare_cached("SELECT webhook FROM delivery WHERE id = ?1")?;
    for (id, attempt) in claimed {
        let changed = update.execute(params![id.as_bytes(), attempt, due_at.as_microsecond()])?;
        if changed > 0 {
            wake(
                connection,
                lane.query_row([id.as_bytes()], |row| row.get(0))?,
                due_at,
            )?;
        }
    }
    Ok(())
}

/// Makes a delivery due now, whatever its state; says whether there is one.
///
/// Of a pending one this is an attempt beside the schedule, unless the next attempt is due already or is the first. The retry that would
/// have come next is kept; while an attempt is under way there is none to keep, and the schedule counts on from it.
pub(super) fn retry(connection: &Connection, id: Uuid, steady: Timestamp) -> Result<bool> {
    let lane: Option<i64> = connection
        .prepare_cached(
            "UPDATE delivery SET due_at = ?2, completed_at = NULL, once = once OR state <> 'pending', state = 'pending',
                 manual = manual + (state = 'pending' AND once = 0 AND attempts > 0 AND due_at > ?2),
                 resume_at = CASE WHEN state = 'pending' AND once = 0 AND attempts > 0 AND due_at > ?2 AND claimed = 0
                     THEN coalesce(resume_at, due_at) ELSE resume_at END
             WHERE id = ?1 RETURNING webhook",
        )?
        .query_row(params![id.as_bytes(), steady.as_microsecond()], |row| row.get(0))
        .optional()?;
    if let Some(lane) = lane {
        wake(connection, lane, steady)?;
    }
    Ok(lane.is_some())
}

/// Cancels the pending deliveries of a webhook. The cost grows with these alone: it may have many more that ended long ago.
pub(super) fn cancel(connection: &Connection, lane: i64, now: Timestamp) -> Result<()> {
    for pending in [
        "INDEXED BY delivery_due SET state = 'cancelled', completed_at = ?2 WHERE webhook = ?1 AND state = 'pending' AND claimed = 0",
        "INDEXED BY delivery_leased SET state = 'cancelled', claimed = 0, completed_at = ?2 WHERE webhook = ?1 AND claimed = 1",
    ] {
        connection
            .prepare_cached(&format!("UPDATE delivery {pending}"))?
            .execute(params![lane, now.as_microsecond()])?;
    }
    Ok(())
}
