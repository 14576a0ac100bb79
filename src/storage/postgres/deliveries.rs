//! Deliveries with their attempts, listed and read, and how the queue stands.

use std::time::Duration;

use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use uuid::Uuid;

use super::rows::{self, Conditions, Search};
use super::{Result, query};
use crate::domain::{Attempt, DeliveryState, Outcome, ProviderName, Timing, UnknownState};
use crate::storage::queue::{
    DeliveryFilter, DeliveryHistory, DeliveryRecord, LastAttempt, NumberPage, Rows,
};
use crate::storage::{OutcomeFilter, QueueState, StoreError};

/// The columns that [`delivery_record`] reads, in its order.
const DELIVERY_COLUMNS: &str = "found.number, event.base, event.id, webhook.id, event.provider, event.event_type, webhook.url, \
     found.state, found.attempts, found.created_at, found.due_at, found.completed_at, found.started_at, found.outcome, found.status, \
     found.error";

/// The columns of the views of deliveries, in one order.
pub(super) const STORED_COLUMNS: &str = "number, event, webhook, state, attempts, due_at, created_at, completed_at, claimed, started_at, outcome, \
     status, error";

/// The class of an outcome, as [`Outcome::class`] has it.
const OUTCOME_CLASS: &str = "CASE d.outcome WHEN 'timed-out' THEN 'timeout' WHEN 'answered' THEN
     CASE d.status / 100 WHEN 2 THEN '2xx' WHEN 3 THEN '3xx' WHEN 4 THEN '4xx' WHEN 5 THEN '5xx' ELSE 'other' END
     ELSE d.outcome END";

fn delivery_record(row: &Row) -> Result<(i64, DeliveryRecord)> {
    let (number, base): (i64, Uuid) = (row.try_get(0)?, row.try_get(1)?);
    let attempts: i32 = row.try_get(8)?;
    let record = DeliveryRecord {
        id: rows::delivery_id(base, rows::index_of(number)),
        event_id: row.try_get(2)?,
        webhook_id: row.try_get(3)?,
        provider: rows::provider(row, 4)?,
        event_type: row.try_get(5)?,
        url: row.try_get(6)?,
        state: row
            .try_get::<_, &str>(7)?
            .parse()
            .map_err(|error: UnknownState| StoreError::Damaged(error.to_string()))?,
        attempts: u32::try_from(attempts).unwrap_or_default(),
        created_at: rows::time(row.try_get(9)?)?,
        due_at: rows::time(row.try_get(10)?)?,
        completed_at: rows::optional_time(row, 11)?,
        last: last_attempt(row, 12)?,
    };
    Ok((number, record))
}

/// Reads `started_at`, `outcome`, `status` and `error` of an attempt, if there is one, from the columns that start at `first`.
pub(super) fn last_attempt(row: &Row, first: usize) -> Result<Option<LastAttempt>> {
    let Some(started_at) = rows::optional_time(row, first)? else {
        return Ok(None);
    };
    Ok(Some(LastAttempt {
        started_at,
        outcome: outcome(row, first + 1, None)?,
    }))
}

/// Reads `outcome`, `status` and `error` from the columns that start at `first`.
fn outcome(row: &Row, first: usize, retry_after: Option<Duration>) -> Result<Outcome> {
    let error: Option<String> = row.try_get(first + 2)?;
    let status: Option<i32> = row.try_get(first + 1)?;
    let status = status.map(|status| u16::try_from(status).unwrap_or_default());
    Ok(match row.try_get::<_, &str>(first)? {
        "answered" => Outcome::Answered {
            status: status.unwrap_or_default(),
            retry_after,
        },
        "timed-out" => Outcome::TimedOut { status },
        "refused" => Outcome::Refused(error.unwrap_or_default()),
        _ => Outcome::Failed {
            reason: error.unwrap_or_default(),
            status,
        },
    })
}

pub(super) async fn deliveries(
    client: &impl GenericClient,
    filter: &DeliveryFilter,
    page: NumberPage,
) -> Result<Rows<DeliveryRecord>> {
    deliveries_among(client, filter, page, rows::SEARCH).await
}

