//! The queue: claiming due deliveries for a while, recording what came of them, and attempting one again by hand.
//!
//! A webhook with something due stands in the index `webhook_due`; a claim walks it in the order of waiting and takes of each webhook
//! no more than it has free slots. So a claim costs as much as it claims, however long the queue of one webhook is, and a webhook
//! whose slots are all taken is passed over in one step.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Statement, params};
use uuid::Uuid;

use super::super::StoreError;
use super::super::queue::{AttemptResult, ClaimTerms};
use super::super::seal::Sealer;
use super::rows;
use crate::domain::{DueDelivery, Event, Next, Outcome, ReceiverUrl, Target};

type Result<T> = std::result::Result<T, StoreError>;

/// A claimed delivery, the secrets of its webhook still sealed.
#[derive(Debug)]
pub(super) struct ClaimedRow {
    number: i64,
    id: Uuid,
    attempt: u32,
    due_at: Timestamp,
    first_attempt_at: Timestamp,
    once: bool,
    lane: i64,
    target: Arc<SealedTarget>,
    event: Arc<Event>,
}

/// A webhook as an attempt needs it (E-58), its secrets still sealed.
#[derive(Debug)]
pub(super) struct SealedTarget {
    id: String,
    url: String,
    signing_secret: Option<Vec<u8>>,
    authorization: Option<Vec<u8>>,
}

/// What a claim found.
#[derive(Default)]
pub(super) struct ClaimedRows {
    pub(super) rows: Vec<ClaimedRow>,
    pub(super) next_due_at: Option<Timestamp>,
    pub(super) left: Vec<i64>,
    pub(super) expired_leases: u64,
    /// Whether something is due that was beyond the limit.
    limited: bool,
}

impl ClaimedRow {
    /// The first attempt of a delivery that is inserted already claimed.
    pub(super) fn first(
        number: i64,
        id: Uuid,
        lane: i64,
        target: Arc<SealedTarget>,
        event: &Arc<Event>,
    ) -> Self {
        let now = event.created_at;
        Self {
            number,
            id,
            attempt: 1,
            due_at: now,
            first_attempt_at: now,
            once: false,
            lane,
            target,
            event: event.clone(),
        }
    }

    /// The number of its webhook.
    pub(super) fn lane(&self) -> i64 {
        self.lane
    }

    /// The delivery, with the secrets of its webhook opened.
    pub(super) fn open(self, sealer: &Sealer) -> Result<DueDelivery> {
        let target = &*self.target;
        let open = |sealed: &Option<Vec<u8>>, place: String| {
            sealed
                .as_ref()
                .map(|sealed| sealer.open(&place, sealed))
                .transpose()
        };
        Ok(DueDelivery {
            number: self.number,
            id: self.id,
            attempt: self.attempt,
            due_at: self.due_at,
            first_attempt_at: self.first_attempt_at,
            once: self.once,
            event: self.event,
            target: Target {
                lane: self.lane,
                webhook_id: target.id.clone(),
                url: ReceiverUrl::from_stored(target.url.clone()),
                signing_secret: open(&target.signing_secret, rows::secret_place(&target.id))?,
                authorization: open(&target.authorization, rows::authorization_place(&target.id))?,
            },
        })
    }
}

impl SealedTarget {
    /// Reads id, URL, signing secret and authorization header from the columns that start at `first`.
    pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(first)?,
            url: row.get(first + 1)?,
            signing_secret: row.get(first + 2)?,
            authorization: row.get(first + 3)?,
        })
    }
}

/// When a lease ends; at the end of time on a clock that runs that fast.
pub(super) fn later(now: Timestamp, lease: SignedDuration) -> Timestamp {
    now.checked_add(lease).unwrap_or(Timestamp::MAX)
}

/// Makes sure that a webhook is looked at when `due_at` comes; a suspended one stays out.
pub(super) fn wake(connection: &Connection, lane: i64, due_at: Timestamp) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE webhook SET next_due = ?2 WHERE number = ?1 AND suspended = 0 AND (next_due IS NULL OR next_due > ?2)",
        )?
        .execute(params![lane, due_at.as_microsecond()])?;
    Ok(())
}

