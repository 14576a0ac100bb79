//! Storing events with their deliveries, and listing both.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, named_params, params};
use uuid::Uuid;

use super::super::queue::{
    DeliveryFilter, DeliveryHistory, DeliveryRecord, EventFilter, EventRecord, Idempotency,
    NumberPage, Publication, Receipt, Rows, StateCounts,
};
use super::super::{QueueState, Replay, StoreError};
use super::queue::{ClaimedRow, wake};
use super::rows;
use crate::domain::{Attempt, Audience, Event, Outcome, Timing};
use crate::entropy;

type Result<T> = std::result::Result<T, StoreError>;

/// What came of a publication, with secrets still sealed.
pub(super) enum Stored {
    New {
        receipt: Receipt,
        claimed: Vec<ClaimedRow>,
        waiting: bool,
    },
    Repeated(Receipt),
    Conflict,
}

/// Stores an event and one delivery for each webhook that wants it.
pub(super) fn publish(connection: &Connection, publication: &Publication) -> Result<Stored> {
    if let Some(idempotency) = &publication.idempotency
        && let Some((request, receipt)) = earlier(connection, idempotency)?
    {
        let same = request == *idempotency.request.as_bytes();
        return Ok(if same {
            Stored::Repeated(receipt)
        } else {
            Stored::Conflict
        });
    }
    let mut event = publication.event.clone();
    event.sequence = match (&event.owner, publication.audience) {
        (Some(owner), Audience::Owner) => next_in_sequence(connection, &event, owner)?,
        _ => 0,
    };
    let number = insert_event(connection, &event, publication.audience)?;
    let event = Arc::new(event);
    let mut claimed = Vec::new();
    let mut deliveries = 0_u64;
    for lane in matching(connection, &event, publication.audience)? {
        let fast = publication.slots.take(lane);
        let id = insert_delivery(connection, number, lane, &event, fast, publication)?;
        deliveries += 1;
        if fast {
            claimed.push(ClaimedRow::first(id, lane, &event));
        }
    }
    let waiting = u64::try_from(claimed.len()).unwrap_or(u64::MAX) < deliveries;
    if deliveries > 0 {
        connection
            .prepare_cached("UPDATE event SET matched = ?2 WHERE number = ?1")?
            .execute(params![
                number,
                i64::try_from(deliveries).unwrap_or(i64::MAX)
            ])?;
    }
    let receipt = Receipt {
        id: event.id.clone(),
        created_at: event.created_at,
        deliveries,
    };
    if let Some(idempotency) = &publication.idempotency {
        remember(connection, idempotency, &receipt)?;
    }
    Ok(Stored::New {
        receipt,
        claimed,
        waiting,
    })
}

fn earlier(
    connection: &Connection,
    idempotency: &Idempotency,
) -> Result<Option<([u8; 32], Receipt)>> {
    let mut statement = connection.prepare_cached(
        "SELECT request, event_id, created_at, deliveries FROM idempotency WHERE caller = ?1 AND key = ?2",
    )?;
    let found = statement
        .query_row([&idempotency.caller, &idempotency.key], |row| {
            Ok((
                row.get::<_, [u8; 32]>(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get::<_, i64>(3)?,
            ))
        })
        .optional()?;
    found
        .map(|(request, id, created_at, deliveries)| {
            let created_at = rows::time(created_at)?;
            Ok((
                request,
                Receipt {
                    id,
                    created_at,
                    deliveries: deliveries.unsigned_abs(),
                },
            ))
        })
        .transpose()
}

fn remember(connection: &Connection, idempotency: &Idempotency, receipt: &Receipt) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO idempotency (caller, key, request, event_id, deliveries, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            idempotency.caller,
            idempotency.key,
            idempotency.request.as_bytes(),
            receipt.id,
            i64::try_from(receipt.deliveries).unwrap_or(i64::MAX),
            receipt.created_at.as_microsecond(),
        ])?;
    Ok(())
}

fn next_in_sequence(connection: &Connection, event: &Event, owner: &str) -> Result<u64> {
    let value: i64 = connection
        .prepare_cached(
            "INSERT INTO sequence (provider, owner, value) VALUES (?1, ?2, 1)
             ON CONFLICT (provider, owner) DO UPDATE SET value = value + 1 RETURNING value",
        )?
        .query_row([event.provider.as_str(), owner], |row| row.get(0))?;
    Ok(value.unsigned_abs())
}

