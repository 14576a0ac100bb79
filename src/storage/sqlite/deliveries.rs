//! Deliveries with their attempts, listed and read, and how the queue stands.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use uuid::Uuid;

use super::super::queue::{
    DeliveryFilter, DeliveryHistory, DeliveryRecord, LastAttempt, NumberPage, Rows,
};
use super::super::{OutcomeFilter, QueueState, StoreError};
use super::headers::{self, Beside};
use super::ids::{Named, SealedIds};
use super::in_flight::{self, InFlight};
use super::rows::{self, Search};
use crate::domain::{Attempt, DeliveryState, Outcome, ProviderName, Timing, UnknownState};

type Result<T> = std::result::Result<T, StoreError>;

/// The last attempt is in the row of the delivery, unless the table of attempts has one.
const DELIVERY_COLUMNS: &str = "delivery.id, event.id, webhook.id, kind.provider, kind.event_type, webhook.url, \
     delivery.state, delivery.attempts, delivery.created_at, \
     coalesce(delivery.due_at, delivery.created_at + coalesce(delivery.completed_us, 0)), \
     delivery.created_at + delivery.completed_us, \
     coalesce(last.started_at, delivery.created_at + delivery.started_us), coalesce(last.outcome, delivery.outcome, 'answered'), \
     iif(last.number IS NULL, delivery.status, last.status), iif(last.number IS NULL, delivery.error, last.error), \
     delivery.number, event.number, event.created_at";

/// CROSS JOIN fixes the order: deliveries lead.
const DELIVERY_JOINS: &str = "CROSS JOIN event ON event.number = delivery.event
     CROSS JOIN event_kind AS kind ON kind.number = event.kind
     CROSS JOIN webhook ON webhook.number = delivery.webhook
     LEFT JOIN attempt AS last ON last.delivery = delivery.number
         AND last.number = (SELECT max(number) FROM attempt WHERE attempt.delivery = delivery.number)";

/// The class of an outcome, as [`Outcome::class`] has it.
const OUTCOME_CLASS: &str = "CASE coalesce(last.outcome, delivery.outcome, iif(delivery.started_us IS NULL, NULL, 'answered')) WHEN 'timed-out' THEN 'timeout' WHEN 'answered' THEN
     CASE iif(last.number IS NULL, delivery.status, last.status) / 100 WHEN 2 THEN '2xx' WHEN 3 THEN '3xx' WHEN 4 THEN '4xx' WHEN 5 THEN '5xx' ELSE 'other' END
     ELSE coalesce(last.outcome, delivery.outcome) END";

/// Reads a delivery and its number from [`DELIVERY_COLUMNS`].
fn delivery_record(row: &Row<'_>, ids: &SealedIds) -> Result<(i64, DeliveryRecord)> {
    let number: i64 = row.get(15)?;
    let record = DeliveryRecord {
        id: ids.of_row(row.get(0)?, number, row.get(8)?)?,
        event_id: ids.of_event(row.get(1)?, row.get(16)?, rows::time(row.get(17)?)?),
        webhook_id: row.get(2)?,
        provider: rows::provider(row, 3)?,
        event_type: row.get(4)?,
        url: row.get(5)?,
        state: row
            .get::<_, String>(6)?
            .parse()
            .map_err(|error: UnknownState| StoreError::Damaged(error.to_string()))?,
        attempts: row.get(7)?,
        created_at: rows::time(row.get(8)?)?,
        due_at: rows::time(row.get(9)?)?,
        completed_at: row.get::<_, Option<i64>>(10)?.map(rows::time).transpose()?,
        last: last_attempt(row, 11)?,
    };
    Ok((number, record))
}

/// Reads `started_at`, `outcome`, `status` and `error` of an attempt, if there is one, from the columns that start at `first`.
pub(super) fn last_attempt(row: &Row<'_>, first: usize) -> Result<Option<LastAttempt>> {
    let Some(started_at) = row.get::<_, Option<i64>>(first)? else {
        return Ok(None);
    };
    Ok(Some(LastAttempt {
        started_at: rows::time(started_at)?,
        outcome: outcome(row, first + 1, None)?,
    }))
}

/// Reads `outcome`, `status` and `error` from the columns that start at `first`.
fn outcome(row: &Row<'_>, first: usize, retry_after: Option<Duration>) -> Result<Outcome> {
    let error = row.get::<_, Option<String>>(first + 2)?.unwrap_or_default();
    Ok(match row.get::<_, String>(first)?.as_str() {
        "answered" => Outcome::Answered {
            status: row.get(first + 1)?,
            retry_after,
        },
        "timed-out" => Outcome::TimedOut {
            status: row.get(first + 1)?,
        },
        "refused" => Outcome::Refused(error),
        _ => Outcome::Failed {
            reason: error,
            status: row.get(first + 1)?,
        },
    })
}

