//! Webhooks: kept, changed, listed and removed.

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::rows::{Conditions, WEBHOOK_COLUMN_COUNT, WEBHOOK_COLUMNS};
use super::{Db, Result, query, queue, rotation, rows, run_cached};
use crate::domain::{Webhook, WebhookChange};
use crate::storage::seal::{KeyId, Sealer};
use crate::storage::targets;
use crate::storage::{OnDelete, Page, WebhookFilter, WebhookKey, WebhookPage};

pub(super) async fn insert_webhook(
    tx: &Transaction<'_>,
    sealer: &Sealer,
    webhook: &Webhook,
) -> Result<()> {
    let key = rotation::current_key(tx).await?;
    let inserted = query(
        tx,
        "INSERT INTO webhook (provider, id, owner, account_id, url, enabled, signing_secret, authorization_header, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING number",
        &[
            &webhook.provider.as_str(),
            &webhook.id,
            &rows::text(&webhook.owner),
            &rows::optional_text(webhook.account_id.as_deref()),
            &webhook.url.as_str(),
            &webhook.enabled,
            &sealed_secret(sealer, key, webhook)?,
            &sealed_authorization(sealer, key, webhook)?,
            &webhook.created_at.as_microsecond(),
            &webhook.updated_at.as_microsecond(),
        ],
    )
    .await?;
    let number: i64 = inserted[0].try_get(0)?;
    run_cached(tx, "INSERT INTO lane (webhook) VALUES ($1)", &[&number]).await?;
    insert_subscriptions(tx, number, webhook).await
}

pub(super) async fn webhook(db: &Db, key: &WebhookKey) -> Result<Option<Webhook>> {
    let client = db.client().await?;
    let found = query(
        &client,
        &format!("SELECT {WEBHOOK_COLUMNS} FROM webhook WHERE {NAMED}"),
        &[
            &key.provider.as_str(),
            &rows::text(&key.owner),
            &rows::text(&key.id),
            &rows::optional_text(key.account_id.as_deref()),
        ],
    )
    .await?;
    found
        .first()
        .map(|row| rows::webhook(row, &db.sealer))
        .transpose()
}

/// That a webhook is the one that a key names.
const NAMED: &str = "webhook.provider = $1 AND webhook.owner = $2 AND webhook.id = $3 AND webhook.deleted_at IS NULL \
     AND ($4::text IS NULL OR webhook.account_id IS NULL OR webhook.account_id = $4)";

async fn locked(
    tx: &Transaction<'_>,
    sealer: &Sealer,
    key: &WebhookKey,
) -> Result<Option<(i64, Webhook)>> {
    let found = query(
        tx,
        &format!(
            "SELECT {WEBHOOK_COLUMNS}, webhook.number FROM webhook WHERE {NAMED} FOR UPDATE OF webhook"
        ),
        &[
            &key.provider.as_str(),
            &rows::text(&key.owner),
            &rows::text(&key.id),
            &rows::optional_text(key.account_id.as_deref()),
        ],
    )
    .await?;
    let read = |row: &Row| {
        let number = row.try_get(WEBHOOK_COLUMN_COUNT)?;
        Ok((number, rows::webhook(row, sealer)?))
    };
    found.first().map(read).transpose()
}

pub(super) async fn webhooks(db: &Db, filter: &WebhookFilter, page: &Page) -> Result<WebhookPage> {
    let client = db.client().await?;
    let (provider, owner) = (filter.provider.as_str(), rows::text(&filter.owner));
    let account_id = rows::optional_text(filter.account_id.as_deref());
    let event_type = rows::optional_text(filter.event_type.as_deref());
    let mut conditions = Conditions::default();
    conditions.and("webhook.provider =", &provider);
    conditions.and("webhook.owner =", &owner);
    if let Some(account_id) = &account_id {
        let value = conditions.value(account_id);
        conditions.text +=
            &format!(" AND (webhook.account_id IS NULL OR webhook.account_id = {value})");
    }
    if let Some(enabled) = &filter.enabled {
        conditions.and("webhook.enabled =", enabled);
    }
    if let Some(event_type) = &event_type {
        let value = conditions.value(event_type);
        conditions.text += &format!(
            " AND EXISTS (SELECT 1 FROM subscription WHERE subscription.webhook = webhook.number AND subscription.event_type = {value})"
        );
    }
    let matches = format!("webhook.deleted_at IS NULL{}", conditions.text);
    // One statement, so that the count and the rows are of one moment.
    let count = if page.count {
        format!("(SELECT count(*) FROM webhook WHERE {matches})")
    } else {
        "NULL::bigint".to_owned()
    };
    let after = page
        .after
        .as_ref()
        .map(|after| (after.created_at.as_microsecond(), rows::text(&after.id)));
    let mut behind = String::new();
    if let Some((time, id)) = &after {
        let (time, id) = (conditions.value(time), conditions.value(id));
        behind =
            format!(" AND (webhook.created_at, webhook.id) > ({time}, {id}::text COLLATE \"C\")");
    }
    // One more than asked for tells whether more follow.
    let limit = i64::from(page.limit) + 1;
    let offset = i64::try_from(page.offset).unwrap_or(i64::MAX);
    let (limit_name, offset_name) = (conditions.value(&limit), conditions.value(&offset));
    let found = query(
        &client,
        &format!(
            "SELECT page.*, count.of_all FROM (SELECT {count} AS of_all) AS count LEFT JOIN LATERAL (
                 SELECT {WEBHOOK_COLUMNS} AS event_types FROM webhook WHERE {matches}{behind}
                 ORDER BY webhook.created_at, webhook.id LIMIT {limit_name} OFFSET {offset_name}) AS page ON TRUE
             ORDER BY page.created_at, page.id"
        ),
        &conditions.values,
    )
    .await?;
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let mut webhooks = Vec::new();
    let mut more = false;
    let mut count = None;
    for row in &found {
        count = row
            .try_get::<_, Option<i64>>(WEBHOOK_COLUMN_COUNT)?
            .map(i64::unsigned_abs);
        if row.try_get::<_, Option<&str>>(0)?.is_none() {
            break;
        }
        if webhooks.len() == limit {
            more = true;
            break;
        }
        webhooks.push(rows::webhook(row, &db.sealer)?);
    }
    Ok(WebhookPage {
        rows: webhooks,
        more,
        count,
    })
}