fn insert_event(connection: &Connection, event: &Event, audience: Audience) -> Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO event (id, provider, event_type, owner, account_id, data, sequence, created_at, audience, matched)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)",
        )?
        .execute(params![
            event.id,
            event.provider.as_str(),
            event.event_type,
            event.owner,
            event.account_id,
            event.data,
            i64::try_from(event.sequence).unwrap_or(i64::MAX),
            event.created_at.as_microsecond(),
            rows::audience(audience),
        ])?;
    Ok(connection.last_insert_rowid())
}

/// The numbers of the webhooks that want an event.
fn matching(connection: &Connection, event: &Event, audience: Audience) -> Result<Vec<i64>> {
    // CROSS JOIN fixes the order: an owner has few webhooks, and so has an event type among those without owner.
    let sql = match audience {
        Audience::Owner => {
            "SELECT webhook.number FROM webhook CROSS JOIN subscription
                 ON subscription.webhook = webhook.number AND subscription.event_type = :event_type
             WHERE webhook.provider = :provider AND webhook.owner = :owner AND webhook.deleted_at IS NULL
                 AND webhook.enabled = 1 AND (:account_id IS NULL OR 1) ORDER BY webhook.number"
        }
        Audience::Account => {
            "SELECT webhook.number FROM subscription CROSS JOIN webhook ON webhook.number = subscription.webhook
             WHERE subscription.event_type = :event_type AND webhook.provider = :provider AND webhook.enabled = 1
                 AND webhook.deleted_at IS NULL AND (:owner IS NULL OR webhook.owner = :owner)
                 AND (webhook.account_id IS NULL OR webhook.account_id = :account_id) ORDER BY webhook.number"
        }
        Audience::Platform => {
            "SELECT webhook.number FROM subscription CROSS JOIN webhook ON webhook.number = subscription.webhook
             WHERE subscription.event_type = :event_type AND webhook.provider = :provider AND webhook.enabled = 1
                 AND webhook.deleted_at IS NULL AND (:owner IS NULL OR webhook.owner = :owner)
                 AND webhook.account_id IS NULL AND (:account_id IS NULL OR 1) ORDER BY webhook.number"
        }
    };
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map(
        named_params! {
            ":event_type": event.event_type, ":provider": event.provider.as_str(), ":owner": event.owner,
            ":account_id": event.account_id,
        },
        |row| row.get(0),
    )?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn insert_delivery(
    connection: &Connection,
    event_number: i64,
    lane: i64,
    event: &Event,
    claimed: bool,
    publication: &Publication,
) -> Result<Uuid> {
    let id = entropy::uuid();
    let now = event.created_at;
    let due_at = if claimed {
        now + publication.lease
    } else {
        now
    };
    connection
        .prepare_cached(
            "INSERT INTO delivery (id, event, webhook, state, attempts, due_at, first_attempt_at, claimed, created_at)
             VALUES (?1, ?2, ?3, 'pending', ?4, ?5, ?6, ?4, ?7)",
        )?
        .execute(params![
            id.as_bytes(),
            event_number,
            lane,
            claimed,
            due_at.as_microsecond(),
            claimed.then(|| now.as_microsecond()),
            now.as_microsecond(),
        ])?;
    wake(connection, lane, due_at)?;
    Ok(id)
}

/// Matches an unmatched event anew for a replay and makes the deliveries that it did not get; gives how many. A dry run only counts.
pub(super) fn match_anew(
    connection: &Connection,
    number: i64,
    replay: &Replay,
    now: Timestamp,
) -> Result<u64> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, event.audience FROM event WHERE event.number = ?1",
        rows::EVENT_COLUMNS
    ))?;
    let (event, audience) = statement.query_row([number], |row| {
        Ok((
            rows::event(row, 0),
            row.get::<_, String>(rows::EVENT_COLUMN_COUNT)?,
        ))
    })?;
    let (event, audience) = (event?, rows::parse_audience(&audience)?);
    let mut lanes = matching(connection, &event, audience)?;
    if let Some(id) = &replay.filter.webhook_id {
        let only: Option<i64> = connection
            .prepare_cached("SELECT number FROM webhook WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        lanes.retain(|lane| Some(*lane) == only);
    }
    let made = lanes.len();
    if !replay.dry_run {
        for lane in lanes {
            connection
                .prepare_cached(
                    "INSERT INTO delivery (id, event, webhook, state, attempts, due_at, claimed, created_at)
                     VALUES (?1, ?2, ?3, 'pending', 0, ?4, 0, ?4)",
                )?
                .execute(params![entropy::uuid().as_bytes(), number, lane, now.as_microsecond()])?;
            wake(connection, lane, now)?;
        }
        connection
            .prepare_cached("UPDATE event SET matched = ?2 WHERE number = ?1")?
            .execute(params![number, i64::try_from(made).unwrap_or(i64::MAX)])?;
    }
    Ok(u64::try_from(made).unwrap_or(u64::MAX))
}