/// Lists deliveries, and looks at `most` of them at most.
pub(super) async fn deliveries_among(
    client: &impl GenericClient,
    filter: &DeliveryFilter,
    page: NumberPage,
    most: i64,
) -> Result<Rows<DeliveryRecord>> {
    let mut indexed = Conditions::default();
    if let Some(before) = &page.before {
        indexed.and("d.number <", before);
    }
    // Said in the statement and not as a value, so that it looks into no table and no partial index but that of the state.
    let is_indexed = filter
        .state
        .is_some_and(|state| state != DeliveryState::Delivered);
    if let Some(state) = filter.state.filter(|_| is_indexed) {
        indexed.text += &format!(" AND d.state = '{state}'");
    }
    let webhook_id = rows::optional_text(filter.webhook_id.as_deref());
    if let Some(id) = &webhook_id {
        let id = indexed.value(id);
        indexed.text += &format!(" AND d.webhook = (SELECT number FROM webhook WHERE id = {id})");
    }
    // Its numbers lead to them; they are read first, so that the statement is planned for a range.
    let mut range = None;
    if let Some(id) = &filter.event_id {
        let found = query(
            client,
            "SELECT number, first FROM event WHERE id = $1",
            &[&rows::text(id)],
        )
        .await?;
        let Some(row) = found.first() else {
            return Ok(Search::default().cut(Vec::new(), page.limit));
        };
        let (number, first): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        range = Some((
            number,
            first,
            first + (1 << super::partitions::FAN_OUT_BITS),
        ));
    }
    if let Some((event, first, end)) = &range {
        indexed.and("d.event =", event);
        indexed.and("d.number >=", first);
        indexed.and("d.number <", end);
    }
    let (provider, state, outcome) = (
        filter.provider.as_ref().map(ProviderName::as_str),
        filter
            .state
            .filter(|_| !is_indexed)
            .map(DeliveryState::as_str),
        filter.outcome.map(OutcomeFilter::as_str),
    );
    let event_type = rows::optional_text(filter.event_type.as_deref());
    let (from, to) = (
        filter.from.map(Timestamp::as_microsecond),
        filter.to.map(Timestamp::as_microsecond),
    );
    let is_searched = provider.is_some()
        || event_type.is_some()
        || state.is_some()
        || outcome.is_some()
        || from.is_some()
        || to.is_some();
    let mut search = Search::default();
    if is_searched {
        let mut conditions = Conditions {
            text: indexed.text.clone(),
            values: indexed.values.clone(),
        };
        let most = conditions.value(&most);
        let found = query(
            client,
            &format!(
                "SELECT min(number), count(*) = {most} FROM
                     (SELECT d.number FROM stored AS d WHERE TRUE{} ORDER BY d.number DESC LIMIT {most}) AS searched",
                conditions.text
            ),
            &conditions.values,
        )
        .await?;
        search = Search::read(&found[0])?;
    }
    let mut conditions = indexed;
    if let Some(provider) = &provider {
        conditions.and("event.provider =", provider);
    }
    if let Some(event_type) = &event_type {
        conditions.and("event.event_type =", event_type);
    }
    if let Some(state) = &state {
        conditions.and("d.state =", state);
    }
    if let Some(from) = &from {
        conditions.and("d.created_at >=", from);
    }
    if let Some(to) = &to {
        conditions.and("d.created_at <", to);
    }
    match filter.outcome {
        Some(OutcomeFilter::Class(_)) => {
            conditions.and(&format!("{OUTCOME_CLASS} ="), &outcome);
        }
        Some(OutcomeFilter::Failure) => {
            conditions.text += &format!(" AND {OUTCOME_CLASS} <> '2xx'");
        }
        None => {}
    }
    // An event leads to nothing that the number does not: it is joined where its columns are asked for.
    let of_event = if provider.is_some() || event_type.is_some() {
        "JOIN event ON event.number = d.event"
    } else {
        ""
    };
    let limit = i64::from(page.limit) + 1;
    let (end, limit) = (conditions.value(&search.end), conditions.value(&limit));
    let columns = qualified();
    let text = format!(
        "WITH page AS MATERIALIZED (
             SELECT {columns} FROM stored AS d {of_event} WHERE TRUE{rest} AND d.number >= {end} ORDER BY d.number DESC LIMIT {limit}
         ), of_memory AS MATERIALIZED (
             SELECT {columns} FROM handed_over AS d {of_event} WHERE TRUE{rest}
                 AND d.number >= (SELECT CASE WHEN count(*) = {limit} THEN min(number) ELSE {end} END FROM page)
             ORDER BY d.number DESC LIMIT {limit}
         )
         SELECT {DELIVERY_COLUMNS} FROM (SELECT * FROM page UNION ALL SELECT * FROM of_memory) AS found
             JOIN event ON event.number = found.event JOIN webhook ON webhook.number = found.webhook
         ORDER BY found.number DESC LIMIT {limit}",
        rest = conditions.text,
    );
    let found = query(client, &text, &conditions.values).await?;
    let all: Result<Vec<(i64, DeliveryRecord)>> = found.iter().map(delivery_record).collect();
    Ok(search.cut(all?, page.limit))
}

fn qualified() -> String {
    let columns = STORED_COLUMNS
        .split(", ")
        .map(|name| format!("d.{}", name.trim()));
    columns.collect::<Vec<_>>().join(", ")
}