pub(super) fn deliveries(
    connection: &Connection,
    ids: &SealedIds,
    filter: &DeliveryFilter,
    page: NumberPage,
) -> Result<Rows<DeliveryRecord>> {
    deliveries_among(connection, ids, filter, page, rows::SEARCH)
}

/// Lists deliveries, and looks at `most` of them at most.
fn deliveries_among(
    connection: &Connection,
    ids: &SealedIds,
    filter: &DeliveryFilter,
    page: NumberPage,
    most: i64,
) -> Result<Rows<DeliveryRecord>> {
    // One picture: a delivery may get its row between two statements.
    let _picture = connection.unchecked_transaction()?;
    // Only conditions that were given: with `... IS NULL OR`, SQLite would not use the indexes of webhook and event.
    let mut indexed = String::new();
    let mut values: Vec<(&str, &dyn ToSql)> = Vec::new();
    if let Some(before) = &page.before {
        indexed += " AND delivery.number < :before";
        values.push((":before", before));
    }
    let given_up = filter
        .state
        .filter(|state| matches!(state, DeliveryState::Exhausted | DeliveryState::Cancelled))
        .map(DeliveryState::as_str);
    let mut table = "delivery";
    if let Some(state) = &given_up {
        indexed +=
            " AND delivery.state IN ('exhausted', 'cancelled') AND delivery.state = :given_up";
        values.push((":given_up", state));
        table = if filter.webhook_id.is_some() {
            "delivery INDEXED BY delivery_given_up_of_webhook"
        } else {
            "delivery INDEXED BY delivery_given_up"
        };
    }
    if let Some(id) = &filter.webhook_id {
        indexed += " AND delivery.webhook = (SELECT number FROM webhook WHERE id = :webhook_id)";
        values.push((":webhook_id", id));
    }
    let event = match &filter.event_id {
        Some(id) => match ids.event_number(connection, id)? {
            Some(number) => Some(number),
            None => return Ok(Search::default().cut(Vec::new(), page.limit)),
        },
        None => None,
    };
    if let Some(event) = &event {
        indexed +=
            " AND delivery.number BETWEEN (SELECT first_delivery FROM event WHERE number = :event)
                 AND (SELECT first_delivery + matched - 1 FROM event WHERE number = :event)";
        values.push((":event", event));
    }
    let (provider, state, outcome) = (
        filter.provider.as_ref().map(ProviderName::as_str),
        filter
            .state
            .map(DeliveryState::as_str)
            .filter(|_| given_up.is_none()),
        filter.outcome.map(OutcomeFilter::as_str),
    );
    let (from, to) = (
        filter.from.map(Timestamp::as_microsecond),
        filter.to.map(Timestamp::as_microsecond),
    );
    let mut searched = String::new();
    let mut search_values: Vec<(&str, &dyn ToSql)> = Vec::new();
    if let Some(provider) = &provider {
        searched += " AND kind.provider = :provider";
        search_values.push((":provider", provider));
    }
    if let Some(event_type) = &filter.event_type {
        searched += " AND kind.event_type = :event_type";
        search_values.push((":event_type", event_type));
    }
    if let Some(state) = &state {
        searched += " AND delivery.state = :state";
        search_values.push((":state", state));
    }
    if let Some(from) = &from {
        searched += " AND delivery.created_at >= :from";
        search_values.push((":from", from));
    }
    if let Some(to) = &to {
        searched += " AND delivery.created_at < :to";
        search_values.push((":to", to));
    }
    match filter.outcome {
        Some(OutcomeFilter::Class(_)) => {
            searched += &format!(" AND {OUTCOME_CLASS} = :outcome");
            search_values.push((":outcome", &outcome));
        }
        Some(OutcomeFilter::Failure) => searched += &format!(" AND {OUTCOME_CLASS} <> '2xx'"),
        None => {}
    }
    let mut search = Search::default();
    if !searched.is_empty() {
        let mut values = values.clone();
        values.push((":most", &most));
        search = connection
            .prepare_cached(&format!(
                "SELECT min(number), count(*) = :most FROM
                     (SELECT number FROM {table} WHERE TRUE{indexed} ORDER BY number DESC LIMIT :most)"
            ))?
            .query_row(values.as_slice(), Search::read)?;
    }
    let limit = i64::from(page.limit) + 1;
    values.append(&mut search_values);
    values.push((":end", &search.end));
    values.push((":limit", &limit));
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {DELIVERY_COLUMNS} FROM {table} {DELIVERY_JOINS}
         WHERE TRUE{indexed}{searched} AND delivery.number >= :end ORDER BY delivery.number DESC LIMIT :limit"
    ))?;
    let mut found = statement.query(values.as_slice())?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        all.push(delivery_record(row, ids)?);
    }
    for under_way in in_flight::all(connection)? {
        for number in under_way.deliveries().map(|(number, _)| number) {
            let in_page = number >= search.end && page.before.is_none_or(|before| number < before);
            if in_page && !in_flight::has_row(connection, number)? {
                let record = without_row(connection, ids, &under_way, number)?;
                all.extend(
                    record
                        .filter(|record| passes(filter, record))
                        .map(|record| (number, record)),
                );
            }
        }
    }
    all.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
    Ok(search.cut(all, page.limit))
}

