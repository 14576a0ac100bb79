//! Recording what came of attempts: many results in one transaction.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use deadpool_postgres::Transaction;
use futures_util::try_join;
use jiff::Timestamp;
use uuid::Uuid;

use super::attempts::{Attempts, ResultRow};
use super::queue::wake;
use super::sweep::share_results;
use super::{Db, Result, partitions, query, rows, run_cached};
use crate::domain::Next;
use crate::storage::queue::{AttemptResult, Recorded, RecordedResults};

/// The stored part of a delivery whose result may be recorded.
#[derive(Debug, Clone, Copy)]
struct Found {
    event: i64,
    lane: i64,
    created_at: i64,
    first_attempt_at: Option<i64>,
    due_at: i64,
    manual: i32,
    /// Whether it has a row among what is pending.
    pending: bool,
}

/// Records results, each unless a later attempt was claimed since or the delivery has ended. One that cannot be written does not keep
/// the others from it.
pub(super) async fn record_all(db: &Db, results: Vec<Arc<AttemptResult>>) -> RecordedResults {
    let mut each = vec![Recorded::Never; results.len()];
    let mut error = None;
    let mut prepared = Vec::with_capacity(results.len());
    let mut places = Vec::with_capacity(results.len());
    for (place, result) in results.into_iter().enumerate() {
        match ResultRow::new(result) {
            Ok(row) => {
                prepared.push(row);
                places.push(place);
            }
            Err(failed) => error = Some(failed),
        }
    }
    match record(db, &prepared).await {
        Ok(recorded) => {
            for (place, recorded) in places.into_iter().zip(recorded) {
                each[place] = recorded;
            }
        }
        // Of a database that is away there is no need to ask for each.
        Err(failed) if failed.is_temporary() => {
            for place in places {
                each[place] = Recorded::NotNow;
            }
            error = Some(failed);
        }
        // One that cannot be written must not take the others with it: their receivers would be sent all of it again.
        Err(_) => {
            for (row, place) in prepared.chunks(1).zip(places) {
                match record(db, row).await {
                    Ok(recorded) => each[place] = recorded[0],
                    Err(failed) => {
                        if failed.is_temporary() {
                            each[place] = Recorded::NotNow;
                        }
                        error = Some(failed);
                    }
                }
            }
        }
    }
    RecordedResults { each, error }
}

async fn record(db: &Db, results: &[ResultRow]) -> Result<Vec<Recorded>> {
    if results.is_empty() {
        return Ok(Vec::new());
    }
    let mut client = db.client().await?;
    let tx = client.transaction().await?;
    share_results(&tx).await?;
    let numbers: Vec<i64> = results.iter().map(|row| row.result.number).collect();
    let firsts: Vec<&ResultRow> = results.iter().filter(|row| row.number() == 1).collect();
    let (pending, handed_over) = try_join!(pending(&tx, &numbers), handed_over(&tx, &firsts))?;
    let (mut ended, mut goes_on) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for (place, row) in results.iter().enumerate() {
        let number = row.result.number;
        // Of each result by itself: one that is late may come together with that of the attempt after it.
        let found = match pending.get(&number) {
            Some(queued) => queued.is_claimed_for(row).then_some(queued.found),
            None if row.number() == 1 => handed_over.get(&number).copied(),
            None => None,
        };
        let Some(found) = found else {
            continue;
        };
        // A second result of the same delivery is too late.
        if !seen.insert(number) {
            continue;
        }
        match row.result.next {
            Next::Delivered => ended.push((place, found, "delivered")),
            Next::Exhausted => ended.push((place, found, "exhausted")),
            Next::RetryAt(due_at) => goes_on.push((place, found, due_at)),
        }
    }
    let mut recorded = vec![Recorded::TooLate; results.len()];
    let (written_ended, written_goes_on) = try_join!(
        write_ended(&tx, results, &ended),
        write_goes_on(&tx, results, &goes_on)
    )?;
    for (place, ..) in &ended {
        if written_ended.contains(&results[*place].result.number) {
            recorded[*place] = Recorded::Yes;
        }
    }
    for (place, ..) in &goes_on {
        if written_goes_on.contains(&results[*place].result.number) {
            recorded[*place] = Recorded::Yes;
        }
    }
    let due = || {
        let due = goes_on.iter();
        due.map(|(_, found, due_at)| (found.lane, due_at.as_microsecond()))
    };
    wake(&tx, due()).await?;
    tx.commit().await?;
    for (lane, at) in due() {
        db.floors.falls_due(lane, at);
    }
    Ok(recorded)
}

/// A delivery with a row in the queue.
struct Queued {
    id: Uuid,
    attempts: i32,
    claimed: bool,
    found: Found,
}

impl Queued {
    /// Whether the attempt that was claimed last is the one with this result, and has none yet.
    fn is_claimed_for(&self, row: &ResultRow) -> bool {
        self.claimed && self.id == row.result.delivery && self.attempts == row.number()
    }
}

