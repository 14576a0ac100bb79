//! API keys: kept, found, listed and revoked.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;

use super::{Result, query, rows, run_cached};
use crate::domain::{ApiKey, ProviderName};

pub(super) async fn insert_key(client: &impl GenericClient, key: &ApiKey) -> Result<()> {
    run_cached(
        client,
        &format!(
            "INSERT INTO api_key ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            rows::KEY_COLUMNS
        ),
        &[
            &key.id,
            &key.provider.as_str(),
            &rows::text(&key.owner),
            &rows::optional_text(key.name.as_deref()),
            &key.key.as_bytes().as_slice(),
            &key.secret
                .as_ref()
                .map(|secret| secret.as_bytes().as_slice()),
            &key.created_at.as_microsecond(),
            &key.revoked_at.map(Timestamp::as_microsecond),
        ],
    )
    .await?;
    Ok(())
}

/// The keys with these fingerprints, in their order.
pub(super) async fn keys_by_fingerprint(
    client: &impl GenericClient,
    wanted: &[(ProviderName, [u8; 32])],
) -> Result<Vec<Option<ApiKey>>> {
    let providers: Vec<&str> = wanted
        .iter()
        .map(|(provider, _)| provider.as_str())
        .collect();
    let fingerprints: Vec<&[u8]> = wanted
        .iter()
        .map(|(_, fingerprint)| fingerprint.as_slice())
        .collect();
    let found = query(
        client,
        &format!(
            "SELECT {}, wanted.place FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS wanted (wanted_provider, fingerprint, place)
             JOIN api_key ON api_key.provider = wanted.wanted_provider AND api_key.key_fingerprint = wanted.fingerprint",
            rows::KEY_COLUMNS
        ),
        &[&providers, &fingerprints],
    )
    .await?;
    let mut keys: Vec<Option<ApiKey>> = wanted.iter().map(|_| None).collect();
    for row in found {
        let place = usize::try_from(row.try_get::<_, i64>(8)?).unwrap_or_default();
        keys[place - 1] = Some(rows::api_key(&row)?);
    }
    Ok(keys)
}

pub(super) async fn keys(client: &impl GenericClient) -> Result<Vec<ApiKey>> {
    let found = query(
        client,
        &format!(
            "SELECT {} FROM api_key ORDER BY created_at, id",
            rows::KEY_COLUMNS
        ),
        &[],
    )
    .await?;
    found.iter().map(rows::api_key).collect()
}

pub(super) async fn revoke_key(
    client: &impl GenericClient,
    id: &str,
    now: Timestamp,
) -> Result<bool> {
    let revoked = run_cached(
        client,
        "UPDATE api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
        &[&rows::text(id), &now.as_microsecond()],
    )
    .await?;
    Ok(revoked > 0)
}
