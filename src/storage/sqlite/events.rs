//! Events, listed newest first or as they come, and how their deliveries stand.

use std::collections::HashMap;

use rusqlite::{Connection, Row, ToSql, params};

use super::super::StoreError;
use super::super::queue::{EventFilter, EventRecord, NewEvents, NumberPage, Rows, StateCounts};
use super::ids::SealedIds;
use super::rows::{self, Search};

type Result<T> = std::result::Result<T, StoreError>;

/// Named values of a statement.
type Values = Vec<(&'static str, Box<dyn ToSql>)>;

/// The conditions of a filter, and their values.
fn conditions(filter: &EventFilter) -> (String, Values) {
    let mut conditions = String::new();
    let mut values: Values = Vec::new();
    if let Some(provider) = filter.provider {
        conditions += " AND kind.provider = :provider";
        values.push((":provider", Box::new(provider.as_str().to_owned())));
    }
    if let Some(event_type) = &filter.event_type {
        conditions += " AND kind.event_type = :event_type";
        values.push((":event_type", Box::new(event_type.clone())));
    }
    (conditions, values)
}

fn select(
    connection: &Connection,
    ids: &SealedIds,
    rest: &str,
    values: &Values,
) -> Result<Vec<(i64, EventRecord)>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {} FROM {} WHERE TRUE {rest}",
        rows::EVENT_COLUMNS,
        rows::EVENTS
    ))?;
    let values: Vec<(&str, &dyn ToSql)> = values
        .iter()
        .map(|(name, value)| (*name, value.as_ref()))
        .collect();
    let mut found = statement.query(values.as_slice())?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        all.push(record(connection, ids, row)?);
    }
    Ok(all)
}

fn record(connection: &Connection, ids: &SealedIds, row: &Row<'_>) -> Result<(i64, EventRecord)> {
    let number: i64 = row.get(rows::EVENT_COLUMN_COUNT - 1)?;
    let record = EventRecord {
        event: rows::event(row, 0, ids)?,
        deliveries: counts(connection, number)?,
    };
    Ok((number, record))
}

pub(super) fn events(
    connection: &Connection,
    ids: &SealedIds,
    filter: &EventFilter,
    page: NumberPage,
) -> Result<Rows<EventRecord>> {
    let (conditions, mut values) = conditions(filter);
    let mut search = Search::default();
    if !conditions.is_empty() {
        let before = page.before.unwrap_or(i64::MAX);
        search = connection
            .prepare_cached(
                "SELECT min(number), count(*) = ?2 FROM
                     (SELECT number FROM event WHERE number < ?1 ORDER BY number DESC LIMIT ?2)",
            )?
            .query_row(params![before, rows::SEARCH], Search::read)?;
    }
    values.push((":before", Box::new(page.before.unwrap_or(i64::MAX))));
    values.push((":end", Box::new(search.end)));
    values.push((":limit", Box::new(i64::from(page.limit) + 1)));
    let rest = format!(
        "{conditions} AND event.number < :before AND event.number >= :end ORDER BY event.number DESC LIMIT :limit"
    );
    let all = select(connection, ids, &rest, &values)?;
    Ok(search.cut(all, page.limit))
}

/// The place behind all events.
pub(super) fn last_event(connection: &Connection) -> Result<i64> {
    Ok(connection
        .prepare_cached(
            "SELECT max(coalesce((SELECT max(number) FROM event), 0), (SELECT event FROM last_purged))",
        )?
        .query_row([], |row| row.get(0))?)
}

pub(super) fn new_events(
    connection: &Connection,
    ids: &SealedIds,
    filter: &EventFilter,
    after: i64,
    limit: u32,
) -> Result<NewEvents> {
    let (conditions, mut values) = conditions(filter);
    // Where the search ends, which is where the next one goes on when nothing more is found.
    let end: Option<i64> = connection
        .prepare_cached(
            "SELECT max(number) FROM (SELECT number FROM event WHERE number > ?1 ORDER BY number LIMIT ?2)",
        )?
        .query_row(params![after, rows::SEARCH], |row| row.get(0))?;
    let end = end.unwrap_or(after);
    values.push((":after", Box::new(after)));
    values.push((":end", Box::new(end)));
    values.push((":limit", Box::new(i64::from(limit))));
    let rest = format!(
        "{conditions} AND event.number > :after AND event.number <= :end ORDER BY event.number LIMIT :limit"
    );
    let all = select(connection, ids, &rest, &values)?;
    let full = all.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let last = all.last().map(|(number, _)| *number);
    Ok(NewEvents {
        position: last.filter(|_| full).unwrap_or(end),
        rows: all.into_iter().map(|(_, record)| record).collect(),
    })
}

pub(super) fn event(
    connection: &Connection,
    ids: &SealedIds,
    id: &str,
) -> Result<Option<EventRecord>> {
    let Some(number) = ids.event_number(connection, id)? else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {} FROM {} WHERE event.number = ?1",
        rows::EVENT_COLUMNS,
        rows::EVENTS
    ))?;
    let mut found = statement.query([number])?;
    let Some(row) = found.next()? else {
        return Ok(None);
    };
    Ok(Some(record(connection, ids, row)?.1))
}

fn counts(connection: &Connection, event: i64) -> Result<StateCounts> {
    let mut statement = connection
        .prepare_cached(
            "SELECT state, count(*) FROM delivery WHERE number BETWEEN (SELECT first_delivery FROM event WHERE number = ?1)
                 AND (SELECT first_delivery + matched - 1 FROM event WHERE number = ?1) GROUP BY state
             UNION ALL SELECT 'pending', open FROM in_flight WHERE first = (SELECT first_delivery FROM event WHERE number = ?1)",
        )?;
    state_counts(&mut statement.query([event])?)
}

/// Reads rows of a state and a count.
pub(super) fn state_counts(found: &mut rusqlite::Rows<'_>) -> Result<StateCounts> {
    let mut by_state: HashMap<String, u64> = HashMap::new();
    while let Some(row) = found.next()? {
        *by_state.entry(row.get(0)?).or_default() += row.get::<_, i64>(1)?.unsigned_abs();
    }
    let count = |state: &str| by_state.get(state).copied().unwrap_or_default();
    Ok(StateCounts {
        pending: count("pending"),
        delivered: count("delivered"),
        exhausted: count("exhausted"),
        cancelled: count("cancelled"),
    })
}
