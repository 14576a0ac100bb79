//! Long work in small steps, each its own transaction: replaying many deliveries, and deleting what is old.

use deadpool_postgres::{GenericClient, Transaction};
use jiff::Timestamp;
use tokio_postgres::Row;

use super::sweep::{lock_results, materialize};
use super::{Db, Result, partitions, publish, query, queue, rows, run_cached, webhooks};
use crate::causes::with_causes;
use crate::clock::Moment;
use crate::domain::{DeliveryState, ProviderName};
use crate::storage::StoreError;
use crate::storage::jobs::{PurgeTerms, Purged, Replay, ReplayFilter, ReplayState};

const REPLAY_COLUMNS: &str = "id, provider, webhook_id, state, from_time, to_time, dry_run, matched, enqueued, created_at, finished_at";

/// How many columns these are.
const REPLAY_COLUMN_COUNT: usize = 11;

fn replay_record(row: &Row) -> Result<Replay> {
    let provider: Option<&str> = row.try_get(1)?;
    let state: Option<&str> = row.try_get(3)?;
    Ok(Replay {
        id: row.try_get(0)?,
        filter: ReplayFilter {
            provider: provider.map(|_| rows::provider(row, 1)).transpose()?,
            webhook_id: row.try_get(2)?,
            state: state
                .map(|state| {
                    state
                        .parse()
                        .map_err(|_| StoreError::Damaged(format!("replay state {state}")))
                })
                .transpose()?,
            from: rows::optional_time(row, 4)?,
            to: rows::optional_time(row, 5)?,
        },
        dry_run: row.try_get(6)?,
        matched: rows::count(row, 7)?,
        enqueued: rows::count(row, 8)?,
        created_at: rows::time(row.try_get(9)?)?,
        finished_at: rows::optional_time(row, 10)?,
    })
}

