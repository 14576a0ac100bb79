//! The SQL of API keys.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::super::StoreError;
use super::rows;
use crate::domain::{ApiKey, Fingerprint, ProviderName};

type Result<T> = std::result::Result<T, StoreError>;

pub(super) fn insert_key(connection: &Connection, key: &ApiKey) -> Result<()> {
    connection
        .prepare_cached(&format!(
            "INSERT INTO api_key ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            rows::KEY_COLUMNS
        ))?
        .execute(params![
            key.id,
            key.provider.as_str(),
            key.owner,
            key.name,
            key.key.as_bytes(),
            key.secret.as_ref().map(Fingerprint::as_bytes),
            key.created_at.as_microsecond(),
            key.revoked_at.map(Timestamp::as_microsecond),
        ])?;
    Ok(())
}

pub(super) fn key(
    connection: &Connection,
    provider: ProviderName,
    fingerprint: &Fingerprint,
) -> Result<Option<ApiKey>> {
    let sql = format!(
        "SELECT {} FROM api_key WHERE provider = ?1 AND key_fingerprint = ?2",
        rows::KEY_COLUMNS
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query(params![provider.as_str(), fingerprint.as_bytes()])?;
    found.next()?.map(rows::api_key).transpose()
}

pub(super) fn keys(connection: &Connection) -> Result<Vec<ApiKey>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {} FROM api_key ORDER BY created_at, id",
        rows::KEY_COLUMNS
    ))?;
    let mut found = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = found.next()? {
        keys.push(rows::api_key(row)?);
    }
    Ok(keys)
}

pub(super) fn revoke_key(connection: &Connection, id: &str, now: Timestamp) -> Result<bool> {
    let revoked = connection
        .prepare_cached("UPDATE api_key SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")?
        .execute(params![id, now.as_microsecond()])?;
    Ok(revoked > 0)
}