/// Gives the number of the webhook too.
pub(super) async fn update_webhook(
    tx: &Transaction<'_>,
    sealer: &Sealer,
    key: &WebhookKey,
    change: WebhookChange,
    now: Timestamp,
) -> Result<Option<(i64, Webhook)>> {
    let Some((number, mut webhook)) = locked(tx, sealer, key).await? else {
        return Ok(None);
    };
    let new_subscriptions = change.event_types.is_some();
    if let Some(suspended) = change.suspended {
        run_cached(
            tx,
            "UPDATE lane SET suspended = $2 WHERE webhook = $1",
            &[&number, &suspended],
        )
        .await?;
        queue::settle(tx, number).await?;
    }
    change.apply(&mut webhook, now);
    let sealed_with = rotation::current_key(tx).await?;
    run_cached(
        tx,
        "UPDATE webhook SET url = $2, enabled = $3, signing_secret = $4, authorization_header = $5, updated_at = $6 WHERE number = $1",
        &[
            &number,
            &webhook.url.as_str(),
            &webhook.enabled,
            &sealed_secret(sealer, sealed_with, &webhook)?,
            &sealed_authorization(sealer, sealed_with, &webhook)?,
            &webhook.updated_at.as_microsecond(),
        ],
    )
    .await?;
    if new_subscriptions {
        run_cached(
            tx,
            "DELETE FROM subscription WHERE webhook = $1",
            &[&number],
        )
        .await?;
        insert_subscriptions(tx, number, &webhook).await?;
    }
    Ok(Some((number, webhook)))
}

/// Gives the number of the webhook, if there was one.
pub(super) async fn delete_webhook(
    tx: &Transaction<'_>,
    key: &WebhookKey,
    on_delete: OnDelete,
    now: Timestamp,
) -> Result<Option<i64>> {
    let found = query(
        tx,
        &format!("UPDATE webhook SET deleted_at = $5 WHERE {NAMED} RETURNING number"),
        &[
            &key.provider.as_str(),
            &rows::text(&key.owner),
            &rows::text(&key.id),
            &rows::optional_text(key.account_id.as_deref()),
            &now.as_microsecond(),
        ],
    )
    .await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    let number: i64 = row.try_get(0)?;
    if on_delete == OnDelete::CancelPending {
        queue::cancel(tx, number, now).await?;
    }
    // Nobody can enable it any more: what is attempted again by hand must not wait for that.
    run_cached(
        tx,
        "UPDATE lane SET suspended = false WHERE webhook = $1",
        &[&number],
    )
    .await?;
    queue::settle(tx, number).await?;
    // A webhook that no delivery refers to is not kept; the others go with their last delivery.
    run_cached(
        tx,
        &format!("DELETE FROM webhook WHERE number = $1 AND {WITHOUT_DELIVERIES}"),
        &[&number],
    )
    .await?;
    Ok(Some(number))
}

/// That no delivery of a webhook is left.
pub(super) const WITHOUT_DELIVERIES: &str = "NOT EXISTS (SELECT 1 FROM pending WHERE pending.webhook = webhook.number) \
     AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.webhook = webhook.number) \
     AND NOT EXISTS (SELECT 1 FROM handed_over WHERE handed_over.webhook = webhook.number)";

async fn insert_subscriptions(tx: &Transaction<'_>, number: i64, webhook: &Webhook) -> Result<()> {
    let types: Vec<_> = webhook
        .event_types
        .iter()
        .map(|name| rows::text(name))
        .collect();
    let account = rows::text(webhook.account_id.as_deref().unwrap_or_default());
    run_cached(
        tx,
        "INSERT INTO subscription (webhook, position, event_type, account)
         SELECT $1, place - 1, event_type, $3 FROM unnest($2::text[]) WITH ORDINALITY AS new (event_type, place)",
        &[&number, &types, &account],
    )
    .await?;
    Ok(())
}

fn sealed_secret(sealer: &Sealer, key: KeyId, webhook: &Webhook) -> Result<Option<Vec<u8>>> {
    let place = targets::secret_place(&webhook.id);
    let secret = webhook.signing_secret.as_ref();
    let sealed = secret.map(|secret| sealer.seal(key, &place, secret));
    Ok(sealed.transpose()?)
}

fn sealed_authorization(sealer: &Sealer, key: KeyId, webhook: &Webhook) -> Result<Option<Vec<u8>>> {
    let place = targets::authorization_place(&webhook.id);
    let header = webhook.authorization.as_ref();
    let sealed = header.map(|header| sealer.seal(key, &place, header));
    Ok(sealed.transpose()?)
}
