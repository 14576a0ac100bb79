//! Changing the encryption key: secrets are sealed again row by row, in steps that survive a restart. Any node may do a step.
//!
//! The value `key-check` is sealed with the current key, and names it. Secrets are written sealed with that key, by whatever process: so
//! once it has changed no secret is sealed with the old key any more, and those left are found in one pass.

use deadpool_postgres::{GenericClient, Transaction};

use super::{Result, query, rows, run_cached};
use crate::causes::with_causes;
use crate::domain::Secret;
use crate::storage::StoreError;
use crate::storage::seal::{KeyId, Sealer};
use crate::storage::targets;

const PLACE: &str = "meta/key-check";

/// Opens the value that names the current key; says whether there is one.
pub(super) async fn opens(client: &impl GenericClient, sealer: &Sealer) -> Result<bool> {
    let sealed = meta(client, "key-check").await?;
    if let Some(sealed) = &sealed {
        sealer.open(PLACE, sealed)?;
    }
    Ok(sealed.is_some())
}

pub(super) async fn meta(client: &impl GenericClient, name: &str) -> Result<Option<Vec<u8>>> {
    let found = query(client, "SELECT value FROM meta WHERE name = $1", &[&name]).await?;
    Ok(found.first().map(|row| row.try_get(0)).transpose()?)
}

async fn set_meta(tx: &Transaction<'_>, name: &str, value: &[u8]) -> Result<()> {
    run_cached(
        tx,
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &[&name, &value],
    )
    .await?;
    Ok(())
}

/// Opens the value that names the current key, and seals it with the newest one where that is another. The caller holds the lock of
/// migrations, so that of nodes that start at once one sets the key.
pub(super) async fn check_key(tx: &Transaction<'_>, sealer: &Sealer) -> Result<()> {
    let sealed = meta(tx, "key-check").await?;
    let newest = sealer.newest();
    if let Some(sealed) = &sealed {
        sealer.open(PLACE, sealed)?;
        let current = sealed.first_chunk().copied().unwrap_or_default();
        // A change to a key that came to the file meanwhile is not taken back.
        if current == newest || sealer.came_later(current) {
            return Ok(());
        }
    }
    let value = sealer.seal(newest, PLACE, &Secret::new("truehook"))?;
    set_meta(tx, "key-check", &value).await?;
    if sealed.is_some() {
        // From the beginning, also where a change before this one was not finished.
        set_meta(tx, "rotation", &0_i64.to_be_bytes()).await?;
    }
    Ok(())
}

/// The key that is sealed with at this moment. It does not change until the transaction ends.
pub(super) async fn current_key(tx: &Transaction<'_>) -> Result<KeyId> {
    let found = query(
        tx,
        "SELECT substr(value, 1, 8) FROM meta WHERE name = 'key-check' FOR SHARE",
        &[],
    )
    .await?;
    let id: Option<Vec<u8>> = found.first().map(|row| row.try_get(0)).transpose()?;
    id.and_then(|id| id.try_into().ok())
        .ok_or_else(|| StoreError::Damaged("the current key".to_owned()))
}

/// Seals the secrets of the next `limit` webhooks with the current key; says whether a change of the key was under way.
pub(super) async fn step(tx: &Transaction<'_>, sealer: &Sealer, limit: u32) -> Result<bool> {
    let found = query(
        tx,
        "SELECT value FROM meta WHERE name = 'rotation' FOR UPDATE",
        &[],
    )
    .await?;
    let Some(row) = found.first() else {
        return Ok(false);
    };
    let position: Vec<u8> = row.try_get(0)?;
    let position = position.try_into().map(i64::from_be_bytes);
    let position = position.map_err(|_| StoreError::Damaged("the rotation".to_owned()))?;
    let key = current_key(tx).await?;
    let webhooks = query(
        tx,
        "SELECT number, id, signing_secret, authorization_header FROM webhook WHERE number > $1 ORDER BY number LIMIT $2 FOR UPDATE",
        &[&position, &i64::from(limit)],
    )
    .await?;
    let Some(last) = webhooks.last() else {
        run_cached(tx, "DELETE FROM meta WHERE name = 'rotation'", &[]).await?;
        return Ok(true);
    };
    let last: i64 = last.try_get(0)?;
    for row in &webhooks {
        let (number, id): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        let secret = sealed_again(sealer, key, &targets::secret_place(&id), row.try_get(2)?);
        let authorization = sealed_again(
            sealer,
            key,
            &targets::authorization_place(&id),
            row.try_get(3)?,
        );
        run_cached(
            tx,
            "UPDATE webhook SET signing_secret = $2, authorization_header = $3 WHERE number = $1",
            &[&number, &secret, &authorization],
        )
        .await?;
    }
    set_meta(tx, "rotation", &last.to_be_bytes()).await?;
    Ok(true)
}

/// How many secrets are not sealed with this key, counted by webhook, and with the value that names the current key.
pub(super) async fn secrets_of_earlier_keys(
    client: &impl GenericClient,
    key: KeyId,
) -> Result<u64> {
    let found = query(
        client,
        "SELECT (SELECT count(*) FROM webhook
                 WHERE substr(signing_secret, 1, 8) <> $1 OR substr(authorization_header, 1, 8) <> $1)
              + (SELECT count(*) FROM meta WHERE name = 'key-check' AND substr(value, 1, 8) <> $1)",
        &[&key.as_slice()],
    )
    .await?;
    rows::count(&found[0], 0)
}

/// One that does not open stays as it is: it is of no use with any key, and must not keep the others from theirs.
fn sealed_again(
    sealer: &Sealer,
    key: KeyId,
    place: &str,
    sealed: Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let sealed = sealed?;
    if sealed.starts_with(&key) {
        return Some(sealed);
    }
    let again = sealer
        .open(place, &sealed)
        .and_then(|secret| sealer.seal(key, place, &secret));
    match again {
        Ok(again) => Some(again),
        Err(error) => {
            tracing::error!(
                place,
                error = with_causes(&error),
                "a secret cannot be sealed again"
            );
            Some(sealed)
        }
    }
}