/// A delivery that is attempted and has no row yet.
fn without_row(
    connection: &Connection,
    ids: &SealedIds,
    under_way: &InFlight,
    number: i64,
) -> Result<Option<DeliveryRecord>> {
    let created_at = rows::time(under_way.created_at)?;
    let record = connection
        .prepare_cached(
            "SELECT event.id, webhook.id, kind.provider, kind.event_type, webhook.url, event.created_at
             FROM event CROSS JOIN event_kind AS kind ON kind.number = event.kind CROSS JOIN webhook
             WHERE event.number = ?1 AND webhook.number = ?2",
        )?
        .query_row(
            params![under_way.event, under_way.webhook(number)],
            |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    rows::provider(row, 2),
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                ))
            },
        )
        .optional()?;
    let Some((event_id, webhook_id, provider, event_type, url, published_at)) = record else {
        return Ok(None);
    };
    let event_id = ids.of_event(event_id, under_way.event, rows::time(published_at)?);
    Ok(Some(DeliveryRecord {
        id: ids.seal(number, created_at),
        event_id,
        webhook_id,
        provider: provider?,
        event_type,
        url,
        state: DeliveryState::Pending,
        attempts: 1,
        created_at,
        due_at: rows::time(under_way.due_at)?,
        completed_at: None,
        last: None,
    }))
}

/// Whether a filter lets a delivery through that has no result yet.
fn passes(filter: &DeliveryFilter, record: &DeliveryRecord) -> bool {
    filter.outcome.is_none()
        && filter
            .provider
            .is_none_or(|wanted| wanted == record.provider)
        && filter.state.is_none_or(|wanted| wanted == record.state)
        && filter
            .webhook_id
            .as_ref()
            .is_none_or(|wanted| *wanted == record.webhook_id)
        && filter
            .event_id
            .as_ref()
            .is_none_or(|wanted| *wanted == record.event_id)
        && filter
            .event_type
            .as_ref()
            .is_none_or(|wanted| *wanted == record.event_type)
        && filter.from.is_none_or(|from| record.created_at >= from)
        && filter.to.is_none_or(|to| record.created_at < to)
}

pub(super) fn delivery(
    connection: &Connection,
    ids: &SealedIds,
    id: Uuid,
) -> Result<Option<DeliveryHistory>> {
    // Looked for before its row, which may be there by the time that it is read.
    let under_way = match ids.open(id) {
        Named::Number(number, created_at) => in_flight::of(connection, number)?
            .filter(|found| found.created_at == created_at)
            .map(|found| (found, number)),
        Named::Id(_) => None,
    };
    let Some(number) = ids.number(connection, id)? else {
        let record = match &under_way {
            Some((found, number)) => without_row(connection, ids, found, *number)?,
            None => None,
        };
        return Ok(record.map(|delivery| DeliveryHistory {
            delivery,
            attempts: Vec::new(),
        }));
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {DELIVERY_COLUMNS} FROM delivery {DELIVERY_JOINS} WHERE delivery.number = ?1"
    ))?;
    let mut found = statement.query([number])?;
    let Some(row) = found.next()? else {
        return Ok(None);
    };
    let delivery = delivery_record(row, ids)?.1;
    Ok(Some(DeliveryHistory {
        attempts: attempts(connection, number, delivery.id)?,
        delivery,
    }))
}

