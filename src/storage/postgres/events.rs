//! Events, listed newest first or as they come, and how their deliveries stand.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;

use super::rows::{self, Conditions, Search};
use super::{Result, query};
use crate::domain::ProviderName;
use crate::storage::queue::{EventFilter, EventRecord, NewEvents, NumberPage, Rows, StateCounts};

/// The values of a filter, as a statement takes them.
struct Wanted<'a> {
    provider: Option<&'a str>,
    event_type: Option<std::borrow::Cow<'a, str>>,
}

impl<'a> Wanted<'a> {
    fn of(filter: &'a EventFilter) -> Self {
        Self {
            provider: filter.provider.as_ref().map(ProviderName::as_str),
            event_type: rows::optional_text(filter.event_type.as_deref()),
        }
    }

    fn conditions(&'a self) -> Conditions<'a> {
        let mut conditions = Conditions::default();
        if let Some(provider) = &self.provider {
            conditions.and("event.provider =", provider);
        }
        if let Some(event_type) = &self.event_type {
            conditions.and("event.event_type =", event_type);
        }
        conditions
    }
}

/// Events that hold to the conditions, with the counts of their deliveries.
async fn select(
    client: &impl GenericClient,
    rest: &str,
    conditions: &Conditions<'_>,
) -> Result<Vec<(i64, EventRecord)>> {
    let found = query(
        client,
        &format!(
            "SELECT {}, event.number, event.first FROM event WHERE TRUE {rest}",
            rows::EVENT_COLUMNS
        ),
        &conditions.values,
    )
    .await?;
    records(client, &found).await
}

async fn records(client: &impl GenericClient, found: &[Row]) -> Result<Vec<(i64, EventRecord)>> {
    let mut numbers: Vec<i64> = Vec::with_capacity(found.len());
    let mut firsts: Vec<i64> = Vec::with_capacity(found.len());
    for row in found {
        numbers.push(row.try_get(rows::EVENT_COLUMN_COUNT)?);
        firsts.push(row.try_get(rows::EVENT_COLUMN_COUNT + 1)?);
    }
    let mut counts: HashMap<i64, StateCounts> = HashMap::new();
    if !numbers.is_empty() {
        // By the numbers of the deliveries, which lead to few of them.
        let states = query(
            client,
            "SELECT wanted.event, stored.state, count(*)
             FROM unnest($1::bigint[], $2::bigint[]) AS wanted (event, first)
             CROSS JOIN LATERAL (
                 SELECT state FROM delivery WHERE number >= wanted.first AND number < wanted.first + (1 << 20)
                 UNION ALL SELECT 'pending' FROM pending WHERE number >= wanted.first AND number < wanted.first + (1 << 20)
             ) AS stored GROUP BY 1, 2
             UNION ALL
             SELECT event, 'handed over', count(*) FROM handed_over WHERE event = ANY ($1) GROUP BY event",
            &[&numbers, &firsts],
        )
        .await?;
        for row in states {
            add(
                counts.entry(row.try_get(0)?).or_default(),
                row.try_get(1)?,
                rows::count(&row, 2)?,
            );
        }
    }
    let mut all = Vec::with_capacity(found.len());
    for (row, number) in found.iter().zip(numbers) {
        let record = EventRecord {
            event: rows::event(row, 0)?,
            deliveries: counts.remove(&number).unwrap_or_default(),
        };
        all.push((number, record));
    }
    Ok(all)
}

/// Adds deliveries in a state to counts.
pub(super) fn add(counts: &mut StateCounts, state: &str, count: u64) {
    match state {
        "delivered" => counts.delivered += count,
        "exhausted" => counts.exhausted += count,
        "cancelled" => counts.cancelled += count,
        _ => counts.pending += count,
    }
}

pub(super) async fn events(
    client: &impl GenericClient,
    filter: &EventFilter,
    page: NumberPage,
) -> Result<Rows<EventRecord>> {
    let wanted = Wanted::of(filter);
    let mut conditions = wanted.conditions();
    let before = page.before.unwrap_or(i64::MAX);
    let mut search = Search::default();
    if !conditions.text.is_empty() {
        let found = query(
            client,
            "SELECT min(number), count(*) = $2 FROM
                 (SELECT number FROM event WHERE number < $1 ORDER BY number DESC LIMIT $2) AS searched",
            &[&before, &rows::SEARCH],
        )
        .await?;
        search = Search::read(&found[0])?;
    }
    conditions.and("event.number <", &before);
    conditions.and("event.number >=", &search.end);
    let most = i64::from(page.limit) + 1;
    let limit = conditions.value(&most);
    let rest = format!(
        "{} ORDER BY event.number DESC LIMIT {limit}",
        conditions.text
    );
    let all = select(client, &rest, &conditions).await?;
    Ok(search.cut(all, page.limit))
}

/// The place behind all events.
pub(super) async fn last_event(client: &impl GenericClient) -> Result<i64> {
    let found = query(
        client,
        "SELECT greatest((SELECT max(number) FROM event), (SELECT event FROM last_purged))",
        &[],
    )
    .await?;
    Ok(found[0].try_get(0)?)
}

pub(super) async fn new_events(
    client: &impl GenericClient,
    filter: &EventFilter,
    after: i64,
    limit: u32,
) -> Result<NewEvents> {
    let wanted = Wanted::of(filter);
    // Where the search ends, which is where the next one goes on when nothing more is found.
    let found = query(
        client,
        "SELECT max(number) FROM (SELECT number FROM event WHERE number > $1 ORDER BY number LIMIT $2) AS searched",
        &[&after, &rows::SEARCH],
    )
    .await?;
    let end: Option<i64> = found[0].try_get(0)?;
    let end = end.unwrap_or(after);
    let mut conditions = wanted.conditions();
    conditions.and("event.number >", &after);
    conditions.and("event.number <=", &end);
    let most = i64::from(limit);
    let name = conditions.value(&most);
    let rest = format!("{} ORDER BY event.number LIMIT {name}", conditions.text);
    let all = select(client, &rest, &conditions).await?;
    let full = all.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let last = all.last().map(|(number, _)| *number);
    Ok(NewEvents {
        position: last.filter(|_| full).unwrap_or(end),
        rows: all.into_iter().map(|(_, record)| record).collect(),
    })
}

pub(super) async fn event(client: &impl GenericClient, id: &str) -> Result<Option<EventRecord>> {
    let found = query(
        client,
        &format!(
            "SELECT {}, event.number, event.first FROM event WHERE event.id = $1",
            rows::EVENT_COLUMNS
        ),
        &[&rows::text(id)],
    )
    .await?;
    let all = records(client, &found).await?;
    Ok(all.into_iter().next().map(|(_, record)| record))
}
