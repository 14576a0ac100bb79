//! Long work in small steps, each its own transaction: replaying many deliveries, and deleting what is old.

use std::ops::Range;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::super::StoreError;
use super::super::jobs::{PurgeTerms, Purged, Replay, ReplayFilter, ReplayState};
use super::ids::SealedIds;
use super::{in_flight, publish, queue, rows};
use crate::clock::Moment;

type Result<T> = std::result::Result<T, StoreError>;

/// How SQLite numbers the mode in which a file gives space back step by step.
const INCREMENTAL: i64 = 2;

/// How many unused pages a file keeps, since it will need some again: 4 MB.
const KEPT_PAGES: i64 = 1_000;

/// How many pages a step gives back at most: bounds the time that it holds the writer.
const GIVEN_BACK: i64 = 500;

const REPLAY_COLUMNS: &str = "id, provider, webhook_id, state, from_time, to_time, dry_run, matched, enqueued, created_at, finished_at";

fn replay_record(row: &Row<'_>) -> Result<Replay> {
    let time = |column: usize| -> Result<Option<Timestamp>> {
        row.get::<_, Option<i64>>(column)?
            .map(rows::time)
            .transpose()
    };
    let provider: Option<String> = row.get(1)?;
    let state: Option<String> = row.get(3)?;
    Ok(Replay {
        id: row.get(0)?,
        filter: ReplayFilter {
            provider: provider.map(|_| rows::provider(row, 1)).transpose()?,
            webhook_id: row.get(2)?,
            state: state
                .map(|state| {
                    state
                        .parse()
                        .map_err(|_| StoreError::Damaged(format!("replay state {state}")))
                })
                .transpose()?,
            from: time(4)?,
            to: time(5)?,
        },
        dry_run: row.get(6)?,
        matched: row.get::<_, i64>(7)?.unsigned_abs(),
        enqueued: row.get::<_, i64>(8)?.unsigned_abs(),
        created_at: rows::time(row.get(9)?)?,
        finished_at: time(10)?,
    })
}

pub(super) fn insert_replay(connection: &Connection, replay: &Replay) -> Result<()> {
    // Deliveries under way belong to it too.
    in_flight::settle_all(connection)?;
    // Deliveries that are made after this moment are not part of the job, or it would never end.
    connection
        .prepare_cached(
            "INSERT INTO replay (id, provider, webhook_id, state, from_time, to_time, dry_run, matched, enqueued, created_at,
                 position, last)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, ?8, 0,
                 CASE WHEN ?4 = 'unmatched' THEN (SELECT coalesce(max(number), 0) FROM event)
                      ELSE (SELECT coalesce(max(number), 0) FROM delivery) END)",
        )?
        .execute(params![
            replay.id,
            replay.filter.provider.as_ref().map(crate::domain::ProviderName::as_str),
            replay.filter.webhook_id,
            replay.filter.state.map(ReplayState::as_str),
            replay.filter.from.map(Timestamp::as_microsecond),
            replay.filter.to.map(Timestamp::as_microsecond),
            replay.dry_run,
            replay.created_at.as_microsecond(),
        ])?;
    Ok(())
}

pub(super) fn replay(connection: &Connection, id: &str) -> Result<Option<Replay>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {REPLAY_COLUMNS} FROM replay WHERE id = ?1"
    ))?;
    let mut found = statement.query([id])?;
    found.next()?.map(replay_record).transpose()
}