/// Moves due deliveries forward by the lease and counts an attempt for each.
pub(super) fn claim(connection: &Connection, terms: &ClaimTerms) -> Result<ClaimedRows> {
    let now = terms.now.as_microsecond();
    let mut found = ClaimedRows::default();
    let mut lanes = connection.prepare_cached(
        "SELECT number, id, url, signing_secret, authorization_header FROM webhook WHERE next_due <= ?1 ORDER BY next_due",
    )?;
    // Read before the first lane is changed: the statement walks the index that the change moves it in.
    let mut due_lanes = Vec::new();
    let mut cursor = lanes.query([now])?;
    while let Some(row) = cursor.next()? {
        if due_lanes.len() == terms.limit {
            found.limited = true;
            break;
        }
        let lane: i64 = row.get(0)?;
        if terms.slots.take(lane) {
            due_lanes.push((lane, SealedTarget::read(row, 1)?));
        } else {
            found.left.push(lane);
        }
    }
    drop(cursor);
    for (lane, target) in due_lanes {
        claim_lane(connection, terms, lane, target, &mut found)?;
    }
    found.next_due_at = if found.limited {
        Some(terms.now)
    } else {
        let next: Option<i64> = connection
            .prepare_cached("SELECT min(next_due) FROM webhook WHERE next_due > ?1")?
            .query_row([now], |row| row.get(0))?;
        next.map(rows::time).transpose()?
    };
    Ok(found)
}

/// Claims of one webhook what it has slots for. One slot is taken already, and given back when nothing was there to claim.
fn claim_lane(
    connection: &Connection,
    terms: &ClaimTerms,
    lane: i64,
    target: SealedTarget,
    found: &mut ClaimedRows,
) -> Result<()> {
    let now = terms.now.as_microsecond();
    let mut due = connection.prepare_cached(&format!(
        "SELECT {}, delivery.number, delivery.id, delivery.attempts, delivery.due_at, delivery.first_attempt_at,
             delivery.once, delivery.claimed
         FROM delivery JOIN event ON event.number = delivery.event
         WHERE delivery.webhook = ?1 AND delivery.state = 'pending' ORDER BY delivery.due_at LIMIT ?2",
        rows::EVENT_COLUMNS
    ))?;
    let mut update = connection.prepare_cached(
        "UPDATE delivery SET attempts = ?2, due_at = ?3, first_attempt_at = ?4, claimed = 1 WHERE number = ?1",
    )?;
    let mut give_up = connection.prepare_cached(
        "UPDATE delivery SET state = 'exhausted', claimed = 0, completed_at = ?2 WHERE number = ?1",
    )?;
    // What is given up counts too, so that no claim is long; one row more than the limit tells that more is due.
    let batch = terms.limit.saturating_sub(found.rows.len());
    let with_next = i64::try_from(batch).unwrap_or(i64::MAX).saturating_add(1);
    let lease_end = later(terms.now, terms.lease).as_microsecond();
    const NEXT: usize = rows::EVENT_COLUMN_COUNT;
    let target = Arc::new(target);
    let mut claimed = Vec::new();
    let mut slot = true;
    let mut cursor = due.query(params![lane, with_next])?;
    // The earliest of the pending ones that are not claimed, as far as it was read.
    let mut next_due = None;
    while let Some(row) = cursor.next()? {
        let due_at: i64 = row.get(NEXT + 3)?;
        next_due = Some(due_at);
        if due_at > now {
            break;
        }
        if claimed.len() == batch {
            found.limited = true;
            break;
        }
        let number: i64 = row.get(NEXT)?;
        let event = rows::event(row, 0)?;
        let first: Option<Timestamp> = row
            .get::<_, Option<i64>>(NEXT + 4)?
            .map(rows::time)
            .transpose()?;
        let once: bool = row.get(NEXT + 5)?;
        let first_attempt_at = first.unwrap_or(terms.now);
        if !once && terms.now > (terms.gives_up_at)(event.provider, first_attempt_at) {
            claimed.push((number, None));
            next_due = None;
            continue;
        }
        if !slot && !terms.slots.take(lane) {
            found.left.push(lane);
            break;
        }
        slot = false;
        let attempt = row.get::<_, u32>(NEXT + 2)? + 1;
        found.expired_leases += u64::from(row.get::<_, bool>(NEXT + 6)?);
        claimed.push((number, Some((attempt, first_attempt_at))));
        found.rows.push(ClaimedRow {
            number,
            id: Uuid::from_bytes(row.get(NEXT + 1)?),
            attempt,
            due_at: rows::time(due_at)?,
            first_attempt_at,
            once,
            lane,
            target: target.clone(),
            event: Arc::new(event),
        });
        next_due = None;
    }
    drop(cursor);
    if slot {
        terms.slots.give_back(lane);
    }
    for (number, attempt) in claimed {
        match attempt {
            Some((attempt, first)) => {
                next_due = Some(next_due.map_or(lease_end, |due_at| due_at.min(lease_end)));
                update.execute(params![number, attempt, lease_end, first.as_microsecond()])?
            }
            None => give_up.execute(params![number, now])?,
        };
    }
    connection
        .prepare_cached("UPDATE webhook SET next_due = ?2 WHERE number = ?1")?
        .execute(params![lane, next_due])?;
    Ok(())
}

