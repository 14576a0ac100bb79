//! Queries of operators across providers: webhooks, recent failures, and why an event is not for a webhook.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;

use super::deliveries::{STORED_COLUMNS, last_attempt};
use super::events::add;
use super::rows::{self, Conditions, Search};
use super::{Result, query};
use crate::domain::{Audience, ProviderName};
use crate::storage::inspect::{
    Addressee, AnyWebhookFilter, FailingWebhook, NotMatched, Overview, RecentDeliveries,
    WebhookRecord, Window, WindowState,
};
use crate::storage::queue::{NumberPage, Rows};

/// How many webhooks of a type are looked at to tell why an event is not for them.
const EXPLAINED: i64 = 1_000;

const WEBHOOK_COLUMNS: &str = "provider, id, owner, account_id, url, enabled, created_at, updated_at, number, \
     ARRAY(SELECT event_type FROM subscription WHERE webhook = webhook.number ORDER BY position)";

async fn webhook(client: &impl GenericClient, row: &Row) -> Result<WebhookRecord> {
    Ok(WebhookRecord {
        provider: rows::provider(row, 0)?,
        id: row.try_get(1)?,
        owner: rows::given(row.try_get(2)?),
        account_id: row.try_get::<_, Option<String>>(3)?.map(rows::given),
        url: row.try_get(4)?,
        enabled: row.try_get(5)?,
        created_at: rows::time(row.try_get(6)?)?,
        updated_at: rows::time(row.try_get(7)?)?,
        event_types: row.try_get(9)?,
        recent: recent(client, row.try_get(8)?).await?,
    })
}

async fn recent(client: &impl GenericClient, number: i64) -> Result<RecentDeliveries> {
    let limit = i64::from(RecentDeliveries::LIMIT);
    let found = query(
        client,
        &format!(
            "WITH recent AS MATERIALIZED (
                 SELECT * FROM (
                     (SELECT {STORED_COLUMNS} FROM stored WHERE webhook = $1 ORDER BY number DESC LIMIT $2)
                     UNION ALL
                     (SELECT {STORED_COLUMNS} FROM handed_over WHERE webhook = $1 ORDER BY number DESC LIMIT $2)
                 ) AS newest ORDER BY number DESC LIMIT $2
             ), made AS MATERIALIZED (
                 SELECT started_at, outcome, status, error FROM recent WHERE started_at IS NOT NULL
                 UNION ALL
                 SELECT attempt.started_at, attempt.outcome, attempt.status, attempt.error
                 FROM recent JOIN attempt ON attempt.delivery = recent.number
             ), judged AS (
                 SELECT made.*, outcome = 'answered' AND status BETWEEN 200 AND 299 AS success FROM made
             )
             (SELECT state, count(*), NULL::bigint, NULL, NULL::integer, NULL FROM recent GROUP BY state)
             UNION ALL
             (SELECT 'last success', 0, started_at, outcome, status, error FROM judged WHERE success ORDER BY started_at DESC LIMIT 1)
             UNION ALL
             (SELECT 'last failure', 0, started_at, outcome, status, error FROM judged WHERE NOT success
              ORDER BY started_at DESC LIMIT 1)"
        ),
        &[&number, &limit],
    )
    .await?;
    let mut recent = RecentDeliveries::default();
    for row in &found {
        match row.try_get(0)? {
            "last success" => {
                recent.last_success_at = last_attempt(row, 2)?.map(|attempt| attempt.started_at);
            }
            "last failure" => recent.last_failure = last_attempt(row, 2)?,
            state => add(&mut recent.states, state, rows::count(row, 1)?),
        }
    }
    Ok(recent)
}