pub(super) async fn delivery(
    client: &impl GenericClient,
    id: Uuid,
) -> Result<Option<DeliveryHistory>> {
    let (base, index) = rows::base_and_index(id);
    let of_view = |view: &str| {
        format!(
            "SELECT {} FROM {view} AS d JOIN event AS e ON e.base = $1 AND d.event = e.number
             WHERE d.number = (SELECT first FROM event WHERE base = $1) + $2",
            qualified()
        )
    };
    // Attempts in the same statement: a result that is recorded meanwhile is in both or in none.
    let found = query(
        client,
        &format!(
            "WITH found AS MATERIALIZED ({} UNION ALL {}), attempts AS (
                 SELECT number, started_at, queue_us, connect_us, first_byte_us, total_us, request_headers, outcome, status, error,
                     retry_after_s, response_body, response_truncated, response_headers
                 FROM attempt WHERE delivery = (SELECT number FROM found)
                 UNION ALL
                 SELECT attempt, started_at, queue_us, connect_us, first_byte_us, total_us, request_headers, outcome, status, error,
                     retry_after_s, response_body, response_truncated, response_headers
                 FROM delivery WHERE number = (SELECT number FROM found) AND attempt IS NOT NULL
             )
             SELECT {DELIVERY_COLUMNS}, made.number, made.started_at, made.queue_us, made.connect_us, made.first_byte_us, made.total_us,
                 made.request_headers, made.outcome, made.status, made.error, made.retry_after_s, made.response_body,
                 made.response_truncated, made.response_headers
             FROM found JOIN event ON event.number = found.event JOIN webhook ON webhook.number = found.webhook
                 LEFT JOIN attempts AS made ON TRUE
             ORDER BY made.number",
            of_view("stored"),
            of_view("handed_over")
        ),
        &[&base, &index],
    )
    .await?;
    let Some(first) = found.first() else {
        return Ok(None);
    };
    let (_, delivery) = delivery_record(first)?;
    let mut attempts = Vec::with_capacity(found.len());
    for row in &found {
        if let Some(number) = row.try_get::<_, Option<i32>>(ATTEMPT)? {
            attempts.push(attempt(row, u32::try_from(number).unwrap_or_default())?);
        }
    }
    Ok(Some(DeliveryHistory { delivery, attempts }))
}

fn headers<T: DeserializeOwned>(row: &Row, column: usize) -> Result<T> {
    serde_json::from_str(row.try_get(column)?)
        .map_err(|error| StoreError::Damaged(error.to_string()))
}

/// The column at which an attempt begins, behind those of its delivery.
const ATTEMPT: usize = 16;

fn attempt(row: &Row, number: u32) -> Result<Attempt> {
    let duration = |column: usize| -> Result<Option<Duration>> {
        let microseconds: Option<i64> = row.try_get(ATTEMPT + column)?;
        Ok(microseconds.map(|us| Duration::from_micros(us.unsigned_abs())))
    };
    let retry_after: Option<i64> = row.try_get(ATTEMPT + 10)?;
    let retry_after = retry_after.map(|seconds| Duration::from_secs(seconds.unsigned_abs()));
    Ok(Attempt {
        number,
        started_at: rows::time(row.try_get(ATTEMPT + 1)?)?,
        timing: Timing {
            queue: duration(2)?.unwrap_or_default(),
            connect: duration(3)?,
            first_byte: duration(4)?,
            total: duration(5)?.unwrap_or_default(),
        },
        request_headers: headers(row, ATTEMPT + 6)?,
        outcome: outcome(row, ATTEMPT + 7, retry_after)?,
        response_headers: headers(row, ATTEMPT + 13)?,
        response_body: row.try_get(ATTEMPT + 11)?,
        response_truncated: row.try_get(ATTEMPT + 12)?,
    })
}

pub(super) async fn queue_state(
    client: &impl GenericClient,
    steady: Timestamp,
) -> Result<QueueState> {
    let found = query(
        client,
        "SELECT (SELECT count(*) FROM pending) + (SELECT count(*) FROM handed_over),
             (SELECT min(due_at) FROM (
                 SELECT (SELECT min(due_at) FROM pending WHERE pending.webhook = lane.webhook AND NOT claimed
                     AND due_at >= lane.next_due) AS due_at FROM lane WHERE next_due <= $1
                 UNION ALL
                 SELECT min(pending.due_at) FROM pending JOIN lane ON lane.webhook = pending.webhook
                 WHERE claimed AND pending.due_at <= $1 AND NOT suspended
                 UNION ALL
                 SELECT min(handed_over.due_at) FROM handed_over JOIN lane ON lane.webhook = handed_over.webhook
                 WHERE handed_over.due_at <= $1 AND NOT suspended
             ) AS due WHERE due_at <= $1)",
        &[&steady.as_microsecond()],
    )
    .await?;
    // Visible to every role, other than when a transaction began. A session without a user is a vacuum, which holds nothing back.
    let snapshots = query(
        client,
        "SELECT coalesce(greatest(
             (SELECT max(age(backend_xmin)) FROM pg_stat_activity WHERE usesysid IS NOT NULL AND pid <> pg_backend_pid()
                 AND (datname IS NULL OR datname = current_database())),
             (SELECT max(age(xmin)) FROM pg_replication_slots),
             (SELECT max(age(transaction)) FROM pg_prepared_xacts WHERE database = current_database())
         ), 0)::bigint",
        &[],
    )
    .await?;
    Ok(QueueState {
        pending: rows::count(&found[0], 0)?,
        oldest_due_at: rows::optional_time(&found[0], 1)?,
        oldest_snapshot: Some(rows::count(&snapshots[0], 0)?),
    })
}
