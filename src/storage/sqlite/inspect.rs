//! Queries of operators across providers: webhooks, recent failures, and why an event is not for a webhook.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, ToSql, named_params, params};

use super::super::StoreError;
use super::super::inspect::{
    Addressee, AnyWebhookFilter, FailingWebhook, NotMatched, Overview, RecentDeliveries,
    WebhookRecord, Window, WindowState,
};
use super::super::queue::{LastAttempt, NumberPage, Rows};
use super::deliveries::last_attempt;
use super::events::state_counts;
use super::in_flight;
use super::rows::{self, Search};
use crate::domain::{Audience, ProviderName};

type Result<T> = std::result::Result<T, StoreError>;

/// How many webhooks of a type are looked at to tell why an event is not for them.
const EXPLAINED: u32 = 1_000;

const WEBHOOK_COLUMNS: &str = "provider, id, owner, account_id, url, enabled, created_at, updated_at, number, \
     (SELECT json_group_array(event_type ORDER BY position) FROM subscription WHERE webhook = webhook.number)";

/// The newest deliveries of a webhook.
const RECENT: &str = "(SELECT number, state, created_at + started_us AS started_at, coalesce(outcome, 'answered') AS outcome, status, error
     FROM delivery WHERE webhook = ?1 ORDER BY number DESC LIMIT ?2) AS recent";

const IS_SUCCESS: &str = "(outcome = 'answered' AND status BETWEEN 200 AND 299)";

fn webhook(
    connection: &Connection,
    row: &Row<'_>,
    under_way: &HashMap<i64, u64>,
) -> Result<WebhookRecord> {
    let event_types: String = row.get(9)?;
    Ok(WebhookRecord {
        provider: rows::provider(row, 0)?,
        id: row.get(1)?,
        owner: row.get(2)?,
        account_id: row.get(3)?,
        url: row.get(4)?,
        enabled: row.get(5)?,
        created_at: rows::time(row.get(6)?)?,
        updated_at: rows::time(row.get(7)?)?,
        event_types: serde_json::from_str(&event_types)
            .map_err(|error| StoreError::Damaged(error.to_string()))?,
        recent: recent(connection, row.get(8)?, under_way)?,
    })
}

/// `under_way` counts the deliveries of webhooks that are attempted and have no rows yet.
fn recent(
    connection: &Connection,
    number: i64,
    under_way: &HashMap<i64, u64>,
) -> Result<RecentDeliveries> {
    let last = |which: &str| -> Result<Option<LastAttempt>> {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT started_at, outcome, status, error FROM (
                 SELECT started_at, outcome, status, error FROM {RECENT} WHERE started_at IS NOT NULL
                 UNION ALL
                 SELECT attempt.started_at, attempt.outcome, attempt.status, attempt.error
                 FROM {RECENT} CROSS JOIN attempt ON attempt.delivery = recent.number)
             WHERE {which} ORDER BY started_at DESC LIMIT 1"
        ))?;
        let mut found = statement.query(params![number, RecentDeliveries::LIMIT])?;
        match found.next()? {
            Some(row) => last_attempt(row, 0),
            None => Ok(None),
        }
    };
    let mut states = connection.prepare_cached(&format!(
        "SELECT state, count(*) FROM {RECENT} GROUP BY state"
    ))?;
    // They are the newest.
    let under_way = under_way.get(&number).copied().unwrap_or_default();
    let under_way = under_way.min(RecentDeliveries::LIMIT.into());
    let others = u64::from(RecentDeliveries::LIMIT) - under_way;
    let others = i64::try_from(others).unwrap_or(i64::MAX);
    let mut states = state_counts(&mut states.query(params![number, others])?)?;
    states.pending += under_way;
    Ok(RecentDeliveries {
        states,
        last_success_at: last(IS_SUCCESS)?.map(|attempt| attempt.started_at),
        last_failure: last(&format!("NOT {IS_SUCCESS}"))?,
    })
}