pub(super) async fn insert_replay(client: &impl GenericClient, replay: &Replay) -> Result<()> {
    // Deliveries that are made after this moment are not part of the job, or it would never end.
    run_cached(
        client,
        "INSERT INTO replay (id, provider, webhook_id, state, from_time, to_time, dry_run, matched, enqueued, created_at, position, last)
         SELECT $1, $2, $3, $4, $5, $6, $7, 0, 0, $8, 0,
             CASE WHEN $4 = 'unmatched' THEN last_value ELSE (last_value << 20) + (1 << 20) - 1 END
         FROM event_number",
        &[
            &replay.id,
            &replay.filter.provider.as_ref().map(ProviderName::as_str),
            &rows::optional_text(replay.filter.webhook_id.as_deref()),
            &replay.filter.state.map(ReplayState::as_str),
            &replay.filter.from.map(Timestamp::as_microsecond),
            &replay.filter.to.map(Timestamp::as_microsecond),
            &replay.dry_run,
            &replay.created_at.as_microsecond(),
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn replay(client: &impl GenericClient, id: &str) -> Result<Option<Replay>> {
    let found = query(
        client,
        &format!("SELECT {REPLAY_COLUMNS} FROM replay WHERE id = $1"),
        &[&rows::text(id)],
    )
    .await?;
    found.first().map(replay_record).transpose()
}

/// Does the next `limit` rows of the oldest job that is not finished and that no other node is at; says whether there was one.
pub(super) async fn step_replay(tx: &Transaction<'_>, limit: u32, at: Moment) -> Result<bool> {
    let found = query(
        tx,
        &format!(
            "SELECT {REPLAY_COLUMNS}, number, position, last FROM replay WHERE finished_at IS NULL ORDER BY number LIMIT 1
             FOR UPDATE SKIP LOCKED"
        ),
        &[],
    )
    .await?;
    let Some(row) = found.first() else {
        return Ok(false);
    };
    let replay = replay_record(row)?;
    let number: i64 = row.try_get(REPLAY_COLUMN_COUNT)?;
    let position: i64 = row.try_get(REPLAY_COLUMN_COUNT + 1)?;
    let last: i64 = row.try_get(REPLAY_COLUMN_COUNT + 2)?;
    let step = match replay.filter.state {
        Some(ReplayState::Unmatched) => step_events(tx, &replay, position, last, limit, at).await?,
        _ => step_deliveries(tx, &replay, position, last, limit, at).await?,
    };
    run_cached(
        tx,
        "UPDATE replay SET position = $2, matched = matched + $3, enqueued = enqueued + $4, finished_at = $5 WHERE number = $1",
        &[
            &number,
            &step.position,
            &rows::stored(step.matched),
            &rows::stored(step.enqueued),
            &step.finished.then(|| at.now.as_microsecond()),
        ],
    )
    .await?;
    Ok(true)
}

struct Step {
    position: i64,
    matched: u64,
    enqueued: u64,
    finished: bool,
}

async fn step_deliveries(
    tx: &Transaction<'_>,
    replay: &Replay,
    position: i64,
    last: i64,
    limit: u32,
    at: Moment,
) -> Result<Step> {
    let filter = &replay.filter;
    let pending = matches!(
        filter.state,
        None | Some(ReplayState::Delivery(DeliveryState::Pending))
    );
    if position == 0 && pending {
        // A delivery that is attempted from memory belongs to it too.
        lock_results(tx).await?;
        let found = query(
            tx,
            "SELECT DISTINCT event FROM handed_over WHERE number <= $1",
            &[&last],
        )
        .await?;
        let events: Result<Vec<i64>> = found.iter().map(|row| Ok(row.try_get(0)?)).collect();
        materialize(tx, &events?).await?;
    }
    let found = query(
        tx,
        "SELECT step.number,
             ($1::text IS NULL OR event.provider = $1) AND ($2::text IS NULL OR step.state = $2)
             AND ($3::text IS NULL OR webhook.id = $3) AND ($4::bigint IS NULL OR event.created_at >= $4)
             AND ($5::bigint IS NULL OR event.created_at < $5)
         FROM (SELECT number, event, webhook, state FROM stored WHERE number > $6 AND number <= $7 ORDER BY number LIMIT $8) AS step
             LEFT JOIN event ON event.number = step.event LEFT JOIN webhook ON webhook.number = step.webhook
         ORDER BY step.number",
        &[
            &filter.provider.as_ref().map(ProviderName::as_str),
            &filter.state.map(ReplayState::as_str),
            &rows::optional_text(filter.webhook_id.as_deref()),
            &filter.from.map(Timestamp::as_microsecond),
            &filter.to.map(Timestamp::as_microsecond),
            &position,
            &last,
            &i64::from(limit),
        ],
    )
    .await?;
    let mut step = Step {
        position: last,
        matched: 0,
        enqueued: 0,
        finished: found.len() < usize::try_from(limit).unwrap_or(usize::MAX),
    };
    let mut wanted = Vec::new();
    for row in &found {
        step.position = row.try_get(0)?;
        if row.try_get::<_, Option<bool>>(1)? == Some(true) {
            wanted.push(step.position);
        }
    }
    step.matched = u64::try_from(wanted.len()).unwrap_or(u64::MAX);
    if !replay.dry_run && !wanted.is_empty() {
        lock_results(tx).await?;
        step.enqueued = queue::make_due(tx, &wanted, at.steady).await?;
    }
    Ok(step)
}

async fn step_events(
    tx: &Transaction<'_>,
    replay: &Replay,
    position: i64,
    last: i64,
    limit: u32,
    at: Moment,
) -> Result<Step> {
    let filter = &replay.filter;
    let found = query(
        tx,
        "SELECT number, matched = 0 AND ($1::text IS NULL OR provider = $1)
             AND ($2::bigint IS NULL OR created_at >= $2) AND ($3::bigint IS NULL OR created_at < $3)
         FROM event WHERE number > $4 AND number <= $5 ORDER BY number LIMIT $6",
        &[
            &filter.provider.as_ref().map(ProviderName::as_str),
            &filter.from.map(Timestamp::as_microsecond),
            &filter.to.map(Timestamp::as_microsecond),
            &position,
            &last,
            &i64::from(limit),
        ],
    )
    .await?;
    let mut step = Step {
        position: last,
        matched: 0,
        enqueued: 0,
        finished: found.len() < usize::try_from(limit).unwrap_or(usize::MAX),
    };
    let mut wanted: Vec<i64> = Vec::new();
    for row in &found {
        step.position = row.try_get(0)?;
        if row.try_get(1)? {
            wanted.push(step.position);
        }
    }
    if !wanted.is_empty() {
        step.matched = publish::match_anew(tx, &wanted, replay, at).await?;
        step.enqueued = if replay.dry_run { 0 } else { step.matched };
    }
    Ok(step)
}

/// Deletes old events that have nothing pending, with their deliveries and attempts; and what else is old, when no events are left. A
/// partition in which all is old is dropped as a whole.
pub(super) async fn purge(db: &Db, terms: &PurgeTerms) -> Result<Purged> {
    let mut client = db.client().await?;
    if terms.after == 0 {
        let tx = client.transaction().await?;
        publish::lock_numbers(&tx).await?;
        partitions::roll(&tx).await?;
        tx.commit().await?;
    }
    let old = partitions::old(&client, terms.events_before).await?;
    let mut in_use = false;
    let whole = if terms.after == 0 {
        old.whole
    } else {
        Vec::new()
    };
    for whole in whole {
        let tx = client.transaction().await?;
        match partitions::drop_whole(&tx, whole).await {
            Ok(Some(events)) => {
                tx.commit().await?;
                return Ok(Purged {
                    events,
                    next: Some(0),
                    in_use: false,
                });
            }
            Ok(None) => {}
            // Somebody reads it, as a dump does for hours; it is dropped another time.
            Err(error) if error.is_temporary() => {
                in_use = true;
                tracing::debug!(error = with_causes(&error), "an old partition is in use");
            }
            Err(error) => return Err(error),
        }
    }
    // What is dropped another time need not be deleted event by event meanwhile.
    let end = if in_use { 0 } else { old.end };
    let tx = client.transaction().await?;
    let purged = purge_rows(&tx, terms, end).await?;
    tx.commit().await?;
    Ok(Purged { in_use, ..purged })
}

async fn purge_rows(tx: &Transaction<'_>, terms: &PurgeTerms, end: i64) -> Result<Purged> {
    let limit = i64::from(terms.limit);
    let found = query(
        tx,
        "SELECT number, first, kept_since < $2,
             EXISTS (SELECT 1 FROM pending WHERE pending.number >= event.first AND pending.number < event.first + (1 << 20))
             OR (number > (SELECT settled.event FROM settled)
                 AND EXISTS (SELECT 1 FROM handed_over WHERE handed_over.event = event.number))
         FROM event WHERE number > $1 AND number < $4 ORDER BY number LIMIT $3",
        &[
            &terms.after,
            &terms.events_before.as_microsecond(),
            &limit,
            &end,
        ],
    )
    .await?;
    // Events stand in the order of their steady time: behind the first young one there are no old ones.
    let limit = usize::try_from(terms.limit).unwrap_or(usize::MAX);
    let (mut numbers, mut firsts, mut old) = (Vec::new(), Vec::new(), 0);
    let mut position = terms.after;
    for row in &found {
        if !row.try_get::<_, bool>(2)? {
            break;
        }
        old += 1;
        position = row.try_get(0)?;
        if !row.try_get::<_, bool>(3)? {
            numbers.push(position);
            firsts.push(row.try_get::<_, i64>(1)?);
        }
    }
    let mut more = old == limit;
    if let Some(highest) = numbers.last() {
        run_cached(
            tx,
            "UPDATE last_purged SET event = $1 WHERE event < $1",
            &[highest],
        )
        .await?;
        for (table, column) in [("attempt", "delivery"), ("delivery", "number")] {
            run_cached(
                tx,
                &format!(
                    "DELETE FROM {table} USING unnest($1::bigint[]) AS gone (first)
                     WHERE {table}.{column} >= gone.first AND {table}.{column} < gone.first + (1 << 20)"
                ),
                &[&firsts],
            )
            .await?;
        }
        run_cached(tx, "DELETE FROM event WHERE number = ANY ($1)", &[&numbers]).await?;
    }
    if !more {
        let limit_value = i64::from(terms.limit);
        let keys = run_cached(
            tx,
            "DELETE FROM idempotency WHERE (caller, key) IN
                 (SELECT caller, key FROM idempotency WHERE kept_since < $1 ORDER BY kept_since LIMIT $2)",
            &[&terms.keys_before.as_microsecond(), &limit_value],
        )
        .await?;
        let webhooks = run_cached(
            tx,
            &format!(
                "DELETE FROM webhook WHERE number IN (SELECT number FROM webhook WHERE deleted_at IS NOT NULL AND {} LIMIT $1)",
                webhooks::WITHOUT_DELIVERIES
            ),
            &[&limit_value],
        )
        .await?;
        let sequences = run_cached(
            tx,
            "DELETE FROM sequence WHERE (provider, owner, value) IN (
                 SELECT provider, owner, value FROM sequence WHERE EXISTS (
                     SELECT 1 FROM sequence AS newer WHERE newer.provider = sequence.provider AND newer.owner = sequence.owner
                         AND newer.value > sequence.value) LIMIT 10000)",
            &[],
        )
        .await?;
        let full = u64::try_from(limit).unwrap_or(u64::MAX);
        more = keys == full || webhooks == full || sequences == 10_000;
    }
    // A step of nothing would never end.
    let next = (more && limit > 0).then_some(position);
    Ok(Purged {
        events: u64::try_from(numbers.len()).unwrap_or(u64::MAX),
        next,
        in_use: false,
    })
}
