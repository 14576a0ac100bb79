//! Events and their deliveries, listed and counted.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row, ToSql, named_params};
use uuid::Uuid;

use super::super::queue::{
    DeliveryFilter, DeliveryHistory, DeliveryRecord, EventFilter, EventRecord, NumberPage, Rows,
    StateCounts,
};
use super::super::{QueueState, StoreError};
use super::rows;
use crate::domain::{Attempt, Outcome, Timing};

type Result<T> = std::result::Result<T, StoreError>;

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
        ":before": page.before, ":provider": filter.provider.as_ref().map(crate::domain::ProviderName::as_str),
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
    let provider = filter
        .provider
        .as_ref()
        .map(crate::domain::ProviderName::as_str);
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
                "timed-out" => Outcome::TimedOut {
                    status: row.get(8)?,
                },
                "refused" => Outcome::Refused(error),
                _ => Outcome::Failed {
                    reason: error,
                    status: row.get(8)?,
                },
            },
            response_body: row.get(11)?,
            response_truncated: row.get(12)?,
        });
    }
    Ok(all)
}

pub(super) fn queue_state(connection: &Connection, steady: Timestamp) -> Result<QueueState> {
    let pending: i64 = connection
        .prepare_cached(
            "SELECT (SELECT count(*) FROM delivery INDEXED BY delivery_due WHERE state = 'pending' AND claimed = 0)
                 + (SELECT count(*) FROM delivery INDEXED BY delivery_leased WHERE claimed = 1)",
        )?
        .query_row([], |row| row.get(0))?;
    // `next_due` may be earlier than what still waits, so it only says where to look.
    let oldest: Option<i64> = connection
        .prepare_cached(
            "SELECT min(due_at) FROM (
                 SELECT (SELECT min(due_at) FROM delivery WHERE webhook = webhook.number AND state = 'pending' AND claimed = 0)
                     AS due_at FROM webhook WHERE next_due <= ?1
                 UNION ALL
                 SELECT min(delivery.due_at) FROM delivery JOIN webhook ON webhook.number = delivery.webhook
                 WHERE claimed = 1 AND delivery.due_at <= ?1 AND suspended = 0)
             WHERE due_at <= ?1",
        )?
        .query_row([steady.as_microsecond()], |row| row.get(0))?;
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