pub(super) fn any_webhooks(
    connection: &Connection,
    filter: &AnyWebhookFilter,
    page: NumberPage,
) -> Result<Rows<WebhookRecord>> {
    let before = page.before.unwrap_or(i64::MAX);
    let provider = filter.provider.as_ref().map(ProviderName::as_str);
    let mut conditions = String::new();
    let mut values: Vec<(&str, &dyn ToSql)> = Vec::new();
    if let Some(provider) = &provider {
        conditions += " AND provider = :provider";
        values.push((":provider", provider));
    }
    if let Some(owner) = &filter.owner {
        conditions += " AND owner = :owner";
        values.push((":owner", owner));
    }
    if let Some(account_id) = &filter.account_id {
        conditions += " AND account_id = :account_id";
        values.push((":account_id", account_id));
    }
    if let Some(enabled) = &filter.enabled {
        conditions += " AND enabled = :enabled";
        values.push((":enabled", enabled));
    }
    if let Some(event_type) = &filter.event_type {
        conditions += " AND EXISTS (SELECT 1 FROM subscription
             WHERE subscription.webhook = webhook.number AND subscription.event_type = :event_type)";
        values.push((":event_type", event_type));
    }
    let mut search = Search::default();
    if !conditions.is_empty() {
        search = connection
            .prepare_cached(
                "SELECT min(number), count(*) = ?2 FROM
                     (SELECT number FROM webhook WHERE number < ?1 ORDER BY number DESC LIMIT ?2)",
            )?
            .query_row(params![before, rows::SEARCH], Search::read)?;
    }
    let limit = i64::from(page.limit) + 1;
    values.push((":before", &before));
    values.push((":end", &search.end));
    values.push((":limit", &limit));
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {WEBHOOK_COLUMNS} FROM webhook
         WHERE deleted_at IS NULL{conditions} AND number < :before AND number >= :end ORDER BY number DESC LIMIT :limit"
    ))?;
    let under_way = in_flight::by_webhook(connection)?;
    let mut found = statement.query(values.as_slice())?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        all.push((row.get(8)?, webhook(connection, row, &under_way)?));
    }
    Ok(search.cut(all, page.limit))
}

pub(super) fn any_webhook(connection: &Connection, id: &str) -> Result<Option<WebhookRecord>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {WEBHOOK_COLUMNS} FROM webhook WHERE id = ?1 AND deleted_at IS NULL"
    ))?;
    let mut found = statement.query([id])?;
    match found.next()? {
        Some(row) => webhook(connection, row, &in_flight::by_webhook(connection)?).map(Some),
        None => Ok(None),
    }
}

pub(super) fn not_matched(connection: &Connection, addressee: &Addressee) -> Result<NotMatched> {
    let of_owner = addressee.audience == Audience::Owner;
    let account = match addressee.audience {
        Audience::Account => addressee.account_id.as_deref(),
        Audience::Owner | Audience::Platform => None,
    };
    // An event of an owner is for that owner's webhooks alone; another names a product, or is for those of every product.
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(sum(NOT own), 0), coalesce(sum(own AND NOT concerned), 0),
             coalesce(sum(own AND concerned AND NOT enabled), 0)
         FROM (SELECT webhook.enabled, (NOT :of_owner AND :owner IS NULL) OR webhook.owner IS :owner AS own,
                 :of_owner OR webhook.account_id IS NULL OR webhook.account_id IS :account AS concerned
             FROM subscription CROSS JOIN webhook ON webhook.number = subscription.webhook
             WHERE subscription.event_type = :event_type AND webhook.provider = :provider AND webhook.deleted_at IS NULL
             LIMIT :most)",
    )?;
    let values = named_params! {
        ":of_owner": of_owner, ":owner": addressee.owner, ":account": account,
        ":event_type": addressee.event_type, ":provider": addressee.provider.as_str(), ":most": EXPLAINED,
    };
    let (other_owner, other_account, disabled): (i64, i64, i64) =
        statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(NotMatched {
        other_owner: other_owner.unsigned_abs(),
        other_account: other_account.unsigned_abs(),
        disabled: disabled.unsigned_abs(),
    })
}

