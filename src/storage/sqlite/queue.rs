//! The queue: what becomes of a claimed delivery, and when a webhook is looked at again.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Statement, params};
use uuid::Uuid;

use super::super::StoreError;
use super::super::queue::{AttemptResult, Recorded};
use super::headers::{Beside, Shaped, Shapes, Side, Stored};
use super::ids::{Named, SealedIds};
use super::in_flight::{self, InFlight};
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
    named: Named,
    request_headers: Stored,
    response_headers: Stored,
}

impl ResultRow {
    fn started_at(&self) -> i64 {
        self.result.attempt.started_at.as_microsecond()
    }
}

/// A result whose headers have a shape, which the file may not have yet.
pub(super) struct ShapedResult {
    result: Arc<AttemptResult>,
    request: Option<Shaped>,
    response: Option<Shaped>,
}

impl ShapedResult {
    pub(super) fn of(result: Arc<AttemptResult>) -> Self {
        let attempt = &result.attempt;
        let beside = Beside {
            id: result.delivery,
            started_at: attempt.started_at,
        };
        Self {
            request: Shaped::of(&attempt.request_headers, &beside),
            response: Shaped::of(&attempt.response_headers, &beside),
            result,
        }
    }

    /// The shapes that the file is to be given.
    pub(super) fn unknown(&self, shapes: &Shapes) -> impl Iterator<Item = (Side, String)> {
        let unknown = |side, shaped: &Option<Shaped>| {
            let shape = shapes.unknown(side, shaped.as_ref());
            shape.map(|shape| (side, shape))
        };
        let request = unknown(Side::Request, &self.request);
        request
            .into_iter()
            .chain(unknown(Side::Answer, &self.response))
    }

    pub(super) fn row(self, ids: &SealedIds, shapes: &Shapes) -> Result<ResultRow> {
        let Self {
            result,
            request,
            response,
        } = self;
        let attempt = &result.attempt;
        Ok(ResultRow {
            request_headers: shapes.pack(Side::Request, &attempt.request_headers, request)?,
            response_headers: shapes.pack(Side::Answer, &attempt.response_headers, response)?,
            named: ids.open(result.delivery),
            result,
        })
    }
}

/// Records results of attempts, each unless a later attempt was claimed since or the delivery has ended.
pub(super) fn record(connection: &Connection, rows: &[ResultRow]) -> Result<Vec<Recorded>> {
    // The first attempt stands in the row of its delivery.
    let mut first = connection.prepare_cached(
        "UPDATE delivery SET state = ?3, due_at = ?4, completed_us = ?5 - created_at, claimed = 0, once = 0, resume_at = NULL,
             started_us = ?8 - created_at, queue_us = ?9,
             connect_us = ?10, first_byte_us = ?11, total_us = ?12, request_headers = ?13, outcome = ?14, status = ?15, retry_after_s = ?16, error = ?17, response_body = ?18, response_truncated = ?19,
             response_headers = ?20
         WHERE number = ?1 AND id IS ?6 AND (?6 IS NOT NULL OR created_at = ?7) AND attempts = ?2 AND claimed = 1 AND state = 'pending'",
    )?;
    let mut update = connection.prepare_cached(
        "UPDATE delivery SET state = ?3, due_at = ?4, completed_us = ?5 - created_at, claimed = 0, once = 0, resume_at = NULL
         WHERE number = ?1 AND id IS ?6 AND (?6 IS NOT NULL OR created_at = ?7) AND attempts = ?2 AND claimed = 1 AND state = 'pending'",
    )?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO attempt (delivery, number, started_at, queue_us, connect_us, first_byte_us, total_us,
             request_headers, outcome, status, retry_after_s, error, response_body, response_truncated,
             response_headers)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?;
    let mut recorded = Vec::with_capacity(rows.len());
    let mut under_way = UnderWay::default();
    for row in rows {
        let result = &row.result;
        let (state, due_at) = match result.next {
            Next::Delivered => ("delivered", None),
            Next::Exhausted => ("exhausted", None),
            Next::RetryAt(due_at) => ("pending", Some(due_at)),
        };
        let completed_at = due_at.is_none().then(|| result.now.as_microsecond());
        let is_first = result.attempt.number == 1;
        if is_first && under_way.record(connection, row, state, due_at, completed_at)? {
            recorded.push(Recorded::Yes);
            if let Some(due_at) = due_at {
                wake(connection, result.lane, due_at)?;
            }
            continue;
        }
        let statement = if is_first { &mut first } else { &mut update };
        let (number, id, created_at) = match &row.named {
            // An id of another delivery finds none.
            Named::Number(number, created_at) => (*number, None, Some(*created_at)),
            Named::Id(id) => (result.number, Some(id.as_bytes()), None),
        };
        statement.raw_bind_parameter(1, number)?;
        statement.raw_bind_parameter(2, result.attempt.number)?;
        statement.raw_bind_parameter(3, state)?;
        statement.raw_bind_parameter(4, due_at.map(Timestamp::as_microsecond))?;
        statement.raw_bind_parameter(5, completed_at)?;
        statement.raw_bind_parameter(6, id)?;
        statement.raw_bind_parameter(7, created_at)?;
        if is_first {
            statement.raw_bind_parameter(8, row.started_at())?;
            bind_attempt(statement, 9, row, first_outcome(row))?;
        }
        if statement.raw_execute()? == 0 {
            recorded.push(Recorded::TooLate);
            continue;
        }
        recorded.push(Recorded::Yes);
        if !is_first {
            insert.raw_bind_parameter(1, number)?;
            insert.raw_bind_parameter(2, result.attempt.number)?;
            insert.raw_bind_parameter(3, row.started_at())?;
            bind_attempt(&mut insert, 4, row, Some(outcome(row)))?;
            insert.raw_execute()?;
        }
        if let Some(due_at) = due_at {
            wake(connection, result.lane, due_at)?;
        }
    }
    under_way.close(connection)?;
    Ok(recorded)
}