fn attempts(connection: &Connection, delivery: i64, id: Uuid) -> Result<Vec<Attempt>> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 AS number, created_at + started_us, queue_us, connect_us, first_byte_us, total_us, request_headers,
             coalesce(outcome, 'answered'), status, error, retry_after_s, response_body, response_truncated, response_headers
         FROM delivery WHERE number = ?1 AND started_us IS NOT NULL
         UNION ALL
         SELECT number, started_at, queue_us, connect_us, first_byte_us, total_us, request_headers, outcome, status,
             error, retry_after_s, response_body, response_truncated, response_headers
         FROM attempt WHERE delivery = ?1 ORDER BY 1",
    )?;
    let mut found = statement.query([delivery])?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        let duration = |column: usize| -> Result<Option<Duration>> {
            let microseconds: Option<i64> = row.get(column)?;
            Ok(microseconds.map(|us| Duration::from_micros(us.unsigned_abs())))
        };
        let started_at = rows::time(row.get(1)?)?;
        let beside = Beside { id, started_at };
        let headers = |column: usize| headers::read(connection, row.get_ref(column)?, &beside);
        let retry_after: Option<u32> = row.get(10)?;
        let retry_after = retry_after.map(|seconds| Duration::from_secs(seconds.into()));
        all.push(Attempt {
            number: row.get(0)?,
            started_at,
            timing: Timing {
                queue: duration(2)?.unwrap_or_default(),
                connect: duration(3)?,
                first_byte: duration(4)?,
                total: duration(5)?.unwrap_or_default(),
            },
            request_headers: headers(6)?
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            outcome: outcome(row, 7, retry_after)?,
            response_headers: headers(13)?,
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
                 + (SELECT count(*) FROM delivery INDEXED BY delivery_leased WHERE claimed = 1)
                 + (SELECT coalesce(sum(open), 0) FROM in_flight)",
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
                 WHERE claimed = 1 AND delivery.due_at <= ?1 AND suspended = 0
                 UNION ALL
                 SELECT due_at FROM in_flight)
             WHERE due_at <= ?1",
        )?
        .query_row([steady.as_microsecond()], |row| row.get(0))?;
    Ok(QueueState {
        pending: pending.unsigned_abs(),
        oldest_due_at: oldest.map(rows::time).transpose()?,
        oldest_snapshot: None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::cost::Subject;
    use super::*;

    #[test]
    fn a_search_ends_after_so_many_rows_and_goes_on_where_it_ended() {
        let subject = Subject::new();
        subject.add_webhook("1");
        subject.publish("1", 10, 1);
        let ids = SealedIds::of(subject.connection()).unwrap();
        let mut page = NumberPage {
            before: None,
            limit: 100,
        };
        let filter = |second| DeliveryFilter {
            to: Some(super::super::cost::at(second)),
            ..DeliveryFilter::default()
        };
        let mut sizes = Vec::new();
        loop {
            let found = deliveries_among(subject.connection(), &ids, &filter(9), page, 4).unwrap();
            sizes.push(found.rows.len());
            let Some(next) = found.next else { break };
            page.before = Some(next);
        }
        assert_eq!(sizes, [4, 4, 2]);
        // Nothing is found, and yet there may be more.
        page.before = None;
        let found = deliveries_among(subject.connection(), &ids, &filter(0), page, 4).unwrap();
        assert!(found.rows.is_empty() && found.next.is_some());
    }

    #[test]
    fn those_that_were_given_up_are_found_behind_more_than_a_search_looks_at() {
        let subject = Subject::new();
        for webhook in ["1", "2"] {
            subject.add_webhook(webhook);
            subject.publish(webhook, 10, 1);
        }
        let change = "UPDATE delivery SET state = CASE number WHEN 1 THEN 'exhausted' ELSE 'cancelled' END, due_at = NULL,
            completed_us = 0, claimed = 0 WHERE number IN (1, 2, 11)";
        subject.connection().execute_batch(change).unwrap();
        let ids = SealedIds::of(subject.connection()).unwrap();
        let page = NumberPage {
            before: None,
            limit: 100,
        };
        let found = |state, webhook: Option<&str>| {
            let filter = DeliveryFilter {
                state: Some(state),
                webhook_id: webhook.map(str::to_owned),
                ..DeliveryFilter::default()
            };
            let found = deliveries_among(subject.connection(), &ids, &filter, page, 2).unwrap();
            assert!(found.next.is_none());
            found.rows.len()
        };
        assert_eq!(found(DeliveryState::Exhausted, None), 1);
        assert_eq!(found(DeliveryState::Exhausted, Some("1")), 1);
        assert_eq!(found(DeliveryState::Exhausted, Some("2")), 0);
        assert_eq!(found(DeliveryState::Cancelled, None), 2);
        assert_eq!(found(DeliveryState::Cancelled, Some("2")), 1);
    }
}
