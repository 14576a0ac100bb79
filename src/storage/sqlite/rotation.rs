//! Changing the encryption key: secrets are sealed again row by row, in steps that survive a restart.
//!
//! The value `key-check` is sealed with the current key, and names it. Secrets are written sealed with that key, by whatever process: so
//! once it has changed no secret is sealed with the old key any more, and those left are found in one pass.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::StoreError;
use super::super::seal::{KeyId, Sealer};
use super::super::targets;
use crate::causes::with_causes;
use crate::domain::Secret;

type Result<T> = std::result::Result<T, StoreError>;

/// Number and id of a webhook, its signing secret and its authorization header.
type SealedSecrets = (i64, String, Option<Vec<u8>>, Option<Vec<u8>>);

const PLACE: &str = "meta/key-check";

/// Opens the value that names the current key; says whether there is one.
pub(super) fn opens(connection: &Connection, sealer: &Sealer) -> Result<bool> {
    let sealed = key_check(connection)?;
    if let Some(sealed) = &sealed {
        sealer.open(PLACE, sealed)?;
    }
    Ok(sealed.is_some())
}

fn key_check(connection: &Connection) -> Result<Option<Vec<u8>>> {
    let sealed = connection.query_row(
        "SELECT value FROM meta WHERE name = 'key-check'",
        [],
        |row| row.get(0),
    );
    Ok(sealed.optional()?)
}

/// Opens the value that names the current key, and seals it with the newest one where that is another.
pub(super) fn check_key(connection: &Connection, sealer: &Sealer) -> Result<()> {
    let sealed = key_check(connection)?;
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
    connection.execute(
        "INSERT OR REPLACE INTO meta (name, value) VALUES ('key-check', ?1)",
        [value],
    )?;
    if sealed.is_some() {
        // From the beginning, also where a change before this one was not finished.
        connection.execute(
            "INSERT OR REPLACE INTO meta (name, value) VALUES ('rotation', ?1)",
            [0_i64.to_be_bytes()],
        )?;
    }
    Ok(())
}

/// The key that is sealed with at this moment.
pub(super) fn current_key(connection: &Connection) -> Result<KeyId> {
    let id: Vec<u8> = connection
        .prepare_cached("SELECT substr(value, 1, 8) FROM meta WHERE name = 'key-check'")?
        .query_row([], |row| row.get(0))?;
    id.try_into()
        .map_err(|_| StoreError::Damaged("the current key".to_owned()))
}

/// Seals the secrets of the next `limit` webhooks with the current key; says whether a change of the key was under way.
pub(super) fn step(connection: &Connection, sealer: &Sealer, limit: u32) -> Result<bool> {
    let position: Option<Vec<u8>> = connection
        .prepare_cached("SELECT value FROM meta WHERE name = 'rotation'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(position) = position else {
        return Ok(false);
    };
    let position = position.try_into().map(i64::from_be_bytes);
    let position = position.map_err(|_| StoreError::Damaged("the rotation".to_owned()))?;
    let key = current_key(connection)?;
    let mut statement = connection.prepare_cached(
        "SELECT number, id, signing_secret, authorization_header FROM webhook WHERE number > ?1 ORDER BY number LIMIT ?2",
    )?;
    let webhooks = statement.query_map(params![position, limit], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    let webhooks: Vec<SealedSecrets> = webhooks.collect::<rusqlite::Result<_>>()?;
    let Some((last, ..)) = webhooks.last() else {
        connection.execute("DELETE FROM meta WHERE name = 'rotation'", [])?;
        return Ok(true);
    };
    let last = *last;
    for (number, id, secret, authorization) in webhooks {
        let secret = sealed_again(sealer, key, &targets::secret_place(&id), secret);
        let authorization = sealed_again(
            sealer,
            key,
            &targets::authorization_place(&id),
            authorization,
        );
        connection
            .prepare_cached(
                "UPDATE webhook SET signing_secret = ?2, authorization_header = ?3 WHERE number = ?1",
            )?
            .execute(params![number, secret, authorization])?;
    }
    connection
        .prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'rotation'")?
        .execute([last.to_be_bytes()])?;
    Ok(true)
}

/// How many secrets are not sealed with this key, counted by webhook, and with the value that names the current key.
pub(super) fn secrets_of_earlier_keys(connection: &Connection, key: KeyId) -> Result<u64> {
    let count: i64 = connection.query_row(
        "SELECT (SELECT count(*) FROM webhook
                 WHERE substr(signing_secret, 1, 8) <> ?1 OR substr(authorization_header, 1, 8) <> ?1)
              + (SELECT count(*) FROM meta WHERE name = 'key-check' AND substr(value, 1, 8) <> ?1)",
        [key],
        |row| row.get(0),
    )?;
    Ok(count.unsigned_abs())
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