/// Does the next `limit` rows of the oldest job that is not finished; says whether there was one.
pub(super) fn step_replay(
    connection: &Connection,
    ids: &SealedIds,
    limit: u32,
    at: Moment,
) -> Result<bool> {
    let job: Option<(i64, i64, i64)> = connection
        .prepare_cached(
            "SELECT number, position, last FROM replay WHERE finished_at IS NULL ORDER BY number LIMIT 1",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((number, position, last)) = job else {
        return Ok(false);
    };
    let replay = connection
        .prepare_cached(&format!(
            "SELECT {REPLAY_COLUMNS} FROM replay WHERE number = ?1"
        ))?
        .query_row([number], |row| Ok(replay_record(row)))??;
    let step = match replay.filter.state {
        Some(ReplayState::Unmatched) => {
            step_events(connection, ids, &replay, position..last, limit, at)?
        }
        _ => step_deliveries(connection, &replay, position, last, limit, at)?,
    };
    connection
        .prepare_cached(
            "UPDATE replay SET position = ?2, matched = matched + ?3, enqueued = enqueued + ?4, finished_at = ?5 WHERE number = ?1",
        )?
        .execute(params![
            number,
            step.position,
            i64::try_from(step.matched).unwrap_or(i64::MAX),
            i64::try_from(step.enqueued).unwrap_or(i64::MAX),
            step.finished.then(|| at.now.as_microsecond()),
        ])?;
    Ok(true)
}

struct Step {
    position: i64,
    matched: u64,
    enqueued: u64,
    finished: bool,
}

fn step_deliveries(
    connection: &Connection,
    replay: &Replay,
    position: i64,
    last: i64,
    limit: u32,
    at: Moment,
) -> Result<Step> {
    let mut statement = connection.prepare_cached(
        "SELECT delivery.number,
             (:provider IS NULL OR kind.provider = :provider) AND (:state IS NULL OR delivery.state = :state)
             AND (:webhook_id IS NULL OR webhook.id = :webhook_id) AND (:from IS NULL OR event.created_at >= :from)
             AND (:to IS NULL OR event.created_at < :to)
         FROM delivery CROSS JOIN event ON event.number = delivery.event CROSS JOIN event_kind AS kind ON kind.number = event.kind
             JOIN webhook ON webhook.number = delivery.webhook
         WHERE delivery.number > :position AND delivery.number <= :last ORDER BY delivery.number LIMIT :limit",
    )?;
    let filter = &replay.filter;
    let rows: Vec<(i64, bool)> = statement
        .query_map(
            named_params! {
                ":provider": filter.provider.as_ref().map(crate::domain::ProviderName::as_str),
                ":state": filter.state.map(ReplayState::as_str), ":webhook_id": filter.webhook_id,
                ":from": filter.from.map(Timestamp::as_microsecond), ":to": filter.to.map(Timestamp::as_microsecond),
                ":position": position, ":last": last, ":limit": limit,
            },
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect::<rusqlite::Result<_>>()?;
    let mut step = Step {
        position: rows.last().map_or(last, |row| row.0),
        matched: 0,
        enqueued: 0,
        finished: rows.len() < usize::try_from(limit).unwrap_or(usize::MAX),
    };
    for (number, wanted) in rows {
        if wanted {
            step.matched += 1;
            if !replay.dry_run && queue::retry(connection, number, at.steady)? {
                step.enqueued += 1;
            }
        }
    }
    Ok(step)
}

fn step_events(
    connection: &Connection,
    ids: &SealedIds,
    replay: &Replay,
    numbers: Range<i64>,
    limit: u32,
    at: Moment,
) -> Result<Step> {
    let mut statement = connection.prepare_cached(
        "SELECT event.number, matched = 0 AND (:provider IS NULL OR kind.provider = :provider)
             AND (:from IS NULL OR created_at >= :from) AND (:to IS NULL OR created_at < :to)
         FROM event CROSS JOIN event_kind AS kind ON kind.number = event.kind
         WHERE event.number > :position AND event.number <= :last ORDER BY event.number LIMIT :limit",
    )?;
    let filter = &replay.filter;
    let rows: Vec<(i64, bool)> = statement
        .query_map(
            named_params! {
                ":provider": filter.provider.as_ref().map(crate::domain::ProviderName::as_str),
                ":from": filter.from.map(Timestamp::as_microsecond), ":to": filter.to.map(Timestamp::as_microsecond),
                ":position": numbers.start, ":last": numbers.end, ":limit": limit,
            },
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect::<rusqlite::Result<_>>()?;
    let mut step = Step {
        position: rows.last().map_or(numbers.end, |row| row.0),
        matched: 0,
        enqueued: 0,
        finished: rows.len() < usize::try_from(limit).unwrap_or(usize::MAX),
    };
    for (number, wanted) in rows {
        if wanted {
            let made = publish::match_anew(connection, ids, number, replay, at)?;
            step.matched += made;
            step.enqueued += if replay.dry_run { 0 } else { made };
        }
    }
    Ok(step)
}

/// Gives some of the file's unused space back to the disk; says whether there is more. A file that was made by a version before this
/// keeps its space for itself.
fn give_back(connection: &Connection) -> Result<bool> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if pragma("auto_vacuum")? != INCREMENTAL || pragma("freelist_count")? <= KEPT_PAGES {
        return Ok(false);
    }
    let mut statement =
        connection.prepare_cached(&format!("PRAGMA incremental_vacuum({GIVEN_BACK})"))?;
    // Each step frees a page.
    let mut pages = statement.query([])?;
    while pages.next()?.is_some() {}
    Ok(pragma("freelist_count")? > KEPT_PAGES)
}

/// Deletes old events that have nothing pending, with their deliveries and attempts; and what else is old, when no events are left.
pub(super) fn purge(connection: &Connection, terms: &PurgeTerms) -> Result<Purged> {
    let mut statement = connection.prepare_cached(
        "SELECT number, created_at + kept_us < ?2, EXISTS (SELECT 1 FROM delivery
             WHERE delivery.number BETWEEN first_delivery AND first_delivery + matched - 1 AND state = 'pending')
             OR EXISTS (SELECT 1 FROM in_flight WHERE first = first_delivery)
         FROM event WHERE number > ?1 ORDER BY number LIMIT ?3",
    )?;
    let rows: Vec<(i64, bool, bool)> = statement
        .query_map(
            params![
                terms.after,
                terms.events_before.as_microsecond(),
                terms.limit
            ],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?
        .collect::<rusqlite::Result<_>>()?;
    // Events stand in the order of their steady time: behind the first young one there are no old ones.
    let limit = usize::try_from(terms.limit).unwrap_or(usize::MAX);
    let old: Vec<&(i64, bool, bool)> = rows.iter().take_while(|(_, old, _)| *old).collect();
    let position = old.last().map_or(terms.after, |(number, ..)| *number);
    let mut more = old.len() == limit;
    let mut events = 0;
    for (number, _, pending) in old {
        if !pending {
            connection
                .prepare_cached("UPDATE last_purged SET event = ?1 WHERE event < ?1")?
                .execute([number])?;
            connection
                .prepare_cached(
                    "UPDATE last_purged SET delivery = max(delivery,
                         coalesce((SELECT first_delivery + matched - 1 FROM event WHERE number = ?1), 0))",
                )?
                .execute([number])?;
            connection
                .prepare_cached(
                    "DELETE FROM delivery WHERE number BETWEEN (SELECT first_delivery FROM event WHERE number = ?1)
                         AND (SELECT first_delivery + matched - 1 FROM event WHERE number = ?1)",
                )?
                .execute([number])?;
            connection
                .prepare_cached("DELETE FROM event WHERE number = ?1")?
                .execute([number])?;
            events += 1;
        }
    }
    if !more {
        let keys = "DELETE FROM idempotency WHERE (caller, key) IN
             (SELECT caller, key FROM idempotency WHERE kept_since < ?1 ORDER BY kept_since LIMIT ?2)";
        let keys = connection
            .prepare_cached(keys)?
            .execute(params![terms.keys_before.as_microsecond(), terms.limit])?;
        let webhooks = "DELETE FROM webhook WHERE number IN
             (SELECT number FROM webhook WHERE deleted_at IS NOT NULL
                  AND NOT EXISTS (SELECT 1 FROM delivery WHERE webhook = webhook.number) LIMIT ?1)";
        let webhooks = connection
            .prepare_cached(webhooks)?
            .execute([terms.limit])?;
        more = keys == limit || webhooks == limit || give_back(connection)?;
    }
    // A step of nothing would never end.
    let next = (more && limit > 0).then_some(position);
    Ok(Purged {
        events,
        next,
        in_use: false,
    })
}
