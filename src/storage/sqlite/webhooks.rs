//! The SQL of webhooks, written for one connection inside (writes) or outside (reads) a transaction.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::super::seal::{KeyId, Sealer};
use super::super::targets;
use super::super::{OnDelete, Page, StoreError, WebhookFilter, WebhookKey, WebhookPage};
use super::{in_flight, queue, rotation, rows};
use crate::domain::{Webhook, WebhookChange};

type Result<T> = std::result::Result<T, StoreError>;

pub(super) fn insert_webhook(
    connection: &Connection,
    sealer: &Sealer,
    webhook: &Webhook,
) -> Result<()> {
    let key = rotation::current_key(connection)?;
    connection
        .prepare_cached(
            "INSERT INTO webhook (provider, id, owner, account_id, url, enabled, signing_secret, authorization_header,
                 created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            webhook.provider.as_str(),
            webhook.id,
            webhook.owner,
            webhook.account_id,
            webhook.url.as_str(),
            webhook.enabled,
            sealed_secret(sealer, key, webhook)?,
            sealed_authorization(sealer, key, webhook)?,
            webhook.created_at.as_microsecond(),
            webhook.updated_at.as_microsecond(),
        ])?;
    insert_subscriptions(connection, connection.last_insert_rowid(), webhook)
}

pub(super) fn webhook(
    connection: &Connection,
    sealer: &Sealer,
    key: &WebhookKey,
) -> Result<Option<Webhook>> {
    Ok(find(connection, sealer, key)?.map(|(_, webhook)| webhook))
}

pub(super) fn webhooks(
    connection: &Connection,
    sealer: &Sealer,
    filter: &WebhookFilter,
    page: &Page,
) -> Result<WebhookPage> {
    const MATCHES: &str = "webhook.provider = :provider AND webhook.owner = :owner AND webhook.deleted_at IS NULL
        AND (:account_id IS NULL OR webhook.account_id IS NULL OR webhook.account_id = :account_id)
        AND (:enabled IS NULL OR webhook.enabled = :enabled)
        AND (:event_type IS NULL OR EXISTS (SELECT 1 FROM subscription
             WHERE subscription.webhook = webhook.number AND subscription.event_type = :event_type))";
    // One transaction, so that the count and the rows are of one moment.
    let transaction = connection.unchecked_transaction()?;
    let count = if page.count {
        let mut statement =
            transaction.prepare_cached(&format!("SELECT count(*) FROM webhook WHERE {MATCHES}"))?;
        let count: i64 = statement.query_row(
            named_params! {
                ":provider": filter.provider.as_str(), ":owner": filter.owner, ":account_id": filter.account_id,
                ":enabled": filter.enabled, ":event_type": filter.event_type,
            },
            |row| row.get(0),
        )?;
        Some(count.unsigned_abs())
    } else {
        None
    };
    let mut statement = transaction.prepare_cached(&format!(
        "SELECT {} FROM webhook WHERE {MATCHES}
             AND (:after_time IS NULL OR (webhook.created_at, webhook.id) > (:after_time, :after_id))
         ORDER BY webhook.created_at, webhook.id LIMIT :limit OFFSET :offset",
        rows::WEBHOOK_COLUMNS
    ))?;
    let mut found = statement.query(named_params! {
        ":provider": filter.provider.as_str(), ":owner": filter.owner, ":account_id": filter.account_id,
        ":enabled": filter.enabled, ":event_type": filter.event_type,
        ":after_time": page.after.as_ref().map(|after| after.created_at.as_microsecond()),
        ":after_id": page.after.as_ref().map(|after| after.id.as_str()),
        // One more than asked for tells whether more follow.
        ":limit": i64::from(page.limit) + 1,
        ":offset": i64::try_from(page.offset).unwrap_or(i64::MAX),
    })?;
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let mut webhooks = Vec::new();
    let mut more = false;
    while let Some(row) = found.next()? {
        if webhooks.len() == limit {
            more = true;
            break;
        }
        webhooks.push(rows::webhook(row, sealer)?);
    }
    Ok(WebhookPage {
        rows: webhooks,
        more,
        count,
    })
}