/// The publications whose deliveries get their rows with their results.
#[derive(Default)]
struct UnderWay {
    /// By the number of the first delivery, with how many got rows here.
    publications: BTreeMap<i64, (InFlight, usize)>,
}

impl UnderWay {
    /// Stores a delivery that had no row, with the result of its first attempt; false where it has a row, or is not under way.
    fn record(
        &mut self,
        connection: &Connection,
        row: &ResultRow,
        state: &str,
        due_at: Option<Timestamp>,
        completed_at: Option<i64>,
    ) -> Result<bool> {
        let Named::Number(number, created_at) = row.named else {
            return Ok(false);
        };
        let known = self.publications.range(..=number).next_back();
        let known = known.is_some_and(|(_, (found, _))| found.webhook(number).is_some());
        if !known {
            let Some(found) = in_flight::of(connection, number)? else {
                return Ok(false);
            };
            self.publications.insert(found.first, (found, 0));
        }
        let Some((_, (found, closed))) = self.publications.range_mut(..=number).next_back() else {
            return Ok(false);
        };
        let Some(webhook) = found
            .webhook(number)
            .filter(|_| found.created_at == created_at)
        else {
            return Ok(false);
        };
        let mut insert = connection.prepare_cached(
            "INSERT INTO delivery (number, event, webhook, state, attempts, due_at, first_attempt_us, claimed, created_at, completed_us,
                 started_us, queue_us, connect_us, first_byte_us, total_us, request_headers, outcome, status, retry_after_s, error,
                 response_body, response_truncated, response_headers)
             VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
             ON CONFLICT (number) DO NOTHING",
        )?;
        insert.raw_bind_parameter(1, number)?;
        insert.raw_bind_parameter(2, found.event)?;
        insert.raw_bind_parameter(3, webhook)?;
        insert.raw_bind_parameter(4, state)?;
        insert.raw_bind_parameter(5, due_at.map(Timestamp::as_microsecond))?;
        insert.raw_bind_parameter(6, found.first_attempt_at - created_at)?;
        insert.raw_bind_parameter(7, created_at)?;
        insert.raw_bind_parameter(8, completed_at.map(|at| at - created_at))?;
        insert.raw_bind_parameter(9, row.started_at() - created_at)?;
        bind_attempt(&mut insert, 10, row, first_outcome(row))?;
        let is_new = insert.raw_execute()? > 0;
        *closed += usize::from(is_new);
        Ok(is_new)
    }

    /// Notes in the file which deliveries got rows.
    fn close(self, connection: &Connection) -> Result<()> {
        for (found, closed) in self.publications.into_values() {
            found.close(connection, closed)?;
        }
        Ok(())
    }
}

/// The outcome of an attempt, as the table of attempts has it.
fn outcome(row: &ResultRow) -> &'static str {
    match &row.result.attempt.outcome {
        Outcome::Answered { .. } => "answered",
        Outcome::TimedOut { .. } => "timed-out",
        Outcome::Refused(_) => "refused",
        Outcome::Failed { .. } => "failed",
    }
}

/// The outcome of a first attempt, as the row of its delivery has it.
fn first_outcome(row: &ResultRow) -> Option<&'static str> {
    Some(outcome(row)).filter(|outcome| *outcome != "answered")
}