/// The deliveries among these that have a row in the queue.
async fn pending(tx: &Transaction<'_>, numbers: &[i64]) -> Result<HashMap<i64, Queued>> {
    let rows = query(
        tx,
        "SELECT number, id, event, webhook, attempts, due_at, first_attempt_at, claimed, manual, created_at FROM pending
         WHERE number = ANY ($1) ORDER BY number FOR UPDATE",
        &[&numbers],
    )
    .await?;
    let mut queued = HashMap::new();
    for row in rows {
        let found = Found {
            event: row.try_get(2)?,
            lane: row.try_get(3)?,
            due_at: row.try_get(5)?,
            first_attempt_at: row.try_get(6)?,
            manual: row.try_get(8)?,
            created_at: row.try_get(9)?,
            pending: true,
        };
        let one = Queued {
            id: row.try_get(1)?,
            attempts: row.try_get(4)?,
            claimed: row.try_get(7)?,
            found,
        };
        queued.insert(row.try_get(0)?, one);
    }
    Ok(queued)
}

/// The deliveries among these that were handed over from memory. They may have got a row since.
async fn handed_over(tx: &Transaction<'_>, results: &[&ResultRow]) -> Result<HashMap<i64, Found>> {
    if results.is_empty() {
        return Ok(HashMap::new());
    }
    let numbers: Vec<i64> = results.iter().map(|row| row.result.number).collect();
    let events: Vec<i64> = numbers
        .iter()
        .map(|number| number >> partitions::FAN_OUT_BITS)
        .collect();
    let found = query(
        tx,
        "SELECT wanted.number, event.base, event.lanes[(wanted.number & 1048575) + 1], event.number, event.created_at, event.kept_since,
             event.lease_end
         FROM unnest($1::bigint[], $2::bigint[]) AS wanted (number, event) JOIN event ON event.number = wanted.event
         WHERE event.first = event.number << 20",
        &[&numbers, &events],
    )
    .await?;
    let ids: HashMap<i64, Uuid> = results
        .iter()
        .map(|row| (row.result.number, row.result.delivery))
        .collect();
    let mut all = HashMap::with_capacity(found.len());
    for row in found {
        let (number, base): (i64, Uuid) = (row.try_get(0)?, row.try_get(1)?);
        let Some(lane) = row.try_get(2)? else {
            continue;
        };
        if ids.get(&number) != Some(&rows::delivery_id(base, rows::index_of(number))) {
            continue;
        }
        let found = Found {
            event: row.try_get(3)?,
            lane,
            created_at: row.try_get(4)?,
            first_attempt_at: Some(row.try_get(5)?),
            due_at: row.try_get(6)?,
            manual: 0,
            pending: false,
        };
        all.insert(number, found);
    }
    Ok(all)
}