/// Gives the number of the webhook too.
pub(super) fn update_webhook(
    connection: &Connection,
    sealer: &Sealer,
    key: &WebhookKey,
    change: WebhookChange,
    now: Timestamp,
) -> Result<Option<(i64, Webhook)>> {
    let Some((number, mut webhook)) = find(connection, sealer, key)? else {
        return Ok(None);
    };
    let new_subscriptions = change.event_types.is_some();
    if let Some(suspended) = change.suspended {
        connection
            .prepare_cached(
                "UPDATE webhook SET suspended = ?2 WHERE number = ?1 AND suspended <> ?2",
            )?
            .execute(params![number, suspended])?;
        queue::settle(connection, number)?;
    }
    change.apply(&mut webhook, now);
    let sealed_with = rotation::current_key(connection)?;
    connection
        .prepare_cached(
            "UPDATE webhook SET url = ?2, enabled = ?3, signing_secret = ?4, authorization_header = ?5, updated_at = ?6
             WHERE number = ?1",
        )?
        .execute(params![
            number,
            webhook.url.as_str(),
            webhook.enabled,
            sealed_secret(sealer, sealed_with, &webhook)?,
            sealed_authorization(sealer, sealed_with, &webhook)?,
            webhook.updated_at.as_microsecond(),
        ])?;
    if new_subscriptions {
        connection
            .prepare_cached("DELETE FROM subscription WHERE webhook = ?1")?
            .execute([number])?;
        insert_subscriptions(connection, number, &webhook)?;
    }
    Ok(Some((number, webhook)))
}

/// Gives the number of the webhook, if there was one.
pub(super) fn delete_webhook(
    connection: &Connection,
    key: &WebhookKey,
    on_delete: OnDelete,
    now: Timestamp,
) -> Result<Option<i64>> {
    let number: Option<i64> = connection
        .prepare_cached(
            "UPDATE webhook SET deleted_at = ?5, suspended = 0 WHERE provider = ?1 AND owner = ?2 AND id = ?3 AND deleted_at IS NULL
                 AND (?4 IS NULL OR account_id IS NULL OR account_id = ?4) RETURNING number",
        )?
        .query_row(
            params![key.provider.as_str(), key.owner, key.id, key.account_id, now.as_microsecond()],
            |row| row.get(0),
        )
        .optional()?;
    let Some(number) = number else {
        return Ok(None);
    };
    in_flight::settle_all(connection)?;
    if on_delete == OnDelete::CancelPending {
        queue::cancel(connection, number, now)?;
    }
    // Nobody can enable it any more: what is attempted again by hand must not wait for that.
    queue::settle(connection, number)?;
    // A webhook that no delivery refers to is not kept; the others go with their last delivery.
    connection
        .prepare_cached(
            "DELETE FROM webhook WHERE number = ?1 AND NOT EXISTS (SELECT 1 FROM delivery WHERE webhook = ?1)",
        )?
        .execute([number])?;
    Ok(Some(number))
}

fn find(
    connection: &Connection,
    sealer: &Sealer,
    key: &WebhookKey,
) -> Result<Option<(i64, Webhook)>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, webhook.number FROM webhook WHERE provider = ?1 AND owner = ?2 AND id = ?3 AND deleted_at IS NULL
             AND (?4 IS NULL OR account_id IS NULL OR account_id = ?4)",
        rows::WEBHOOK_COLUMNS
    ))?;
    statement
        .query_row(
            params![key.provider.as_str(), key.owner, key.id, key.account_id],
            |row| Ok((row.get(11)?, rows::webhook(row, sealer))),
        )
        .optional()?
        .map(|(number, webhook)| Ok((number, webhook?)))
        .transpose()
}

fn insert_subscriptions(connection: &Connection, number: i64, webhook: &Webhook) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO subscription (webhook, position, event_type, account) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let account = webhook.account_id.as_deref().unwrap_or_default();
    for (position, event_type) in (0_i64..).zip(&webhook.event_types) {
        statement.execute(params![number, position, event_type, account])?;
    }
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