/// Binds the columns of an attempt from `queue_us` on, in the order of the statements of [`record`], to the parameters from `first` on.
fn bind_attempt(
    statement: &mut Statement<'_>,
    first: usize,
    row: &ResultRow,
    outcome: Option<&str>,
) -> Result<()> {
    let attempt = &row.result.attempt;
    let (status, retry_after) = match &attempt.outcome {
        Outcome::Answered {
            status,
            retry_after,
        } => (Some(*status), *retry_after),
        Outcome::TimedOut { status } | Outcome::Failed { status, .. } => (*status, None),
        Outcome::Refused(_) => (None, None),
    };
    let error = match &attempt.outcome {
        Outcome::Refused(reason) | Outcome::Failed { reason, .. } => Some(reason),
        Outcome::Answered { .. } | Outcome::TimedOut { .. } => None,
    };
    let microseconds =
        |duration: std::time::Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    let retry_after = retry_after.map(|wait| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX));
    statement.raw_bind_parameter(first, microseconds(attempt.timing.queue))?;
    statement.raw_bind_parameter(first + 1, attempt.timing.connect.map(microseconds))?;
    statement.raw_bind_parameter(first + 2, attempt.timing.first_byte.map(microseconds))?;
    statement.raw_bind_parameter(first + 3, microseconds(attempt.timing.total))?;
    statement.raw_bind_parameter(first + 4, &row.request_headers)?;
    statement.raw_bind_parameter(first + 5, outcome)?;
    statement.raw_bind_parameter(first + 6, status)?;
    statement.raw_bind_parameter(first + 7, retry_after)?;
    statement.raw_bind_parameter(first + 8, error)?;
    statement.raw_bind_parameter(first + 9, &attempt.response_body)?;
    statement.raw_bind_parameter(first + 10, attempt.response_truncated)?;
    statement.raw_bind_parameter(first + 11, &row.response_headers)?;
    Ok(())
}

/// Lets claimed deliveries fall due at once, as if their leases had ended: this process will not end their attempts.
pub(super) fn release(
    connection: &Connection,
    ids: &SealedIds,
    claimed: &[(Uuid, u32)],
    steady: Timestamp,
) -> Result<()> {
    let mut update = connection.prepare_cached(
        "UPDATE delivery SET due_at = ?3 WHERE number = ?1 AND attempts = ?2 AND claimed = 1 AND state = 'pending'",
    )?;
    for (id, attempt) in claimed {
        if let Some(number) = ids.settled(connection, *id)? {
            update.execute(params![number, attempt, steady.as_microsecond()])?;
        }
    }
    Ok(())
}

/// Takes claims back as if they had not been made, and lets their deliveries fall due at `due_at`. A retry schedule that began with such
/// a claim begins anew.
pub(super) fn postpone(
    connection: &Connection,
    ids: &SealedIds,
    claimed: &[(Uuid, u32)],
    due_at: Timestamp,
) -> Result<()> {
    let mut update = connection.prepare_cached(
        "UPDATE delivery SET attempts = attempts - 1, claimed = 0, due_at = ?3,
             first_attempt_us = CASE WHEN attempts > 1 THEN first_attempt_us END
         WHERE number = ?1 AND attempts = ?2 AND claimed = 1 AND state = 'pending'",
    )?;
    let mut lane = connection.prepare_cached("SELECT webhook FROM delivery WHERE number = ?1")?;
    for (id, attempt) in claimed {
        let Some(number) = ids.settled(connection, *id)? else {
            continue;
        };
        let changed = update.execute(params![number, attempt, due_at.as_microsecond()])?;
        if changed > 0 {
            wake(
                connection,
                lane.query_row([number], |row| row.get(0))?,
                due_at,
            )?;
        }
    }
    Ok(())
}

/// Makes the delivery with this number due now, whatever its state; says whether it is: one with a lease is left to its attempt.
///
/// Of a pending one this is an attempt beside the schedule, unless the next attempt is due already or is the first. The retry that would
/// have come next is kept.
pub(super) fn retry(connection: &Connection, number: i64, steady: Timestamp) -> Result<bool> {
    let lane: Option<i64> = connection
        .prepare_cached(
            "UPDATE delivery SET due_at = ?2, completed_us = NULL, once = once OR state <> 'pending', state = 'pending',
                 manual = manual + (state = 'pending' AND once = 0 AND attempts > 0 AND due_at > ?2),
                 resume_at = CASE WHEN state = 'pending' AND once = 0 AND attempts > 0 AND due_at > ?2
                     THEN coalesce(resume_at, due_at) ELSE resume_at END
             WHERE number = ?1 AND NOT (claimed = 1 AND due_at > ?2) RETURNING webhook",
        )?
        .query_row(params![number, steady.as_microsecond()], |row| row.get(0))
        .optional()?;
    if let Some(lane) = lane {
        wake(connection, lane, steady)?;
    }
    Ok(lane.is_some())
}

/// Cancels the pending deliveries of a webhook. The cost grows with these alone: it may have many more that ended long ago.
pub(super) fn cancel(connection: &Connection, lane: i64, now: Timestamp) -> Result<()> {
    in_flight::settle_all(connection)?;
    for pending in [
        "INDEXED BY delivery_due SET state = 'cancelled', completed_us = ?2 - created_at WHERE webhook = ?1 AND state = 'pending' AND claimed = 0",
        "INDEXED BY delivery_leased SET state = 'cancelled', claimed = 0, completed_us = ?2 - created_at WHERE webhook = ?1 AND claimed = 1",
    ] {
        connection
            .prepare_cached(&format!("UPDATE delivery {pending}"))?
            .execute(params![lane, now.as_microsecond()])?;
    }
    Ok(())
}
