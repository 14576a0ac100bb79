//! Rows to domain values and back. Times are microseconds since 1970 in UTC.

use jiff::Timestamp;
use rusqlite::Row;

use super::super::StoreError;
use super::super::seal::Sealer;
use crate::domain::{ApiKey, Fingerprint, Provider, ReceiverUrl, Secret, Webhook};

/// The columns that [`webhook`] reads, in its order.
pub(super) const WEBHOOK_COLUMNS: &str = "webhook.provider, webhook.id, webhook.owner, webhook.account_id, webhook.url, \
     webhook.enabled, webhook.signing_secret, webhook.authorization_header, webhook.created_at, webhook.updated_at, \
     (SELECT json_group_array(event_type ORDER BY position) FROM subscription WHERE webhook = webhook.number)";

/// The columns that [`api_key`] reads, in its order.
pub(super) const KEY_COLUMNS: &str =
    "id, provider, owner, name, key_fingerprint, secret_fingerprint, created_at, revoked_at";

/// Where a webhook's signing secret is sealed.
pub(super) fn secret_place(id: &str) -> String {
    format!("webhook/{id}/signing_secret")
}

/// Where a webhook's authorization header is sealed.
pub(super) fn authorization_place(id: &str) -> String {
    format!("webhook/{id}/authorization_header")
}

pub(super) fn webhook(row: &Row<'_>, sealer: &Sealer) -> Result<Webhook, StoreError> {
    let id: String = row.get(1)?;
    let open = |column: usize, place: String| -> Result<Option<Secret>, StoreError> {
        let sealed: Option<Vec<u8>> = row.get(column)?;
        Ok(sealed
            .map(|sealed| sealer.open(&place, &sealed))
            .transpose()?)
    };
    let event_types: String = row.get(10)?;
    Ok(Webhook {
        provider: provider(row, 0)?,
        owner: row.get(2)?,
        account_id: row.get(3)?,
        url: ReceiverUrl::from_stored(row.get(4)?),
        enabled: row.get(5)?,
        signing_secret: open(6, secret_place(&id))?,
        authorization: open(7, authorization_place(&id))?,
        created_at: time(row.get(8)?)?,
        updated_at: time(row.get(9)?)?,
        event_types: serde_json::from_str(&event_types)
            .map_err(|error| StoreError::Damaged(error.to_string()))?,
        id,
    })
}

pub(super) fn api_key(row: &Row<'_>) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: row.get(0)?,
        provider: provider(row, 1)?,
        owner: row.get(2)?,
        name: row.get(3)?,
        key: Fingerprint::from_bytes(row.get(4)?),
        secret: row
            .get::<_, Option<[u8; 32]>>(5)?
            .map(Fingerprint::from_bytes),
        created_at: time(row.get(6)?)?,
        revoked_at: row.get::<_, Option<i64>>(7)?.map(time).transpose()?,
    })
}

fn provider(row: &Row<'_>, column: usize) -> Result<Provider, StoreError> {
    row.get::<_, String>(column)?
        .parse()
        .map_err(|error: crate::domain::UnknownProvider| StoreError::Damaged(error.to_string()))
}

fn time(microseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(microseconds)
        .map_err(|error| StoreError::Damaged(error.to_string()))
}