pub(super) async fn any_webhooks(
    client: &impl GenericClient,
    filter: &AnyWebhookFilter,
    page: NumberPage,
) -> Result<Rows<WebhookRecord>> {
    let before = page.before.unwrap_or(i64::MAX);
    let provider = filter.provider.as_ref().map(ProviderName::as_str);
    let owner = rows::optional_text(filter.owner.as_deref());
    let account_id = rows::optional_text(filter.account_id.as_deref());
    let event_type = rows::optional_text(filter.event_type.as_deref());
    let mut conditions = Conditions::default();
    if let Some(provider) = &provider {
        conditions.and("provider =", provider);
    }
    if let Some(owner) = &owner {
        conditions.and("owner =", owner);
    }
    if let Some(account_id) = &account_id {
        conditions.and("account_id =", account_id);
    }
    if let Some(enabled) = &filter.enabled {
        conditions.and("enabled =", enabled);
    }
    if let Some(event_type) = &event_type {
        let value = conditions.value(event_type);
        conditions.text += &format!(
            " AND EXISTS (SELECT 1 FROM subscription WHERE subscription.webhook = webhook.number AND subscription.event_type = {value})"
        );
    }
    let mut search = Search::default();
    if !conditions.text.is_empty() {
        let found = query(
            client,
            "SELECT min(number), count(*) = $2 FROM
                 (SELECT number FROM webhook WHERE number < $1 ORDER BY number DESC LIMIT $2) AS searched",
            &[&before, &rows::SEARCH],
        )
        .await?;
        search = Search::read(&found[0])?;
    }
    let limit = i64::from(page.limit) + 1;
    conditions.and("number <", &before);
    conditions.and("number >=", &search.end);
    let limit = conditions.value(&limit);
    let found = query(
        client,
        &format!(
            "SELECT {WEBHOOK_COLUMNS} FROM webhook WHERE deleted_at IS NULL{} ORDER BY number DESC LIMIT {limit}",
            conditions.text
        ),
        &conditions.values,
    )
    .await?;
    let mut all = Vec::with_capacity(found.len());
    for row in &found {
        all.push((row.try_get(8)?, webhook(client, row).await?));
    }
    Ok(search.cut(all, page.limit))
}

pub(super) async fn any_webhook(
    client: &impl GenericClient,
    id: &str,
) -> Result<Option<WebhookRecord>> {
    let found = query(
        client,
        &format!("SELECT {WEBHOOK_COLUMNS} FROM webhook WHERE id = $1 AND deleted_at IS NULL"),
        &[&rows::text(id)],
    )
    .await?;
    match found.first() {
        Some(row) => Ok(Some(webhook(client, row).await?)),
        None => Ok(None),
    }
}