pub(super) fn events(
    connection: &Connection,
    filter: &EventFilter,
    page: NumberPage,
) -> Result<Rows<EventRecord>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, event.number FROM event
         WHERE (:before IS NULL OR event.number < :before) AND (:provider IS NULL OR event.provider = :provider)
             AND (:event_type IS NULL OR event.event_type = :event_type)
         ORDER BY event.number DESC LIMIT :limit",
        rows::EVENT_COLUMNS
    ))?;
    let mut found = statement.query(named_params! {
        ":before": page.before, ":provider": filter.provider.map(crate::domain::Provider::as_str),
        ":event_type": filter.event_type, ":limit": i64::from(page.limit) + 1,
    })?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        let number: i64 = row.get(rows::EVENT_COLUMN_COUNT)?;
        let record = EventRecord {
            event: rows::event(row, 0)?,
            deliveries: counts(connection, number)?,
        };
        all.push((number, record));
    }
    Ok(cut(all, page.limit))
}

pub(super) fn event(connection: &Connection, id: &str) -> Result<Option<EventRecord>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, event.number FROM event WHERE event.id = ?1",
        rows::EVENT_COLUMNS
    ))?;
    let mut found = statement.query([id])?;
    let Some(row) = found.next()? else {
        return Ok(None);
    };
    let number = row.get(rows::EVENT_COLUMN_COUNT)?;
    Ok(Some(EventRecord {
        event: rows::event(row, 0)?,
        deliveries: counts(connection, number)?,
    }))
}

fn counts(connection: &Connection, event: i64) -> Result<StateCounts> {
    let mut statement = connection
        .prepare_cached("SELECT state, count(*) FROM delivery WHERE event = ?1 GROUP BY state")?;
    let mut found = statement.query([event])?;
    let mut by_state: HashMap<String, u64> = HashMap::new();
    while let Some(row) = found.next()? {
        by_state.insert(row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs());
    }
    let count = |state: &str| by_state.get(state).copied().unwrap_or_default();
    Ok(StateCounts {
        pending: count("pending"),
        delivered: count("delivered"),
        exhausted: count("exhausted"),
        cancelled: count("cancelled"),
    })
}

const DELIVERY_COLUMNS: &str = "delivery.id, event.id, webhook.id, event.provider, event.event_type, webhook.url, \
     delivery.state, delivery.attempts, delivery.created_at, delivery.due_at, delivery.completed_at";

const DELIVERY_JOINS: &str = "delivery JOIN event ON event.number = delivery.event JOIN webhook ON webhook.number = delivery.webhook";

fn delivery_record(row: &Row<'_>) -> Result<DeliveryRecord> {
    Ok(DeliveryRecord {
        id: Uuid::from_bytes(row.get(0)?),
        event_id: row.get(1)?,
        webhook_id: row.get(2)?,
        provider: rows::provider(row, 3)?,
        event_type: row.get(4)?,
        url: row.get(5)?,
        state: row
            .get::<_, String>(6)?
            .parse()
            .map_err(|error: crate::domain::UnknownState| StoreError::Damaged(error.to_string()))?,
        attempts: row.get(7)?,
        created_at: rows::time(row.get(8)?)?,
        due_at: rows::time(row.get(9)?)?,
        completed_at: row.get::<_, Option<i64>>(10)?.map(rows::time).transpose()?,
    })
}

pub(super) fn deliveries(
    connection: &Connection,
    filter: &DeliveryFilter,
    page: NumberPage,
) -> Result<Rows<DeliveryRecord>> {
    // Only conditions that were given: with `... IS NULL OR`, SQLite would not use the indexes of webhook and event.
    let mut conditions = String::new();
    let mut values: Vec<(&str, &dyn ToSql)> = Vec::new();
    let provider = filter.provider.map(crate::domain::Provider::as_str);
    let state = filter.state.map(crate::domain::DeliveryState::as_str);
    if let Some(before) = &page.before {
        conditions += " AND delivery.number < :before";
        values.push((":before", before));
    }
    if let Some(provider) = &provider {
        conditions += " AND event.provider = :provider";
        values.push((":provider", provider));
    }
    if let Some(state) = &state {
        conditions += " AND delivery.state = :state";
        values.push((":state", state));
    }
    if let Some(id) = &filter.webhook_id {
        conditions += " AND delivery.webhook = (SELECT number FROM webhook WHERE id = :webhook_id)";
        values.push((":webhook_id", id));
    }
    if let Some(id) = &filter.event_id {
        conditions += " AND delivery.event = (SELECT number FROM event WHERE id = :event_id)";
        values.push((":event_id", id));
    }
    let limit = i64::from(page.limit) + 1;
    values.push((":limit", &limit));
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {DELIVERY_COLUMNS}, delivery.number
         FROM delivery CROSS JOIN event ON event.number = delivery.event CROSS JOIN webhook ON webhook.number = delivery.webhook
         WHERE TRUE{conditions} ORDER BY delivery.number DESC LIMIT :limit"
    ))?;
    let mut found = statement.query(values.as_slice())?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        all.push((row.get(11)?, delivery_record(row)?));
    }
    Ok(cut(all, page.limit))
}