/// Writes deliveries that have ended, each with its last attempt; gives the numbers of those that had not ended before.
async fn write_ended(
    tx: &Transaction<'_>,
    results: &[ResultRow],
    ended: &[(usize, Found, &'static str)],
) -> Result<HashSet<i64>> {
    if ended.is_empty() {
        return Ok(HashSet::new());
    }
    macro_rules! column {
        ($row:ident, $found:ident, $state:ident => $value:expr) => {
            ended
                .iter()
                .map(|(place, found, state)| {
                    let ($row, $found, $state) = (&results[*place], found, *state);
                    let _ = (&$row, &$found, &$state);
                    $value
                })
                .collect::<Vec<_>>()
        };
    }
    let gone: Vec<i64> = ended
        .iter()
        .filter(|(_, found, _)| found.pending)
        .map(|(place, ..)| results[*place].result.number)
        .collect();
    let gone = async {
        if !gone.is_empty() {
            run_cached(tx, "DELETE FROM pending WHERE number = ANY ($1)", &[&gone]).await?;
        }
        Ok(())
    };
    let columns = (
        column!(row, found, state => row.result.number),
        column!(row, found, state => found.event),
        column!(row, found, state => found.lane),
        column!(row, found, state => state),
        column!(row, found, state => row.number()),
        column!(row, found, state => found.due_at),
        column!(row, found, state => found.first_attempt_at),
        column!(row, found, state => found.manual),
        column!(row, found, state => found.created_at),
        column!(row, found, state => row.result.now.as_microsecond()),
    );
    let attempt = Attempts::of(ended.iter().map(|(place, ..)| &results[*place]));
    let insert = async {
        query(
            tx,
            "INSERT INTO delivery (number, event, webhook, state, attempts, due_at, first_attempt_at, manual, created_at, completed_at,
                 attempt, started_at, queue_us, connect_us, first_byte_us, total_us, request_headers, outcome, status, retry_after_s,
                 error, response_body, response_truncated, response_headers)
             SELECT number, event, webhook, state, attempts, due_at, first_attempt_at, manual, created_at, completed_at,
                 attempts, started_at, queue_us, connect_us, first_byte_us, total_us, request_headers, outcome, status, retry_after_s,
                 error, response_body, response_truncated, response_headers
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::integer[], $6::bigint[], $7::bigint[], $8::integer[],
                 $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::text[],
                 $17::text[], $18::integer[], $19::bigint[], $20::text[], $21::bytea[], $22::boolean[], $23::text[])
                 AS new (number, event, webhook, state, attempts, due_at, first_attempt_at, manual, created_at, completed_at,
                     started_at, queue_us, connect_us, first_byte_us, total_us, request_headers, outcome, status, retry_after_s, error,
                     response_body, response_truncated, response_headers)
             ON CONFLICT (number) DO NOTHING RETURNING number",
            &[
                &columns.0,
                &columns.1,
                &columns.2,
                &columns.3,
                &columns.4,
                &columns.5,
                &columns.6,
                &columns.7,
                &columns.8,
                &columns.9,
                &attempt.started_at,
                &attempt.queue_us,
                &attempt.connect_us,
                &attempt.first_byte_us,
                &attempt.total_us,
                &attempt.request_headers,
                &attempt.outcome,
                &attempt.status,
                &attempt.retry_after_s,
                &attempt.error,
                &attempt.response_body,
                &attempt.response_truncated,
                &attempt.response_headers,
            ],
        )
        .await
    };
    let (written, ()) = try_join!(insert, gone)?;
    written.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Writes deliveries that are attempted again; gives the numbers of those that had not ended before.
async fn write_goes_on(
    tx: &Transaction<'_>,
    results: &[ResultRow],
    goes_on: &[(usize, Found, Timestamp)],
) -> Result<HashSet<i64>> {
    if goes_on.is_empty() {
        return Ok(HashSet::new());
    }
    macro_rules! column {
        ($row:ident, $found:ident, $due_at:ident => $value:expr) => {
            goes_on
                .iter()
                .map(|(place, found, due_at)| {
                    let ($row, $found, $due_at) = (&results[*place], found, due_at);
                    let _ = (&$row, &$found, &$due_at);
                    $value
                })
                .collect::<Vec<_>>()
        };
    }
    let written = query(
        tx,
        "INSERT INTO pending (number, id, event, webhook, attempts, due_at, first_attempt_at, claimed, manual, created_at, started_at,
             outcome, status, error)
         SELECT number, id, event, webhook, attempts, due_at, first_attempt_at, false, manual, created_at, started_at, outcome, status,
             error
         FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::integer[], $6::bigint[], $7::bigint[], $8::integer[],
             $9::bigint[], $10::bigint[], $11::text[], $12::integer[], $13::text[], $14::boolean[])
             AS new (number, id, event, webhook, attempts, due_at, first_attempt_at, manual, created_at, started_at, outcome, status,
                 error, has_row)
         WHERE has_row OR (SELECT delivery.number FROM delivery WHERE delivery.number = new.number) IS NULL
         ON CONFLICT (number) DO UPDATE SET due_at = excluded.due_at, claimed = false, once = false, resume_at = NULL,
             started_at = excluded.started_at, outcome = excluded.outcome, status = excluded.status, error = excluded.error
         RETURNING number",
        &[
            &column!(row, found, due_at => row.result.number),
            &column!(row, found, due_at => row.result.delivery),
            &column!(row, found, due_at => found.event),
            &column!(row, found, due_at => found.lane),
            &column!(row, found, due_at => row.number()),
            &column!(row, found, due_at => due_at.as_microsecond()),
            &column!(row, found, due_at => found.first_attempt_at),
            &column!(row, found, due_at => found.manual),
            &column!(row, found, due_at => found.created_at),
            &column!(row, found, due_at => row.result.attempt.started_at.as_microsecond()),
            &column!(row, found, due_at => row.outcome()),
            &column!(row, found, due_at => row.status()),
            &column!(row, found, due_at => row.error.as_deref()),
            &column!(row, found, due_at => found.pending),
        ],
    )
    .await?;
    let written: Result<HashSet<i64>> = written.iter().map(|row| Ok(row.try_get(0)?)).collect();
    let written = written?;
    let made = goes_on
        .iter()
        .map(|(place, ..)| &results[*place])
        .filter(|row| written.contains(&row.result.number));
    let attempt = Attempts::of(made);
    run_cached(
        tx,
        "INSERT INTO attempt (delivery, number, started_at, queue_us, connect_us, first_byte_us, total_us, request_headers, outcome,
             status, retry_after_s, error, response_body, response_truncated, response_headers)
         SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
             $8::text[], $9::text[], $10::integer[], $11::bigint[], $12::text[], $13::bytea[], $14::boolean[], $15::text[])",
        &[
            &attempt.delivery,
            &attempt.number,
            &attempt.started_at,
            &attempt.queue_us,
            &attempt.connect_us,
            &attempt.first_byte_us,
            &attempt.total_us,
            &attempt.request_headers,
            &attempt.outcome,
            &attempt.status,
            &attempt.retry_after_s,
            &attempt.error,
            &attempt.response_body,
            &attempt.response_truncated,
            &attempt.response_headers,
        ],
    )
    .await?;
    Ok(written)
}