/// Sets a webhook's place in the index to its earliest pending delivery.
pub(super) fn settle(connection: &Connection, lane: i64) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE webhook SET next_due = CASE WHEN suspended THEN NULL ELSE
                 (SELECT min(due_at) FROM delivery WHERE webhook = ?1 AND state = 'pending') END WHERE number = ?1",
        )?
        .execute([lane])?;
    Ok(())
}

/// A result as it is written. Made outside the writer's thread.
pub(super) struct ResultRow {
    result: AttemptResult,
    request_headers: String,
}

impl ResultRow {
    pub(super) fn new(result: AttemptResult) -> Result<Self> {
        let request_headers = serde_json::to_string(&result.attempt.request_headers)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        Ok(Self {
            result,
            request_headers,
        })
    }
}

/// Records results of attempts, each unless a later attempt was claimed since or the delivery has ended; says of each whether it was
/// recorded.
pub(super) fn record(connection: &Connection, rows: &[ResultRow]) -> Result<Vec<bool>> {
    let mut update = connection.prepare_cached(
        "UPDATE delivery SET state = ?3, due_at = coalesce(?4, due_at), completed_at = ?5, claimed = 0, once = 0
         WHERE number = ?1 AND id = ?6 AND attempts = ?2 AND claimed = 1 AND state = 'pending'",
    )?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO attempt (delivery, number, started_at, queue_us, connect_us, first_byte_us, total_us,
             request_headers, outcome, status, retry_after_s, error, response_body, response_truncated)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
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
        recorded.push(changed > 0);
        if changed == 0 {
            continue;
        }
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
        Outcome::TimedOut => ("timed-out", None, None),
        Outcome::Refused(_) => ("refused", None, None),
        Outcome::Failed(_) => ("failed", None, None),
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
            Outcome::Refused(reason) | Outcome::Failed(reason) => Some(reason),
            Outcome::Answered { .. } | Outcome::TimedOut => None,
        },
        attempt.response_body,
        attempt.response_truncated,
    ])?;
    Ok(())
}

/// Lets claimed deliveries fall due at once: this process will not end their attempts.
pub(super) fn release(
    connection: &Connection,
    claimed: &[(Uuid, u32)],
    now: Timestamp,
) -> Result<()> {
    for (id, attempt) in claimed {
        let lane: Option<i64> = connection
            .prepare_cached(
                "UPDATE delivery SET due_at = ?3 WHERE id = ?1 AND attempts = ?2 AND claimed = 1 AND state = 'pending'
                 RETURNING webhook",
            )?
            .query_row(params![id.as_bytes(), attempt, now.as_microsecond()], |row| row.get(0))
            .optional()?;
        if let Some(lane) = lane {
            wake(connection, lane, now)?;
        }
    }
    Ok(())
}

/// Makes a delivery due now, whatever its state; says whether there is one.
pub(super) fn retry(connection: &Connection, id: Uuid, now: Timestamp) -> Result<bool> {
    let lane: Option<i64> = connection
        .prepare_cached(
            "UPDATE delivery SET due_at = ?2, completed_at = NULL, once = once OR state <> 'pending', state = 'pending'
             WHERE id = ?1 RETURNING webhook",
        )?
        .query_row(params![id.as_bytes(), now.as_microsecond()], |row| row.get(0))
        .optional()?;
    if let Some(lane) = lane {
        wake(connection, lane, now)?;
    }
    Ok(lane.is_some())
}

/// Ends the pending deliveries of a webhook.
pub(super) fn cancel(connection: &Connection, lane: i64, now: Timestamp) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE delivery SET state = 'cancelled', claimed = 0, completed_at = ?2 WHERE webhook = ?1 AND state = 'pending'",
        )?
        .execute(params![lane, now.as_microsecond()])?;
    Ok(())
}