/// How many deliveries of a webhook wait after a failure, and how many are exhausted.
#[derive(Debug, Default, Clone, Copy)]
struct Failures {
    retrying: u64,
    exhausted: u64,
}

pub(super) fn overview(connection: &Connection) -> Result<Overview> {
    // One picture: a delivery may get its row between two statements.
    let _picture = connection.unchecked_transaction()?;
    let mut failures: HashMap<i64, Failures> = HashMap::new();
    let window = window(connection, &mut failures)?;
    // Also what failed long ago and waits: retries take days.
    let mut statement = connection.prepare_cached(
        "SELECT webhook, count(*) FROM (SELECT webhook, attempts FROM delivery INDEXED BY delivery_due
             WHERE state = 'pending' AND claimed = 0 LIMIT ?1) WHERE attempts > 0 GROUP BY webhook",
    )?;
    let mut found = statement.query([rows::SEARCH])?;
    while let Some(row) = found.next()? {
        let waiting = row.get::<_, i64>(1)?.unsigned_abs();
        let of_webhook = failures.entry(row.get(0)?).or_default();
        of_webhook.retrying = of_webhook.retrying.max(waiting);
    }
    let mut failures: Vec<(i64, Failures)> = failures.into_iter().collect();
    failures.sort_unstable_by_key(|(number, failures)| {
        (
            std::cmp::Reverse(failures.retrying + failures.exhausted),
            *number,
        )
    });
    let mut failing = Vec::new();
    let under_way = in_flight::by_webhook(connection)?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {WEBHOOK_COLUMNS} FROM webhook WHERE number = ?1 AND deleted_at IS NULL"
    ))?;
    for (
        number,
        Failures {
            retrying,
            exhausted,
        },
    ) in failures
    {
        if failing.len() == Overview::WEBHOOKS {
            break;
        }
        let found = statement
            .query_row([number], |row| Ok(webhook(connection, row, &under_way)))
            .optional()?;
        if let Some(webhook) = found {
            failing.push(FailingWebhook {
                webhook: webhook?,
                retrying,
                exhausted,
            });
        }
    }
    Ok(Overview { window, failing })
}

/// The newest deliveries, with the failures among them added to `failures`.
fn window(connection: &Connection, failures: &mut HashMap<i64, Failures>) -> Result<Window> {
    let mut statement = connection.prepare_cached(
        "SELECT created_at, state, attempts > claimed, webhook FROM delivery ORDER BY number DESC LIMIT ?1",
    )?;
    let mut found = statement.query([i64::from(Overview::LIMIT) + 1])?;
    let mut window = Window::default();
    let limit = usize::try_from(Overview::LIMIT).unwrap_or(usize::MAX);
    for under_way in in_flight::all(connection)?.iter().rev() {
        for (number, _) in under_way.deliveries() {
            if window.deliveries.len() < limit && !in_flight::has_row(connection, number)? {
                let created_at = rows::time(under_way.created_at)?;
                window.deliveries.push((created_at, WindowState::New));
            }
        }
    }
    while let Some(row) = found.next()? {
        if window.deliveries.len() == limit {
            window.more = true;
            break;
        }
        let attempted: bool = row.get(2)?;
        let state = match row.get_ref(1)?.as_str().unwrap_or_default() {
            "pending" if attempted => WindowState::Retrying,
            "pending" => WindowState::New,
            "delivered" => WindowState::Delivered,
            "exhausted" => WindowState::Exhausted,
            _ => WindowState::Cancelled,
        };
        match state {
            WindowState::Retrying => failures.entry(row.get(3)?).or_default().retrying += 1,
            WindowState::Exhausted => failures.entry(row.get(3)?).or_default().exhausted += 1,
            WindowState::New | WindowState::Delivered | WindowState::Cancelled => {}
        }
        window.deliveries.push((rows::time(row.get(0)?)?, state));
    }
    Ok(window)
}