pub(super) fn delivery(connection: &Connection, id: Uuid) -> Result<Option<DeliveryHistory>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {DELIVERY_COLUMNS}, delivery.number FROM {DELIVERY_JOINS} WHERE delivery.id = ?1"
    ))?;
    let mut found = statement.query([id.as_bytes()])?;
    let Some(row) = found.next()? else {
        return Ok(None);
    };
    let number: i64 = row.get(11)?;
    Ok(Some(DeliveryHistory {
        delivery: delivery_record(row)?,
        attempts: attempts(connection, number)?,
    }))
}

fn attempts(connection: &Connection, delivery: i64) -> Result<Vec<Attempt>> {
    let mut statement = connection.prepare_cached(
        "SELECT number, started_at, queue_us, connect_us, first_byte_us, total_us, request_headers, outcome, status,
             retry_after_s, error, response_body, response_truncated FROM attempt WHERE delivery = ?1 ORDER BY number",
    )?;
    let mut found = statement.query([delivery])?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        let duration = |column: usize| -> Result<Option<std::time::Duration>> {
            let microseconds: Option<i64> = row.get(column)?;
            Ok(microseconds.map(|us| std::time::Duration::from_micros(us.unsigned_abs())))
        };
        let headers: String = row.get(6)?;
        let error = row.get::<_, Option<String>>(10)?.unwrap_or_default();
        all.push(Attempt {
            number: row.get(0)?,
            started_at: rows::time(row.get(1)?)?,
            timing: Timing {
                queue: duration(2)?.unwrap_or_default(),
                connect: duration(3)?,
                first_byte: duration(4)?,
                total: duration(5)?.unwrap_or_default(),
            },
            request_headers: serde_json::from_str(&headers)
                .map_err(|error| StoreError::Damaged(error.to_string()))?,
            outcome: match row.get::<_, String>(7)?.as_str() {
                "answered" => Outcome::Answered {
                    status: row.get(8)?,
                    retry_after: row
                        .get::<_, Option<u32>>(9)?
                        .map(|seconds| std::time::Duration::from_secs(seconds.into())),
                },
                "timed-out" => Outcome::TimedOut,
                "refused" => Outcome::Refused(error),
                _ => Outcome::Failed(error),
            },
            response_body: row.get(11)?,
            response_truncated: row.get(12)?,
        });
    }
    Ok(all)
}

pub(super) fn queue_state(connection: &Connection, now: Timestamp) -> Result<QueueState> {
    let pending: i64 = connection
        .prepare_cached(
            "SELECT count(*) FROM delivery INDEXED BY delivery_due WHERE state = 'pending'",
        )?
        .query_row([], |row| row.get(0))?;
    // `next_due` may be the end of a lease that nobody needs any more, so it only says where to look.
    let oldest: Option<i64> = connection
        .prepare_cached(
            "SELECT min(due_at) FROM (
                 SELECT (SELECT min(due_at) FROM delivery WHERE webhook = webhook.number AND state = 'pending') AS due_at
                 FROM webhook WHERE next_due <= ?1)
             WHERE due_at <= ?1",
        )?
        .query_row([now.as_microsecond()], |row| row.get(0))?;
    Ok(QueueState {
        pending: pending.unsigned_abs(),
        oldest_due_at: oldest.map(rows::time).transpose()?,
    })
}

/// One row more than the page holds tells that more follow.
fn cut<T>(mut all: Vec<(i64, T)>, limit: u32) -> Rows<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = all.len() > limit;
    all.truncate(limit);
    let next = all.last().filter(|_| more).map(|(number, _)| *number);
    Rows {
        rows: all.into_iter().map(|(_, row)| row).collect(),
        next,
    }
}