/// Counts the webhooks that events of these addressees are not for, in their order.
pub(super) async fn not_matched(
    client: &impl GenericClient,
    addressees: &[Addressee],
) -> Result<Vec<NotMatched>> {
    let of_owner: Vec<bool> = addressees
        .iter()
        .map(|addressee| addressee.audience == Audience::Owner)
        .collect();
    let owner: Vec<_> = addressees
        .iter()
        .map(|addressee| rows::optional_text(addressee.owner.as_deref()))
        .collect();
    let account: Vec<_> = addressees
        .iter()
        .map(|addressee| match addressee.audience {
            Audience::Account => rows::optional_text(addressee.account_id.as_deref()),
            Audience::Owner | Audience::Platform => None,
        })
        .collect();
    let event_type: Vec<_> = addressees
        .iter()
        .map(|addressee| rows::text(&addressee.event_type))
        .collect();
    let provider: Vec<&str> = addressees
        .iter()
        .map(|addressee| addressee.provider.as_str())
        .collect();
    // An event of an owner is for that owner's webhooks alone; another names a product, or is for those of every product.
    let found = query(
        client,
        "SELECT coalesce(counts.other_owner, 0), coalesce(counts.other_account, 0), coalesce(counts.disabled, 0)
         FROM unnest($1::boolean[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
             AS asked (of_owner, owner, account, event_type, provider, place)
         CROSS JOIN LATERAL (
             SELECT count(*) FILTER (WHERE NOT own) AS other_owner, count(*) FILTER (WHERE own AND NOT concerned) AS other_account,
                 count(*) FILTER (WHERE own AND concerned AND NOT enabled) AS disabled
             FROM (
                 SELECT webhook.enabled,
                     (NOT asked.of_owner AND asked.owner IS NULL) OR webhook.owner IS NOT DISTINCT FROM asked.owner AS own,
                     asked.of_owner OR webhook.account_id IS NULL OR webhook.account_id IS NOT DISTINCT FROM asked.account AS concerned
                 FROM subscription JOIN webhook ON webhook.number = subscription.webhook
                 WHERE subscription.event_type = asked.event_type AND webhook.provider = asked.provider AND webhook.deleted_at IS NULL
                 LIMIT $6
             ) AS of_type
         ) AS counts ORDER BY asked.place",
        &[
            &of_owner, &owner, &account, &event_type, &provider, &EXPLAINED,
        ],
    )
    .await?;
    let read = |row: &Row| {
        Ok(NotMatched {
            other_owner: rows::count(row, 0)?,
            other_account: rows::count(row, 1)?,
            disabled: rows::count(row, 2)?,
        })
    };
    found.iter().map(read).collect()
}

/// How many deliveries of a webhook wait after a failure, and how many are exhausted.
#[derive(Debug, Default, Clone, Copy)]
struct Failures {
    retrying: u64,
    exhausted: u64,
}

pub(super) async fn overview(client: &impl GenericClient) -> Result<Overview> {
    let mut failures: HashMap<i64, Failures> = HashMap::new();
    let window = window(client, &mut failures).await?;
    // Also what failed long ago and waits: retries take days.
    let found = query(
        client,
        "SELECT webhook, count(*) FROM (SELECT webhook, attempts FROM pending WHERE NOT claimed LIMIT $1) AS waiting
         WHERE attempts > 0 GROUP BY webhook",
        &[&(5 * rows::SEARCH)],
    )
    .await?;
    for row in found {
        let of_webhook = failures.entry(row.try_get(0)?).or_default();
        of_webhook.retrying = of_webhook.retrying.max(rows::count(&row, 1)?);
    }
    let mut failures: Vec<(i64, Failures)> = failures.into_iter().collect();
    failures.sort_unstable_by_key(|(number, failures)| {
        (
            std::cmp::Reverse(failures.retrying + failures.exhausted),
            *number,
        )
    });
    let mut failing = Vec::new();
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
        let found = query(
            client,
            &format!(
                "SELECT {WEBHOOK_COLUMNS} FROM webhook WHERE number = $1 AND deleted_at IS NULL"
            ),
            &[&number],
        )
        .await?;
        if let Some(row) = found.first() {
            failing.push(FailingWebhook {
                webhook: webhook(client, row).await?,
                retrying,
                exhausted,
            });
        }
    }
    Ok(Overview { window, failing })
}

/// The newest deliveries, with the failures among them added to `failures`.
async fn window(
    client: &impl GenericClient,
    failures: &mut HashMap<i64, Failures>,
) -> Result<Window> {
    let limit = i64::from(Overview::LIMIT) + 1;
    let found = query(
        client,
        "SELECT created_at, state, attempts > claimed::integer, webhook FROM (
             (SELECT number, created_at, state, attempts, claimed, webhook FROM stored ORDER BY number DESC LIMIT $1)
             UNION ALL
             (SELECT number, created_at, state, attempts, claimed, webhook FROM handed_over ORDER BY number DESC LIMIT $1)
         ) AS newest ORDER BY number DESC LIMIT $1",
        &[&limit],
    )
    .await?;
    let mut window = Window::default();
    let limit = usize::try_from(Overview::LIMIT).unwrap_or(usize::MAX);
    for row in found {
        if window.deliveries.len() == limit {
            window.more = true;
            break;
        }
        let attempted: bool = row.try_get(2)?;
        let state = match row.try_get(1)? {
            "pending" if attempted => WindowState::Retrying,
            "pending" => WindowState::New,
            "delivered" => WindowState::Delivered,
            "exhausted" => WindowState::Exhausted,
            _ => WindowState::Cancelled,
        };
        match state {
            WindowState::Retrying => failures.entry(row.try_get(3)?).or_default().retrying += 1,
            WindowState::Exhausted => failures.entry(row.try_get(3)?).or_default().exhausted += 1,
            WindowState::New | WindowState::Delivered | WindowState::Cancelled => {}
        }
        window
            .deliveries
            .push((rows::time(row.try_get(0)?)?, state));
    }
    Ok(window)
}
